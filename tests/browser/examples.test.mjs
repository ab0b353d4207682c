/** The examples, run as they stand: a page without a server, and two hosts beside `spare-key dev`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { host, installed } from './packed.mjs';
import { binary, start } from './server.mjs';

const examples = fileURLToPath(new URL('../../web/examples/', import.meta.url));
const CODE = /[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}/g;

let folder;
let browser;
let server;
before(async () => {
  folder = installed();
  cpSync(examples, join(folder, 'examples'), { recursive: true });
  [browser, server] = await Promise.all([launch(), start()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

/** A tab that fails on an error, a violation or a foreign request. */
async function visit(origin, body) {
  const context = await browser.newContext({ acceptDownloads: true });
  context.setDefaultTimeout(8000);
  const page = await context.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    const refusal = /status of 4(03|22)/.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !refusal) wrong.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('blob:')) wrong.push(url);
  });
  try {
    await page.goto(origin);
    await page.waitForFunction(() => customElements.get('recovery-codes'));
    await body(page);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
}

test('the plain page works without a server, in its own colours', { timeout: 60_000 }, async () => {
  const root = join(folder, 'examples/plain');
  cpSync(join(folder, 'node_modules/spare-key'), join(root, 'spare-key'), { recursive: true });
  const site = await host(root);
  try {
    await visit(site.origin, async (page) => {
      await page.getByRole('button', { name: 'I wrote them down' }).click();
      await page.getByRole('checkbox').check();
      const go = page.getByRole('button', { name: 'Continue' });
      assert.equal(await go.evaluate((button) => getComputedStyle(button).backgroundColor), 'rgb(123, 45, 38)');
      await go.click();
      await page.getByText('Done. Your codes work from now on.').waitFor();
      const field = page.getByRole('textbox', { name: 'Recovery code' });
      await field.pressSequentially('kz3m');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('12 characters are missing.').waitFor();
      await field.pressSequentially('q7tbwj5rhxyn');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('That is a code.').waitFor();
    });
  } finally {
    site.stop();
  }
});

/** Starts a host and waits until it says where it listens. */
async function running(command, args, environment) {
  const child = spawn(command, args, {
    cwd: join(folder, 'examples/express'),
    env: { ...process.env, PORT: '0', SPARE_KEY: server.origin, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (part) => { log += part; });
  const origin = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the host ended with ${code}: ${log}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^Listening on (http:\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  return {
    origin,
    async stop() {
      child.removeAllListeners('exit');
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** Codes made, saved in a file, switched on, and one of them redeemed once. */
const story = (site) => visit(site.origin, async (page) => {
  await page.getByRole('button', { name: 'Make recovery codes' }).click();
  await page.getByRole('button', { name: 'Download' }).waitFor();
  const codes = await page.locator('li code').allTextContents();
  assert.equal(new Set(codes).size, 10);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
  const saved = [];
  for await (const part of await file.createReadStream()) saved.push(part);
  const text = Buffer.concat(saved).toString('utf8');
  assert.deepEqual(text.match(CODE), codes);
  assert.match(text, /^Fernhill Library recovery codes\r\nAccount: alice@example\.com\r\nSet \d+, made on /);
  assert.ok(text.includes(`Where to enter a code: ${site.origin}/recover`));
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Done. Your codes work from now on.').waitFor();

  await page.getByRole('link', { name: 'I have lost my phone' }).click();
  const field = page.getByRole('textbox', { name: 'Recovery code' });
  const redeem = async (code) => {
    // The script tag that brings the elements may come after the page.
    await page.evaluate(async () => {
      await customElements.whenDefined('recovery-code-input');
      await document.querySelector('recovery-code-input').ready;
    });
    await field.pressSequentially(code);
    await page.getByText('The code is complete.').waitFor();
    const answer = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.getByRole('button', { name: 'Sign in' }).click();
    return (await answer).status();
  };
  assert.equal(await redeem(codes[3].toLowerCase()), 200);
  await page.getByText('Code 4 is used: cross it out. 9 left.').waitFor();
  await page.goto(`${site.origin}/recover`);
  assert.equal(await redeem(codes[3]), 403);
  await page.getByText(/^That code did not work. \d tries left.$/).waitFor();
});

test('the Express host', { timeout: 60_000 }, async () => {
  const modules = join(folder, 'examples/express/node_modules');
  mkdirSync(modules);
  symlinkSync(fileURLToPath(new URL('node_modules/express', import.meta.url)), join(modules, 'express'));
  cpSync(join(folder, 'node_modules/spare-key'), join(modules, 'spare-key'), { recursive: true });
  const site = await running(process.execPath, ['server.mjs'], {});
  try {
    await story(site);
  } finally {
    await site.stop();
  }
});

test('the axum host', { timeout: 60_000 }, async () => {
  const example = join(dirname(binary), 'examples/axum-host');
  if (!existsSync(example)) throw new Error(`no example at ${example}: cargo build -p spare-key-server --examples`);
  const site = await running(example, [], { SPARE_KEY_PACKAGE: join(folder, 'node_modules/spare-key') });
  try {
    await story(site);
  } finally {
    await site.stop();
  }
});
