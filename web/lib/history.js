/**
 * Undo for a field whose value is assigned: the browser forgets its own history then.
 *
 * @typedef {{ text: string, caret: number }} Entry
 */

const LIMIT = 100;

export class History {
  /** @type {Entry[]} */
  #entries;
  #at = 0;

  /** @param {Entry} first */
  constructor(first) {
    this.#entries = [first];
  }

  /** What stands in the field. */
  get present() {
    return /** @type {Entry} */ (this.#entries[this.#at]);
  }

  /**
   * Takes a new text. What had been undone can no longer be redone.
   * @param {Entry} entry
   */
  push(entry) {
    if (entry.text === this.present.text) {
      this.#entries[this.#at] = entry;
      return;
    }
    this.#entries.splice(this.#at + 1, Infinity, entry);
    if (this.#entries.length > LIMIT) this.#entries.shift();
    this.#at = this.#entries.length - 1;
  }

  /**
   * One step back (-1) or forward (1); `undefined` at the end.
   * @param {-1 | 1} by
   * @returns {Entry | undefined}
   */
  go(by) {
    const entry = this.#entries[this.#at + by];
    if (entry) this.#at += by;
    return entry;
  }
}
