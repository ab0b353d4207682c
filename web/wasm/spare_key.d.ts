// What the built module looks like from here, for the type checker. The module itself is built:
// /assets/wasm/spare_key.js on the server, dist/wasm/spare_key.js in the npm package.
export * from '../../wasm/src/types.js';

export type Source = Request | Response | URL | string | BufferSource | WebAssembly.Module;
export default function init(options?: { module_or_path?: Source | Promise<Source> }): Promise<unknown>;
export function initSync(options: { module: BufferSource | WebAssembly.Module }): unknown;
