/** Texts of the elements: English is in the elements, any other language is handed in. */

/** @typedef {Readonly<Record<string, string>>} Texts */

/**
 * A text with each `{name}` filled in once, so that what is filled in is never read again.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * The form of a text for a number, by the plural rule of the language.
 * @param {Texts} texts
 * @param {string} key
 * @param {number} n
 * @param {string} language
 */
export function count(texts, key, n, language) {
  const form = new Intl.PluralRules(language).select(n);
  return fill(texts[`${key}.${form}`] ?? texts[`${key}.other`] ?? '', { n });
}

/**
 * The language that holds at an element, English if none is said or it is none.
 * @param {Element} element
 */
export function languageOf(element) {
  const said = element.closest('[lang]')?.getAttribute('lang') || 'en';
  try {
    return Intl.getCanonicalLocales(said)[0] ?? 'en';
  } catch {
    return 'en';
  }
}

/**
 * The texts `{prefix}.*` of a locale, without the prefix.
 * @param {Readonly<Record<string, unknown>>} locale
 * @param {string} prefix
 * @returns {Texts}
 */
export function textsOf(locale, prefix) {
  /** @type {Record<string, string>} */
  const own = {};
  for (const [key, text] of Object.entries(locale)) {
    if (key.startsWith(`${prefix}.`) && typeof text === 'string') own[key.slice(prefix.length + 1)] = text;
  }
  return own;
}

/**
 * The locale of the page's language, or nothing for English and for a language that could not be
 * had: an element without its texts speaks English.
 * @returns {Promise<Readonly<Record<string, unknown>>>}
 */
export async function pageLocale() {
  const language = document.documentElement.lang;
  if (!/^[a-z]{2}(-[A-Za-z]+)?$/.test(language) || /^en\b/.test(language)) return {};
  const name = language.slice(0, 2);
  const answer = await fetch(new URL(`../locales/${name}.json`, import.meta.url)).catch(() => undefined);
  return answer?.ok ? answer.json() : {};
}
