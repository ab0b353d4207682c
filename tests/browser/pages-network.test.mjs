/** A slow line and a broken one, at each step; and what the browser keeps of a page that was left. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { start } from './server.mjs';
import { Visit } from './visit.mjs';

let browser;
let server;
before(async () => {
  server = await start();
  // As people have it: what this driver switches off is on, and so is the cache of pages.
  browser = await launch({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

function visiting(name, body, options) {
  test(name, { timeout: 90_000 }, async () => {
    const visit = await Visit.begin(browser, server, options);
    try {
      await body(visit, visit.page);
      visit.wrong = visit.wrong.filter((what) => !/ERR_(INTERNET_DISCONNECTED|CONNECTION_RESET|FAILED|ABORTED)/.test(what));
      await visit.end();
    } finally {
      await visit.context.close();
    }
  });
}

/** The whole way in and back in, with `trouble` before each form is sent. */
async function wholeWay(visit, trouble) {
  const { page } = visit;
  await page.goto(visit.url('/u/login'));
  await page.getByLabel('Email address').fill(visit.person.login);
  await page.getByLabel('Password').fill('correct horse battery staple');
  await trouble('login', (press = (button) => button.click()) => press(visit.button('Continue')));
  await visit.at('/u/mfa-otp-enrollment-qr');
  await visit.takeKey();
  await page.getByLabel('Code from the app').fill(await visit.app.next());
  await trouble('enrollment', (press = (button) => button.click()) => press(visit.button('Continue')));
  await visit.codesSeen();
  await visit.button('I wrote them down').click();
  await page.getByRole('checkbox').check();
  await trouble('saving', (press = (button) => button.click()) => press(visit.button('Continue')));
  await visit.at('/account');
  await trouble('sign-out', (press = (button) => button.click()) => press(visit.button('Sign out')));
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await visit.toChallenge();
  await visit.field().fill(visit.codes[1]);
  await trouble('redeeming', (press = (button) => button.click()) => press(visit.button('Continue')));
  await visit.at('/u/after-recovery');
  await trouble('after', (press = (button) => button.click()) => press(visit.button('Set up a new authenticator')));
  await visit.at('/u/mfa-otp-enrollment-qr');
  await visit.takeKey();
  await page.getByLabel('Code from the app').fill(await visit.app.next());
  await trouble('replacing', (press = (button) => button.click()) => press(visit.button('Continue')));
  await visit.at('/account');
  await page.getByText('9 of 10 remaining').waitFor();
}

describe('the whole way in', () => {
  visiting('on a line that takes half a second for everything, pressing twice does nothing twice (C1, B-05)', async (visit, page) => {
    const session = await visit.context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', { offline: false, latency: 500, downloadThroughput: 150_000, uploadThroughput: 150_000 });
    visit.context.setDefaultTimeout(30_000);
    const steps = [];
    await wholeWay(visit, async (step, press) => {
      steps.push(step);
      await press((button) => button.dblclick());
    });
    assert.equal(steps.length, 7);
    const shown = await visit.account();
    assert.deepEqual([shown.recovery.generation, shown.recovery.remaining], [1, 9], 'one batch was made, one code was used');
  });

  visiting('with the line broken before each form: nothing is half done, and the next try goes through (L1)', async (visit, page) => {
    const broken = [];
    await wholeWay(visit, async (step, press) => {
      const before = JSON.stringify((await visit.account()).recovery.remaining);
      const [address, typed] = [page.url(), await page.locator('input:not([type=hidden])').evaluateAll((fields) => fields.map((field) => [field.name, field.type === 'checkbox' ? field.checked : field.value]))];
      let cut = 0;
      await page.route('**/*', (route) => {
        if (route.request().method() !== 'POST') return route.fallback();
        cut += 1;
        return route.abort('internetdisconnected');
      });
      page.once('dialog', (dialog) => dialog.accept());
      await press();
      await page.waitForURL('chrome-error://chromewebdata/');
      assert.equal(cut, 1, step);
      assert.equal(JSON.stringify((await visit.account()).recovery.remaining), before, `${step}: nothing happened`);
      await page.unroute('**/*');
      // As a person does: back to the page, and once more.
      await page.goto(address);
      await visit.ready().catch(() => {});
      for (const [name, value] of typed) {
        const field = page.locator(`input[name="${name}"], #${name || 'none'}`).first();
        if (value === true) {
          await visit.button('I wrote them down').click();
          await field.check();
        } else if (name === 'code' && /^\d{6}$/.test(value)) await field.fill(await visit.app.next());
        else if (value && name !== 'saved') await field.fill(name === 'password' ? 'correct horse battery staple' : String(value));
      }
      broken.push(step);
      await press();
    });
    assert.equal(broken.length, 7);
  });
});

describe('what is left of a page (B-63, B-64)', () => {
  /** The page goes into the back-forward cache, where the browser does that. */
  const leaveAndReturn = async (page, away) => {
    await page.evaluate((address) => { location.href = address; }, away);
    await page.waitForURL(away);
    // Not the driver's own way back: it waits for a load, and a kept page is not loaded.
    const from = await page.evaluate(() => performance.timeOrigin);
    await page.evaluate(() => { setTimeout(() => history.back()); });
    await page.waitForFunction((origin) => performance.timeOrigin !== origin, from);
  };

  test('the cache of pages is really on: a page that may be kept comes back as it was', { timeout: 60_000 }, async () => {
    const { createServer } = await import('node:http');
    const plain = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<p id=p>here</p><script>addEventListener("pageshow", (e) => { document.title = String(e.persisted); })</script>'));
    await new Promise((resolve) => { plain.listen(0, '127.0.0.1', resolve); });
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const address = `http://127.0.0.1:${plain.address().port}`;
      await page.goto(`${address}/one`);
      await leaveAndReturn(page, `${address}/two`);
      await page.waitForFunction(() => document.title === 'true');
    } finally {
      await context.close();
      plain.close();
    }
  });

  for (const [name, kept] of [['as it is served', false], ['even if a proxy lets it be kept', true]]) {
    visiting(`a page with codes that comes back has none on it, ${name}; a reload shows them to the same person`, async (visit, page) => {
      page.on('dialog', (dialog) => dialog.accept());
      if (kept) {
        await page.route((url) => url.pathname === '/u/mfa-recovery-code-enrollment', async (route) => {
          const answer = await route.fetch({ maxRedirects: 0 });
          const { 'cache-control': _, ...headers } = answer.headers();
          await route.fulfill({ response: answer, headers });
        });
      }
      const codes = await visit.toCodes();
      await page.evaluate(() => addEventListener('pageshow', (event) => { document.documentElement.dataset.persisted = String(event.persisted); }));
      await leaveAndReturn(page, visit.url('/openapi.json'));
      const persisted = await page.evaluate(() => document.documentElement.dataset.persisted);
      // Chromium keeps even what must not be stored, for some minutes, where no cookie changes.
      assert.equal(persisted, 'true', 'it came from the cache of pages');
      await page.getByText('The codes are no longer shown here. Reload the page to see them again.').waitFor();
      const text = await page.content();
      assert.ok(codes.every((code) => !text.includes(code)));
      await page.evaluate(() => { setTimeout(() => location.reload()); });
      await page.waitForFunction(() => document.querySelectorAll('.sk-list code').length === 10 && document.querySelector('.sk-wrote-down'));
      assert.deepEqual(await page.locator('.sk-list code').allTextContents(), codes);
    });
  }

  visiting('signing out clears what the browser kept (B-63)', async (visit) => {
    await visit.enroll();
    const answer = await visit.press(visit.button('Sign out'));
    assert.equal(await answer.headerValue('clear-site-data'), '"cache"');
    assert.equal(answer.headers()['cache-control'], 'no-store');
    for (const response of visit.responses) {
      if (new URL(response.url()).pathname.startsWith('/assets/')) continue;
      assert.equal(response.headers()['cache-control'], 'no-store', response.url());
    }
  });
});
