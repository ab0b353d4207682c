/**
 * What the browser side may weigh, in bytes after brotli -q 11: 10 KB for the module with its glue,
 * 16 KB with both elements as a bundler makes them, 18 KB for all files that a plain page loads.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { brotli, measure, table } from './budget.mjs';
import { launch } from './chromium.mjs';
import { start } from './server.mjs';
import { Visit } from './visit.mjs';

let measured;
before(async () => {
  measured = await measure();
  process.stdout.write(`${table(measured)}\n`);
});

const weight = (name) => {
  const row = measured.rows.find((one) => one.name === name);
  assert.ok(row, name);
  return row.brotli;
};

for (const [name, limit] of Object.entries({
  'module and glue': 10_240,
  'spare-key: both elements, bundled': 16_384,
  'module, glue, elements, one by one': 18_432,
  styles: 2_600,
})) {
  test(`${name}: at most ${limit} bytes`, () => {
    assert.ok(weight(name) <= limit, `${weight(name)} bytes`);
  });
}

test('the module that checks, formats and runs the prompt weighs less than imask, which only masks', () => {
  assert.ok(weight('spare-key: module, bundled') < weight('imask, bundled'));
  assert.ok(weight('cleave-zen, bundled') > 0);
});

test('one edit takes less than 20 µs', () => {
  assert.ok(measured.edit < 20, `${measured.edit} µs`);
});

test('the whole enrollment, pages, styles, texts, QR code and all, is at most 40 KB', { timeout: 60_000 }, async () => {
  const [server, browser] = [await start(), await launch()];
  try {
    const visit = await Visit.begin(browser, server);
    const loaded = new Map();
    visit.page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (response.status() === 200 && !loaded.has(pathname)) loaded.set(pathname, response.body().then(brotli));
    });
    await visit.toCodes();
    await visit.page.waitForFunction(() => document.querySelector('recovery-codes')?.state);
    const weights = await Promise.all([...loaded].map(async ([path, size]) => [path, await size]));
    const total = weights.reduce((sum, [, size]) => sum + size, 0);
    process.stdout.write(`${weights.map(([path, size]) => `${String(size).padStart(6)}  ${path}`).join('\n')}\n${String(total).padStart(6)}  the whole enrollment\n`);
    assert.ok(weights.some(([path]) => path.endsWith('.wasm')));
    assert.ok(total <= 40_000, `${total} bytes`);
  } finally {
    await browser.close();
    await server.stop();
  }
});
