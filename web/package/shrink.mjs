/**
 * Makes what the package carries small: `node shrink.mjs <folder with spare_key.js> [more .js]`.
 *
 * The module goes through wasm-opt, its imports get short names on both sides, and every script is
 * minified by itself: nothing is bundled, so a page that wants one element loads one element. The
 * tools are those of tests/browser.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tools = fileURLToPath(new URL('../../tests/browser/', import.meta.url));
const { minify } = createRequire(join(tools, 'package.json'))('terser');

/** An unsigned LEB128 number and where it ends. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at];
    at += 1;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function written(value) {
  const bytes = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

/** The module with short names for its imported functions, and the names: long to short. */
function renamed(module) {
  const names = new Map();
  const out = [...module.subarray(0, 8)];
  for (let at = 8; at < module.length;) {
    const kind = module[at];
    const [size, start] = number(module, at + 1);
    const end = start + size;
    at = end;
    if (kind !== 2) {
      out.push(kind, ...written(size), ...module.subarray(start, end));
      continue;
    }
    let [left, from] = number(module, start);
    const section = written(left);
    const text = () => {
      const [length, begin] = number(module, from);
      from = begin + length;
      return module.toString('latin1', begin, from);
    };
    const push = (word) => section.push(...written(word.length), ...Buffer.from(word, 'latin1'));
    for (; left > 0; left -= 1) {
      push(text());
      const name = text();
      // The glue imports functions only: kind and type.
      if (module[from] !== 0) throw new Error(`${name} is no function`);
      names.set(name, names.size.toString(36).padStart(2, '_'));
      push(names.get(name));
      const [, behind] = number(module, from + 1);
      section.push(...module.subarray(from, behind));
      from = behind;
    }
    out.push(kind, ...written(section.length), ...section);
  }
  return { names, bytes: Buffer.from(out) };
}

const [folder, ...scripts] = process.argv.slice(2);
const wasm = join(folder, 'spare_key_bg.wasm');
const glue = join(folder, 'spare_key.js');
execFileSync(join(tools, 'node_modules/.bin/wasm-opt'), [
  // It reads which features it may use from the module: the profile leaves that section in.
  '-Oz', '--flatten', '--rereloop', '-Oz', '--converge', '--reorder-functions',
  '--strip-debug', '--strip-producers', '--strip-target-features', wasm, '-o', wasm,
]);
const { names, bytes } = renamed(readFileSync(wasm));
writeFileSync(wasm, bytes);
let text = readFileSync(glue, 'utf8');
for (const [long, short] of names) text = text.replaceAll(`${long}:`, `${short}:`).replaceAll(`.${long} =`, `.${short} =`);
writeFileSync(glue, text);
for (const script of [glue, ...scripts]) {
  // CommonJS is what Node's glue is.
  const module = /^(import|export)\b/m.test(readFileSync(script, 'utf8'));
  const { code } = await minify(readFileSync(script, 'utf8'), { module, compress: { passes: 3 }, mangle: true });
  writeFileSync(script, `${code}\n`);
}
