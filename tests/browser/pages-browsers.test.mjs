/** Remembered browsers: not asked for a code for a while, listed, forgotten, and never taken for a factor. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { browser, server, story } from './tell.mjs';
import { Visit } from './visit.mjs';

const KNOWN = 'spare-key-browser';

/** Signs in with the box ticked. */
async function remember(visit) {
  await visit.password();
  await visit.page.getByLabel('Remember this browser for 30 days').check();
  await visit.otp();
  await visit.at('/account');
}

const known = async (visit) => (await visit.context.cookies()).find(({ name }) => name === KNOWN);

describe('a remembered browser', () => {
  story('is asked for the password alone, for as many days as the policy says; its cookie is kept from scripts', async (visit, page) => {
    await visit.enroll();
    await visit.signOut();
    await remember(visit);
    const cookie = await known(visit);
    assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Lax']);
    assert.ok(Math.abs(cookie.expires - Date.now() / 1000 - 30 * 86_400) < 60);
    await visit.signOut();
    await visit.password();
    await visit.at('/account');
    await page.getByText('Signed in on a remembered browser').waitFor();
    await page.getByText(/^Chrome · Linux/).waitFor();
    await visit.signOut();
    await visit.alter('trusted_device', 'expires_at = 1');
    await visit.password();
    await visit.at('/u/mfa-otp-challenge');
  });

  story('proves nothing: making new codes and replacing the authenticator ask for a code (S6)', async (visit, page) => {
    await visit.enroll();
    await visit.signOut();
    await remember(visit);
    await visit.signOut();
    await visit.password();
    await visit.at('/account');
    await visit.go('/account/regenerate');
    await page.getByLabel('Code from your authenticator app').waitFor();
    await visit.go('/account');
    await visit.button('Replace authenticator').click();
    await visit.at('/account/step-up');
  });

  story('is forgotten one by one or all at once, by its owner', async (visit, page) => {
    await visit.enroll();
    await visit.signOut();
    await remember(visit);
    const others = [];
    for (let more = 0; more < 2; more += 1) {
      const other = await Visit.of(browser, server, visit.person);
      other.app = visit.app;
      await remember(other);
      others.push(other);
    }
    await page.reload();
    assert.equal(await page.locator('.browser').count(), 3);
    await visit.button('Forget').first().click();
    await visit.at('/account');
    await page.waitForFunction(() => document.querySelectorAll('.browser').length === 2);
    await visit.button('Forget all').click();
    await page.getByText('None. You are asked for a code at every sign-in.').waitFor();
    for (const other of [visit, ...others]) {
      await other.signOut();
      await other.password();
      await other.at('/u/mfa-otp-challenge');
    }
    for (const other of others) await other.end();
  });

  story('is none of another account’s, and nobody forgets another’s', async (visit) => {
    await visit.enroll();
    await visit.signOut();
    await remember(visit);
    const id = await visit.page.locator('.browser [name=id]').getAttribute('value');
    const other = await Visit.begin(browser, server);
    await other.enroll();
    const { csrf, state } = await other.page.evaluate(() => ({ csrf: document.querySelector('[name=csrf]').value, state: document.querySelector('[name=state]').value }));
    await other.page.evaluate((fields) => fetch('/account/browsers/forget', { method: 'POST', body: new URLSearchParams(fields) }), { csrf, state, id });
    await visit.page.reload();
    assert.equal(await visit.page.locator('.browser').count(), 1);
    await other.signOut();
    await other.context.addCookies([await known(visit)]);
    await other.password();
    await other.at('/u/mfa-otp-challenge');
    await other.end();
  });

  story('is never made by a recovery code, and ends with one (L14)', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    await remember(visit);
    const other = await Visit.of(browser, server, visit.person);
    await other.password();
    await other.button('Use a recovery code').click();
    await other.at('/u/mfa-recovery-code-challenge');
    assert.equal(await other.page.getByRole('checkbox').count(), 0);
    await other.fieldReady();
    await other.field().fill(codes[0]);
    await other.button('Continue').click();
    await other.at('/u/after-recovery');
    assert.equal(await known(other), undefined);
    await other.end();
    await visit.signOut();
    await visit.password();
    await visit.at('/u/mfa-otp-challenge');
    assert.equal(await page.getByLabel('Remember this browser').count(), 1);
  });

  story('is not for administrators: they are always asked', async (visit, page) => {
    await visit.enroll();
    await visit.signOut();
    await remember(visit);
    await server.account('administrator', visit.person.id, 'on');
    await visit.signOut();
    await visit.password();
    await visit.at('/u/mfa-otp-challenge');
    assert.equal(await page.getByRole('checkbox').count(), 0);
  });
});
