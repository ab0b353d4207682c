/** Where a code may not be: standards.md B-60 to B-69, for the elements and the module. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CODE, CODES, browser, field, host, open, show, site } from './host.mjs';
import { POLICY, serve, wasmFolder } from './serve.mjs';

const web = fileURLToPath(new URL('../../web/', import.meta.url));
const wasm = wasmFolder();

/** Everything that may hold a code and must not. */
const places = (page) => page.evaluate(async () => ({
  attributes: [...document.querySelectorAll('*')].flatMap((element) => [...element.attributes].map(({ value }) => value)).join('\n'),
  title: document.title,
  address: location.href,
  local: JSON.stringify(localStorage),
  session: JSON.stringify(sessionStorage),
  history: JSON.stringify(history.state),
  databases: JSON.stringify(await indexedDB.databases()),
  caches: JSON.stringify(await caches.keys()),
  cookies: document.cookie,
  resources: performance.getEntries().map(({ name }) => name).join('\n'),
}));
const without = (found) => {
  for (const [place, text] of Object.entries(found)) {
    for (const code of CODES) assert.ok(!text.includes(code) && !text.includes(code.replaceAll('-', '')), `${place}: ${text}`);
  }
  assert.deepEqual([found.local, found.session, found.history, found.databases, found.caches, found.cookies], ['{}', '{}', 'null', '[]', '[]', '']);
};

/** How often texts stand in the module's memory, in any case, with dashes or without. */
const inMemory = (page, codes = CODES) => page.evaluate(async (texts) => {
  const { default: init } = await import('/assets/wasm/spare_key.js');
  const { memory } = await init();
  const held = new TextDecoder('latin1').decode(new Uint8Array(memory.buffer));
  const bare = (text) => text.replaceAll('-', '');
  // One of the samples is the end of the alphabet, which the module knows of itself.
  return texts.filter((text) => text !== 'QRST-UVWX-YZ23-4567').flatMap((text) => [text, bare(text), text.toLowerCase(), bare(text).toLowerCase()]).filter((text) => held.includes(text));
}, codes);

/** What the accessibility tree says of everything that is not the list itself. */
async function named(page, context) {
  const session = await context.newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  return nodes.filter(({ role, ignored }) => !ignored && !['StaticText', 'InlineTextBox', 'code'].includes(role?.value))
    .map(({ name, description }) => `${name?.value ?? ''} ${description?.value ?? ''}`).join('\n');
}

describe('while codes are on the page', () => {
  // Rows S21, A-90.
  test('they are in the list and nowhere else: no attribute, name, title, address, storage, cache or cookie (B-63, B-68)', () => open('/codes', async (page, context) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await show(page);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
    await page.getByRole('button', { name: 'I wrote them down' }).click();
    without(await places(page));
    for (const code of CODES) assert.ok(!(await named(page, context)).includes(code));
  }));

  test('what is typed, picked and refused is in the field and nowhere else (B-63, B-68)', () => open('/field', async (page) => {
    await field(page).pressSequentially(CODE.slice(0, -1));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await field(page).pressSequentially('N');
    without(await places(page));
  }));

  test('nothing is asked of anybody but this origin, and nothing carries a code (B-62, B-66)', async () => {
    const heard = [];
    await open('/codes', async (page) => {
      page.on('request', (request) => heard.push(`${request.url()} ${request.postData() ?? ''} ${JSON.stringify(request.headers())}`));
      await page.reload();
      await show(page);
      await page.getByRole('button', { name: 'I wrote them down' }).click();
      await page.getByRole('checkbox').check();
      await page.getByRole('button', { name: 'Continue' }).click();
    });
    assert.ok(heard.length > 5);
    for (const line of heard) {
      assert.ok(line.startsWith(site.origin), line);
      assert.ok(!CODES.some((code) => line.includes(code)), line);
      assert.ok(!/"referer":"[^"]/.test(line), line);
    }
  });

  test('the module forgets a code when the call is over (B-65)', () => open('/codes', async (page, context) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await show(page);
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.waitForFunction(() => document.querySelector('[role=status]').textContent);
    assert.deepEqual(await inMemory(page), []);
  }));

  test('so it does of what is typed, key by key (B-65)', () => open('/field', async (page) => {
    await field(page).pressSequentially('kz3mq7tbwj5rhxyn');
    assert.deepEqual(await inMemory(page, [CODE, CODE.slice(0, -1), CODE.slice(0, -3)]), []);
  }));
});

describe('under a strict policy', () => {
  test('with the policy of our pages the elements run and violate nothing (B-60, B-61)', async () => {
    for (const directive of ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "trusted-types 'none'", "require-trusted-types-for 'script'"]) {
      assert.ok(POLICY.includes(directive));
    }
    // `open` fails on a violation.
    await open('/codes', async (page) => {
      await show(page);
      assert.equal(await page.evaluate(() => document.querySelector('recovery-codes').state.phase), 'shown');
    });
  });

  test("without 'wasm-unsafe-eval' codes are shown and fields post: nothing more, nothing less (B-29, B-60)", async () => {
    const strict = await serve({
      '/both': () => ({
        headers: { 'content-type': 'text/html', 'content-security-policy': POLICY.replace(" 'wasm-unsafe-eval'", '') },
        body: host('<form method="post" action="/redeem"><recovery-code-input><label for="c">Recovery code</label><input id="c" name="code"></recovery-code-input><recovery-codes></recovery-codes><button id="post">Sign in</button></form>'),
      }),
      '/host.css': () => ({ headers: { 'content-type': 'text/css' }, body: '' }),
    }, wasm);
    const page = await browser.newPage();
    try {
      await page.goto(`${strict.origin}/both`);
      await page.waitForFunction(() => customElements.get('recovery-codes'));
      assert.equal(await show(page), false);
      assert.deepEqual(await page.locator('li code').allTextContents(), CODES);
      assert.deepEqual(await page.evaluate(() => globalThis.told.map(({ what }) => what)), ['module']);
      await page.locator('#c').fill('kz3m q7tb');
      await page.locator('#post').click();
      await page.waitForURL('**/redeem');
      assert.equal(strict.posted[0].fields.code, 'kz3m q7tb');
    } finally {
      await page.close();
      strict.stop();
    }
  });

  test('no script of ours, and none of the glue, uses what Trusted Types or a policy forbid (B-61)', () => {
    const scripts = ['elements', 'lib'].flatMap((folder) => readdirSync(join(web, folder)).map((name) => join(web, folder, name)));
    for (const path of [...scripts, join(wasm, 'spare_key.js')]) {
      const text = readFileSync(path, 'utf8');
      for (const forbidden of [/innerHTML/, /outerHTML/, /insertAdjacentHTML/, /document\.write/, /\beval\(/, /new Function/, /setAttribute\('on/, /console\.(?!warn)/]) {
        assert.ok(!forbidden.test(text), `${path}: ${forbidden}`);
      }
    }
  });

  test('the module can be had with its integrity checked: the right hash loads, a wrong one does not (B-69)', () => open('/elsewhere', async (page) => {
    const right = createHash('sha384').update(readFileSync(join(wasm, 'spare_key_bg.wasm'))).digest('base64');
    const load = (hash) => page.evaluate(async (integrity) => {
      const { default: init, check } = await import(`/assets/wasm/spare_key.js?${encodeURIComponent(integrity)}`);
      const source = fetch('/assets/wasm/spare_key_bg.wasm', { integrity });
      return init({ module_or_path: source }).then(() => check('kz3m').missing, (error) => error.name);
    }, `sha384-${hash}`);
    assert.equal(await load(right), 12);
    assert.equal(await load(`A${right.slice(1) === right ? '' : right.slice(1)}`.replace(/^A/, right[0] === 'A' ? 'B' : 'A')), 'TypeError');
  }).catch((error) => {
    // The refusal itself is told in the console, and that is all that may be.
    assert.match(error.message, /Failed to find a valid digest/);
  }));
});
