import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODE, CODES, alert, bare, browser, caret, field, grouped, open, paste, site, status } from './host.mjs';

describe('the field', () => {
  test('typing a code puts the dashes where they belong and the caret at the end', () => open('/field', async (page) => {
    await field(page).pressSequentially('kz3mq7tbwj5rhxyn');
    assert.equal(await field(page).inputValue(), CODE);
    assert.equal(await caret(page), 19);
  }));

  test('a symbol typed at any place goes there and the caret stays behind it', () => open('/field', async (page) => {
    const start = 'KZ3M-Q7TB-WJ5R-HXY';
    for (let at = 0; at <= start.length; at += 1) {
      await field(page).fill(start);
      await field(page).evaluate((input, index) => input.setSelectionRange(index, index), at);
      await page.keyboard.type('A');
      const left = bare(start.slice(0, at)).length;
      const symbols = bare(start).slice(0, left) + 'A' + bare(start).slice(left);
      assert.equal(await field(page).inputValue(), grouped(symbols), `typed at ${at}`);
      const value = await field(page).inputValue();
      assert.equal(bare(value.slice(0, await caret(page))).length, left + 1, `caret after typing at ${at}`);
    }
  }));

  test('Backspace at any place removes the symbol before the caret, also over a dash', () => open('/field', async (page) => {
    for (let at = 0; at <= CODE.length; at += 1) {
      await field(page).fill(CODE);
      await field(page).evaluate((input, index) => input.setSelectionRange(index, index), at);
      await page.keyboard.press('Backspace');
      const left = bare(CODE.slice(0, at)).length;
      const symbols = left === 0 ? bare(CODE) : bare(CODE).slice(0, left - 1) + bare(CODE).slice(left);
      assert.equal(await field(page).inputValue(), grouped(symbols), `Backspace at ${at}`);
      const value = await field(page).inputValue();
      assert.equal(bare(value.slice(0, await caret(page))).length, Math.max(0, left - 1), `caret after Backspace at ${at}`);
    }
  }));

  test('Delete at any place removes the symbol after the caret, also over a dash', () => open('/field', async (page) => {
    for (let at = 0; at <= CODE.length; at += 1) {
      await field(page).fill(CODE);
      await field(page).evaluate((input, index) => input.setSelectionRange(index, index), at);
      await page.keyboard.press('Delete');
      const left = bare(CODE.slice(0, at)).length;
      const symbols = bare(CODE).slice(0, left) + bare(CODE).slice(left + 1);
      assert.equal(await field(page).inputValue(), grouped(symbols), `Delete at ${at}`);
      const value = await field(page).inputValue();
      assert.equal(bare(value.slice(0, await caret(page))).length, left, `caret after Delete at ${at}`);
    }
  }));

  // Row B-27.
  test('undo and redo go step by step although the value is assigned', () => open('/field', async (page) => {
    await field(page).pressSequentially('KZ3MQ');
    await page.keyboard.press('Control+z');
    assert.equal(await field(page).inputValue(), 'KZ3M');
    await page.keyboard.press('Control+z');
    assert.equal(await field(page).inputValue(), 'KZ3');
    await page.keyboard.press('Control+Shift+z');
    await page.keyboard.press('Control+y');
    assert.equal(await field(page).inputValue(), 'KZ3M-Q');
    await page.keyboard.press('Control+z');
    await page.keyboard.type('A');
    await page.keyboard.press('Control+y');
    assert.equal(await field(page).inputValue(), 'KZ3M-A', 'what was typed since cannot be redone over');
  }));

  for (const [name, text] of Object.entries({
    'as shown': CODE,
    'in lower case': CODE.toLowerCase(),
    'without dashes': bare(CODE),
    'with spaces': 'KZ3M Q7TB WJ5R HXYN',
    'with its list number': '3. KZ3M-Q7TB-WJ5R-HXYN',
    'with no-break spaces and long dashes': 'KZ3M\u00a0–\u00a0Q7TB\u00a0–\u00a0WJ5R\u00a0–\u00a0HXYN',
    'in full-width forms': 'ＫＺ３Ｍ－Ｑ７ＴＢ－ＷＪ５Ｒ－ＨＸＹＮ',
    'with zero-width characters and soft hyphens': 'KZ3M\u200b-Q7TB\u00ad-WJ5R\u2060-HXYN',
    'with a line break around it': '\r\n  KZ3M-Q7TB-WJ5R-HXYN\r\n',
  })) {
    test(`a code pasted ${name} is accepted, and the paste is not cancelled`, () => open('/field', async (page) => {
      assert.equal(await paste(page, text), true);
      assert.equal(await field(page).inputValue(), CODE);
      assert.equal(await status(page).textContent(), 'The code is complete.');
    }));
  }

  test('a paste over a selection replaces just the selection', () => open('/field', async (page) => {
    await field(page).fill(CODE);
    await field(page).evaluate((input) => input.setSelectionRange(5, 9));
    await paste(page, 'aaaa');
    assert.equal(await field(page).inputValue(), 'KZ3M-AAAA-WJ5R-HXYN');
  }));

  // Row B-28.
  test('nothing is touched while an input method composes', () => open('/field', async (page, context) => {
    await field(page).focus();
    const session = await context.newCDPSession(page);
    await session.send('Input.imeSetComposition', { text: 'kz3mq', selectionStart: 5, selectionEnd: 5 });
    assert.equal(await field(page).inputValue(), 'kz3mq');
    await session.send('Input.insertText', { text: 'kz3mq7' });
    assert.equal(await field(page).inputValue(), 'KZ3M-Q7');
  }));

  // Row B-11.
  test('nothing is sent when the last symbol is typed', () => open('/field', async (page) => {
    const requests = site.requests.length;
    await field(page).pressSequentially(bare(CODE));
    await page.waitForTimeout(200);
    assert.equal(new URL(page.url()).pathname, '/field');
    assert.equal(site.requests.length, requests);
  }));

  // Rows E4, E5, E6, B-22, B-23, B-24.
  test('the field asks keyboards, spell checkers and managers for what a code needs', () => open('/field', async (page) => {
    const attributes = await field(page).evaluate((input) => Object.fromEntries(
      [...input.attributes].map(({ name, value }) => [name, value]),
    ));
    for (const [name, value] of Object.entries({
      autocomplete: 'one-time-code', inputmode: 'text', autocapitalize: 'characters', autocorrect: 'off',
      spellcheck: 'false', writingsuggestions: 'false', enterkeyhint: 'done', translate: 'no', type: 'text',
    })) assert.equal(attributes[name], value, name);
    assert.equal(await page.evaluate(() => document.forms[0].autocomplete), 'off', 'the form, for its history (B-20)');
    assert.equal(attributes.maxlength, undefined);
    assert.equal(attributes.pattern, undefined);
  }));

  // Row B-25.
  test('the form gets the code once, look-alikes folded, and its validity follows', () => open('/field', async (page) => {
    const state = () => page.evaluate(() => ({
      values: new FormData(document.forms[0]).getAll('code'),
      valid: document.forms[0].checkValidity(),
      complete: document.querySelector('recovery-code-input').matches(':state(complete)'),
    }));
    assert.deepEqual(await state(), { values: [''], valid: false, complete: false });
    await field(page).pressSequentially('KZ3M-Q7T8-WJ5R-HXYN');
    assert.deepEqual(await state(), { values: [CODE], valid: true, complete: true });
    await page.keyboard.press('Backspace');
    assert.equal((await state()).valid, false);
  }));

  test('markup of the server is used: its input keeps its name and sends the folded code', () => open('/server-field', async (page) => {
    assert.equal(await page.locator('input').count(), 1);
    await field(page).pressSequentially('KZ3M-Q7T8-WJ5R-HXYN');
    const sent = site.posted.length;
    await page.keyboard.press('Enter');
    await page.waitForURL('**/redeem');
    assert.deepEqual(site.posted.slice(sent), [{ path: '/redeem', fields: { code: CODE } }]);
  }));

  test('a code that cannot be one is told without a request, in words, at the field', () => open('/field', async (page) => {
    const sent = site.posted.length;
    await page.getByRole('button', { name: 'Sign in' }).click();
    assert.equal(await alert(page).textContent(), 'Enter one of your recovery codes.');
    await field(page).pressSequentially('KZ3M-Q7TB-WJ5');
    assert.equal(await alert(page).textContent(), '', 'cleared by typing');
    assert.equal(await field(page).getAttribute('aria-invalid'), null);
    await page.getByRole('button', { name: 'Sign in' }).click();
    assert.equal(await alert(page).textContent(), '5 characters are missing.');
    assert.equal(await field(page).getAttribute('aria-invalid'), 'true');
    assert.equal(await field(page).evaluate((input) => input === document.activeElement), true);
    const described = await field(page).evaluate((input) => input.getAttribute('aria-describedby').split(' ')
      .map((id) => document.getElementById(id)?.textContent ?? null));
    assert.ok(described.includes('5 characters are missing.') && !described.includes(null));
    assert.equal(site.posted.length, sent);
    await field(page).fill('KZ3M-Q7?B-WJ5R-HXYN');
    await page.getByRole('button', { name: 'Sign in' }).click();
    assert.match(await alert(page).textContent(), /^Character 7 cannot be in a code\. Is it T/);
    assert.deepEqual(await field(page).evaluate((input) => [input.selectionStart, input.selectionEnd]), [7, 8]);
  }));

  test('a mistyped symbol is pointed at with its look-alike and never replaced', () => open('/field', async (page) => {
    await field(page).pressSequentially('KZ3M-Q7TB-WJSR-HXYN');
    assert.match(await status(page).textContent(), /character 11 \(S or 5\?\)/);
    assert.equal(await field(page).inputValue(), 'KZ3M-Q7TB-WJSR-HXYN');
    assert.equal(await field(page).getAttribute('aria-invalid'), 'true');
  }));

  test('incomplete is said when one leaves the field, not while one types', () => open('/field', async (page) => {
    await field(page).pressSequentially('KZ3M-Q');
    assert.equal(await status(page).textContent(), '');
    await page.keyboard.press('Tab');
    assert.equal(await status(page).textContent(), '11 characters are missing.');
  }));

  test('the lines that speak exist before they speak', () => open('/field', async (page) => {
    await page.evaluate(() => { globalThis.line = document.querySelector('[role=status]'); });
    assert.equal(await status(page).textContent(), '');
    await field(page).pressSequentially(CODE);
    assert.equal(await page.evaluate(() => globalThis.line.isConnected && globalThis.line.textContent), 'The code is complete.');
  }));

  test('leaving the page empties the field', () => open('/field', async (page) => {
    await field(page).pressSequentially(CODE);
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    assert.equal(await field(page).inputValue(), '');
  }));

  test('without the module the form still posts what was typed', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('**/*.wasm', (route) => route.abort());
    await page.goto(`${site.origin}/server-field`);
    await field(page).pressSequentially('kz3m q7tb wj5r hxyn');
    const sent = site.posted.length;
    await page.keyboard.press('Enter');
    await page.waitForURL('**/redeem');
    assert.deepEqual(site.posted.slice(sent)[0].fields, { code: 'kz3m q7tb wj5r hxyn' });
    await context.close();
  });
});
