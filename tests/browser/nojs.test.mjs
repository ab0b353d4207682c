/** The pages without JavaScript, without the module, and on a slow line: plain forms all the way. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { PRODUCT, start } from './server.mjs';
import { Visit } from './visit.mjs';

const SAVE = '/u/mfa-recovery-code-enrollment';

let browser;
let server;
before(async () => {
  server = await start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Everything, by forms alone. */
async function wholeStory(visit) {
  const { page } = visit;
  await visit.password();
  await visit.takeKey();
  assert.equal((await visit.otp('12345')).status(), 422);
  assert.match(await visit.alert().textContent(), /has 6 digits/);
  await visit.otp();
  const codes = await visit.codesSeen();
  assert.equal(codes.length, 10);
  for (const name of ['Copy', 'Print', 'I wrote them down']) assert.equal(await visit.button(name).count(), 0, `${name} would do nothing`);

  const answer = await visit.press(visit.button('Continue'));
  assert.equal(answer.status(), 422);
  assert.match(await visit.alert().textContent(), /^Please confirm that you have recorded the codes/);
  assert.equal(await page.getByRole('checkbox').getAttribute('aria-invalid'), 'true');
  assert.deepEqual(await visit.readCodes(), codes, 'the same codes, still there');
  assert.equal((await visit.account()).recovery.state, 'none');

  const [download] = await Promise.all([page.waitForEvent('download'), visit.button('Download').click()]);
  assert.match(download.suggestedFilename(), /^fernhill-library-recovery-codes[\w-]*\.txt$/);
  const text = readFileSync(await download.path(), 'utf8');
  const lines = text.split('\r\n').filter((line) => /^\s*\d+\. /.test(line));
  assert.deepEqual(lines.map((line) => line.trim()), codes.map((code, at) => `${at + 1}. ${code}`));
  for (const part of [PRODUCT, visit.person.login, 'Set 1', `${server.origin}/u/login`]) assert.ok(text.includes(part), part);

  await page.getByRole('checkbox').check();
  await visit.button('Continue').click();
  await visit.at('/account');
  await page.getByText('10 of 10 remaining').waitFor();
  await visit.signOut();

  await visit.toChallenge();
  await visit.field().fill('KZ3M-Q7TB-WJ5R-HXYZ');
  assert.equal((await visit.press(visit.button('Continue'))).status(), 422);
  assert.match(await visit.alert().textContent(), /This did not count as a try/);
  assert.equal((await visit.account()).recovery.tries_left, 10);
  await visit.field().fill(` 3. ${codes[2].toLowerCase().replaceAll('-', ' ')} `);
  await visit.button('Continue').click();
  await visit.at('/u/after-recovery');
  await page.getByText('Code 3 is used. Cross it out.').waitFor();
  await visit.button('Set up a new authenticator').click();
  await visit.at('/u/mfa-otp-enrollment-qr');
  await visit.takeKey();
  await visit.otp();
  await visit.at('/account');

  await visit.link('Make new codes').click();
  await visit.button('Show the new codes').click();
  await visit.at('/account/codes');
  const next = await visit.readCodes();
  assert.equal(await visit.works(codes[3]), true);
  await page.getByRole('checkbox').check();
  await visit.button('Use these codes from now on').click();
  await visit.at('/account');
  await page.getByText(/^Set 2, made on/).waitFor();
  assert.equal(await visit.works(codes[4]), false);
  assert.equal(await visit.works(lines[5]), false);
  assert.equal(await visit.works(next[0]), true);
}

test('the whole story without JavaScript (B-01, B-24, B-29, U5)', { timeout: 60_000 }, async () => {
  const visit = await Visit.begin(browser, server, { javaScriptEnabled: false });
  try {
    await wholeStory(visit);
    await visit.end();
  } finally {
    await visit.context.close();
  }
});

test('the whole story where the module cannot be had (B-29, B-60)', { timeout: 60_000 }, async () => {
  const visit = await Visit.begin(browser, server);
  try {
    visit.plain = true;
    await visit.context.route('**/*.wasm', (route) => route.abort());
    await wholeStory(visit);
    visit.wrong = visit.wrong.filter((what) => !/net::ERR_FAILED/.test(what));
    await visit.end();
  } finally {
    await visit.context.close();
  }
});

test('the whole story where the policy of a proxy forbids WebAssembly (B-29, B-60)', { timeout: 60_000 }, async () => {
  const proxy = createServer((asked, answered) => {
    const url = server.origin + asked.url;
    asked.pipe(request(url, { method: asked.method, headers: asked.headers }, (answer) => {
      const policy = answer.headers['content-security-policy']?.replace(" 'wasm-unsafe-eval'", '');
      answered.writeHead(answer.statusCode, { ...answer.headers, 'content-security-policy': policy });
      answer.pipe(answered);
    }));
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const visit = await Visit.begin(browser, { ...server, origin: `http://127.0.0.1:${proxy.address().port}` });
  try {
    visit.plain = true;
    await wholeStory(visit);
    assert.ok(visit.wrong.some((what) => what.includes('wasm-eval')), 'the policy did forbid it');
    visit.wrong = visit.wrong.filter((what) => !/wasm|WebAssembly/.test(what));
    await visit.end();
  } finally {
    await visit.context.close();
    proxy.closeAllConnections();
    proxy.close();
  }
});

describe('a slow line', () => {
  test('the codes can be read and the form be sent before any script has arrived (B-29)', { timeout: 60_000 }, async () => {
    const visit = await Visit.begin(browser, server);
    try {
      visit.plain = true;
      let go;
      const arrives = new Promise((resolve) => { go = resolve; });
      await visit.password();
      await visit.takeKey();
      await visit.context.route('**/assets/**/*.js', async (route) => {
        await arrives;
        return route.continue().catch(() => {});
      });
      await visit.page.getByLabel('Code from the app').fill(await visit.app.next());
      await visit.button('Continue').click();
      await visit.page.waitForURL((url) => url.pathname === SAVE, { waitUntil: 'commit' });
      const codes = await visit.readCodes();
      assert.equal(codes.length, 10);
      // The person ticks while the scripts are still on their way; the tick counts when they come.
      await visit.page.getByRole('checkbox').check();
      go();
      await visit.button('I wrote them down').click();
      await visit.button('Continue').click();
      await visit.at('/account');
      await visit.end();
    } finally {
      await visit.context.close();
    }
  });
});
