/**
 * The back-forward cache, really on (B-64): the page is left by a link, comes back as the very page
 * that was left, and has no code on it any more.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchWithCache } from './chromium.mjs';
import { BATCH, CODE, CODES, site } from './host.mjs';

let chromium;
before(async () => { chromium = await launchWithCache(); });
after(() => chromium?.close());

/** The page at `path`, prepared, left by a link, come back to, and judged. */
const leftAndBack = (name, path, prepare, judge) => test(name, { timeout: 30_000 }, async () => {
  const page = await chromium.newPage();
  try {
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto(`${site.origin}${path}`);
    await page.waitForFunction(() => customElements.get('recovery-codes') && customElements.get('recovery-code-input'));
    await prepare(page);
    await page.evaluate(() => {
      globalThis.shows = [];
      addEventListener('pageshow', (event) => globalThis.shows.push(event.persisted));
      const link = Object.assign(document.createElement('a'), { href: '/elsewhere', id: 'leave', textContent: 'Elsewhere' });
      document.querySelector('main').append(link);
    });
    await Promise.all([page.waitForNavigation(), page.click('#leave')]);
    assert.equal(new URL(page.url()).pathname, '/elsewhere');
    await page.goBack();
    assert.deepEqual(await page.evaluate(() => globalThis.shows), [true], 'persisted: the very page that was left');
    await judge(page);
  } finally {
    await page.close();
  }
});

const text = (page, selector) => page.$eval(selector, (element) => element.textContent);

leftAndBack('a page comes back with what it showed: the cache works here', '/codes', async (page) => {
  await page.$eval('h1', (heading, code) => { heading.textContent = code; }, CODE);
}, async (page) => {
  assert.equal(await text(page, 'h1'), CODE);
});

// Row S21.
leftAndBack('codes are gone from the page that comes back, and it says so (B-64, U5)', '/codes', async (page) => {
  await page.evaluate((batch) => {
    const element = document.querySelector('recovery-codes');
    element.batch = batch;
    return element.ready;
  }, BATCH);
  assert.equal((await page.$$('li')).length, CODES.length);
}, async (page) => {
  const html = await page.content();
  for (const code of CODES) assert.ok(!html.includes(code));
  assert.equal(await page.evaluate(() => document.querySelector('recovery-codes').batch), undefined);
  assert.match(await text(page, '[role=status]'), /no longer shown here/);
  const held = await page.evaluate(async (codes) => {
    const { default: init } = await import('/assets/wasm/spare_key.js');
    const { memory } = await init();
    const bytes = new TextDecoder('latin1').decode(new Uint8Array(memory.buffer));
    return codes.filter((code) => bytes.includes(code));
  }, CODES);
  assert.deepEqual(held, [], 'nor in the memory of the module (B-65)');
});

leftAndBack('a typed code is gone from the field that comes back, and so is the list that was offered (B-64)', '/field', async (page) => {
  await page.evaluate(() => document.querySelector('recovery-code-input').ready);
  await page.type('recovery-code-input input', CODE);
  await page.$eval('recovery-code-input input', (input, list) => {
    const data = new DataTransfer();
    data.setData('text/plain', list);
    input.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, CODES.join('\n'));
  assert.equal((await page.$$('.sk-choice button')).length, CODES.length);
}, async (page) => {
  const value = () => page.$eval('recovery-code-input input', (input) => input.value);
  assert.equal(await value(), '');
  assert.equal((await page.$$('.sk-choice')).length, 0);
  await page.focus('recovery-code-input input');
  await page.keyboard.down('Control');
  await page.keyboard.press('z');
  await page.keyboard.up('Control');
  assert.equal(await value(), '', 'undo does not bring it back');
  for (const code of CODES) assert.ok(!(await page.content()).includes(code));
});
