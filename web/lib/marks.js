/**
 * Marks under characters of a field: where a typo probably is.
 *
 * An input cannot show them itself, so its text stands once more behind its own, invisible but for
 * the lines under the marked characters. For eyes only; the same is said in words below the field.
 */

import { make } from './make.js';

/** What decides where a character stands. */
const METRICS = /** @type {const} */ ([
  'direction', 'font-family', 'font-size', 'font-stretch', 'font-style', 'font-variant', 'font-weight',
  'letter-spacing', 'text-align', 'text-indent', 'text-transform', 'word-spacing',
]);

export class Marks {
  #input;
  #text = make('span');
  #layer = make('span', { className: 'sk-marks', translate: false }, this.#text);

  /**
   * @param {HTMLInputElement} input
   * @param {AbortSignal} signal
   */
  constructor(input, signal) {
    this.#input = input;
    this.#layer.setAttribute('aria-hidden', 'true');
    for (const type of ['scroll', 'keyup', 'select', 'blur']) {
      input.addEventListener(type, () => this.#follow(), { signal });
    }
    const observer = new ResizeObserver(() => { if (this.#layer.isConnected) this.#lay(); });
    observer.observe(input);
    signal.addEventListener('abort', () => observer.disconnect());
  }

  /** @param {number[]} places starts in the text, in UTF-16 units; none takes the marks away */
  show(places) {
    if (places.length === 0) {
      this.#text.replaceChildren();
      this.#layer.remove();
      return;
    }
    const characters = [...this.#input.value];
    let at = 0;
    this.#text.replaceChildren(...characters.map((character) => {
      const marked = places.includes(at);
      at += character.length;
      return marked ? make('u', {}, character) : character;
    }));
    this.#input.after(this.#layer);
    this.#lay();
  }

  /** Lays the layer over the inside of the field, whatever the page made of it. */
  #lay() {
    const style = getComputedStyle(this.#input);
    for (const name of METRICS) this.#layer.style.setProperty(name, style.getPropertyValue(name));
    const inside = {
      left: this.#input.offsetLeft + this.#input.clientLeft + parseFloat(style.paddingLeft),
      top: this.#input.offsetTop + this.#input.clientTop,
      width: this.#input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight),
      height: this.#input.clientHeight,
    };
    for (const [name, size] of Object.entries(inside)) this.#layer.style.setProperty(name, `${size}px`);
    this.#layer.style.lineHeight = `${inside.height}px`;
    this.#follow();
  }

  #follow() {
    this.#text.style.transform = `translateX(${-this.#input.scrollLeft}px)`;
  }
}
