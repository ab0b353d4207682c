import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../web/package/', import.meta.url));
const dist = join(source, 'dist');
let folder;

/** Packs what would be published and unpacks it where a host would have it. */
before(() => {
  execFileSync(join(source, 'build.sh'), { stdio: ['ignore', 'inherit', 'inherit'] });
  folder = mkdtempSync(join(tmpdir(), 'spare-key-host-'));
  const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: dist, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
  }));
  mkdirSync(join(folder, 'node_modules/spare-key'), { recursive: true });
  execFileSync('tar', ['xzf', join(folder, filename), '--strip-components=1', '-C', join(folder, 'node_modules/spare-key')]);
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
  console.log(verdict.formatted, text, caret, state.savedBy.join());`;
const SAID = 'KZ3M-Q7TB-WJ5R-HXYN KZ3M-Q 6 wrote-down';

test('Node imports it', () => {
  assert.equal(run('host.mjs', `import { check, edit, init, SavePrompt } from 'spare-key'; await init();${CHECK}`), SAID);
});

test('Node requires it', () => {
  assert.equal(run('host.cjs', `const { check, edit, SavePrompt } = require('spare-key');${CHECK}`), SAID);
});

test('a browser build that was not started says so, and works when it is', () => {
  const script = `
    import { readFileSync } from 'node:fs';
    import { check, edit, initSync, SavePrompt } from './node_modules/spare-key/index.js';
    for (const call of [() => check('A'), () => new SavePrompt({ generation: 1, count: 1 })]) {
      try { call(); } catch (error) { if (!/await init\\(\\) first/.test(error.message)) throw error; console.log('told'); }
    }
    initSync({ module: readFileSync('node_modules/spare-key/wasm/spare_key_bg.wasm') });${CHECK}`;
  assert.equal(run('web.mjs', script), `told\ntold\n${SAID}`);
});

test('the package has no script that runs at installation and knows no other package', () => {
  const manifest = JSON.parse(readFileSync(join(folder, 'node_modules/spare-key/package.json'), 'utf8'));
  assert.deepEqual([manifest.scripts, manifest.dependencies], [undefined, undefined]);
});
