/** The entry field and the save prompt in the other engine: typed and clicked in Firefox. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchFirefox } from './firefox.mjs';
import { BATCH, CODE, CODES, site } from './host.mjs';

let firefox;
before(async () => { firefox = await launchFirefox(); }, { timeout: 60_000 });
after(() => firefox?.close());

/** A page of its own for each test, that fails on an error or a violation of the policy. */
const on = (name, path, body) => test(name, { timeout: 60_000 }, async () => {
  const page = await firefox.newPage();
  const wrong = [];
  try {
    page.on('pageerror', (error) => wrong.push(error.message));
    await page.goto(`${site.origin}${path}`);
    await page.waitForFunction(() => customElements.get('recovery-codes') && customElements.get('recovery-code-input'));
    await page.evaluate(() => {
      globalThis.violations = [];
      addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(event.violatedDirective));
    });
    assert.equal(await page.evaluate(() => document.querySelector('recovery-code-input')?.ready ?? true), true, 'the module is there');
    await body(page);
    const violations = await page.evaluate(() => globalThis.violations ?? []);
    assert.deepEqual([...wrong, ...violations], []);
  } finally {
    await page.close();
  }
});

const INPUT = 'recovery-code-input input';
const text = (page, selector) => page.$eval(selector, (element) => element.textContent);
const value = (page) => page.$eval(INPUT, (input) => input.value);
const caret = (page) => page.$eval(INPUT, (input) => input.selectionStart);
const put = (page, start, end = start) => page.$eval(INPUT, (input, from, to) => { input.focus(); input.setSelectionRange(from, to); }, start, end);
const start = (page, code) => page.evaluate((given) => { document.querySelector('recovery-code-input').value = given; }, code);
const chord = async (page, ...keys) => {
  for (const key of keys.slice(0, -1)) await page.keyboard.down(key);
  await page.keyboard.press(keys.at(-1));
  for (const key of keys.slice(0, -1).reverse()) await page.keyboard.up(key);
};
/** Copies a text out of a text area and pastes it, by keys as a person does. */
const paste = async (page, pasted) => {
  await page.evaluate((given) => {
    const area = Object.assign(document.createElement('textarea'), { value: given, id: 'source' });
    document.body.append(area);
    area.select();
  }, pasted);
  await chord(page, 'Control', 'c');
  await page.$eval('#source', (area) => area.remove());
  await page.focus(INPUT);
  await chord(page, 'Control', 'v');
};

describe('the field in Firefox', () => {
  on('a typed code gets its dashes, the caret stays at the end, and it is complete', '/field', async (page) => {
    await page.type(INPUT, 'kz3mq7tbwj5rhxyn');
    assert.deepEqual([await value(page), await caret(page)], [CODE, 19]);
    assert.equal(await text(page, '[role=status]'), 'The code is complete.');
    assert.equal(await page.evaluate(() => new FormData(document.forms[0]).get('code')), CODE);
    assert.equal(await page.evaluate(() => document.querySelector('recovery-code-input').matches(':state(complete)')), true);
  });

  on('typing, Backspace and Delete at every place do what they say (B-26)', '/field', async (page) => {
    const bare = (given) => given.replaceAll('-', '');
    const grouped = (symbols) => symbols.match(/.{1,4}/g)?.join('-') ?? '';
    for (let at = 0; at <= CODE.length; at += 1) {
      const left = bare(CODE.slice(0, at)).length;
      const symbols = bare(CODE);
      for (const [key, wanted, now] of [
        ['Backspace', left ? symbols.slice(0, left - 1) + symbols.slice(left) : symbols, Math.max(0, left - 1)],
        ['Delete', symbols.slice(0, left) + symbols.slice(left + 1), left],
      ]) {
        await start(page, CODE);
        await put(page, at);
        await page.keyboard.press(key);
        const is = await value(page);
        assert.equal(is, grouped(wanted), `${key} at ${at}`);
        assert.equal(bare(is.slice(0, await caret(page))).length, now, `caret after ${key} at ${at}`);
      }
    }
    await start(page, 'KZ3M-Q7TB-WJ5R-HXY');
    await put(page, 4);
    await page.keyboard.type('A');
    assert.deepEqual([await value(page), await caret(page)], ['KZ3M-AQ7T-BWJ5-RHXY', 6]);
  });

  on('undo and redo go step by step (B-27)', '/field', async (page) => {
    await page.type(INPUT, 'KZ3MQ');
    await chord(page, 'Control', 'z');
    await chord(page, 'Control', 'z');
    assert.equal(await value(page), 'KZ3');
    await chord(page, 'Control', 'Shift', 'z');
    await chord(page, 'Control', 'y');
    assert.equal(await value(page), 'KZ3M-Q');
  });

  on('a pasted line is accepted, a pasted list is offered (B-01)', '/field', async (page) => {
    await paste(page, '2. kz3m–q7tb\u00a0wj5r hxyn');
    assert.equal(await value(page), CODE);
    await page.evaluate(() => { document.querySelector('recovery-code-input').value = ''; });
    await paste(page, CODES.map((code, at) => `${at + 1}. ${code}`).join('\n'));
    assert.equal(await value(page), '');
    await page.click('.sk-choice button:nth-child(3)');
    assert.equal(await value(page), CODES[2]);
  });

  on('a typo is marked and said, nothing is sent, and the form does not go (B-03)', '/field', async (page) => {
    const sent = site.posted.length;
    await page.type(INPUT, 'KZ3M-Q7TB-WJSR-HXYN');
    assert.match(await text(page, '[role=status]'), /character 11 \(S or 5\?\)/);
    assert.equal(await text(page, '.sk-marks u'), 'S');
    await page.keyboard.press('Enter');
    assert.match(await text(page, '[role=alert]'), /character 11/);
    assert.equal(await page.$eval(INPUT, (input) => input.getAttribute('aria-invalid')), 'true');
    assert.equal(site.posted.length, sent);
    await page.keyboard.type('5');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    assert.equal(site.posted.at(-1).fields.code, CODE);
  });

  on('leaving the page empties the field (B-64)', '/field', async (page) => {
    await page.type(INPUT, CODE);
    await page.goto(`${site.origin}/elsewhere`);
    // Not the driver's own way back: it waits for a load that a page from the cache has not.
    await page.evaluate(() => { history.back(); }).catch(() => {});
    await page.waitForFunction(() => document.querySelector('recovery-code-input input'));
    assert.equal(await value(page), '');
    await page.evaluate(() => document.querySelector('recovery-code-input').ready);
  });
});

describe('the save prompt in Firefox', () => {
  const show = (page) => page.evaluate((batch) => {
    const element = document.querySelector('recovery-codes');
    globalThis.told = [];
    for (const type of ['saved', 'failed', 'confirm', 'wiped']) {
      document.addEventListener(`recovery-codes-${type}`, ({ way, what, generation }) => globalThis.told.push([type, way ?? what ?? generation]));
    }
    element.batch = batch;
    return element.ready;
  }, BATCH);

  on('from the list to the confirmation, by clicks, and the codes are gone then', '/codes', async (page) => {
    assert.equal(await show(page), true);
    assert.deepEqual(await page.$$eval('li code', (codes) => codes.map((code) => code.textContent)), CODES);
    await page.click('.sk-continue');
    assert.match(await text(page, '[role=alert]'), /^First copy, download, print or write down/);
    await page.click('.sk-wrote-down');
    await page.click('.sk-saved input');
    await page.click('.sk-continue');
    assert.deepEqual(await page.evaluate(() => globalThis.told), [['saved', 'wrote-down'], ['confirm', 2]]);
    await page.evaluate(() => document.querySelector('recovery-codes').confirmed());
    assert.match(await text(page, '[role=status]'), /^Done\./);
    assert.equal((await page.$$('li')).length, 0);
  });

  on('copy, the file and print each say what they did (U1)', '/codes', async (page) => {
    await show(page);
    await page.evaluate(() => {
      globalThis.printed = 0;
      window.print = () => { globalThis.printed += 1; };
      globalThis.files = [];
      const make = URL.createObjectURL.bind(URL);
      URL.createObjectURL = (blob) => { globalThis.files.push(blob.text()); return make(blob); };
    });
    await page.click('.sk-print');
    assert.equal(await page.evaluate(() => globalThis.printed), 1);
    await page.click('.sk-download');
    assert.match(await text(page, '[role=status]'), /^Downloaded as fernhill-library-recovery-codes/);
    const file = await page.evaluate(() => globalThis.files[0]);
    assert.ok(CODES.every((code, at) => file.includes(`\r\n${at + 1}. ${code}\r\n`)), file);
    await page.click('.sk-copy');
    await page.waitForFunction(() => /^Copied|did not allow/.test(document.querySelector('[role=status]').textContent));
    await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError')); });
    await page.click('.sk-copy');
    await page.waitForFunction(() => /did not allow/.test(document.querySelector('[role=status]').textContent));
    assert.deepEqual(await page.evaluate(() => getSelection().toString().match(/[A-Z2-7]{4}(-[A-Z2-7]{4}){3}/g)), CODES);
  });
});

test('the form history of Firefox has no code (B-20, E8)', { timeout: 60_000 }, async () => {
  const profile = mkdtempSync(join(tmpdir(), 'spare-key-profile-'));
  try {
    const other = await launchFirefox(profile);
    const page = await other.newPage();
    for (const path of ['/field', '/server-field', '/plain-field']) {
      await page.goto(`${site.origin}${path}`);
      await page.evaluate(() => document.querySelector('recovery-code-input')?.ready);
      await page.type('input', path === '/plain-field' ? 'something' : CODE);
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    }
    await other.close();
    const history = join(profile, 'formhistory.sqlite');
    assert.ok(existsSync(history));
    const kept = execFileSync('sqlite3', ['-readonly', history, 'select fieldname, value from moz_formhistory'], { encoding: 'utf8' });
    assert.equal(kept, 'nickname|something\n', 'a plain field is remembered, ours are not');
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
});
