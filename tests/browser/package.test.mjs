/** The package as packed: in Node, for the type checker, and by what is in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installed } from './packed.mjs';

let folder;
let place;
before(() => {
  folder = installed();
  place = join(folder, 'node_modules/spare-key');
});
after(() => {
  if (folder) rmSync(folder, { recursive: true });
});

const run = (name, script) => {
  writeFileSync(join(folder, name), script);
  return execFileSync(process.execPath, [name], { cwd: folder, encoding: 'utf8' }).trim();
};

const CHECK = `
  const verdict = check('kz3m q7tb wj5r hxyn');
  const { text, caret } = edit('KZ3MQ', 5);
  const state = new SavePrompt({ generation: 2, count: 10 }).step('wrote-down').state;
  console.log(verdict.formatted, text, caret, state.savedBy.join(), format('kz3mq'));`;
const SAID = 'KZ3M-Q7TB-WJ5R-HXYN KZ3M-Q 6 wrote-down KZ3M-Q';

test('Node imports it', () => {
  assert.equal(run('host.mjs', `import { check, edit, format, init, SavePrompt } from 'spare-key'; await init();${CHECK}`), SAID);
});

test('Node requires it', () => {
  assert.equal(run('host.cjs', `const { check, edit, format, SavePrompt } = require('spare-key');${CHECK}`), SAID);
});

test('a sheet in the language of a locale of the package', () => {
  const text = run('sheet.cjs', `
    const { sheet } = require('spare-key');
    const locale = require('spare-key/locales/en.json');
    const texts = Object.fromEntries(Object.entries(locale).filter(([key]) => key.startsWith('sheet.')).map(([key, text]) => [key.slice(6), text]));
    const batch = { generation: 2, codes: ['KZ3M-Q7TB-WJ5R-HXYN'] };
    console.log(sheet(batch, { product: 'Fernhill Library', date: 'today', texts }).text);`);
  assert.match(text, /^Fernhill Library recovery codes\r\nSet 2, made on today\r\n\r\n1\. KZ3M/);
});

test('a browser build that was not started says so, and works when it is', () => {
  const script = `
    import { readFileSync } from 'node:fs';
    import { check, edit, format, initSync, SavePrompt } from './node_modules/spare-key/index.js';
    for (const call of [() => check('A'), () => new SavePrompt({ generation: 1, count: 1 })]) {
      try { call(); } catch (error) { if (!/await init\\(\\) first/.test(error.message)) throw error; console.log('told'); }
    }
    initSync({ module: readFileSync('node_modules/spare-key/wasm/spare_key_bg.wasm') });${CHECK}`;
  assert.equal(run('web.mjs', script), `told\ntold\n${SAID}`);
});

test('a consumer in TypeScript compiles, and one who mistakes a name does not', () => {
  const tsc = fileURLToPath(new URL('node_modules/.bin/tsc', import.meta.url));
  const compile = (script) => {
    writeFileSync(join(folder, 'consumer.mts'), script);
    const args = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,esnext.disposable,dom,dom.iterable', '--types', '', 'consumer.mts'];
    try {
      execFileSync(tsc, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
      return '';
    } catch (error) {
      return error.stdout;
    }
  };
  const good = `
    import { check, edit, init, SavePrompt, sheet, type Batch, type SaveEffect, type Verdict } from 'spare-key';
    import { RecoveryCodeInput, RecoveryCodes, RecoveryCodesConfirmEvent, speak } from 'spare-key/elements';
    import 'spare-key/elements/define.js';
    await init({ module_or_path: fetch('/spare_key_bg.wasm', { integrity: 'sha384-x' }) });
    const verdict: Verdict = check('kz3m');
    const missing: number | undefined = verdict.missing;
    const place: number | undefined = verdict.likely[0]?.offset;
    const caret: number = edit('KZ3MQ', 5, 'list', 'KZ3M').caret;
    const batch: Batch = { generation: 1, codes: ['A'] };
    using prompt = new SavePrompt(batch);
    const effects: SaveEffect[] = prompt.step({ type: 'activation-failed', reason: 'network' }).effects;
    const name: string = sheet(batch, { product: 'P', date: 'D', texts: { title: '{product}' } }).filename;
    speak({ 'recovery-codes.copy': 'Kopieren' });
    const field: RecoveryCodeInput | null = document.querySelector('recovery-code-input');
    const codes: RecoveryCodes | null = document.querySelector('recovery-codes');
    codes!.batch = { product: 'P', generation: 1, issuedOn: 'D', url: 'https://x/', codes: [{ number: 1, code: 'A' }] };
    codes!.addEventListener('recovery-codes-confirm', (event: RecoveryCodesConfirmEvent) => event.generation.toFixed());
    console.log(missing, place, caret, effects, name, field?.verdict?.state);`;
  assert.equal(compile(good), '');
  assert.match(compile("import { check } from 'spare-key';\ncheck('a').missin;"), /missin/);
  assert.match(compile("import { SavePrompt } from 'spare-key';\nnew SavePrompt({ generation: 1 }).step('copid');"), /copid/);
});

test('every path of the exports map is there, and every file is reached by it', () => {
  const { exports } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
  const leaves = (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(leaves));
  for (const path of leaves(exports)) {
    assert.ok(path.includes('*') ? readdirSync(join(place, path.split('*')[0])).length > 0 : existsSync(join(place, path)), path);
  }
});

test('the package has no script that runs at installation, knows no other package, and has what it promises', () => {
  const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
  assert.deepEqual([manifest.scripts, manifest.dependencies, manifest.license], [undefined, undefined, 'MIT']);
  for (const name of ['README.md', 'LICENSE', 'save-prompt.png', 'locales/en.json', 'styles/spare-key.css']) assert.ok(existsSync(join(place, name)), name);
  const readme = readFileSync(join(place, 'README.md'), 'utf8');
  for (const [, path] of readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) assert.ok(existsSync(join(place, path)), path);
});

test('nothing in it names the machine on which it was made (C-22)', () => {
  const walk = (path) => readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? walk(join(path, entry.name)) : [join(path, entry.name)]));
  for (const path of walk(place)) {
    const text = readFileSync(path, 'latin1');
    for (const home of [process.env.HOME, fileURLToPath(new URL('../../', import.meta.url))]) {
      assert.ok(!home || home.length < 3 || !text.includes(home), `${path} names ${home}`);
    }
  }
});

test('the module names no place in the source and no panic (C-22)', () => {
  for (const path of ['wasm/spare_key_bg.wasm', 'node/spare_key_bg.wasm']) {
    const text = readFileSync(join(place, path), 'latin1');
    for (const trace of ['src/', '.rs\0', 'panicked', 'unwrap']) assert.ok(!text.includes(trace), `${trace} in ${path}`);
  }
});
