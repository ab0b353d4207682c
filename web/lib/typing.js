/**
 * A field that is formatted while one types: caret steady, undo working, input methods left alone.
 *
 * What the text becomes is the module's to say; this only carries it out.
 */
import { History } from './history.js';

/** @typedef {import('./history.js').Entry} Entry */

export class Typing {
  #input;
  #edit;
  #changed;
  #history;
  #composing = false;
  /** While a change of ours is told to the page. */
  #telling = false;

  /**
   * @param {HTMLInputElement} input
   * @param {(text: string, caret: number, before?: string) => Entry} edit
   * @param {() => void} changed called after each change
   * @param {AbortSignal} signal
   */
  constructor(input, edit, changed, signal) {
    this.#input = input;
    this.#edit = edit;
    this.#changed = changed;
    this.#history = new History({ text: input.value, caret: input.selectionStart ?? 0 });
    input.addEventListener('compositionstart', () => { this.#composing = true; }, { signal });
    input.addEventListener('compositionend', () => { this.#composing = false; this.#typed(); }, { signal });
    input.addEventListener('beforeinput', (event) => this.#before(event), { signal });
    input.addEventListener('input', (event) => {
      if (this.#composing || (event instanceof InputEvent && event.isComposing)) return;
      if (event.isTrusted || !this.#telling) this.#typed();
    }, { signal });
    input.addEventListener('keydown', (event) => this.#key(event), { signal });
  }

  /** Puts a text in the field as if nothing had been there. @param {string} text */
  start(text) {
    this.#input.value = this.#edit(text, text.length).text;
    this.#history = new History({ text: this.#input.value, caret: this.#input.value.length });
  }

  /** Puts a text in the field that was not typed; undo brings back what was there. @param {string} text */
  take(text) {
    const entry = this.#edit(text, text.length);
    this.#history.push(entry);
    this.#placeAndTell(entry);
  }

  #typed() {
    const caret = this.#input.selectionStart ?? this.#input.value.length;
    const entry = this.#edit(this.#input.value, caret, this.#history.present.text);
    this.#history.push(entry);
    this.#place(entry);
    this.#changed();
  }

  /** @param {Entry} entry */
  #place({ text, caret }) {
    if (this.#input.value !== text) this.#input.value = text;
    if (this.#input.matches(':focus')) this.#input.setSelectionRange(caret, caret);
  }

  /** Places a text that was not typed, and tells the page as typing would. @param {Entry} entry */
  #placeAndTell(entry) {
    this.#place(entry);
    this.#changed();
    this.#telling = true;
    this.#input.dispatchEvent(new Event('input', { bubbles: true }));
    this.#telling = false;
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
    if (event.inputType === 'deleteContentForward' && collapsed && input.value[at] === '-') {
      // The dash would come back at once: Delete means the symbol after it.
      event.preventDefault();
      const entry = this.#edit(input.value.slice(0, at) + input.value.slice(at + 2), at, input.value);
      this.#history.push(entry);
      this.#placeAndTell(entry);
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
}
