/** New codes and the end of the list, at the account. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SAVE, browser, cookie, server, story } from './tell.mjs';
import { Authenticator } from './totp.mjs';
import { Forms, Visit } from './visit.mjs';

describe('new codes', () => {
  story('the consequence is said first, and nothing changes before the new ones are confirmed; then the old sheet is worthless (L3, L7, B-12)', async (visit, page) => {
    const old = await visit.enroll();
    await page.getByText(/^Set 1, made on/).waitFor();
    await visit.link('Make new codes').click();
    await visit.at('/account/regenerate');
    await page.getByText('Your current codes stop working once you confirm the new ones.').waitFor();
    await page.getByText(/^10 of 10 remaining in set 1, made on \d/).waitFor();
    await visit.link('Cancel, keep my codes').click();
    await visit.at('/account');
    const kept = (await visit.account()).recovery;
    assert.deepEqual([kept.generation, kept.remaining, kept.pending_generation], [1, 10, null], 'cancelling changes nothing');

    await visit.link('Make new codes').click();
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    assert.equal(await visit.heading(), 'Save your new codes');
    await page.getByText('Your earlier codes keep working until you confirm these.').waitFor();
    const next = await visit.readCodes();
    assert.ok(next.every((code) => !old.includes(code)));
    assert.equal(await visit.works(old[0]), true, 'the old sheet while the new one waits');
    await visit.confirm('Use these codes from now on');
    await page.getByText('10 of 10 remaining').waitFor();
    await page.getByText(/^Set 2, made on \d{1,2} [A-Z][a-z]+ \d{4}$/).waitFor();
    for (const code of old.slice(0, 2)) assert.equal(await visit.works(code), false);
    await visit.signOut();
    assert.equal((await visit.redeem(old[5])).status(), 403);
    await page.getByText('check that the list is your newest one').waitFor();
    await visit.field().fill('');
    await visit.field().pressSequentially(next[5]);
    await visit.button('Continue').click();
    await visit.at('/u/after-recovery');
    await page.getByText(/^Set 2, made on/).waitFor();
  });

  story('a while after signing in the authenticator is asked for first, and a wrong password changes nothing (L3, B-12)', async (visit, page) => {
    const old = await visit.enroll();
    await visit.alter('session', 'factor_at = factor_at - 360000');
    await visit.go('/account/regenerate');
    await page.getByLabel('Code from your authenticator app').fill(visit.app.wrong());
    assert.equal((await visit.press(visit.button('Show the new codes'))).status(), 403);
    await page.getByText(/Your current codes are unchanged\.$/).waitFor();
    assert.equal((await visit.account()).recovery.pending_generation, null);
    const before = await cookie(visit);
    await visit.otp();
    await visit.at('/account/codes');
    assert.notEqual(await cookie(visit), before, 'a new session at every step-up (A-76)');
    const next = await visit.readCodes();
    await visit.confirm('Use these codes from now on');
    assert.equal(await visit.works(old[0]), false);
    assert.equal(await visit.works(next[0]), true);
  });

  story('given up halfway, they can be taken up from the account, and the old ones stay (L1, U5)', async (visit, page) => {
    const old = await visit.enroll();
    await visit.go('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    const next = await visit.readCodes();
    await visit.go('/account');
    await page.getByText('10 of 10 remaining').waitFor();
    assert.ok(await page.content().then((text) => next.every((code) => !text.includes(code))));
    await visit.link('Show the new codes').click();
    await visit.at('/account/codes');
    assert.deepEqual(await visit.readCodes(), next);
    await visit.alter('batch', 'seed_until = 1');
    await page.reload();
    assert.equal(visit.path(), '/account');
    await page.getByText('10 of 10 remaining').waitFor();
    assert.equal(await page.getByText('New codes are waiting').count(), 0);
    assert.equal(await visit.works(old[0]), true);
  });

  test('who has an authenticator and no codes yet is given their first at the next sign-in (L11, U7)', async () => {
    const visit = await Visit.of(browser, server, { id: 'auth0|carol', login: 'carol@example.com' });
    try {
      visit.app = new Authenticator('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP');
      await visit.password();
      await visit.at('/u/mfa-otp-challenge');
      assert.equal(await visit.button('Use a recovery code').count(), 0, 'no way that leads nowhere');
      await visit.otp();
      await visit.at(SAVE);
      const codes = await visit.readCodes();
      await visit.confirm();
      await visit.page.getByText('10 of 10 remaining').waitFor();
      assert.equal(await visit.works(codes[0]), true);
      await visit.end();
    } finally {
      await visit.context.close();
    }
  });
});

describe('the end of the list', () => {
  story('few left is said at three, the last one can be used, and then a new list is made before going on (L12, L15, U6)', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    for (const code of codes.slice(0, 5)) assert.equal(await visit.works(code), true);
    await visit.redeem(codes[5]);
    await page.getByText('4 of 10 left').waitFor();
    assert.equal(await page.locator('.warn').count(), 0);
    await visit.button('I still have it, go to my account').click();
    await visit.at('/account');
    await visit.signOut();
    await visit.redeem(codes[6]);
    await page.getByText('3 of 10 left').waitFor();
    await page.getByText('Few codes are left. Make new codes soon').waitFor();
    await visit.button('I still have it, go to my account').click();
    await visit.at('/account');
    await page.getByText('3 of 10 remaining').waitFor();
    await page.getByText('Few codes are left.').waitFor();
    for (const code of codes.slice(7, 9)) assert.equal(await visit.works(code), true);
    await visit.signOut();

    await visit.redeem(codes[9]);
    await visit.at('/u/after-recovery');
    await page.getByText('0 of 10 left').waitFor();
    await page.getByText('That was your last code. Make new codes now').waitFor();
    await visit.go('/account');
    assert.equal(visit.path(), '/u/after-recovery', 'not before there are new ones');
    await visit.link('I still have it, make new codes').click();
    await visit.at('/account/regenerate');
    await visit.otp();
    await visit.at('/account/codes');
    const next = await visit.readCodes();
    await visit.confirm('Use these codes from now on');
    await page.getByText('10 of 10 remaining').waitFor();
    await page.getByText(/^Set 2, made on/).waitFor();
    assert.equal(await visit.works(codes[9]), false);
    assert.equal(await visit.works(next[9]), true);
  });

  story('with the phone gone as well, a new authenticator brings a new list with it (L12, L13)', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    for (const code of codes.slice(0, 9)) assert.equal(await visit.works(code), true);
    await visit.redeem(codes[9]);
    await visit.button('Set up a new authenticator').click();
    await visit.at('/u/mfa-otp-enrollment-qr');
    await visit.takeKey();
    await visit.otp();
    await visit.at('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    await visit.readCodes();
    await visit.confirm('Use these codes from now on');
    await page.getByText('10 of 10 remaining').waitFor();
  });
});

describe('a single code', () => {
  story('its successor is shown until it is confirmed, works once, and the spent one never again (L5, L6, U5)', async (visit, page) => {
    await visit.enroll();
    const spent = await visit.single();
    await visit.signOut();
    await visit.toChallenge();
    await page.getByText('24 letters and digits').waitFor();
    await visit.field().pressSequentially(spent.toLowerCase());
    await page.getByText('The code is complete.').waitFor();
    await visit.button('Continue').click();
    await visit.at('/u/mfa-recovery-code-challenge-new-code');
    assert.equal(await visit.heading(), 'Save your new code');
    const next = await visit.readCodes();
    assert.equal(next.length, 1);
    assert.match(next[0], /^[A-Z2-7]{24}$/);
    await page.reload();
    assert.deepEqual(await visit.readCodes(), next, 'a reload shows the same');
    await visit.confirm();
    await page.getByText('1 of 1 remaining').waitFor();
    await visit.go('/u/mfa-recovery-code-challenge-new-code');
    assert.equal(visit.path(), '/account', 'confirmed, it is not shown again');
    assert.equal(await visit.works(spent), false);
    const { status } = await new Forms(server.origin).redeem(visit.person.login, next[0]);
    assert.equal(status, 303);
  });
});
