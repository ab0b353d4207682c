/** Brings every element of the gallery into its state, by the events that a person would cause. */
import '../elements/define.js';
import { RecoveryCodeInput } from '../elements/recovery-code-input.js';
import { RecoveryCodes } from '../elements/recovery-codes.js';
import { pageLocale, textsOf } from './texts.js';

// Known answers of the check symbol, and nobody's.
const CODES = [
  'AAAA-AAAA-AAAA-AAA3', 'BBBB-BBBB-BBBB-BBBB', 'CCCC-CCCC-CCCC-CCCC', 'DDDD-DDDD-DDDD-DDDD', 'EEEE-EEEE-EEEE-EEEE',
  'FFFF-FFFF-FFFF-FFFF', 'GGGG-GGGG-GGGG-GGGG', 'KZ3M-Q7TB-WJ5R-HXYN', 'ABCD-EFGH-IJKL-MNOI', '7777-7777-7777-777R',
];
/** @type {Record<string, string>} */
const TYPED = {
  incomplete: 'KZ3M-Q7',
  symbol: 'KZ3M-Q7?B-WJ5R-HXYN',
  ambiguous: '1111-1111-1111-1111',
  check: 'KZ3M-Q7TB-WJ5R-HXYM',
  'too-long': 'KZ3M-Q7TB-WJ5R-HXYN-AA',
  many: 'KZ3M-Q7TB-WJ5R-HXYN-AAAA-AAAA-AAAA-AAA3',
  complete: 'KZ3M-Q7TB-WJ5R-HXYN',
  single: 'AAAAAAAAAAAA',
};
const locale = await pageLocale();
const [inputTexts, codesTexts, sheetTexts] = ['recovery-code-input', 'recovery-codes', 'sheet'].map((prefix) => textsOf(locale, prefix));

/** @param {RecoveryCodes} element @param {string} name */
const press = (element, name) => element.querySelector(`.sk-${name}`)?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
/** @param {RecoveryCodes} element */
const tick = (element) => {
  const box = element.querySelector('input');
  if (box) {
    box.checked = true;
    box.dispatchEvent(new Event('change', { bubbles: true }));
  }
};
/** @param {RecoveryCodes} element */
const ready = (element) => { press(element, 'wrote-down'); tick(element); };
/** @param {RecoveryCodes} element */
const sent = (element) => { ready(element); press(element, 'continue'); };
const clipboard = navigator.clipboard;
/** @param {(text: string) => Promise<void>} answer */
const copying = (answer) => Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: answer } });

/** @type {Record<string, (element: RecoveryCodes) => void | Promise<void>>} */
const STATES = {
  copied: async (element) => { copying(async () => {}); press(element, 'copy'); await settled(); },
  'copy-refused': async (element) => { copying(() => Promise.reject(new Error('refused'))); press(element, 'copy'); await settled(); getSelection()?.removeAllRanges(); },
  downloaded: (element) => {
    const click = HTMLAnchorElement.prototype.click;
    HTMLAnchorElement.prototype.click = () => {};
    press(element, 'download');
    HTMLAnchorElement.prototype.click = click;
  },
  'print-failed': (element) => {
    const print = globalThis.print;
    globalThis.print = () => { throw new Error('no printer'); };
    press(element, 'print');
    globalThis.print = print;
  },
  'wrote-down': ready,
  'save-first': (element) => { press(element, 'continue'); },
  'tick-first': (element) => { press(element, 'wrote-down'); press(element, 'continue'); },
  activating: sent,
  network: (element) => { sent(element); element.refused('network'); },
  refused: (element) => { sent(element); element.refused('refused'); },
  done: (element) => { sent(element); element.confirmed(); },
  expired: (element) => { element.expired(); },
};

function settled() {
  return new Promise((resolve) => { setTimeout(resolve); });
}

/** @param {Element} element */
async function show(element) {
  if (!(element instanceof RecoveryCodes)) return;
  const state = element.dataset.state ?? '';
  element.texts = codesTexts ?? {};
  element.sheetTexts = sheetTexts ?? {};
  const codes = state === 'one' ? ['AAAAAAAAAAAAAAAAAAAAAAAL'] : CODES;
  element.batch = {
    product: 'Spare Key', account: 'alice@example.com', generation: 3, issuedOn: '2026-11-21',
    codes: codes.map((code, at) => ({ number: at + 1, code })),
  };
  await element.ready;
  await STATES[state]?.(element);
}

// First the one that is left: it hears what the whole window hears, and so would the others.
const first = document.querySelector('recovery-codes[data-state=left]');
if (first) await show(first);
dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
for (const element of document.querySelectorAll('recovery-codes:not([data-state=left])')) await show(element);
Object.defineProperty(navigator, 'clipboard', { configurable: true, value: clipboard });

for (const element of document.querySelectorAll('recovery-code-input')) {
  if (!(element instanceof RecoveryCodeInput)) continue;
  element.texts = inputTexts ?? {};
  await element.ready;
  const typed = TYPED[element.dataset.state ?? ''];
  if (typed === undefined) continue;
  element.value = typed;
  // As if it had been typed and left.
  element.input.dispatchEvent(new Event('blur'));
}

document.documentElement.dataset.gallery = 'ready';
