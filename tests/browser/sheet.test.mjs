/**
 * The sheet that somebody finds in a drawer in five years: printed, read back, and on paper of both
 * sizes. `SHOTS=folder` keeps what was printed, to be looked at.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BATCH, CODE, CODES, open, show } from './host.mjs';

const URL_OF_LOGIN = 'https://login.fernhill.example/u/login';
const numbered = (count) => Array.from({ length: count }, (_, at) => ({ number: at + 1, code: CODES[at % CODES.length] }));
const TEN = { ...BATCH, url: URL_OF_LOGIN, codes: numbered(10) };

/** The page as it prints: its text, number of pages, size, fonts and pictures. */
async function printed(page, name, options) {
  const folder = mkdtempSync(join(tmpdir(), 'spare-key-print-'));
  try {
    const path = join(folder, 'sheet.pdf');
    await page.pdf({ path, ...options });
    if (process.env.SHOTS) {
      mkdirSync(process.env.SHOTS, { recursive: true });
      copyFileSync(path, join(process.env.SHOTS, `${name}.pdf`));
    }
    const info = execFileSync('pdfinfo', [path], { encoding: 'utf8' });
    return {
      text: execFileSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' }),
      pages: Number(/Pages:\s+(\d+)/.exec(info)[1]),
      size: /Page size:\s+(.*)/.exec(info)[1],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the printed sheet', () => {
  for (const [format, points] of [['A4', /^59[45]\.\d+ x 84[12]/], ['Letter', /^612 x 792/]]) {
    test(`on ${format} it is one page with all that one needs in five years, and nothing else (B-44, U2, U3, U12)`, () => open('/codes', async (page) => {
      await show(page, TEN);
      const { text, pages, size } = await printed(page, format, { format });
      assert.equal(pages, 1);
      assert.match(size, points);
      const words = text.replaceAll(/\s+/g, ' ');
      for (const part of [
        'Fernhill Library recovery codes', 'Account: alice@example.com', 'Set 2, made on 21 November 2026',
        'Each code works once. Cross it out after use.', `Where to enter a code: ${URL_OF_LOGIN}`,
        'Keep this sheet in a password manager or on paper', 'Do not send it by mail', 'If you make new codes, these stop working.',
        'it was not you, change your password',
      ]) assert.ok(words.includes(part), `${part} in\n${text}`);
      assert.ok(words.indexOf('Set 2, made on') < words.indexOf(CODES[0]), 'which set it is stands above the codes');
      for (let number = 1; number <= 10; number += 1) {
        assert.ok(new RegExp(`(^|\\s)${number}\\.\\s+${CODES[(number - 1) % 5]}`, 'm').test(text), `${number} in\n${text}`);
      }
      for (const part of ['Host', 'Copy', 'Download', 'Continue', 'I have saved', '127.0.0.1']) assert.ok(!text.includes(part), `${part} in\n${text}`);
    }));
  }

  test('sixteen codes, long names and long sentences still are one page', () => open('/codes', async (page) => {
    const long = (text) => `${text} ${text} ${text}`;
    await page.evaluate(() => {
      const { sheetTexts } = customElements.get('recovery-codes');
      document.querySelector('recovery-codes').sheetTexts = Object.fromEntries(Object.entries(sheetTexts).map(([name, text]) => [name, name === 'title' ? text : `${text} ${text.replaceAll(/\{\w+\}/g, 'etwas')}`]));
    });
    await show(page, { ...TEN, product: long('Fernhill Library'), account: 'a-person-with-a-rather-long-name@department.university.example', codes: numbered(16) });
    for (const format of ['A4', 'Letter']) {
      const { text, pages } = await printed(page, `long-${format}`, { format });
      assert.equal(pages, 1, format);
      assert.equal(text.match(/[A-Z2-7]{4}(-[A-Z2-7]{4}){3}/g).length, 16);
    }
  }));

  test('there is a box beside every code to cross it out, and the type is serif, black and large (B-14)', () => open('/codes', async (page) => {
    await show(page, TEN);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const looks = await page.locator('.sk-list li').evaluateAll((items) => items.map((item) => {
      const box = getComputedStyle(item, '::after');
      const code = getComputedStyle(item.querySelector('code'));
      return { width: parseFloat(box.width), border: box.borderTopStyle, size: parseFloat(code.fontSize), color: code.color, zero: code.fontVariantNumeric };
    }));
    assert.equal(looks.length, 10);
    for (const { width, border, size, color, zero } of looks) {
      assert.ok(width >= 12 && border === 'solid' && size >= 16 && color === 'rgb(0, 0, 0)' && zero.includes('slashed-zero'));
    }
    const prose = await page.locator('.sk-note').first().evaluate((note) => {
      const style = getComputedStyle(note);
      return [parseFloat(style.fontSize) >= 16, /serif$/.test(style.fontFamily), style.color];
    });
    assert.deepEqual(prose, [true, true, 'rgb(0, 0, 0)']);
  }));

  test('in a language written from the right it reads from the right, codes from the left (U4)', () => open('/codes', async (page) => {
    await page.evaluate(() => {
      document.documentElement.dir = 'rtl';
      document.documentElement.lang = 'ar';
      document.querySelector('recovery-codes').sheetTexts = { title: 'رموز الاسترداد لدى {product}', batch: 'المجموعة {generation} بتاريخ {date}', usage: 'كل رمز يعمل مرة واحدة.' };
    });
    await show(page, TEN);
    const { text, pages } = await printed(page, 'arabic', { format: 'A4' });
    assert.equal(pages, 1);
    assert.ok(text.includes(CODE));
    await page.emulateMedia({ media: 'print' });
    const [title, list] = await page.evaluate(() => ['.sk-title', '.sk-list'].map((name) => getComputedStyle(document.querySelector(name)).direction));
    assert.deepEqual([title, list], ['rtl', 'ltr']);
  }));

  test('a page that shows no codes prints as it is', () => open('/codes', async (page) => {
    const { text } = await printed(page, 'none', { format: 'A4' });
    assert.ok(text.includes('Host heading'));
  }));
});

describe('the file and the clipboard', () => {
  test('are in the language of the reader, name and all, and every line of a code redeems as it stands (B-41, U4, E7)', () => open('/codes', async (page, context) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.evaluate(() => {
      document.querySelector('recovery-codes').sheetTexts = { title: 'Wiederherstellungscodes für {product}', account: 'Konto: {account}', batch: 'Satz {generation} vom {date}' };
    });
    await show(page, TEN);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
    const text = readFileSync(await file.path(), 'utf8');
    assert.match(text, /^Wiederherstellungscodes für Fernhill Library\r\nKonto: alice@example\.com\r\nSatz 2 vom 21 November 2026\r\n\r\n 1\. AAAA/);
    assert.ok(text.includes(URL_OF_LOGIN));
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.waitForFunction(() => document.querySelector('[role=status]').textContent.startsWith('Copied'));
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text, 'copied, downloaded: the same');
    const verdicts = await page.evaluate(async (lines) => {
      const { load } = await import('/assets/lib/module.js');
      const { check } = await load();
      return lines.map((line) => check(line)).filter(({ state }) => state === 'complete').map(({ formatted }) => formatted);
    }, text.split('\r\n'));
    assert.deepEqual(verdicts, TEN.codes.map(({ code }) => code));
  }));
});
