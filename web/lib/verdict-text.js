/** What is said about a half-typed code, in words. */
import { count, fill } from './texts.js';

/** @typedef {import('../wasm/spare_key.js').Verdict} Verdict */
/** @typedef {import('../wasm/spare_key.js').Place} Place */

/** More places than these are a riddle and no help. */
const FEW = 4;

/**
 * @param {Verdict} verdict
 * @param {string} typed what the verdict is about
 * @param {import('./texts.js').Texts} texts
 * @param {string} language
 * @returns {string}
 */
export function verdictText(verdict, typed, texts, language) {
  /** @param {string} key */
  const text = (key) => texts[key] ?? '';
  const places = () => joined(verdict.likely.map((place) => placeText(place, typed, text)), language);
  const at = (verdict.at ?? 0) + 1;
  switch (verdict.state) {
    case 'empty':
    case 'complete':
      return text(verdict.state);
    case 'incomplete':
      return count(texts, 'missing', verdict.missing ?? 0, language);
    case 'too-long':
      return verdict.symbols >= 32 ? text('many') : count(texts, 'extra', verdict.extra ?? 0, language);
    case 'symbol': {
      const symbol = verdict.likely[0]?.symbol;
      return symbol ? fill(text('symbolWith'), { at, symbol }) : fill(text('symbol'), { at });
    }
    case 'ambiguous':
      return fill(text('ambiguous'), { places: places() });
    case 'check': {
      const few = verdict.likely.length > 0 && verdict.likely.length <= FEW;
      return few ? fill(text('checkPlaces'), { places: places() }) : text('check');
    }
  }
}

/**
 * Where in the text the marks go: at what is surely wrong, else at the likely places, if they are
 * few. Starts, in UTF-16 units.
 * @param {Verdict} verdict
 * @param {string} typed
 * @returns {number[]}
 */
export function markedPlaces({ state, offset, likely }, typed) {
  if (offset !== undefined) return [offset];
  if (likely.length > FEW && state === 'check') return [];
  return likely.flatMap((place) => {
    const next = place.offset + (typed[place.offset + 1] === '-' ? 2 : 1);
    return place.kind === 'swapped-with-next' ? [place.offset, next] : [place.offset];
  });
}

/**
 * @param {Place} place
 * @param {string} typed
 * @param {(key: string) => string} text
 */
function placeText(place, typed, text) {
  const at = place.at + 1;
  if (place.kind === 'swapped-with-next') return fill(text('swapped'), { at, next: at + 1 });
  if (place.symbol === undefined) return fill(text('place'), { at });
  const there = (typed[place.offset] ?? '').toUpperCase();
  return fill(text('looksLike'), { at, typed: there, symbol: place.symbol });
}

/**
 * @param {string[]} parts
 * @param {string} language
 */
function joined(parts, language) {
  return new Intl.ListFormat(language, { type: 'disjunction' }).format(parts);
}
