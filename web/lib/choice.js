/**
 * "One of these?": buttons under the field for the codes of a pasted list. The person picks.
 *
 * The codes are in the text of the buttons only, and go with them.
 */

import { make } from './make.js';

export class Choice {
  #group = make('div', { className: 'sk-choice', translate: false });
  #pick;

  /** @param {(code: string) => void} pick called with the code that was picked */
  constructor(pick) {
    this.#pick = pick;
    this.#group.setAttribute('role', 'group');
    this.#group.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#pick('');
    });
  }

  get open() {
    return this.#group.isConnected;
  }

  /**
   * @param {Element} after where it appears
   * @param {import('./pasted.js').Found[]} codes
   * @param {string} name
   */
  show(after, codes, name) {
    this.#group.setAttribute('aria-label', name);
    this.#group.replaceChildren(...codes.map(({ number, code }) => {
      const button = make('button', { type: 'button' }, number && `${number}. `, make('code', {}, code));
      button.addEventListener('click', () => this.#pick(code));
      return button;
    }));
    after.after(this.#group);
  }

  close() {
    this.#group.replaceChildren();
    this.#group.remove();
  }
}
