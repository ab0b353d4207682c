/** Administration: who may, what is seen, what is done, what it leaves behind. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { server, story } from './tell.mjs';
import { Forms, Visit } from './visit.mjs';
import { browser } from './tell.mjs';

const CODE = /[A-Z2-7]{4}(-[A-Z2-7]{4}){3}/;

/** Somebody who administers, signed in with an authenticator. */
async function administers(visit) {
  await server.account('administrator', visit.person.id, 'on');
  await visit.enroll();
}

const rows = async (sql) => (await server.alter(sql)).stdout.trim().split('\n').filter(Boolean);
const events = (id) => rows(`SELECT kind || ' ' || actor FROM event WHERE account_id = '${id}' ORDER BY id DESC LIMIT 3`);
const path = (deed, id) => `/admin/account${deed}?id=${encodeURIComponent(id)}`;

describe('who may', () => {
  story('for everybody else there is nothing there, and a session by a recovery code is not enough', async (visit, page) => {
    await visit.enroll();
    for (const address of ['/admin', path('', visit.person.id), path('/reset', visit.person.id), '/admin/switch-off']) {
      await visit.go(address);
      assert.equal(await visit.heading(), 'There is nothing here', address);
    }
    await visit.go('/account');
    assert.equal(await visit.link('Administration').count(), 0);
    const posted = await page.evaluate(async (id) => {
      const csrf = document.querySelector('[name=csrf]').value;
      const state = document.querySelector('[name=state]').value;
      return (await fetch('/admin/account/reset', { method: 'POST', body: new URLSearchParams({ csrf, state, id }) })).status;
    }, visit.person.id);
    assert.equal(posted, 404);

    await server.account('administrator', visit.person.id, 'on');
    await visit.go('/admin');
    assert.equal(await visit.heading(), 'Administration');
    await visit.go('/account');
    await visit.signOut();
    await visit.redeem(visit.codes[0]);
    await visit.at('/u/after-recovery');
    await visit.go('/admin');
    assert.equal(await visit.heading(), 'There is nothing here');
    await server.account('administrator', visit.person.id, 'off');
  });

  story('who is no administrator any more is none at once', async (visit) => {
    await administers(visit);
    await visit.go('/admin');
    await server.account('administrator', visit.person.id, 'off');
    await visit.go('/admin');
    assert.equal(await visit.heading(), 'There is nothing here');
  });
});

describe('what is seen', () => {
  story('"X of 10 remaining", the set and the last use of each, found by how the address or the identifier begins, and never a code', async (visit, page) => {
    await administers(visit);
    const other = await Visit.begin(browser, server);
    const codes = await other.enroll();
    assert.equal(await other.works(codes[0]), true);
    await other.end();
    await visit.go('/account');
    await visit.link('Administration').click();
    await page.getByLabel('Find an account').fill(`  ${other.person.login.toUpperCase().slice(0, -4)}`);
    await visit.button('Find').click();
    const line = page.locator('.people li').filter({ hasText: other.person.login });
    await line.waitFor();
    assert.match(await line.innerText(), /9 of 10 remaining\s+Set 1\s+Last code used on /);
    await page.getByLabel('Find an account').fill('auth0|person-');
    await visit.button('Find').click();
    await page.waitForURL((url) => url.searchParams.get('q') === 'auth0|person-');
    assert.ok(await page.locator('.people li').count() >= 2, 'by the identifier');
    await page.getByLabel('Find an account').fill('100 %_ off');
    await visit.button('Find').click();
    await page.getByText('No account begins like this.').waitFor();

    await visit.go(path('', other.person.id));
    await page.getByText('9 of 10 remaining').waitFor();
    await page.getByText('Signed in with recovery code 1 of set 1').waitFor();
    const seen = await page.content();
    assert.ok(codes.every((code) => !seen.includes(code)) && !CODE.test(await page.locator('main').innerText()));
  });

  story('page after page, nobody twice and nobody missing', async (visit, page) => {
    await administers(visit);
    const values = Array.from({ length: 60 }, (_, at) => `('crowd|${String(at).padStart(3, '0')}', randomblob(16), 'crowd${String(at).padStart(3, '0')}@example.com', 0)`);
    await server.alter(`INSERT INTO account (id, uuid, login, created_at) VALUES ${values.join()}`);
    for (const prefix of ['crowd0', 'crowd|']) {
      const names = [];
      await visit.go(`/admin?q=${encodeURIComponent(prefix)}`);
      for (;;) {
        names.push(...await page.locator('.people li > a').allInnerTexts());
        const next = visit.link('Next accounts');
        if (await next.count() === 0) break;
        await next.click();
        await page.waitForLoadState('load');
      }
      assert.equal(names.length, 60, prefix);
      assert.equal(new Set(names).size, 60);
    }
    await visit.link('Back to the first').click();
    await visit.at('/admin');
    await server.alter("DELETE FROM account WHERE id LIKE 'crowd|%'");
  });
});

describe('what is done', () => {
  // Rows S24, A-46.
  story('resetting says the consequence first, asks for a fresh factor, ends everything, names who did it and tells the person (B-12, L3, S6)', async (visit, page) => {
    await administers(visit);
    const other = await Visit.begin(browser, server);
    await other.enroll();
    await visit.alter('session', 'factor_at = 1');
    await visit.go(path('', other.person.id));
    await visit.link('Reset the second factor').click();
    await page.getByText(`recovery codes of ${other.person.login} stop working`).waitFor();
    assert.equal((await server.show(other.person.id)).recovery.state, 'active', 'a look changes nothing');
    await page.locator('form:has(#code)').evaluate((form) => { form.noValidate = true; });
    assert.equal((await visit.press(visit.button('Reset the second factor'))).status(), 422, 'no code, no reset');
    await page.getByLabel('Code from your authenticator app').fill(visit.app.wrong());
    assert.equal((await visit.press(visit.button('Reset the second factor'))).status(), 403);
    assert.match(await visit.alert().textContent(), /Nothing was changed/);
    assert.equal((await server.show(other.person.id)).recovery.state, 'active');
    const before = (await visit.context.cookies()).find(({ name }) => name === 'spare-key').value;
    await page.getByLabel('Code from your authenticator app').fill(await visit.app.next());
    await visit.button('Reset the second factor').click();
    await page.getByText('The second factor is reset.').waitFor();
    assert.notEqual((await visit.context.cookies()).find(({ name }) => name === 'spare-key').value, before, 'a new session with the new proof');
    const shown = await server.show(other.person.id);
    assert.deepEqual([shown.authenticators.length, shown.recovery.state], [0, 'revoked']);
    assert.equal((await events(other.person.id))[0], `account.mfa_reset administrator:${visit.person.id}`);
    await server.told(other.person.login, '* An administrator removed authenticator app and recovery codes');
    await other.go('/account');
    assert.equal(other.path(), '/u/login', 'signed out everywhere');
    await other.password();
    await other.takeKey();
    await other.otp();
    await other.codesSeen();
    await other.confirm();
    await other.page.getByText('An administrator removed authenticator app and recovery codes').waitFor();
    await other.end();
  });

  story('ending the codes leaves the authenticator, and cancelling leaves all (B-12)', async (visit, page) => {
    await administers(visit);
    const other = await Visit.begin(browser, server);
    const codes = await other.enroll();
    await visit.go(path('/revoke', other.person.id));
    await visit.link('Cancel, change nothing').click();
    await page.getByText('10 of 10 remaining').waitFor();
    await visit.link('End the recovery codes').click();
    await visit.button('End the recovery codes').click();
    await page.getByText('The recovery codes work no longer.').waitFor();
    const shown = await server.show(other.person.id);
    assert.deepEqual([shown.authenticators.length, shown.recovery.state], [1, 'revoked']);
    assert.equal((await events(other.person.id))[0], `codes.revoked administrator:${visit.person.id}`);
    assert.equal(await other.works(codes[0]), false);
    await other.end();
  });

  story('the switch is for everybody, asks first, and is on record', async (visit, page) => {
    await administers(visit);
    await visit.go('/admin');
    await visit.link('Switch off').click();
    await page.getByText('For everybody: none is accepted and none is made.').waitFor();
    await visit.button('Switch off for everybody').click();
    await page.getByText('They are switched off for everybody.').waitFor();
    assert.equal((await events(visit.person.id))[0], `codes.switched_off administrator:${visit.person.id}`);
    const forms = new Forms(server.origin);
    await forms.password(visit.person.login);
    const { body } = await forms.get('/u/mfa-otp-challenge');
    assert.ok(!body.includes('pick-authenticator'), 'no code is offered');
    await visit.link('Switch on').click();
    await visit.button('Switch on for everybody').click();
    await page.getByText('They are switched on for everybody.').waitFor();
    assert.equal(await visit.works(visit.codes[0]), true, 'what was saved before works again');
  });

  // Row S20.
  story('nothing of it without the proof of the form, from elsewhere, or by a link', async (visit, page) => {
    await administers(visit);
    const other = await Visit.begin(browser, server);
    await other.enroll();
    await visit.go('/admin');
    const answers = await page.evaluate(async (id) => {
      const post = async (fields) => (await fetch('/admin/account/reset', { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' })).status;
      return [await post({ id }), await post({ id, csrf: 'x', state: 'y' }), (await fetch(`/admin/account/reset?id=${encodeURIComponent(id)}`)).status];
    }, other.person.id);
    assert.deepEqual(answers, [403, 403, 200]);
    assert.equal((await server.show(other.person.id)).recovery.state, 'active');
    await other.end();
  });

  story('by keyboard alone (B-07)', async (visit, page) => {
    await administers(visit);
    await visit.go(path('/revoke', visit.person.id));
    const order = [];
    for (let step = 0; step < 12; step += 1) {
      await page.keyboard.press('Tab');
      order.push(await page.evaluate(() => document.activeElement.textContent.trim()));
    }
    const at = (name) => order.findIndex((text) => text.startsWith(name));
    assert.ok(at('End the recovery codes') >= 0 && at('End the recovery codes') < at('Cancel'), order.join());
    assert.ok(at('Cancel') < at('English') && at('العربية') > at('English'));
  });
});
