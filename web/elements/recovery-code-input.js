/**
 * `<recovery-code-input>`: one field for one recovery code.
 *
 * Wraps a real `<input>` in the light DOM, so that labels, autofill and password managers work:
 * the one it finds, or one that it makes. Formats while one types, and says what is wrong where it
 * is wrong, without asking a server. It never repairs a code, never submits, and leaves a
 * composition of an input method alone. A list that is pasted, or a saved file that is dropped, is
 * offered code by code for the person to pick from: none is tried.
 *
 * Attributes: `name` (of the form value), `format` ("list", "single", or none for either),
 * `label` (when it makes its own input), `required`, `disabled`.
 * Properties: `value`, `verdict`, `texts`, `input`, `form`, `ready`.
 * Events: `recovery-code-verdict` (`RecoveryCodeVerdictEvent`), and `input` of the field.
 */
import { Choice } from '../lib/choice.js';
import { RecoveryCodeVerdictEvent } from '../lib/events.js';
import { Marks } from '../lib/marks.js';
import { make } from '../lib/make.js';
import { load } from '../lib/module.js';
import { codesIn, dropped } from '../lib/pasted.js';
import { languageOf } from '../lib/texts.js';
import { Typing } from '../lib/typing.js';
import { markedPlaces, verdictText } from '../lib/verdict-text.js';

/** @typedef {import('../wasm/spare_key.js').Verdict} Verdict */
/** @typedef {import('../lib/texts.js').Texts} Texts */

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
    pick: 'That is a list of codes. Pick one that is not crossed out.',
    pickFrom: 'Codes to pick from',
    noCode: 'There is no recovery code in that.',
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
  #texts = RecoveryCodeInput.texts;
  /** @type {Verdict | undefined} */
  #verdict;
  /** @type {Typing | undefined} */
  #typing;
  #choice = new Choice((code) => this.#picked(code));
  /** @type {Marks | undefined} */
  #marks;
  #input = make('input');
  #status = make('p');
  #error = make('p');

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
    this.#connection = this.#formConnection = this.#module = this.#typing = undefined;
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
    if (this.#typing) this.#typing.start(text);
    else this.#input.value = text;
    this.#choice.close();
    this.#say('', '');
    if (this.#module) this.#judge();
  }

  /** The verdict on what stands in the field; `undefined` before the module is there. */
  get verdict() {
    return this.#verdict;
  }

  /** @returns {Texts} */
  get texts() {
    return this.#texts;
  }

  /** @param {Texts} texts */
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
      this.append(make('label', { htmlFor: this.#input.id }, this.getAttribute('label') ?? this.#texts.label), this.#input);
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
    const line = found ?? make('p');
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
    input.addEventListener('paste', (event) => {
      if (this.#several(event.clipboardData?.getData('text/plain') ?? '')) event.preventDefault();
    }, { signal });
    this.addEventListener('dragover', (event) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    }, { signal });
    this.addEventListener('drop', (event) => this.#drop(event), { signal });
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
    this.#marks = new Marks(input, signal);
    this.#watchForm();
    // What was typed, or filled in by a manager, before the module came.
    if (input.value && !input.matches(':focus')) {
      input.value = module.edit(input.value, input.value.length, this.#format).text;
    }
    this.#typing = new Typing(
      input,
      (text, caret, before) => module.edit(text, caret, this.#format, before),
      () => this.#typed(),
      signal,
    );
    this.#judge();
  }

  #watchForm() {
    this.#formConnection?.abort();
    const form = this.#internals.form;
    if (!form) return;
    // With the token of the field alone some browsers remember what was typed.
    if (!form.hasAttribute('autocomplete')) form.autocomplete = 'off';
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

  #typed() {
    this.#choice.close();
    this.#judge();
    this.#told();
  }

  /**
   * Takes a text of several lines in hand: a field drops line breaks, and with them where one code
   * ends. Whether it did; a text that may be one code is the browser's to put in.
   * @param {string} text
   */
  #several(text) {
    const module = this.#module;
    if (!module || !(/[\r\n]/.test(text.trim()) || text.length > 64)) return false;
    const codes = codesIn(text, (part) => module.check(part, this.#format));
    if (codes.length === 1 && codes[0]) this.#picked(codes[0].code);
    if (codes.length > 1) {
      this.#say(this.#texts.pick, '');
      this.#choice.show(this.#status, codes, this.#texts.pickFrom);
    }
    return codes.length > 0;
  }

  /** @param {DragEvent} event */
  async #drop(event) {
    const data = event.dataTransfer;
    if (!data || this.#input.disabled) return;
    const file = data.files.length > 0;
    if (file || this.#several(data.getData('text/plain'))) event.preventDefault();
    // The data is gone after the event: it is asked for before anything is awaited.
    const text = file && dropped(data);
    if (text && !this.#several(`${await text ?? ''}\n.`)) this.#say(this.#texts.noCode, '');
  }

  /** @param {string} code the code picked of several, or nothing */
  #picked(code) {
    this.#choice.close();
    this.#say('', '');
    this.#input.focus();
    if (code) this.#typing?.take(code);
  }

  #judge() {
    const module = this.#module;
    if (!module) return;
    const text = this.#input.value;
    const was = this.#verdict?.state;
    const verdict = module.check(text, this.#format);
    this.#verdict = verdict;
    this.#marks?.show(markedPlaces(verdict, text));
    const complete = verdict.state === 'complete';
    this.#internals.setFormValue(verdict.formatted ?? text);
    const empty = verdict.state === 'empty';
    const customError = !empty && !complete;
    this.#internals.setValidity({ valueMissing: empty && this.#input.required, customError }, this.#words(), this.#input);
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
    if (state === 'empty' || state === 'complete' || this.#choice.open || this.#error.textContent) return;
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
    let wrong = !this.#internals.validity.valid;
    if (wrong) {
      this.#say('', this.#words(), true);
      this.#input.focus();
      this.#pointAt();
    } else if (others) {
      const fields = /** @type {HTMLInputElement[]} */ ([...form.elements]);
      wrong = fields.some((field) => field !== this.#input && 'reportValidity' in field && !field.reportValidity());
    }
    if (wrong) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  /** Selects the one character that is wrong, where there is but one place to look at. */
  #pointAt() {
    const verdict = this.#verdict;
    const [at, ...more] = verdict ? markedPlaces(verdict, this.#input.value) : [];
    if (at !== undefined && more.length === 0) this.#input.setSelectionRange(at, at + 1);
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
