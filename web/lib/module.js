/**
 * The WebAssembly module, loaded once for all elements of a page.
 *
 * Where it cannot be had (blocked by a policy, not found) the promise is rejected, and an element
 * leaves the markup as it is: a plain form that posts.
 */
import init, { SavePrompt, check, edit, sheet } from '../wasm/spare_key.js';

const module = { SavePrompt, check, edit, sheet };

/** @typedef {typeof module} Module */

/** @type {Promise<Module> | undefined} */
let loading;

/** @returns {Promise<Module>} */
export function load() {
  loading ??= init().then(() => module);
  return loading;
}
