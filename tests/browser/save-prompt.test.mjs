import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BATCH, CODE, CODES, alert, open, show, site, status } from './host.mjs';

describe('the save prompt', () => {
  const button = (page, name) => page.getByRole('button', { name, exact: true });
  const told = (page) => page.evaluate(() => JSON.parse(JSON.stringify(globalThis.told)));

  test('codes are a numbered list of text and in no attribute, title or address', () => open('/codes', async (page) => {
    await show(page);
    assert.deepEqual(await page.locator('li code').allTextContents(), CODES);
    assert.deepEqual(await page.locator('li').evaluateAll((items) => items.map((item) => item.value)), [1, 2, 3, 4, 5]);
    const leaked = await page.evaluate((codes) => {
      const attributes = [...document.querySelectorAll('*')].flatMap((element) => [...element.attributes].map(({ value }) => value));
      const stored = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), JSON.stringify(history.state)];
      return [...attributes, ...stored, document.title, location.href].filter((text) => codes.some((code) => text.includes(code)));
    }, CODES);
    assert.deepEqual(leaked, []);
  }));

  test('Copy puts the sheet on the clipboard and says so', () => open('/codes', async (page, context) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await show(page);
    await button(page, 'Copy').click();
    await page.waitForFunction(() => document.querySelector('[role=status]').textContent);
    assert.match(await status(page).textContent(), /^Copied\./);
    const text = await page.evaluate(() => navigator.clipboard.readText());
    for (const part of [...CODES.map((code, at) => `${at + 1}. ${code}`), 'Fernhill Library', 'alice@example.com', 'Set 2', '21 November 2026']) {
      assert.ok(text.includes(part), part);
    }
    assert.deepEqual(await told(page), [{ type: 'recovery-codes-saved', way: 'copied' }]);
  }));

  test('a refused clipboard selects the codes, says so, and does not count as saved', () => open('/codes', async (page, context) => {
    const session = await context.newCDPSession(page);
    await session.send('Browser.setPermission', { permission: { name: 'clipboard-write' }, setting: 'denied', origin: site.origin });
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    });
    await show(page);
    await button(page, 'Copy').click();
    await page.waitForFunction(() => document.querySelector('[role=status]').textContent);
    assert.match(await status(page).textContent(), /did not allow copying.*selected/);
    assert.deepEqual((await page.evaluate(() => getSelection().toString())).match(/[A-Z2-7]{4}(-[A-Z2-7]{4}){3}/g), CODES);
    assert.deepEqual(await told(page), [{ type: 'recovery-codes-failed', what: 'copy' }]);
    assert.deepEqual(await page.evaluate(() => document.querySelector('recovery-codes').state.savedBy), []);
  }));

  // Row B-43.
  test('Download gives a text file with the codes as shown, and the address of it is given back', () => open('/codes', async (page) => {
    await page.evaluate(() => {
      globalThis.revoked = 0;
      const revoke = URL.revokeObjectURL.bind(URL);
      URL.revokeObjectURL = (url) => { globalThis.revoked += 1; revoke(url); };
    });
    await show(page);
    const [file] = await Promise.all([page.waitForEvent('download'), button(page, 'Download').click()]);
    assert.equal(file.suggestedFilename(), 'fernhill-library-recovery-codes-alice-example-com-g2.txt');
    const text = readFileSync(await file.path(), 'utf8');
    const lines = text.split('\r\n');
    assert.ok(!text.replaceAll('\r\n', '').includes('\n'), 'CRLF only');
    assert.deepEqual(lines.filter((line) => /^ ?\d\. /.test(line)), CODES.map((code, at) => `${at + 1}. ${code}`));
    for (const part of ['Fernhill Library', 'alice@example.com', 'Set 2', '21 November 2026']) assert.ok(text.includes(part), part);
    assert.match(await status(page).textContent(), /^Downloaded as fernhill-library-recovery-codes/);
    await page.waitForFunction(() => globalThis.revoked === 1);
  }));

  test('the paper has the sheet, the whole sheet, and nothing but the sheet, on one page', () => open('/codes', async (page) => {
    const ten = { ...BATCH, codes: [...CODES, ...CODES].map((code, at) => ({ number: at + 1, code })) };
    await show(page, ten);
    const folder = mkdtempSync(join(tmpdir(), 'spare-key-print-'));
    const path = join(folder, 'sheet.pdf');
    await page.pdf({ path, format: 'A4' });
    const text = execFileSync('/usr/bin/pdftotext', ['-layout', path, '-'], { encoding: 'utf8' });
    const pages = execFileSync('/usr/bin/pdfinfo', [path], { encoding: 'utf8' }).match(/Pages:\s+(\d+)/)[1];
    rmSync(folder, { recursive: true });
    assert.equal(pages, '1');
    assert.equal(text.match(/[A-Z2-7]{4}(-[A-Z2-7]{4}){3}/g).length, 10);
    for (const part of ['Fernhill Library recovery codes', 'alice@example.com', 'Set 2, made on 21 November 2026', '10.', 'Each code works once']) {
      assert.ok(text.includes(part), `${part} in\n${text}`);
    }
    for (const part of ['Host', 'Copy', 'Continue', 'saved', 'http']) assert.ok(!text.includes(part), `${part} in\n${text}`);
  }));

  test('on paper the letters are serif, black, and of 12 points or more', () => open('/codes', async (page) => {
    await show(page);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const looks = await page.locator('.sk-note').first().evaluate((note) => {
      const style = getComputedStyle(note);
      return { size: parseFloat(style.fontSize), family: style.fontFamily, color: style.color };
    });
    assert.ok(looks.size >= 16, `${looks.size}px`);
    assert.match(looks.family, /serif$/);
    assert.equal(looks.color, 'rgb(0, 0, 0)');
  }));

  test('Print opens the dialog once and says so; one that cannot be opened is said', () => open('/codes', async (page) => {
    await page.evaluate(() => { globalThis.prints = 0; window.print = () => { globalThis.prints += 1; }; });
    await show(page);
    await button(page, 'Print').click();
    assert.equal(await page.evaluate(() => globalThis.prints), 1);
    assert.match(await status(page).textContent(), /^Printed\./);
    await page.evaluate(() => { window.print = () => { throw new Error('no printing here'); }; });
    await button(page, 'Print').click();
    assert.match(await status(page).textContent(), /^Printing did not start/);
  }));

  test('Continue comes after one of the four and the tick, and says what is missing before', () => open('/codes', async (page) => {
    await show(page);
    const go = button(page, 'Continue');
    assert.equal(await go.getAttribute('aria-disabled'), 'true');
    // Forced: the driver takes aria-disabled for disabled, a person does not.
    await go.click({ force: true });
    assert.match(await alert(page).textContent(), /^First copy, download, print or write down/);
    await button(page, 'I wrote them down').click();
    assert.equal(await alert(page).textContent(), '');
    await go.click({ force: true });
    assert.match(await alert(page).textContent(), /^Tick the box/);
    await page.getByRole('checkbox', { name: 'I have saved these codes' }).check();
    assert.equal(await go.getAttribute('aria-disabled'), 'false');
    await page.getByRole('checkbox').uncheck();
    assert.equal(await go.getAttribute('aria-disabled'), 'true');
    await page.getByRole('checkbox').check();
    assert.ok(!(await told(page)).some(({ type }) => type === 'recovery-codes-confirm'));
    await go.click();
    await go.click({ force: true });
    assert.deepEqual((await told(page)).filter(({ type }) => type === 'recovery-codes-confirm'), [{ type: 'recovery-codes-confirm', generation: 2 }]);
    assert.equal(new URL(page.url()).pathname, '/codes', 'the host decides what confirming does');
  }));

  test('after a refusal the codes are still there; after the confirmation they are gone', () => open('/codes', async (page) => {
    await show(page);
    await button(page, 'I wrote them down').click();
    await page.getByRole('checkbox').check();
    await button(page, 'Continue').click();
    await page.evaluate(() => document.querySelector('recovery-codes').refused('network'));
    assert.match(await alert(page).textContent(), /^No answer came/);
    assert.equal(await page.locator('li').count(), 5);
    await button(page, 'Continue').click();
    await page.evaluate(() => document.querySelector('recovery-codes').confirmed());
    assert.match(await status(page).textContent(), /^Done\./);
    assert.equal(await page.locator('li').count(), 0);
    assert.equal(await page.evaluate(() => document.querySelector('recovery-codes').batch), undefined);
  }));

  test('codes that expired are taken away before anybody writes them down', () => open('/codes', async (page) => {
    await show(page);
    await page.evaluate(() => document.querySelector('recovery-codes').expired());
    assert.equal(await page.locator('li').count(), 0);
    assert.match(await alert(page).textContent(), /will never work/);
  }));

  test('leaving before confirming warns, after confirming it does not', () => open('/codes', async (page) => {
    await show(page);
    const warns = () => page.evaluate(() => {
      const event = new Event('beforeunload', { cancelable: true });
      dispatchEvent(event);
      return event.defaultPrevented;
    });
    assert.equal(await warns(), true);
    await button(page, 'I wrote them down').click();
    await page.getByRole('checkbox').check();
    await button(page, 'Continue').click();
    assert.equal(await warns(), false);
  }));

  test('codes go from the page when it is left and are not brought back', () => open('/codes', async (page) => {
    await show(page);
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    assert.equal(await page.locator('li').count(), 0);
    assert.ok(!(await page.content()).includes(CODES[0]));
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    assert.equal(await page.locator('li').count(), 0);
    assert.match(await status(page).textContent(), /no longer shown/);
  }));

  test('everything can be done with the keyboard alone', () => open('/codes', async (page) => {
    await show(page);
    const names = [];
    for (let i = 0; i < 6; i += 1) {
      await page.keyboard.press('Tab');
      names.push(await page.evaluate(() => document.activeElement.textContent || document.activeElement.type));
      if (names[i] === 'I wrote them down') await page.keyboard.press('Enter');
      if (names[i] === 'checkbox') await page.keyboard.press('Space');
    }
    assert.deepEqual(names, ['Copy', 'Download', 'Print', 'I wrote them down', 'checkbox', 'Continue']);
    await page.keyboard.press('Enter');
    assert.equal((await told(page)).at(-1).type, 'recovery-codes-confirm');
  }));

  test('an element that is moved keeps its codes, one that is given other codes shows only those', () => open('/codes', async (page) => {
    await show(page);
    await page.evaluate(() => document.querySelector('main').append(document.querySelector('recovery-codes')));
    await page.evaluate(() => document.querySelector('recovery-codes').ready);
    assert.deepEqual(await page.locator('li code').allTextContents(), CODES);
    await show(page, { ...BATCH, generation: 3, codes: [{ number: 1, code: CODE }] });
    assert.deepEqual(await page.locator('li code').allTextContents(), [CODE]);
    assert.equal(await page.locator('button').count(), 5);
  }));
});

describe('both', () => {
  test('the English of the elements is the English of the locale', async () => {
    const locale = JSON.parse(readFileSync(fileURLToPath(new URL('../../web/locales/en.json', import.meta.url)), 'utf8'));
    await open('/codes', async (page) => {
      const texts = await page.evaluate(() => ({
        'recovery-codes': customElements.get('recovery-codes').texts,
        'recovery-code-input': customElements.get('recovery-code-input').texts,
        sheet: customElements.get('recovery-codes').sheetTexts,
      }));
      for (const [prefix, own] of Object.entries(texts)) {
        const theirs = Object.entries(locale).filter(([key]) => key.startsWith(`${prefix}.`));
        assert.deepEqual(Object.fromEntries(theirs.map(([key, text]) => [key.slice(prefix.length + 1), text])), own);
      }
    });
  });
});
