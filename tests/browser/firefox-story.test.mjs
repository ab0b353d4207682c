/** The main story of the pages in the other engine, typed and clicked in Firefox at the real binary. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchFirefox } from './firefox.mjs';
import { PASSWORD, start } from './server.mjs';
import { Authenticator } from './totp.mjs';

const CODE = /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/;

let firefox;
let server;
before(async () => {
  server = await start();
  firefox = await launchFirefox();
}, { timeout: 60_000 });
after(async () => {
  await firefox?.close();
  await server?.stop();
});

/** One person's tab. */
class Tab {
  constructor(page, person) {
    Object.assign(this, { page, person });
  }

  at(path) {
    return this.page.waitForFunction((wanted) => location.pathname === wanted && document.readyState === 'complete', {}, path);
  }

  heading() {
    return this.page.$eval('h1', (element) => element.textContent);
  }

  says(text) {
    return this.page.waitForFunction((wanted) => document.body.innerText.includes(wanted), {}, text);
  }

  button(name) {
    return this.page.locator(`::-p-xpath(//button[normalize-space()="${name}"])`).click();
  }

  async password() {
    await this.page.goto(`${server.origin}/u/login`);
    await this.page.type('#username', this.person.login);
    await this.page.type('#password', PASSWORD);
    await this.button('Continue');
  }

  async takeKey() {
    await this.page.waitForSelector('.secret');
    return new Authenticator(await this.page.$eval('.secret', (element) => element.textContent));
  }

  async otp(app) {
    await this.page.type('#code', await app.next());
    await this.page.locator('button.primary').click();
  }
}

test('enroll, save, lose the phone, come in by a code, replace the phone', { timeout: 120_000 }, async () => {
  const page = await firefox.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  const tab = new Tab(page, await server.person());
  await tab.password();
  await tab.at('/u/mfa-otp-enrollment-qr');
  assert.equal(await tab.heading(), 'Set up your authenticator');
  const lost = await tab.takeKey();
  await tab.otp(lost);

  await tab.at('/u/mfa-recovery-code-enrollment');
  await page.waitForSelector('button.sk-wrote-down');
  const codes = await page.$$eval('.sk-list code', (all) => all.map((one) => one.textContent));
  assert.equal(codes.length, 10);
  for (const code of codes) assert.match(code, CODE);
  await page.locator('button.sk-wrote-down').click();
  await page.locator('recovery-codes input[type=checkbox]').click();
  await page.locator('button.sk-continue').click();
  await tab.at('/account');
  await tab.says('10 of 10 remaining');
  await tab.button('Sign out');
  await tab.says('You are signed out');

  await tab.password();
  await tab.at('/u/mfa-otp-challenge');
  await tab.button('Use a recovery code');
  await tab.at('/u/mfa-recovery-code-challenge');
  await page.waitForFunction(() => customElements.get('recovery-code-input'));
  await page.evaluate(() => document.querySelector('recovery-code-input').ready);
  await page.type('recovery-code-input input', codes[3].replaceAll('-', '').toLowerCase());
  assert.equal(await page.$eval('recovery-code-input input', (input) => input.value), codes[3]);
  await tab.button('Continue');
  await tab.at('/u/after-recovery');
  await tab.says('Code 4 is used. Cross it out.');
  await tab.says('9 of 10 left');

  await tab.button('Set up a new authenticator');
  await tab.at('/u/mfa-otp-enrollment-qr');
  const found = await tab.takeKey();
  assert.notEqual(found.secret, lost.secret);
  await tab.otp(found);
  await tab.at('/account');
  await tab.says('9 of 10 remaining');
  await tab.says('Authenticator app replaced');
  const told = await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
  assert.deepEqual(told, [0, 0, '']);
  assert.deepEqual(wrong, []);
});
