/**
 * Makes what the package carries small: `node shrink.mjs <folder with spare_key.js> [more .js]`.
 *
 * The module goes through wasm-opt, which also gives short names to what module and glue call each
 * other; the glue loses what this package never meets; every script is minified by itself: nothing
 * is bundled, so a page that wants one element loads one element. The tools are those of
 * tests/browser.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tools = fileURLToPath(new URL('../../tests/browser/', import.meta.url));
const { minify } = createRequire(join(tools, 'package.json'))('terser');

/** Where in the source a panic is, and its words: it ends the module, and they are told nobody. */
const UNSEEN = [
  /\/[!-~]+?\.rs(?=\0)/g,
  /capacity overflow/g,
  /RefCell already (mutably )?borrowed/g,
  /closure invoked recursively or after being dropped/g,
  /Tried to shrink to a larger capacity/g,
];

/** What the glue has for browsers that cannot run the module, and for callers that it has not. */
const NEVER = [
  [/\nif \(!\('encodeInto' in cachedTextEncoder\)\) \{\n.*?\n\}\n/gs, ''],
  [/\(typeof FinalizationRegistry === 'undefined'\)\n.*?\n {4}: /gs, ''],
  [/ {4}if \(realloc === undefined\) \{\n.*?\n {4}\}\n/gs, ''],
  [/cachedDataViewMemory0 === null \|\| .*?(?=\) \{\n)/g, 'cachedDataViewMemory0?.buffer !== wasm.memory.buffer'],
];

/** The same of the web's glue: Node's starts the module by itself. */
const WEB = [
  // Safari's decoder gives out after 2 GiB. One keystroke is some hundred bytes.
  [/const MAX_SAFARI_DECODE_BYTES.*?\n\}\n/gs, 'const decodeText = (bytes) => cachedTextDecoder.decode(bytes);\n'],
  [/let wasmModule, wasmInstance, wasm;\n.*$/gs, readFileSync(new URL('start.js', import.meta.url), 'utf8')],
];

/** The text with other words in each place that the pattern is about; there has to be one. */
function changed(text, pattern, other) {
  if (text.search(pattern) < 0) throw new Error(`wasm-bindgen has changed: nothing is like ${pattern}`);
  return text.replace(pattern, other);
}

const [folder, ...scripts] = process.argv.slice(2);
const wasm = join(folder, 'spare_key_bg.wasm');
const glue = join(folder, 'spare_key.js');

let module = readFileSync(wasm, 'latin1');
for (const words of UNSEEN) module = changed(module, words, (found) => '\0'.repeat(found.length));
writeFileSync(wasm, module, 'latin1');
const { imports, exports } = JSON.parse(execFileSync(join(tools, 'node_modules/.bin/wasm-opt'), [
  // It reads which features it may use from the module: the profile leaves that section in.
  '-Oz', '--flatten', '--rereloop', '-Oz', '-Oz',
  '--minify-imports-and-exports-and-modules',
  '--strip-debug', '--strip-producers', '--strip-target-features', wasm, '-o', wasm,
], { encoding: 'utf8' }));

let text = readFileSync(glue, 'utf8');
const web = text.includes('\nexport ');
for (const [pattern, other] of [...NEVER, ...(web ? WEB : [])]) text = changed(text, pattern, other);
text = changed(text, /"\.\/spare_key_bg\.js":/g, 'a:');
for (const [, long, short] of imports) text = changed(text, new RegExp(`\\b${long}:`, 'g'), `${short}:`);
for (const [long, short] of exports) text = text.replaceAll(new RegExp(`\\bwasm\\.${long}\\b`, 'g'), `wasm.${short}`);
writeFileSync(glue, text);

for (const script of [glue, ...scripts]) {
  // CommonJS is what Node's glue is.
  const module = /^(import|export)\b/m.test(readFileSync(script, 'utf8'));
  const { code } = await minify(readFileSync(script, 'utf8'), { module, compress: { passes: 3 }, mangle: true });
  writeFileSync(script, `${code}\n`);
}
