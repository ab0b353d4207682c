// How the module starts: `shrink.mjs` ends the glue with this, in place of wasm-bindgen's own end,
// which has room for callers and servers that the types of this package leave out.

let wasm;
let starting;

function begin(instance) {
  if (wasm) return;
  wasm = instance.exports;
  wasm.__wbindgen_start();
}

// Compiled when all of it is there: nothing is gained by more with a file so small, and a server
// may call it what it likes.
async function load(source) {
  source = await source;
  if (typeof source === 'string' || source instanceof URL || source instanceof Request) source = await fetch(source);
  if (source instanceof Response) {
    if (!source.ok) throw new Error(`spare-key: ${source.status} for ${source.url}`);
    source = await source.arrayBuffer();
  }
  const made = await WebAssembly.instantiate(source, __wbg_get_imports());
  begin(made.instance ?? made);
}

export default async function init({ module_or_path = new URL('spare_key_bg.wasm', import.meta.url) } = {}) {
  if (wasm) return;
  starting ??= load(module_or_path).finally(() => { starting = undefined; });
  await starting;
}

export function initSync({ module }) {
  begin(new WebAssembly.Instance(module instanceof WebAssembly.Module ? module : new WebAssembly.Module(module), __wbg_get_imports()));
}
