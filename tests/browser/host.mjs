/** Somebody else's page with the elements in it, and what a test does there. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { launch } from './chromium.mjs';
import { serve } from './serve.mjs';

export const CODES = [
  'AAAA-AAAA-AAAA-AAA3', 'KZ3M-Q7TB-WJ5R-HXYN', 'ABCD-EFGH-IJKL-MNOI', 'QRST-UVWX-YZ23-4567', '7777-7777-7777-777R',
];
export const BATCH = {
  product: 'Fernhill Library',
  account: 'alice@example.com',
  generation: 2,
  issuedOn: '21 November 2026',
  codes: CODES.map((code, at) => ({ number: at + 1, code })),
};
export const CODE = 'KZ3M-Q7TB-WJ5R-HXYN';

/** A host's page: one script tag, the style sheet, and the host's own things around. */
export const host = (body) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/assets/styles/spare-key.css">
<link rel="stylesheet" href="/host.css"><link rel="icon" href="/assets/styles/key.svg">
<script type="module" src="/assets/elements/define.js"></script></head>
<body><header>Host navigation</header><main><h1>Host heading</h1>${body}</main><footer>Host footer</footer></body></html>`;

const PAGES = {
  '/host.css': { headers: { 'content-type': 'text/css' }, body: ':root{color-scheme:light dark}body{margin:1rem;background:Canvas;color:CanvasText}*{box-sizing:border-box}form>button{min-block-size:2.75rem;padding-inline:1.5rem;margin-block-start:1rem}' },
  '/field': host('<form method="post" action="/redeem"><recovery-code-input name="code" label="Recovery code" required></recovery-code-input><button>Sign in</button></form>'),
  '/server-field': host('<form method="post" action="/redeem"><recovery-code-input format="list"><label for="code">Recovery code</label><p class="sk-error" id="code-error" role="alert"></p><input id="code" name="code" required aria-describedby="code-error"><p class="sk-status" role="status"></p></recovery-code-input><button>Sign in</button></form>'),
  '/codes': host('<form method="post" action="/confirm"><recovery-codes></recovery-codes></form>'),
  '/plain-field': '<!doctype html><title>Plain</title><form method="post" action="/redeem"><input name="nickname"></form>',
  '/elsewhere': '<!doctype html><title>Elsewhere</title>',
};

export let browser;
export let site;
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
export async function open(path, use, options = {}) {
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

export const show = (page, batch = BATCH) => page.evaluate(async (given) => {
  const element = document.querySelector('recovery-codes');
  globalThis.told = [];
  for (const type of ['recovery-codes-saved', 'recovery-codes-failed', 'recovery-codes-confirm', 'recovery-codes-wiped']) {
    document.addEventListener(type, (event) => globalThis.told.push({ type, way: event.way, what: event.what, generation: event.generation }));
  }
  element.batch = given;
  return element.ready;
}, batch);

export const field = (page) => page.locator('recovery-code-input input');
export const status = (page) => page.locator('[role=status]');
export const alert = (page) => page.locator('[role=alert]');
export const caret = (page) => field(page).evaluate((input) => input.selectionStart);
export const paste = (page, text) => field(page).evaluate((input, pasted) => {
  input.focus();
  const data = new DataTransfer();
  data.setData('text/plain', pasted);
  const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
  const free = input.dispatchEvent(event);
  // What the browser does then, unless the page did it: insert the text without its line breaks.
  if (free) document.execCommand('insertText', false, pasted.replace(/[\r\n]/g, ''));
  return free;
}, text);

/** The model: symbols, and the caret as a number of symbols left of it. */
export const grouped = (symbols) => symbols.match(/.{1,4}/g)?.join('-') ?? '';
export const bare = (text) => text.replaceAll('-', '');
