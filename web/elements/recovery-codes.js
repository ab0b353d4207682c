/**
 * `<recovery-codes>`: shows a batch and does not let it go unsaved.
 *
 * Give it the property `batch`. Codes are in the property and in the list, and nowhere else: no
 * attribute, no storage, no address. What may happen when is decided by `SavePrompt` of the
 * module; this carries its effects out and feeds the outcomes back.
 *
 * Markup that is there is used (our pages send the list for people without JavaScript); what is
 * missing is made.
 *
 * Properties: `batch`, `texts`, `sheetTexts`, `state`, `ready`.
 * Methods: `confirmed()`, `refused("network" | "expired" | "refused")`, `expired()`.
 * Events: `recovery-codes-saved`, `-failed`, `-confirm`, `-wiped`, see lib/events.js.
 */
import {
  RecoveryCodesConfirmEvent,
  RecoveryCodesFailedEvent,
  RecoveryCodesSavedEvent,
  RecoveryCodesWipedEvent,
} from '../lib/events.js';
import { make } from '../lib/make.js';
import { load } from '../lib/module.js';
import { copy, download, print, select } from '../lib/saving.js';
import { fill } from '../lib/texts.js';

/** @typedef {import('../wasm/spare_key.js').SaveEvent} SaveEvent */
/** @typedef {import('../wasm/spare_key.js').SaveEffect} SaveEffect */
/** @typedef {import('../wasm/spare_key.js').SaveNotice} SaveNotice */
/** @typedef {import('../wasm/spare_key.js').SaveState} SaveState */
/** @typedef {import('../wasm/spare_key.js').SaveFailure} SaveFailure */
/** @typedef {import('../lib/texts.js').Texts} Texts */
/** @typedef {{ number: number, code: string }} NumberedCode */
/**
 * @typedef {object} Batch
 * @property {string} product the service the codes are for
 * @property {string} [account] whose, as far as its owner needs it
 * @property {number} generation
 * @property {string} issuedOn the date, written for the reader
 * @property {string} [url] where codes are entered, for the sheet
 * @property {NumberedCode[]} codes
 */

/** The four ways: the event that asks for each, the text of its button, what it is when it is done. */
const WAYS = /** @type {const} */ ([
  ['copy', 'copy', 'copied'],
  ['download', 'download', 'downloaded'],
  ['print', 'print', 'printed'],
  ['wrote-down', 'wroteDown', 'wrote-down'],
]);

/** Said at once and beside the box: what keeps the person from going on. */
const URGENT = new Set(['save-first', 'tick-first', 'network', 'refused', 'expired']);

export class RecoveryCodes extends HTMLElement {
  /** English. Another language is handed in by the property `texts`. */
  static texts = {
    heading: 'Your recovery codes',
    copy: 'Copy',
    download: 'Download',
    print: 'Print',
    wroteDown: 'I wrote them down',
    saved: 'I have saved these codes',
    continue: 'Continue',
    copied: 'Copied. Now paste the codes somewhere safe.',
    'copy-refused': 'The browser did not allow copying. The codes are selected: press Ctrl+C, or ⌘C on a Mac.',
    downloaded: 'Downloaded as {filename}. Move it somewhere safe.',
    'download-failed': 'The file could not be made. Copy, print or write down the codes instead.',
    printed: 'Printed. Check that every code is readable.',
    'print-failed': 'Printing did not start. Copy, download or write down the codes instead.',
    'wrote-down': 'Good. Compare what you wrote with the screen once more.',
    'save-first': 'First copy, download, print or write down the codes, then tick the box.',
    'tick-first': 'Tick the box first, then continue.',
    activating: 'One moment, your codes are being switched on.',
    done: 'Done. Your codes work from now on.',
    network: 'No answer came. Your codes are still here. Try again.',
    refused: 'That was refused, and nothing has changed. Your codes are still here.',
    expired: 'These codes were not confirmed in time and will never work. Start again to get new ones.',
    left: 'The codes are no longer shown here. Reload the page to see them again.',
  };

  /** The sentences of the sheet, in English. Another language is handed in by `sheetTexts`. */
  static sheetTexts = {
    title: '{product} recovery codes',
    account: 'Account: {account}',
    batch: 'Set {generation}, made on {date}',
    usage: 'If you cannot use your usual second step, sign in with your password and enter one of these codes. Each code works once. Cross it out after use.',
    place: 'Where to enter a code: {url}',
    protection: 'Keep this sheet in a password manager or on paper in a safe place. Do not send it by mail, and show it to nobody: no one from {product} will ask for it.',
    replacement: 'If you make new codes, these stop working.',
    alarm: 'If you hear that a code was used and it was not you, change your password and make new codes at once.',
  };

  /** @param {CustomElementRegistry} registry */
  static define(registry = customElements, name = 'recovery-codes') {
    if (!registry.get(name)) registry.define(name, this);
  }

  /** @type {AbortController | undefined} */
  #connection;
  /** @type {import('../lib/module.js').Module | undefined} */
  #module;
  /** @type {import('../wasm/spare_key.js').SavePrompt | undefined} */
  #prompt;
  /** @type {Batch | undefined} */
  #batch;
  /** @type {SaveState | undefined} */
  #state;
  #texts = RecoveryCodes.texts;
  /** @type {ReturnType<RecoveryCodes['build']> | undefined} */
  #parts;

  /** @type {import('../wasm/spare_key.js').SheetTexts} */
  #sheetTexts = RecoveryCodes.sheetTexts;

  /** Settles when the prompt works (true), or the module cannot be had (false). */
  ready = Promise.resolve(false);

  connectedCallback() {
    this.#connection = new AbortController();
    if (this.#batch) this.#start();
  }

  disconnectedCallback() {
    this.#connection?.abort();
    this.#connection = undefined;
    // Kept in the property: an element that is only moved comes back with its codes.
    this.#parts?.list.replaceChildren();
  }

  /** The batch on the screen; `undefined` when it was taken away. */
  get batch() {
    return this.#batch;
  }

  set batch(batch) {
    this.#wipe();
    this.#prompt?.free();
    this.#prompt = this.#state = undefined;
    this.#batch = batch;
    if (this.isConnected && batch) this.#start();
  }

  /** @returns {Texts} */
  get texts() {
    return this.#texts;
  }

  /** @param {Texts} texts */
  set texts(texts) {
    this.#texts = { ...RecoveryCodes.texts, ...texts };
  }

  /** The sentences of the sheet, in the reader's language. */
  get sheetTexts() {
    return this.#sheetTexts;
  }

  set sheetTexts(texts) {
    this.#sheetTexts = { ...RecoveryCodes.sheetTexts, ...texts };
  }

  /** Where the prompt stands; `undefined` before the module is there. */
  get state() {
    return this.#state;
  }

  /** The host made the batch live. */
  confirmed() {
    this.#step('activated');
  }

  /** The host did not. @param {SaveFailure} reason */
  refused(reason) {
    this.#step({ type: 'activation-failed', reason });
  }

  /** The time of the pending batch ran out. */
  expired() {
    this.#step('expired');
  }

  #start() {
    const batch = this.#batch;
    if (!batch) return;
    this.#connection?.abort();
    const { signal } = (this.#connection = new AbortController());
    this.#parts = this.build(batch);
    this.ready = load().then(
      (module) => {
        if (signal.aborted || this.#batch !== batch) return false;
        this.#module = module;
        this.#prompt = new module.SavePrompt({ generation: batch.generation, count: batch.codes.length });
        this.#state = this.#prompt.state;
        this.#listen(signal);
        this.#render();
        return true;
      },
      () => {
        this.dispatchEvent(new RecoveryCodesFailedEvent('module'));
        return false;
      },
    );
  }

  /**
   * The parts: found, or made.
   * @protected
   * @param {Batch} batch
   */
  build(batch) {
    const text = this.#texts;
    const sheet = this.#part('div', 'sk-sheet', this);
    const list = this.#part('ol', 'sk-list', sheet);
    list.translate = false;
    if (!list.hasAttribute('aria-label')) list.setAttribute('aria-label', text.heading);
    list.replaceChildren(...batch.codes.map(({ number, code }) => make('li', { value: number }, make('code', {}, code))));
    const actions = this.#part('div', 'sk-actions', this);
    const status = this.#part('p', 'sk-status', this);
    status.setAttribute('role', 'status');
    const error = this.#part('p', 'sk-error', this);
    error.setAttribute('role', 'alert');
    error.id ||= 'recovery-codes-error';
    const label = this.#part('label', 'sk-saved', this);
    let box = label.querySelector('input');
    if (!box) {
      box = make('input', { type: 'checkbox' });
      box.setAttribute('aria-describedby', error.id);
      label.append(box, make('span', {}, text.saved));
    }
    const go = this.#part('button', 'sk-continue', this);
    go.textContent ||= text.continue;
    return { sheet, list, actions, status, error, label, box, go };
  }

  /**
   * @template {keyof HTMLElementTagNameMap} Tag
   * @param {Tag} tag
   * @param {string} name
   * @param {Element} parent
   * @returns {HTMLElementTagNameMap[Tag]}
   */
  #part(tag, name, parent) {
    /** @type {HTMLElementTagNameMap[Tag] | null} */
    const found = this.querySelector(`${tag}.${name}`);
    if (found) return found;
    return parent.appendChild(make(tag, /** @type {Partial<HTMLElementTagNameMap[Tag]>} */ ({ className: name })));
  }

  /** @param {AbortSignal} signal */
  #listen(signal) {
    const parts = this.#parts;
    const batch = this.#batch;
    if (!parts || !batch) return;
    this.#sheetAround(parts.sheet, parts.list);
    for (const [event, name] of WAYS) {
      const button = this.#part('button', `sk-${event}`, parts.actions);
      button.type = 'button';
      button.removeAttribute('formaction');
      button.textContent ||= this.#texts[name];
      // In the order of the machine, wherever our page had put the one that works without it.
      parts.actions.append(button);
      button.addEventListener('click', () => this.#step(event), { signal });
    }
    parts.box.addEventListener('change', () => this.#step(parts.box.checked ? 'ticked' : 'unticked'), { signal });
    if (parts.box.checked) this.#step('ticked');
    parts.go.type = 'submit';
    parts.go.addEventListener('click', (event) => {
      event.preventDefault();
      this.#step('continue');
    }, { signal });
    window.addEventListener('afterprint', () => this.#step('printed'), { signal });
    window.addEventListener('beforeunload', (event) => {
      if (this.#state?.phase === 'shown') event.preventDefault();
    }, { signal });
    window.addEventListener('pagehide', () => this.#step('left'), { signal });
    window.addEventListener('pageshow', (event) => {
      if (event.persisted && this.#state?.phase === 'left') this.#announce('left');
    }, { signal });
  }

  /**
   * What the paper says around the list. On our pages it is there already, in the reader's words.
   * @param {HTMLElement} sheet
   * @param {HTMLElement} list
   */
  #sheetAround(sheet, list) {
    const model = this.#sheet()?.model;
    if (!model || sheet.querySelector('.sk-paper')) return;
    /** @param {string} text @param {string} name */
    const line = (text, name) => make('p', { className: name }, text);
    // The last fact says which batch it is: that one is for the screen too.
    const facts = [...model.facts];
    const which = facts.pop() ?? '';
    list.before(make('div', { className: 'sk-paper' }, line(model.title, 'sk-title'), ...facts.map((fact) => line(fact, 'sk-fact'))));
    list.after(line(which, 'sk-batch'), make('div', { className: 'sk-paper sk-notes' }, ...model.notes.map((note) => line(note, 'sk-note'))));
  }

  #sheet() {
    const batch = this.#batch;
    if (!batch) return undefined;
    return this.#module?.sheet(
      { generation: batch.generation, codes: batch.codes.map(({ code }) => code) },
      {
        product: batch.product,
        account: batch.account ?? '',
        date: batch.issuedOn,
        url: batch.url ?? '',
        texts: this.#sheetTexts,
      },
    );
  }

  /** @param {SaveEvent} event */
  #step(event) {
    if (!this.#prompt) return;
    const before = this.#state?.savedBy ?? [];
    const { state, effects } = this.#prompt.step(event);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    this.#render();
    for (const way of state.savedBy) {
      if (!before.includes(way)) this.dispatchEvent(new RecoveryCodesSavedEvent(way));
    }
  }

  /** @param {SaveEffect} effect */
  #carryOut(effect) {
    switch (effect.type) {
      case 'copy':
        // No await before it: the click must still last.
        copy(this.#sheet()?.text ?? '').then((done) => this.#outcome(done, 'copied', 'copy-refused', 'copy'));
        break;
      case 'download': {
        const sheet = this.#sheet();
        const done = sheet !== undefined && download(sheet.text, sheet.filename);
        this.#outcome(done, 'downloaded', 'download-failed', 'download');
        break;
      }
      case 'print':
        this.#outcome(print(), 'printed', 'print-failed', 'print');
        break;
      case 'select-text':
        if (this.#parts) select(this.#parts.list);
        break;
      case 'announce':
        this.#announce(effect.what);
        break;
      case 'activate':
        this.dispatchEvent(new RecoveryCodesConfirmEvent(effect.generation));
        break;
      case 'wipe':
        this.#wipe();
        break;
    }
  }

  /**
   * @param {boolean} done
   * @param {SaveEvent} yes
   * @param {SaveEvent} no
   * @param {'copy' | 'download' | 'print'} what
   */
  #outcome(done, yes, no, what) {
    this.#step(done ? yes : no);
    if (!done) this.dispatchEvent(new RecoveryCodesFailedEvent(what));
  }

  /** @param {SaveNotice | 'left'} what */
  #announce(what) {
    if (!this.#parts) return;
    const filename = what === 'downloaded' ? this.#sheet()?.filename ?? '' : '';
    const words = fill(this.#texts[what], { filename });
    this.#parts.error.textContent = URGENT.has(what) ? words : '';
    // The host's code for what it had said there.
    delete this.#parts.error.dataset.error;
    this.#parts.status.textContent = URGENT.has(what) ? '' : words;
  }

  #render() {
    const parts = this.#parts;
    const state = this.#state;
    if (!parts || !state) return;
    this.dataset.phase = state.phase;
    const over = state.phase === 'done' || state.phase === 'expired' || state.phase === 'left';
    for (const part of [parts.sheet, parts.actions, parts.label, parts.go]) part.hidden = over;
    for (const [event, , way] of WAYS) {
      parts.actions.querySelector(`.sk-${event}`)?.toggleAttribute('data-done', state.savedBy.includes(way));
    }
    parts.go.setAttribute('aria-disabled', String(!state.canContinue));
    if (state.ticked && parts.error.textContent === this.#texts['tick-first']) parts.error.textContent = '';
    if (parts.box.ariaInvalid && state.ticked) parts.box.removeAttribute('aria-invalid');
  }

  /** Takes the codes from the page. A wiped prompt stays to say where it stands. */
  #wipe() {
    if (!this.#batch) return;
    this.#batch = undefined;
    this.#parts?.list.replaceChildren();
    getSelection()?.removeAllRanges();
    this.dispatchEvent(new RecoveryCodesWipedEvent());
  }
}
