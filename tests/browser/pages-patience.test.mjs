/** What the pages grant: more time, an end to reminders, a look back; and what they say when one was away. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { SAVE, browser, server, story } from './tell.mjs';
import { Visit } from './visit.mjs';

const left = async (visit) => Number((await server.alter(`SELECT (seed_until - unixepoch() * 1000) / 1000 FROM batch WHERE account_n = (SELECT n FROM account WHERE id = '${visit.person.id}') AND seed IS NOT NULL`)).stdout.trim());

describe('more time for the codes on the screen (B-09)', () => {
  story('the warning comes in time, one click gives the full time again without leaving the page, ten times and more', async (visit, page) => {
    const codes = await visit.toCodes();
    await visit.alter('batch', 'seed_until = (unixepoch() + 60) * 1000');
    await page.clock.install();
    await page.reload();
    await visit.readCodes();
    await page.clock.fastForward('00:35');
    await page.getByText('These codes run out in 30 seconds.').waitFor();
    for (let time = 0; time < 11; time += 1) {
      await visit.press(visit.button('Give me more time'));
      await page.getByText('come back to this page for 10 minutes').waitFor();
      assert.ok(await left(visit) > 590);
      // As if nine minutes had passed here, and at the server.
      await page.clock.fastForward('09:00');
      await page.getByText('These codes run out in 2 minutes.').waitFor();
      await visit.alter('batch', 'seed_until = seed_until - 540000, issued_at = issued_at - 540000');
    }
    assert.deepEqual(await page.locator('.sk-list code').allTextContents(), codes);
    assert.ok(!visit.requests.some((request) => request.includes('beforeunload')));
    await visit.confirm();
    assert.equal(await visit.works(codes[0]), true);
  });

  story('without an end it is not: then that is said, and the codes stay until theirs', async (visit, page) => {
    await visit.toCodes();
    await visit.alter('batch', 'issued_at = issued_at - 110 * 60000');
    await page.reload();
    await visit.readCodes();
    assert.equal((await visit.press(visit.button('Give me more time'))).status(), 410);
    await page.getByText('They cannot be kept any longer than this. Save them now.').waitFor();
    assert.equal(await page.locator('.sk-list code').count(), 10);
    visit.wrong = visit.wrong.filter((what) => !what.includes('410'));
  });

  story('a broken line is said, the codes stay, and the next click works', async (visit, page) => {
    await visit.toCodes();
    await page.route('**/more-time*', (route) => route.abort('connectionreset'), { times: 1 });
    await visit.button('Give me more time').click();
    await page.getByText('No answer came. Your codes are still here. Try again.').waitFor();
    await visit.press(visit.button('Give me more time'));
    await page.getByText('come back to this page for 10 minutes').waitFor();
    visit.wrong = visit.wrong.filter((what) => !what.includes('ERR_CONNECTION_RESET'));
  });

  story('without JavaScript the button brings the same codes with more time', async (visit, page) => {
    const codes = await visit.toCodes();
    await visit.alter('batch', 'seed_until = (unixepoch() + 60) * 1000');
    await visit.button('Give me more time').click();
    await page.getByText('come back to this page for 10 minutes').waitFor();
    assert.equal(visit.path(), SAVE);
    assert.deepEqual(await visit.readCodes(), codes);
    assert.ok(await left(visit) > 590);
  }, { javaScriptEnabled: false });

  story('also for new codes of who is in, and by nobody else who is in', async (visit, page) => {
    await visit.enroll();
    await visit.go('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    await visit.readCodes();
    await server.alter(`UPDATE batch SET seed_until = (unixepoch() + 100) * 1000 WHERE state = 0 AND account_n = (SELECT n FROM account WHERE id = '${visit.person.id}')`);
    const other = await Visit.of(browser, server, visit.person);
    other.app = visit.app;
    await other.signIn();
    const { csrf, state } = await other.page.evaluate(() => ({ csrf: document.querySelector('[name=csrf]').value, state: document.querySelector('[name=state]').value }));
    const status = await other.page.evaluate(async (fields) => (await fetch('/account/codes/more-time', { method: 'POST', body: new URLSearchParams(fields) })).status, { csrf, state, answer: 'json' });
    assert.equal(status, 410);
    assert.ok(await left(visit) <= 100);
    await other.context.close();
    await visit.press(visit.button('Give me more time'));
    await page.getByText('come back to this page for 10 minutes').waitFor();
    assert.ok(await left(visit) > 590);
  });
});

describe('the reminder of few codes (U6, U8)', () => {
  story('can be ended for this set, is said again for the next, and says nothing of none left', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    for (const code of codes.slice(0, 7)) assert.equal(await visit.works(code), true);
    await visit.signIn();
    await page.getByText('Few codes are left. Make new codes soon.').waitFor();
    await visit.button('Do not remind me again').click();
    await visit.at('/account');
    await page.getByText('3 of 10 remaining').waitFor();
    assert.equal(await page.getByText('Few codes are left').count(), 0);
    await visit.signOut();
    await visit.signIn();
    assert.equal(await page.getByText('Few codes are left').count(), 0, 'and stays ended');
    await server.alter(`UPDATE batch SET used = total WHERE state = 1 AND account_n = (SELECT n FROM account WHERE id = '${visit.person.id}')`);
    await page.reload();
    await page.getByText('All of them are used.').waitFor();
    assert.equal(await visit.button('Do not remind me again').count(), 0);
    await visit.go('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    const next = await visit.readCodes();
    await visit.confirm('Use these codes from now on');
    await visit.signOut();
    for (const code of next.slice(0, 7)) assert.equal(await visit.works(code), true);
    await visit.signIn();
    await page.getByText('Few codes are left. Make new codes soon.').waitFor();
  });
});

describe('recent activity', () => {
  // Row A-103.
  story('in plain words with the time of day where one is, the set, and what came before (U11)', async (visit, page) => {
    const codes = await visit.enroll();
    assert.equal(await visit.works(codes[3]), true);
    await server.alter(`INSERT INTO event (account_id, kind, at, actor) WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 45)
      SELECT '${visit.person.id}', 'factor.refused', 1795219200000 + n * 60000, 'person' FROM i`);
    await visit.go('/account');
    assert.equal(await page.locator('.events li').count(), 20);
    // Berlin is an hour ahead of UTC in November.
    await page.getByText('21 November 2026 at 01:45').waitFor();
    await visit.link('Older').click();
    await page.waitForURL((url) => url.searchParams.has('before'));
    assert.equal(await page.locator('.events li').count(), 20);
    await visit.link('Older').click();
    await page.getByText('Signed in with recovery code 4 of set 1').waitFor();
    await page.getByText('New recovery codes were made, set 1').waitFor();
    await visit.link('Newest').click();
    await page.waitForURL((url) => !url.searchParams.has('before'));
    assert.equal(await page.locator('.events li').count(), 20);
  }, { timezoneId: 'Europe/Berlin' });
});

describe('a session that ended in the middle', () => {
  story('what is sent then is said not to have been done, and a link leads back; a look leads to the door', async (visit, page) => {
    await visit.enroll();
    await visit.go('/account/regenerate');
    await server.alter(`DELETE FROM session WHERE account_n = (SELECT n FROM account WHERE id = '${visit.person.id}')`);
    assert.equal((await visit.press(visit.button('Show the new codes'))).status(), 401);
    assert.equal(await visit.heading(), 'You were signed out');
    await page.getByText('What you just sent was not carried out.').waitFor();
    assert.equal((await visit.account()).recovery.pending_generation, null);
    await visit.link('Sign in again').click();
    await visit.at('/u/login');
    await visit.go('/account');
    assert.equal(visit.path(), '/u/login');
  });

  story('at the save prompt of new codes: the old ones still work', async (visit, page) => {
    const old = await visit.enroll();
    await visit.go('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    await visit.readCodes();
    await server.alter(`DELETE FROM session WHERE account_n = (SELECT n FROM account WHERE id = '${visit.person.id}')`);
    await visit.button('I wrote them down').click();
    await page.getByRole('checkbox').check();
    await visit.button('Use these codes from now on').click();
    await page.getByRole('heading', { name: 'You were signed out' }).waitFor();
    assert.equal(await visit.works(old[0]), true);
  });

  story('in one of two windows: the other says so and changes nothing', async (visit, page) => {
    await visit.enroll();
    const other = await visit.newPage();
    await other.goto(visit.url('/account/regenerate'));
    await visit.signOut();
    await other.getByRole('button', { name: 'Show the new codes' }).click();
    await other.getByRole('heading', { name: /You were signed out|This page is out of date/ }).waitFor();
    assert.equal((await visit.account()).recovery.pending_generation, null);
    assert.equal(await page.locator('h1').textContent(), 'You are signed out');
  });
});

describe('what only takes forms', () => {
  story('leads who asks for it by a link to the page with the form', async (visit) => {
    await visit.enroll();
    for (const path of ['/account/sign-out', '/account/replace-authenticator', '/account/end-reminder', '/account/codes/download', '/account/codes/more-time']) {
      await visit.go(path);
      assert.equal(visit.path(), '/account', path);
    }
    assert.equal((await visit.account()).authenticators.length, 1);
  });
});
