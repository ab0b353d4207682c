/**
 * The WebAssembly module, loaded once for all elements of a page.
 *
 * Where it cannot be had (blocked by a policy, not found) the promise is rejected, and an element
 * leaves the markup as it is: a plain form that posts.
 */
import init, * as exports from '../wasm/spare_key.js';

/** @typedef {typeof exports} Module */

/** @type {Promise<Module> | undefined} */
let loading;

/** @returns {Promise<Module>} */
export function load() {
  loading ??= init().then(() => exports);
  return loading;
}
