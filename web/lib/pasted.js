/**
 * Codes in a text that was pasted or dropped: a line of a sheet, a sheet, a saved file.
 *
 * They are offered to the person, who knows which are crossed out; none is ever tried.
 */

/** @typedef {{ number: string, code: string }} Found `number` as it stood in the text, or '' */

/** As many as a batch can have. */
const MOST = 16;

/** The most that is read of a file: a sheet has 2 KB. */
const BYTES = 65536;

/**
 * The complete codes of a text, in its order, each once.
 * @param {string} text
 * @param {(text: string) => import('../wasm/spare_key.js').Verdict} check
 * @returns {Found[]}
 */
export function codesIn(text, check) {
  /** @type {Map<string, Found>} */
  const found = new Map();
  // Line by line; where a line has several, as a copied table has, by their groups.
  const grouped = /(?:\d{1,2}[.)]\s*)?[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}/gi;
  for (const line of text.slice(0, BYTES).split(/[\r\n]+/)) {
    for (const part of check(line).state === 'complete' ? [line] : line.match(grouped) ?? []) {
      const code = check(part).formatted;
      const number = /^\s*(\d{1,2})[.)]/.exec(part)?.[1] ?? '';
      if (code && found.size < MOST && !found.has(code)) found.set(code, { number, code });
    }
  }
  return [...found.values()];
}

/**
 * What was dropped, as text; `undefined` where it is neither text nor a text file.
 * @param {DataTransfer} data
 * @returns {Promise<string | undefined>}
 */
export async function dropped(data) {
  const file = data.files[0];
  if (!file) return data.getData('text/plain') || undefined;
  return file.type === '' || file.type.startsWith('text/') ? file.slice(0, BYTES).text() : undefined;
}
