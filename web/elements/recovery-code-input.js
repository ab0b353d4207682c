/**
 * `<recovery-code-input>`: one field for one recovery code.
 *
 * Wraps a real `<input>` in the light DOM, so that labels, autofill and password managers work:
 * the one it finds, or one that it makes. Formats while one types, and says what is wrong where it
 * is wrong, without asking a server. It never repairs a code, never submits, and leaves a
 * composition of an input method alone.
 *
 * Attributes: `name` (of the form value), `format` ("list", "single", or none for either),
 * `label` (when it makes its own input), `required`, `disabled`.
 * Properties: `value`, `verdict`, `texts`, `input`, `form`, `ready`.
 * Events: `recovery-code-verdict` (`RecoveryCodeVerdictEvent`), and `input` of the field.
 */
import { RecoveryCodeVerdictEvent } from '../lib/events.js';
import { History } from '../lib/history.js';
import { load } from '../lib/module.js';
import { languageOf } from '../lib/texts.js';
import { verdictText } from '../lib/verdict-text.js';

/** @typedef {import('../wasm/spare_key.js').Verdict} Verdict */

const FIELD = {
  type: 'text',
  inputmode: 'text',
  autocomplete: 'one-time-code',
  autocapitalize: 'characters',
  autocorrect: 'off',
  spellcheck: 'false',
  writingsuggestions: 'false',
  translate: 'no',
  enterkeyhint: 'done',
};

let made = 0;

export class RecoveryCodeInput extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = ['disabled', 'format', 'name', 'required'];

  /** English. Another language is handed in by the property `texts`. */
  static texts = {
    label: 'Recovery code',
    empty: 'Enter one of your recovery codes.',
    'missing.one': '{n} character is missing.',
    'missing.other': '{n} characters are missing.',
    'extra.one': 'There is {n} character too many.',
    'extra.other': 'There are {n} characters too many.',
    symbol: 'Character {at} cannot be in a code. Codes have letters and the digits 2 to 7.',
    symbolWith: 'Character {at} cannot be in a code. Is it {symbol} on your list?',
    ambiguous: 'Is it I or L? Look at {places} on your list and type the letter.',
    check: 'Something is mistyped. Compare the code with your list.',
    checkPlaces: 'Something is mistyped. Compare with your list: {places}.',
    place: 'character {at}',
    looksLike: 'character {at} ({typed} or {symbol}?)',
    swapped: 'characters {at} and {next} (the other way round?)',
    complete: 'The code is complete.',
    many: 'That is more than one code. Paste one that is not crossed out.',
  };

  /** @param {CustomElementRegistry} registry */
  static define(registry = customElements, name = 'recovery-code-input') {
    if (!registry.get(name)) registry.define(name, this);
  }

  #internals = this.attachInternals();
  /** @type {AbortController | undefined} */
  #connection;
  /** @type {AbortController | undefined} */
  #formConnection;
  /** @type {import('../lib/module.js').Module | undefined} */
  #module;
  /** @type {import('../lib/texts.js').Texts} */
  #texts = RecoveryCodeInput.texts;
  /** @type {Verdict | undefined} */
  #verdict;
  #history = new History({ text: '', caret: 0 });
  #composing = false;
  /** The text of a paste of several lines, until the browser has put it into the field. */
  #pasted = '';
  /** @type {HTMLInputElement} */
  #input = document.createElement('input');
  #status = document.createElement('p');
  #error = document.createElement('p');

  /** Settles when the module is there (true) or cannot be had (false). */
  ready = Promise.resolve(false);

  connectedCallback() {
    this.#build();
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    this.ready = load().then(
      (module) => {
        if (!signal.aborted) this.#enhance(module, signal);
        return !signal.aborted;
      },
      () => false,
    );
  }

  disconnectedCallback() {
    this.#connection?.abort();
    this.#formConnection?.abort();
    this.#connection = this.#formConnection = this.#module = undefined;
  }

  attributeChangedCallback() {
    if (!this.#connection) return;
    this.#takeAttributes();
    if (this.#module) this.#judge();
  }

  /** @param {boolean} disabled */
  formDisabledCallback(disabled) {
    this.#input.disabled = disabled;
  }

  formResetCallback() {
    this.value = '';
  }

  formAssociatedCallback() {
    if (this.#module) this.#watchForm();
  }

  /** The field. */
  get input() {
    return this.#input;
  }

  get form() {
    return this.#internals.form;
  }

  /** What stands in the field; assigning formats it. */
  get value() {
    return this.#input.value;
  }

  set value(text) {
    this.#input.value = this.#module ? this.#module.edit(text, text.length, this.#format).text : text;
    this.#history = new History({ text: this.#input.value, caret: this.#input.value.length });
    this.#say('', '');
    if (this.#module) this.#judge();
  }

  /** The verdict on what stands in the field; `undefined` before the module is there. */
  get verdict() {
    return this.#verdict;
  }

  get texts() {
    return this.#texts;
  }

  set texts(texts) {
    this.#texts = { ...RecoveryCodeInput.texts, ...texts };
    if (this.#module) this.#judge();
  }

  get validity() {
    return this.#internals.validity;
  }

  get validationMessage() {
    return this.#internals.validationMessage;
  }

  checkValidity() {
    return this.#internals.checkValidity();
  }

  reportValidity() {
    return this.#internals.reportValidity();
  }

  get #format() {
    const format = this.getAttribute('format');
    return format === 'list' || format === 'single' ? format : undefined;
  }

  /** Finds the field and the two lines under it, or makes them: the lines exist before they speak. */
  #build() {
    const found = this.querySelector('input');
    if (found) {
      this.#input = found;
    } else if (!this.contains(this.#input)) {
      made += 1;
      this.#input.id = `recovery-code-${made}`;
      const label = document.createElement('label');
      label.htmlFor = this.#input.id;
      label.textContent = this.getAttribute('label') ?? this.#texts.label ?? '';
      this.append(label, this.#input);
    }
    for (const [name, value] of Object.entries(FIELD)) {
      if (!this.#input.hasAttribute(name)) this.#input.setAttribute(name, value);
    }
    this.#error = this.#line('.sk-error', 'alert');
    this.#status = this.#line('.sk-status', 'status');
    const described = new Set((this.#input.getAttribute('aria-describedby') ?? '').split(/\s+/).filter(Boolean));
    described.add(this.#error.id).add(this.#status.id);
    this.#input.setAttribute('aria-describedby', [...described].join(' '));
    this.#takeAttributes();
  }

  /**
   * @param {string} selector
   * @param {string} role
   */
  #line(selector, role) {
    /** @type {HTMLElement | null} */
    const found = this.querySelector(selector);
    const line = found ?? document.createElement('p');
    line.classList.add(selector.slice(1));
    line.setAttribute('role', role);
    line.id ||= `${this.#input.id || 'recovery-code'}-${role}`;
    if (!found) this.append(line);
    return /** @type {HTMLParagraphElement} */ (line);
  }

  #takeAttributes() {
    // Two names would send the code twice.
    if (this.hasAttribute('name')) this.#input.removeAttribute('name');
    if (this.hasAttribute('required')) this.#input.required = true;
  }

  /**
   * @param {import('../lib/module.js').Module} module
   * @param {AbortSignal} signal
   */
  #enhance(module, signal) {
    this.#module = module;
    const input = this.#input;
    input.addEventListener('compositionstart', () => { this.#composing = true; }, { signal });
    input.addEventListener('compositionend', () => { this.#composing = false; this.#typed(); }, { signal });
    input.addEventListener('beforeinput', (event) => this.#before(event), { signal });
    input.addEventListener('paste', (event) => this.#paste(event), { signal });
    input.addEventListener('input', (event) => {
      // Our own: `Event` made by #place; and those of an input method that is not done.
      if (this.#composing || (event instanceof InputEvent && event.isComposing)) return;
      if (event.isTrusted || !this.#placing) this.#typed();
    }, { signal });
    input.addEventListener('keydown', (event) => this.#key(event), { signal });
    // Words under the field move the button below: not between pressing it and letting go.
    let pressed = false;
    window.addEventListener('pointerdown', () => { pressed = true; }, { signal, capture: true });
    for (const end of ['pointerup', 'pointercancel']) {
      window.addEventListener(end, () => {
        if (pressed) setTimeout(() => { if (!input.matches(':focus')) this.#left(); });
        pressed = false;
      }, { signal, capture: true });
    }
    input.addEventListener('blur', () => { if (!pressed) this.#left(); }, { signal });
    window.addEventListener('pagehide', () => { this.value = ''; }, { signal });
    this.#watchForm();
    // What was typed, or filled in by a manager, before the module came.
    if (input.value && !input.matches(':focus')) {
      input.value = module.edit(input.value, input.value.length, this.#format).text;
    }
    this.#history = new History({ text: input.value, caret: input.selectionStart ?? 0 });
    this.#judge();
  }

  #watchForm() {
    this.#formConnection?.abort();
    const form = this.#internals.form;
    if (!form) return;
    this.#formConnection = new AbortController();
    const { signal } = this.#formConnection;
    // The browser's own bubbles would come before our words. Other fields keep theirs, see below.
    const others = !form.noValidate;
    form.noValidate = true;
    signal.addEventListener('abort', () => { form.noValidate = !others; });
    form.addEventListener('submit', (event) => this.#submit(event, form, others), { signal, capture: true });
    form.addEventListener('formdata', (event) => {
      // Look-alikes are folded here, where the person has seen the code, and never by the server.
      const name = this.#input.name;
      if (name && this.#verdict?.formatted) event.formData.set(name, this.#verdict.formatted);
    }, { signal });
  }

  #placing = false;

  /** The field changed: format it, remember it, judge it. */
  #typed() {
    const module = this.#module;
    if (!module) return;
    const input = this.#input;
    const before = this.#history.present;
    let text = input.value;
    let caret = input.selectionStart ?? text.length;
    const pasted = this.#pasted;
    this.#pasted = '';
    if (pasted) {
      const codes = pasted.split(/[\r\n]+/).filter((line) => module.check(line, this.#format).state === 'complete');
      if (codes.length > 1) {
        this.#place(before.text, before.caret);
        this.#judge();
        this.#say(this.#texts.many ?? '', '');
        return;
      }
      if (codes[0] !== undefined) {
        text = codes[0];
        caret = text.length;
      }
    }
    const edit = module.edit(text, caret, this.#format, before.text);
    this.#place(edit.text, edit.caret);
    this.#history.push({ text: edit.text, caret: edit.caret });
    this.#judge();
    this.#told();
  }

  /**
   * @param {string} text
   * @param {number} caret
   */
  #place(text, caret) {
    if (this.#input.value !== text) this.#input.value = text;
    if (this.#input.matches(':focus')) this.#input.setSelectionRange(caret, caret);
  }

  /** Places a text that was not typed, and tells the page as typing would. @param {{text: string, caret: number}} entry */
  #placeAndTell(entry) {
    this.#place(entry.text, entry.caret);
    this.#judge();
    this.#told();
    this.#placing = true;
    this.#input.dispatchEvent(new Event('input', { bubbles: true }));
    this.#placing = false;
  }

  /** @param {InputEvent} event */
  #before(event) {
    const input = this.#input;
    if (event.inputType === 'historyUndo' || event.inputType === 'historyRedo') {
      event.preventDefault();
      this.#undo(event.inputType === 'historyUndo' ? -1 : 1);
      return;
    }
    const at = input.selectionStart ?? 0;
    const collapsed = at === input.selectionEnd;
    if (event.inputType === 'deleteContentForward' && collapsed && input.value[at] === '-' && this.#module) {
      // The dash would come back at once: Delete means the symbol after it.
      event.preventDefault();
      const text = input.value.slice(0, at) + input.value.slice(at + 2);
      const edit = this.#module.edit(text, at, this.#format, input.value);
      this.#history.push(edit);
      this.#placeAndTell(edit);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    const redo = (key === 'z' && event.shiftKey) || (key === 'y' && !event.shiftKey && event.ctrlKey);
    if (!redo && !(key === 'z' && !event.shiftKey)) return;
    event.preventDefault();
    this.#undo(redo ? 1 : -1);
  }

  /** @param {-1 | 1} by */
  #undo(by) {
    const entry = this.#history.go(by);
    if (entry) this.#placeAndTell(entry);
  }

  /** A field drops line breaks, and with them where one code ends. @param {ClipboardEvent} event */
  #paste(event) {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    this.#pasted = /[\r\n]/.test(text.trim()) ? text : '';
  }

  #judge() {
    const module = this.#module;
    if (!module) return;
    const text = this.#input.value;
    const was = this.#verdict?.state;
    const verdict = module.check(text, this.#format);
    this.#verdict = verdict;
    const complete = verdict.state === 'complete';
    this.#internals.setFormValue(verdict.formatted ?? text);
    const words = this.#words();
    if (complete || (verdict.state === 'empty' && !this.#input.required)) this.#internals.setValidity({});
    else if (verdict.state === 'empty') this.#internals.setValidity({ valueMissing: true }, words, this.#input);
    else this.#internals.setValidity({ customError: true }, words, this.#input);
    this.#internals.states?.[complete ? 'add' : 'delete']('complete');
    if (was !== verdict.state) this.dispatchEvent(new RecoveryCodeVerdictEvent(verdict.state));
  }

  #words() {
    const verdict = this.#verdict;
    return verdict ? verdictText(verdict, this.#input.value, this.#texts, languageOf(this)) : '';
  }

  /** While one types: silence, but for what is certain already. */
  #told() {
    const state = this.#verdict?.state ?? 'empty';
    const certain = state !== 'empty' && state !== 'incomplete';
    this.#say(certain ? this.#words() : '', '', state === 'check' || state === 'too-long' || state === 'ambiguous');
  }

  #left() {
    const state = this.#verdict?.state ?? 'empty';
    if (state === 'empty' || state === 'complete' || this.#error.textContent) return;
    this.#say(this.#words(), '', true);
  }

  /**
   * @param {SubmitEvent} event
   * @param {HTMLFormElement} form
   * @param {boolean} others whether the form's other fields are to be checked by the browser
   */
  #submit(event, form, others) {
    if (this.#input.disabled || event.submitter?.hasAttribute('formnovalidate')) return;
    this.#judge();
    if (!this.#internals.validity.valid) {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.#say('', this.#words(), true);
      this.#input.focus();
      this.#pointAt();
      return;
    }
    if (!others) return;
    for (const field of form.elements) {
      if (field === this || field === this.#input || !('reportValidity' in field)) continue;
      if (!(/** @type {HTMLInputElement} */ (field).reportValidity())) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
    }
  }

  /** Selects the one character that is surely wrong. */
  #pointAt() {
    const at = this.#verdict?.offset;
    if (at !== undefined) this.#input.setSelectionRange(at, at + 1);
  }

  /**
   * @param {string} status
   * @param {string} error
   * @param {boolean} invalid
   */
  #say(status, error, invalid = false) {
    if (this.#status.textContent !== status) this.#status.textContent = status;
    if (error || this.#error.textContent) {
      this.#error.textContent = error;
      // The host's code for what it had said there.
      delete this.#error.dataset.error;
    }
    if (invalid) this.#input.setAttribute('aria-invalid', 'true');
    else this.#input.removeAttribute('aria-invalid');
  }
}
