/** A look of one's own: five properties, in the pages too; and the gallery where all of it is seen. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { inspector } from './inspect.mjs';
import { start } from './server.mjs';
import { Visit } from './visit.mjs';

/** The first block of the guide: what people copy. */
const example = /```css\n([\s\S]*?)```/.exec(readFileSync(new URL('../../web/docs/themes.md', import.meta.url), 'utf8'))[1];

let browser;
let server;
before(async () => {
  const theme = join(mkdtempSync(join(tmpdir(), 'spare-key-theme-')), 'theme.css');
  writeFileSync(theme, example);
  server = await start('--theme', theme);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

describe('a theme', () => {
  test('of the guide makes a brand of the pages, in light and dark, and axe still finds nothing (B-08)', { timeout: 60_000 }, async () => {
    const visit = await Visit.begin(browser, server);
    const { page } = visit;
    await visit.toCodes();
    for (const [colorScheme, accent] of [['light', 'rgb(122, 31, 162)'], ['dark', 'rgb(217, 167, 240)']]) {
      await page.emulateMedia({ colorScheme });
      const seen = await page.evaluate(() => {
        const style = (selector) => getComputedStyle(document.querySelector(selector));
        return { mark: style('.mark').stroke, corner: style('.sk-copy').borderRadius, font: style('body').fontFamily };
      });
      assert.deepEqual(seen, { mark: accent, corner: '0px', font: 'Georgia, serif' });
      const { violations, end } = await inspector(page);
      assert.deepEqual(await violations(), [], colorScheme);
      await end();
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await visit.confirm();
    await visit.end();
  });

  test('has forced colours before it', { timeout: 30_000 }, async () => {
    const visit = await Visit.begin(browser, server, { forcedColors: 'active' });
    await visit.page.goto(visit.url('/u/login'));
    const accent = await visit.page.evaluate(() => getComputedStyle(document.querySelector('button.primary')).backgroundColor);
    assert.notEqual(accent, 'rgb(122, 31, 162)');
    await visit.end();
  });

  test('that cannot be read, or is too large, is said at the start', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spare-key-theme-'));
    writeFileSync(join(folder, 'large.css'), ' '.repeat(64 * 1024 + 1));
    for (const [file, words] of [['missing.css', 'cannot be read'], ['large.css', 'is too large']]) {
      const ended = spawnSync(server.binary, ['dev', '--listen', '127.0.0.1:0', '--theme', file], { cwd: folder, encoding: 'utf8', timeout: 20_000 });
      assert.equal(ended.status, 2, ended.stderr);
      assert.ok(ended.stderr.includes(words), ended.stderr);
    }
  });
});

describe('the gallery', () => {
  test('shows every element in every state, and axe finds nothing in light, dark and at 320 px', { timeout: 120_000 }, async () => {
    const visit = await Visit.begin(browser, server);
    const { page } = visit;
    await page.goto(visit.url('/gallery'));
    await page.locator('html[data-gallery=ready]').waitFor();
    const states = await page.locator('recovery-codes').evaluateAll((elements) => Object.fromEntries(elements.map((element) => [element.dataset.state, element.dataset.phase])));
    assert.deepEqual(
      [states.shown, states.activating, states.done, states.expired, states.left, states.network],
      ['shown', 'activating', 'done', 'expired', 'left', 'shown'],
    );
    const verdicts = await page.locator('recovery-code-input').evaluateAll((elements) => elements.map((element) => element.verdict?.state));
    for (const state of ['empty', 'incomplete', 'symbol', 'ambiguous', 'check', 'too-long', 'complete']) assert.ok(verdicts.includes(state), state);
    for (const [colorScheme, width] of [['light', 1280], ['dark', 1280], ['light', 320]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      const { run, violations, end } = await inspector(page);
      assert.deepEqual(await violations(), [], `${colorScheme} ${width}`);
      assert.ok(await run('document.documentElement.scrollWidth <= innerWidth'), `${width}`);
      await end();
    }
    page.on('dialog', (dialog) => dialog.accept());
    await visit.end();
  });
});
