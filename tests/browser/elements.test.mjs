import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { serve } from './serve.mjs';

const CODES = [
  'AAAA-AAAA-AAAA-AAA3', 'KZ3M-Q7TB-WJ5R-HXYN', 'ABCD-EFGH-IJKL-MNOI', 'QRST-UVWX-YZ23-4567', '7777-7777-7777-777R',
];
const BATCH = {
  product: 'Fernhill Library',
  account: 'alice@example.com',
  generation: 2,
  issuedOn: '21 November 2026',
  codes: CODES.map((code, at) => ({ number: at + 1, code })),
};
const CODE = 'KZ3M-Q7TB-WJ5R-HXYN';

/** A host's page: one script tag, the style sheet, and the host's own things around. */
const host = (body) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/assets/styles/spare-key.css">
<link rel="stylesheet" href="/host.css"><link rel="icon" href="/assets/styles/key.svg">
<script type="module" src="/assets/elements/define.js"></script></head>
<body><header>Host navigation</header><main><h1>Host heading</h1>${body}</main><footer>Host footer</footer></body></html>`;

const PAGES = {
  '/host.css': { headers: { 'content-type': 'text/css' }, body: ':root{color-scheme:light dark}body{margin:1rem;background:Canvas;color:CanvasText}*{box-sizing:border-box}' },
  '/field': host('<form method="post" action="/redeem"><recovery-code-input name="code" label="Recovery code" required></recovery-code-input><button>Sign in</button></form>'),
  '/server-field': host('<form method="post" action="/redeem"><recovery-code-input format="list"><label for="code">Recovery code</label><p class="sk-error" id="code-error" role="alert"></p><input id="code" name="code" required aria-describedby="code-error"><p class="sk-status" role="status"></p></recovery-code-input><button>Sign in</button></form>'),
  '/codes': host('<form method="post" action="/confirm"><recovery-codes></recovery-codes></form>'),
  '/elsewhere': '<!doctype html><title>Elsewhere</title>',
};

let browser;
let site;
before(async () => {
  const pages = Object.fromEntries(Object.entries(PAGES).map(([path, page]) => [path, typeof page === 'string' ? page : () => page]));
  site = await serve(pages);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.stop();
});

/** A page of its own for each test, that fails on any error, violation of the policy, or foreign request. */
async function open(path, use, options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  context.setDefaultTimeout(5000);
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(`console: ${message.text()}`);
    if (CODES.some((code) => message.text().includes(code))) wrong.push('a code in the console');
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(site.origin) && !request.url().startsWith('blob:')) wrong.push(`foreign request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(event.violatedDirective));
  });
  try {
    await page.goto(site.origin + path);
    await page.waitForFunction(() => {
      const element = document.querySelector('recovery-code-input, recovery-codes');
      return !element || Boolean(customElements.get(element.localName));
    });
    await page.evaluate(() => document.querySelector('recovery-code-input')?.ready);
    await use(page, context);
    const violations = await page.evaluate(() => globalThis.violations ?? []);
    assert.deepEqual([...wrong, ...violations], []);
  } finally {
    await context.close();
  }
}

const show = (page, batch = BATCH) => page.evaluate(async (given) => {
  const element = document.querySelector('recovery-codes');
  globalThis.told = [];
  for (const type of ['recovery-codes-saved', 'recovery-codes-failed', 'recovery-codes-confirm', 'recovery-codes-wiped']) {
    document.addEventListener(type, (event) => globalThis.told.push({ type, way: event.way, what: event.what, generation: event.generation }));
  }
  element.batch = given;
  return element.ready;
}, batch);

const field = (page) => page.locator('recovery-code-input input');
const status = (page) => page.locator('[role=status]');
const alert = (page) => page.locator('[role=alert]');
const caret = (page) => field(page).evaluate((input) => input.selectionStart);
const paste = (page, text) => field(page).evaluate((input, pasted) => {
  input.focus();
  const data = new DataTransfer();
  data.setData('text/plain', pasted);
  const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
  const free = input.dispatchEvent(event);
  // What the browser does then: insert the text without its line breaks.
  document.execCommand('insertText', false, pasted.replace(/[\r\n]/g, ''));
  return free;
}, text);

/** The model: symbols, and the caret as a number of symbols left of it. */
const grouped = (symbols) => symbols.match(/.{1,4}/g)?.join('-') ?? '';
const bare = (text) => text.replaceAll('-', '');

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

  test('a whole list pasted asks for one code and tries none', () => open('/field', async (page) => {
    await field(page).pressSequentially('KZ');
    await paste(page, CODES.map((code, at) => `${at + 1}. ${code}`).join('\r\n'));
    assert.equal(await field(page).inputValue(), 'KZ');
    assert.match(await status(page).textContent(), /more than one code/);
    assert.equal(site.posted.length, 0);
  }));

  test('a paste over a selection replaces just the selection', () => open('/field', async (page) => {
    await field(page).fill(CODE);
    await field(page).evaluate((input) => input.setSelectionRange(5, 9));
    await paste(page, 'aaaa');
    assert.equal(await field(page).inputValue(), 'KZ3M-AAAA-WJ5R-HXYN');
  }));

  test('nothing is touched while an input method composes', () => open('/field', async (page, context) => {
    await field(page).focus();
    const session = await context.newCDPSession(page);
    await session.send('Input.imeSetComposition', { text: 'kz3mq', selectionStart: 5, selectionEnd: 5 });
    assert.equal(await field(page).inputValue(), 'kz3mq');
    await session.send('Input.insertText', { text: 'kz3mq7' });
    assert.equal(await field(page).inputValue(), 'KZ3M-Q7');
  }));

  test('nothing is sent when the last symbol is typed', () => open('/field', async (page) => {
    const requests = site.requests.length;
    await field(page).pressSequentially(bare(CODE));
    await page.waitForTimeout(200);
    assert.equal(new URL(page.url()).pathname, '/field');
    assert.equal(site.requests.length, requests);
  }));

  test('the field asks keyboards, spell checkers and managers for what a code needs', () => open('/field', async (page) => {
    const attributes = await field(page).evaluate((input) => Object.fromEntries(
      [...input.attributes].map(({ name, value }) => [name, value]),
    ));
    for (const [name, value] of Object.entries({
      autocomplete: 'one-time-code', inputmode: 'text', autocapitalize: 'characters', autocorrect: 'off',
      spellcheck: 'false', writingsuggestions: 'false', enterkeyhint: 'done', translate: 'no', type: 'text',
    })) assert.equal(attributes[name], value, name);
    assert.equal(attributes.maxlength, undefined);
    assert.equal(attributes.pattern, undefined);
  }));

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
  const axe = createRequire(import.meta.url).resolve('axe-core');
  for (const path of ['/field', '/codes']) {
    for (const [name, options] of Object.entries({
      light: {}, dark: { colorScheme: 'dark' }, 'forced colors': { forcedColors: 'active' }, '320 px': { viewport: { width: 320, height: 640 } },
    })) {
      test(`${path} in ${name}: axe finds nothing, nothing overflows, targets are big enough`, () => open(path, async (page, context) => {
        if (path === '/codes') {
          await show(page);
          await page.getByRole('button', { name: 'Continue' }).click({ force: true });
        } else {
          await field(page).fill('KZ3M-Q7TB-WJ5R-HXYA');
          await page.getByRole('button').click();
        }
        const session = await context.newCDPSession(page);
        // The policy of the page would stop the inspector's own script.
        const { executionContextId } = await session.send('Page.createIsolatedWorld', {
          frameId: (await session.send('Page.getFrameTree')).frameTree.frame.id,
        });
        const run = async (expression) => {
          const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
            expression, contextId: executionContextId, awaitPromise: true, returnByValue: true,
          });
          assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description);
          return result.value;
        };
        await run(readFileSync(axe, 'utf8'));
        const found = await run(`axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], rules: { region: { enabled: false } } })
          .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html + failureSummary).join()))`);
        assert.deepEqual(found, []);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
        const small = await page.locator('recovery-codes button, recovery-codes label, recovery-codes input, recovery-code-input input').evaluateAll((targets) => targets
          .map((target) => [target.className || target.type, target.getBoundingClientRect()])
          .filter(([, box]) => box.width < 24 || box.height < 24).map(([target]) => target));
        assert.deepEqual(small, []);
      }, options));
    }
  }

  test('the English of the elements is the English of the locale', async () => {
    const locale = JSON.parse(readFileSync(fileURLToPath(new URL('../../web/locales/en.json', import.meta.url)), 'utf8'));
    await open('/codes', async (page) => {
      const texts = await page.evaluate(() => ({
        'recovery-codes': customElements.get('recovery-codes').texts,
        'recovery-code-input': customElements.get('recovery-code-input').texts,
      }));
      for (const [prefix, own] of Object.entries(texts)) {
        const theirs = Object.entries(locale).filter(([key]) => key.startsWith(`${prefix}.`));
        assert.deepEqual(Object.fromEntries(theirs.map(([key, text]) => [key.slice(prefix.length + 1), text])), own);
      }
    });
  });

  test('the English of the sheet in the locale is the English of the module', async () => {
    const locale = JSON.parse(readFileSync(fileURLToPath(new URL('../../web/locales/en.json', import.meta.url)), 'utf8'));
    const texts = Object.fromEntries(Object.entries(locale).filter(([key]) => key.startsWith('sheet.')).map(([key, text]) => [key.slice(6), text]));
    await open('/codes', async (page) => {
      const [own, given] = await page.evaluate(async (sentences) => {
        const { load } = await import('/assets/lib/module.js');
        const { sheet } = await load();
        const batch = { generation: 2, codes: [] };
        const options = { product: 'P', account: 'a', date: 'd', url: 'u' };
        return [sheet(batch, options).text, sheet(batch, { ...options, texts: sentences }).text];
      }, texts);
      assert.equal(given, own);
    });
  });
});
