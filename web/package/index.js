/** The module for browsers and bundlers: `await init()` first, or `initSync({ module })`. */
import start, * as wasm from './wasm/spare_key.js';

let ready = false;

/** @param {Parameters<typeof start>[0]} [options] where the .wasm is, if not beside this file */
export async function init(options) {
  await start(options);
  ready = true;
}

/** @param {Parameters<typeof wasm.initSync>[0]} options */
export function initSync(options) {
  wasm.initSync(options);
  ready = true;
}

export default init;

function started() {
  if (!ready) throw new Error('spare-key is not started: await init() first, or call initSync({ module }).');
}

/** @type {typeof wasm.format} */
export function format(text, codeFormat) {
  started();
  return wasm.format(text, codeFormat);
}

/** @type {typeof wasm.check} */
export function check(text, codeFormat) {
  started();
  return wasm.check(text, codeFormat);
}

/** @type {typeof wasm.edit} */
export function edit(text, caret, codeFormat, before) {
  started();
  return wasm.edit(text, caret, codeFormat, before);
}

/** @type {typeof wasm.sheet} */
export function sheet(batch, options) {
  started();
  return wasm.sheet(batch, options);
}

export class SavePrompt extends wasm.SavePrompt {
  /** @param {import('./wasm/spare_key.js').Batch} batch */
  constructor(batch) {
    started();
    super(batch);
  }
}
