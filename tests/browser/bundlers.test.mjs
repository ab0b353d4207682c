/** The package in somebody's app: a plain page, Vite, webpack; each under a strict policy. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build, createServer } from 'vite';
import webpack from 'webpack';
import { launch } from './chromium.mjs';
import { host, installed } from './packed.mjs';

const CODE = 'KZ3M-Q7TB-WJ5R-HXYN';
const BODY = '<main><h1>Somebody’s page</h1><form action="/in"><recovery-code-input name="code" label="Recovery code" required></recovery-code-input><button>Sign in</button></form><recovery-codes></recovery-codes></main>';
const page = (head) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>App</title>${head}</head><body>${BODY}</body></html>`;
const APP = `
  import 'spare-key/elements/define.js';
  import { init, check } from 'spare-key';
  await init();
  document.querySelector('h1').dataset.verdict = check('kz3m q7tb wj5r hxyn').formatted;`;

let folder;
let browser;
before(async () => {
  folder = installed();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** Types a code, saves a batch, and fails on any error, violation, missing file or foreign request. */
async function works(root) {
  const site = await host(root);
  const context = await browser.newContext();
  context.setDefaultTimeout(5000);
  const tab = await context.newPage();
  const wrong = [];
  tab.on('pageerror', (error) => wrong.push(error.message));
  tab.on('console', (message) => { if (['error', 'warning'].includes(message.type())) wrong.push(message.text()); });
  tab.on('request', (request) => { if (!request.url().startsWith(site.origin)) wrong.push(request.url()); });
  tab.on('response', (response) => { if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`); });
  try {
    await tab.goto(site.origin);
    await tab.waitForFunction(() => customElements.get('recovery-codes'));
    assert.equal(await tab.evaluate(() => document.querySelector('recovery-code-input').ready), true);
    const field = tab.getByRole('textbox', { name: 'Recovery code' });
    await field.pressSequentially('kz3mq7tbwj5rhxyn');
    assert.equal(await field.inputValue(), CODE);
    assert.equal(await tab.evaluate(() => new FormData(document.forms[0]).get('code')), CODE);
    await tab.evaluate((code) => {
      const element = document.querySelector('recovery-codes');
      element.batch = { product: 'App', generation: 1, issuedOn: 'today', codes: [{ number: 1, code }] };
      return element.ready;
    }, CODE);
    await tab.getByRole('button', { name: 'I wrote them down' }).click();
    await tab.getByRole('checkbox').check();
    await tab.getByRole('button', { name: 'Continue' }).click();
    assert.equal(await tab.evaluate(() => document.querySelector('recovery-codes').state.phase), 'activating');
    assert.deepEqual(wrong, []);
    return { tab, asked: site.asked, verdict: await tab.evaluate(() => document.querySelector('h1').dataset.verdict) };
  } finally {
    await context.close();
    site.stop();
  }
}

test('a plain page with one script tag, its own CSS and no server of ours', async () => {
  const root = join(folder, 'plain');
  mkdirSync(root);
  cpSync(join(folder, 'node_modules/spare-key'), join(root, 'spare-key'), { recursive: true });
  writeFileSync(join(root, 'own.css'), 'input { border: 3px solid rgb(1, 2, 3) }');
  writeFileSync(join(root, 'index.html'), page('<link rel="stylesheet" href="own.css"><script type="module" src="spare-key/elements/auto.js"></script>'));
  const { asked } = await works(root);
  assert.ok(asked.includes('GET /spare-key/styles/spare-key.css'), 'the one tag brings the looks');
  assert.ok(!asked.some((line) => line.includes('locales')), 'English needs no texts');
});

test('one tag speaks the language of the page', async () => {
  const root = join(folder, 'plain');
  const texts = { 'recovery-codes.print': 'Drucken', 'recovery-code-input.missing.one': '{n} Zeichen fehlt.', 'recovery-code-input.missing.other': '{n} Zeichen fehlen.', 'sheet.title': 'Codes für {product}' };
  writeFileSync(join(root, 'spare-key/locales/de.json'), JSON.stringify(texts));
  writeFileSync(join(root, 'german.html'), page('<script type="module" src="spare-key/elements/auto.js"></script>').replace('lang="en"', 'lang="de-AT"'));
  const site = await host(root);
  const tab = await browser.newPage();
  try {
    await tab.goto(`${site.origin}/german.html`);
    await tab.waitForFunction(() => customElements.get('recovery-codes'));
    await tab.evaluate(() => document.querySelector('recovery-code-input').ready);
    for (const [typed, said] of [['KZ3MQ7TBWJ5RHXY', '1 Zeichen fehlt.'], ['KZ3MQ7TBWJ5RHX', '2 Zeichen fehlen.']]) {
      await tab.locator('input').first().fill(typed);
      await tab.getByRole('button', { name: 'Sign in' }).focus();
      assert.equal(await tab.locator('recovery-code-input [role=status]').textContent(), said);
    }
    const element = await tab.evaluate((code) => {
      const codes = document.querySelector('recovery-codes');
      codes.batch = { product: 'App', generation: 1, issuedOn: 'heute', codes: [{ number: 1, code }] };
      return codes.ready.then(() => [codes.querySelector('.sk-print').textContent, codes.querySelector('.sk-title').textContent]);
    }, CODE);
    assert.deepEqual(element, ['Drucken', 'Codes für App']);
  } finally {
    await tab.close();
    site.stop();
  }
});

test('an app that Vite builds', async () => {
  const root = join(folder, 'vite');
  mkdirSync(root);
  writeFileSync(join(root, 'index.html'), page('<script type="module" src="/main.js"></script>'));
  writeFileSync(join(root, 'main.js'), `import 'spare-key/styles.css';${APP}`);
  await build({ root, logLevel: 'error', configFile: false, build: { outDir: join(root, 'dist') } });
  assert.equal((await works(join(root, 'dist'))).verdict, CODE);
});

test('an app in the development server of Vite, with the package left as it is', async () => {
  const root = join(folder, 'vite-dev');
  mkdirSync(root);
  writeFileSync(join(root, 'index.html'), page('<script type="module" src="/main.js"></script>'));
  writeFileSync(join(root, 'main.js'), APP);
  const dev = await createServer({
    root, configFile: false, logLevel: 'error', server: { host: '127.0.0.1', port: 0, ws: false, fs: { allow: [folder] } }, optimizeDeps: { exclude: ['spare-key'] },
  });
  const tab = await browser.newPage();
  try {
    await dev.listen();
    await tab.goto(`http://127.0.0.1:${dev.httpServer.address().port}/`);
    await tab.waitForFunction(() => document.querySelector('h1').dataset.verdict);
    assert.equal(await tab.evaluate(() => document.querySelector('h1').dataset.verdict), CODE);
    assert.equal(await tab.evaluate(() => document.querySelector('recovery-code-input').ready), true);
  } finally {
    await tab.close();
    await dev.close();
  }
});

test('an app that webpack builds', async () => {
  const root = join(folder, 'webpack');
  mkdirSync(root);
  writeFileSync(join(root, 'main.js'), APP);
  const stats = await new Promise((resolve, reject) => {
    webpack({
      mode: 'production', context: root, entry: './main.js', target: 'web', devtool: false,
      output: { path: join(root, 'dist'), filename: 'main.js' },
    }, (error, result) => (error ? reject(error) : resolve(result)));
  });
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }).errors, []);
  writeFileSync(join(root, 'dist/index.html'), page('<script defer src="/main.js"></script>'));
  assert.equal((await works(join(root, 'dist'))).verdict, CODE);
});
