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
  await trouble('login', () => visit.button('Continue').click());
  await visit.at('/u/mfa-otp-enrollment-qr');
  await visit.takeKey();
  await page.getByLabel('Code from the app').fill(await visit.app.next());
  await trouble('enrollment', () => visit.button('Continue').click());
  await visit.codesSeen();
  await visit.button('I wrote them down').click();
  await page.getByRole('checkbox').check();
  await trouble('saving', () => visit.button('Continue').click());
  await visit.at('/account');
  await trouble('sign-out', () => visit.button('Sign out').click());
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await visit.toChallenge();
  await visit.field().fill(visit.codes[1]);
  await trouble('redeeming', () => visit.button('Continue').click());
  await visit.at('/u/after-recovery');
  await trouble('after', () => visit.button('Set up a new authenticator').click());
  await visit.at('/u/mfa-otp-enrollment-qr');
  await visit.takeKey();
  await page.getByLabel('Code from the app').fill(await visit.app.next());
  await trouble('replacing', () => visit.button('Continue').click());
  await visit.at('/account');
  await page.getByText('9 of 10 remaining').waitFor();
}

describe('the whole way in', () => {
  visiting('on a line that takes two seconds for everything, pressing twice does nothing twice (C1, B-05)', async (visit, page) => {
    const session = await visit.context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', { offline: false, latency: 400, downloadThroughput: 20_000, uploadThroughput: 20_000 });
    visit.context.setDefaultTimeout(30_000);
    const steps = [];
    await wholeWay(visit, async (step, press) => {
      steps.push(step);
      await Promise.all([press(), press().catch(() => {})]);
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
        } else if (value && name !== 'saved') await field.fill(name === 'password' ? 'correct horse battery staple' : String(value));
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
    await page.goBack();
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

  visiting('a page with codes is not among them: it comes back from the server or not at all', async (visit, page) => {
    page.on('dialog', (dialog) => dialog.accept());
    const codes = await visit.toCodes();
    await page.evaluate(() => addEventListener('pageshow', (event) => { document.documentElement.dataset.persisted = String(event.persisted); }));
    await leaveAndReturn(page, visit.url('/openapi.json'));
    await visit.readCodes();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.persisted), undefined, 'a new document');
    const reasons = await page.evaluate(() => JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons ?? null));
    assert.ok(reasons === 'null' || reasons.includes('no-store'), reasons);
    assert.deepEqual(await page.locator('.sk-list code').allTextContents(), codes);
    await visit.confirm();
    await page.goBack();
    const text = await page.content();
    assert.ok(codes.every((code) => !text.includes(code)), 'confirmed: no code comes back');
  });

  visiting('were it kept all the same, the codes are gone on return', async (visit, page) => {
    page.on('dialog', (dialog) => dialog.accept());
    // A proxy that allows it: the page may be kept, and is.
    await page.route((url) => url.pathname === '/u/mfa-recovery-code-enrollment', async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 });
      const headers = answer.headers();
      delete headers['cache-control'];
      await route.fulfill({ response: answer, headers });
    });
    const codes = await visit.toCodes();
    await page.evaluate(() => addEventListener('pageshow', (event) => { document.documentElement.dataset.persisted = String(event.persisted); }));
    await leaveAndReturn(page, visit.url('/openapi.json'));
    await page.waitForLoadState('load');
    const persisted = await page.evaluate(() => document.documentElement.dataset.persisted);
    if (persisted === 'true') {
      await page.getByText('The codes are no longer shown here. Reload the page to see them again.').waitFor();
      const text = await page.content();
      assert.ok(codes.every((code) => !text.includes(code)));
    } else {
      assert.equal(persisted, undefined);
      assert.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].type), 'back_forward');
    }
  });

  visiting('signing out clears what the browser kept (B-63)', async (visit) => {
    await visit.enroll();
    const answer = await visit.press(visit.button('Sign out'));
    assert.equal(answer.headers()['clear-site-data'], '"cache"');
    assert.equal(answer.headers()['cache-control'], 'no-store');
    for (const response of visit.responses) {
      if (new URL(response.url()).pathname.startsWith('/assets/')) continue;
      assert.equal(response.headers()['cache-control'], 'no-store', response.url());
    }
  });
});
