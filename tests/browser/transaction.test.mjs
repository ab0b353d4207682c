/** The screens of a sign-in in Auth0's terms: addresses, posted fields, error codes, text keys. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SAVE, server, story } from './tell.mjs';
import { Forms, named, raw } from './visit.mjs';

const OTP = '/u/mfa-otp-challenge';
const CHALLENGE = '/u/mfa-recovery-code-challenge';
const NEW_CODE = '/u/mfa-recovery-code-challenge-new-code';
const STRANGER = 'KZ3M-Q7TB-WJ5R-HXYN';

const stateOf = (page) => new URL(page.url()).searchParams.get('state');
const code = (page) => page.locator('[data-error]').getAttribute('data-error');
const fields = (response) => Object.fromEntries(new URLSearchParams(response.request().postData()));

/** The error code in a page that no browser shows. */
const codeIn = ({ body }) => /data-error="([^"]*)"/.exec(body)?.[1];

describe('the address of a screen', () => {
  story('names the transaction on every screen, by a value that is neither a cookie nor the proof of a form', async (visit, page) => {
    const seen = new Map();
    const note = async () => {
      const path = visit.path();
      const state = stateOf(page);
      assert.match(state, /^[\w-]{22}$/, path);
      assert.equal(await page.locator('input[name=state]').first().inputValue(), state, path);
      assert.notEqual(await page.locator('input[name=csrf]').first().inputValue(), state, path);
      for (const { value } of await visit.context.cookies()) assert.ok(!value.includes(state), path);
      seen.set(path, state);
    };
    await page.goto(visit.url('/u/login'));
    await note();
    await visit.password();
    await note();
    await visit.takeKey();
    await visit.otp();
    await visit.codesSeen();
    await note();
    await visit.confirm();
    const spent = await visit.single();
    await visit.signOut();
    await visit.password();
    await note();
    await visit.button('Use a recovery code').click();
    await visit.at(CHALLENGE);
    await visit.fieldReady();
    await note();
    await visit.field().fill(spent);
    await visit.button('Continue').click();
    await visit.at(NEW_CODE);
    await visit.readCodes();
    await note();
    assert.deepEqual([...seen.keys()], ['/u/login', '/u/mfa-otp-enrollment-qr', SAVE, OTP, CHALLENGE, NEW_CODE]);
    assert.equal(seen.get('/u/mfa-otp-enrollment-qr'), seen.get(SAVE), 'one sign-in');
    assert.equal(seen.get(OTP), seen.get(CHALLENGE), 'one sign-in');
    assert.equal(new Set(seen.values()).size, 4, 'the door, two sign-ins, and who is in');
    await visit.confirm();
  });

  story('opens nothing by itself, and a page of another transaction does nothing: transaction-not-found, with a way to begin again', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    await visit.toChallenge();
    const address = page.url();
    const own = stateOf(page);

    // The address in another browser, without cookies and with those of another sign-in.
    const stranger = new Forms(server.origin);
    const another = new Forms(server.origin);
    await another.password((await server.person()).login);
    for (const [forms, name] of [[stranger, 'nobody'], [another, 'somebody else']]) {
      for (const path of [CHALLENGE, OTP, SAVE, NEW_CODE, '/u/mfa-otp-enrollment-qr', '/u/after-recovery', '/u/login']) {
        const answer = await forms.request('GET', named(path, own));
        assert.equal(answer.status, 409, `${path}, ${name}`);
        assert.equal(codeIn(answer), 'transaction-not-found', `${path}, ${name}`);
        assert.match(answer.body, /href="\/u\/login"/, `${path}, ${name}`);
      }
    }

    // One's own cookies with another name, or none, in the address or in the form.
    const csrf = await page.locator('input[name=csrf]').first().inputValue();
    const cookie = (await visit.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const other = another.state;
    assert.notEqual(other, own);
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
    for (const query of ['', '?state=', `?state=${other}`, `?state=${own}&state=${own}`]) {
      const answer = await raw('GET', visit.url(CHALLENGE + query), { headers: { cookie } });
      assert.deepEqual([answer.status, codeIn(answer)], [409, 'transaction-not-found'], query);
    }
    for (const [query, state] of [['', ''], ['', other], [`?state=${own}`, other], [`?state=${other}`, own], [`?state=${own}`, '']]) {
      const body = new URLSearchParams({ csrf, state, code: codes[0], action: 'default' }).toString();
      const answer = await raw('POST', visit.url(CHALLENGE + query), { headers, body });
      assert.deepEqual([answer.status, codeIn(answer)], [409, 'transaction-not-found'], `${query} and ${state}`);
    }
    const { tries_left: tries, remaining } = (await visit.account()).recovery;
    assert.deepEqual([tries, remaining], [10, 10], 'no attempt, no code');

    // Expired.
    await visit.alter('challenge', 'expires_at = 1');
    await page.goto(address);
    assert.equal(await code(page), 'transaction-not-found');
    await visit.link('Sign in again').click();
    await visit.at('/u/login');
    assert.equal((await visit.redeem(codes[0])).status(), 303);
  });

  story('of a sign-in that is over leads who is in to the account', async (visit, page) => {
    await visit.toCodes();
    const address = page.url();
    await visit.confirm();
    await page.goto(address);
    assert.equal(await code(page), 'transaction-not-found');
    assert.equal(await visit.link('Sign in again').count(), 0);
    await visit.link('Go to my account').click();
    await visit.at('/account');
  });
});

describe('the posted fields are Auth0’s', () => {
  story('by the page, with its scripts', async (visit, page) => {
    const state = () => page.locator('input[name=state]').first().inputValue();
    const posts = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posts.push([new URL(request.url()).pathname, Object.fromEntries(new URLSearchParams(request.postData()))]);
    });
    const last = () => posts.at(-1)[1];
    await visit.password();
    assert.deepEqual(Object.keys(last()).sort(), ['action', 'csrf', 'password', 'state', 'username']);
    await visit.takeKey();
    await visit.otp();
    assert.deepEqual(Object.keys(last()).sort(), ['action', 'code', 'csrf', 'state']);
    await visit.codesSeen();
    const enrolling = await state();
    await visit.confirm();
    const { csrf: _, generation, ...saving } = last();
    assert.deepEqual(saving, { saved: 'on', action: 'default', state: enrolling });
    assert.equal(generation, '1');
    await visit.signOut();
    await visit.toChallenge();
    const { csrf: __, ...toCode } = last();
    assert.deepEqual(toCode, { action: 'pick-authenticator', state: await state() });
    await visit.field().fill(visit.codes[0]);
    await visit.button('Try another method').click();
    await visit.at(OTP);
    const { csrf: ___, ...toOtp } = last();
    assert.deepEqual(toOtp, { action: 'pick-authenticator', state: await state() }, 'what was typed stays here');
    assert.equal((await visit.account()).recovery.remaining, 10);
    await visit.button('Use a recovery code').click();
    await visit.at(CHALLENGE);
    await visit.fieldReady();
    const challenged = await state();
    await visit.field().fill(visit.codes[0]);
    const { csrf: ____, ...redeemed } = fields(await visit.press(visit.button('Continue')));
    assert.deepEqual(redeemed, { code: visit.codes[0], action: 'default', state: challenged });
    await visit.at('/u/after-recovery');
  });

  story('members that nobody knows are left alone, a button that nobody has is refused and spends nothing', async (visit) => {
    const codes = await visit.enroll();
    const forms = new Forms(server.origin);
    await forms.password(visit.person.login);
    const unknown = await forms.submit(CHALLENGE, { code: codes[0], action: 'resend' });
    assert.equal(unknown.status, 409);
    assert.equal((await visit.account()).recovery.remaining, 10);
    const sdk = { 'acul-sdk': '@auth0/auth0-acul-js@1.8.0' };
    const picked = await forms.submit(CHALLENGE, { action: 'pick-authenticator', ...sdk });
    assert.deepEqual([picked.status, picked.location], [303, OTP]);
    const answer = await forms.submit(CHALLENGE, { code: codes[0], action: 'default', ...sdk });
    assert.deepEqual([answer.status, answer.location], [303, '/u/after-recovery']);
  });
});

describe('error codes', () => {
  story('stand beside the field, for machines and in words', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    await visit.password();
    await visit.otp('12345');
    assert.equal(await page.locator('.field .error').getAttribute('data-error'), 'invalid-code-format');
    await visit.otp(visit.app.wrong());
    assert.equal(await page.locator('.field .error').getAttribute('data-error'), 'invalid-code');

    const forms = new Forms(server.origin);
    await forms.password(visit.person.login);
    const told = async (typed) => {
      const answer = await forms.submit(CHALLENGE, { code: typed });
      return [answer.status, codeIn(answer)];
    };
    assert.deepEqual(await told(''), [422, 'no-code']);
    assert.deepEqual(await told('KZ3M'), [422, 'invalid-code-format']);
    assert.deepEqual(await told(STRANGER), [403, 'invalid-code']);
    for (let more = 9; more > 0; more -= 1) await told(STRANGER);
    await visit.button('Use a recovery code').click();
    await visit.at(CHALLENGE);
    await visit.fieldReady();
    await visit.field().fill(codes[0]);
    await visit.press(visit.button('Continue'));
    const error = page.locator('.field .error');
    assert.equal(await error.getAttribute('data-error'), 'too-many-failures');
    const described = await visit.field().getAttribute('aria-describedby');
    assert.ok(described.includes('code-wait'), 'the wait is read with the field');
    await page.getByText(/^You can try again in /).waitFor();
    // What the field itself says next is not what the server said.
    await visit.field().pressSequentially('KZ3M1');
    await page.waitForFunction(() => !document.querySelector('#code-error').dataset.error);
  });

  story('a fault of ours is authenticator-error, and nothing was spent', async (visit) => {
    const codes = await visit.enroll();
    const forms = new Forms(server.origin);
    await forms.password(visit.person.login);
    await server.alter(`CREATE TRIGGER broken BEFORE UPDATE ON code BEGIN SELECT RAISE(ABORT, 'broken'); END`);
    const broken = await forms.submit(CHALLENGE, { code: codes[0] });
    await server.alter('DROP TRIGGER broken');
    assert.deepEqual([broken.status, codeIn(broken)], [500, 'authenticator-error']);
    assert.match(broken.body, /It was not used\./);
    const { remaining, tries_left: tries } = (await visit.account()).recovery;
    assert.deepEqual([remaining, tries], [10, 10]);
    assert.equal((await forms.submit(CHALLENGE, { code: codes[0] })).location, '/u/after-recovery');
  });

  story('no-confirmation at the list of codes and at the successor of a single one, by the server', async (visit, page) => {
    await visit.toCodes();
    const forms = { csrf: 'input[name=csrf]', state: 'input[name=state]', generation: 'input[name=generation]' };
    const unsaid = async () => {
      const hidden = {};
      for (const [name, selector] of Object.entries(forms)) hidden[name] = await page.locator(selector).first().inputValue();
      const cookie = (await visit.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
      return raw('POST', page.url(), {
        headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ ...hidden, action: 'default' }).toString(),
      });
    };
    const first = await unsaid();
    assert.deepEqual([first.status, codeIn(first)], [422, 'no-confirmation']);
    await visit.confirm();
    const spent = await visit.single();
    await visit.signOut();
    await visit.redeem(spent);
    await visit.at(NEW_CODE);
    await page.clock.install();
    await page.reload();
    const [next] = await visit.readCodes();
    await page.getByText('I have safely recorded this code').waitFor();
    await visit.button('Copy code').waitFor();
    const second = await unsaid();
    assert.deepEqual([second.status, codeIn(second)], [422, 'no-confirmation']);
    assert.ok(second.body.includes(next), 'and the code is still there');
    assert.match(second.body, /Please confirm that you have recorded the code:/);
    await page.clock.fastForward('10:05');
    await page.getByText('The code is no longer shown here. If you saved it, it works.').waitFor();
    assert.equal((await new Forms(server.origin).redeem(visit.person.login, next)).location, NEW_CODE);
  });
});

story('before the codes run out it is said in time, in a live region that was there, without moving the focus (B-05, B-09)', async (visit, page) => {
  await visit.toCodes();
  await page.clock.install();
  await page.reload();
  await visit.readCodes();
  const region = await page.locator('#pending[role=status]').elementHandle();
  assert.match(await region.textContent(), /come back to this page for 10 minutes/);
  await visit.button('I wrote them down').focus();
  await page.clock.fastForward('06:00');
  assert.match(await region.textContent(), /come back to this page/, 'not long before');
  await page.clock.fastForward('02:05');
  assert.equal(await region.textContent(), 'These codes run out in 2 minutes. Save them and continue before that; after it you will get new ones.');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'sk-wrote-down');
  assert.equal(await page.locator('.sk-list code').count(), 10);
  await page.clock.fastForward('02:00');
  await page.getByText('These codes were not confirmed in time and will never work.').waitFor();
  assert.equal(await page.locator('.sk-list code').count(), 0);
  assert.equal(await page.locator('#pending').isVisible(), false);
});

test('the texts of the screens are under prompt and screen, by Auth0’s keys', () => {
  const locale = JSON.parse(readFileSync(fileURLToPath(new URL('../../web/locales/en.json', import.meta.url)), 'utf8'));
  const screens = {
    login: { login: ['pageTitle', 'title', 'description', 'buttonText', 'logoAltText', 'wrong-credentials'] },
    'mfa-otp': {
      'mfa-otp-enrollment-qr': ['pageTitle', 'title', 'description', 'buttonText', 'placeholder', 'logoAltText', 'invalid-code', 'invalid-code-format'],
      'mfa-otp-challenge': ['pageTitle', 'title', 'description', 'buttonText', 'pickAuthenticatorText', 'placeholder', 'logoAltText',
        'invalid-code', 'invalid-code-format', 'too-many-failures', 'authenticator-error'],
    },
    'mfa-recovery-code': {
      'mfa-recovery-code-enrollment': ['pageTitle', 'title', 'description', 'altText', 'buttonText', 'checkboxText', 'copyCodeButtonText', 'logoAltText', 'no-confirmation'],
      'mfa-recovery-code-challenge': ['pageTitle', 'title', 'description', 'buttonText', 'pickAuthenticatorText', 'placeholder', 'logoAltText',
        'invalid-code', 'invalid-code-format', 'too-many-failures', 'authenticator-error'],
      'mfa-recovery-code-challenge-new-code': ['pageTitle', 'title', 'description', 'altText', 'buttonText', 'checkboxText', 'copyCodeButtonText', 'logoAltText', 'no-confirmation'],
    },
  };
  const prompts = Object.entries(locale).filter(([, entry]) => typeof entry === 'object');
  assert.deepEqual(prompts.map(([name]) => name), Object.keys(screens));
  for (const [prompt, wanted] of Object.entries(screens)) {
    assert.deepEqual(Object.keys(locale[prompt]), Object.keys(wanted));
    for (const [screen, keys] of Object.entries(wanted)) {
      for (const key of keys) assert.equal(typeof locale[prompt][screen][key], 'string', `${screen}.${key}`);
    }
  }
});
