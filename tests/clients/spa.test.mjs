/** `@auth0/auth0-spa-js`, as published, in a page in Chromium that trusts the server's certificate. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from '../browser/chromium.mjs';
import { Authenticator } from '../browser/totp.mjs';
import { CODE, PASSWORD, SPA, begin, claims, domain, early, enrolled, issuer, manage, redeem, setRecoveryCodes, settle } from './tenant.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const FILES = {
  '/': ['text/html', Buffer.from('<!doctype html><title>Application</title><link rel="icon" href="data:,"><script type="module" src="/spa-page.js"></script>')],
  '/spa-page.js': ['text/javascript', readFileSync(join(here, 'spa-page.js'))],
  '/auth0-spa-js.js': ['text/javascript', readFileSync(join(here, 'node_modules/@auth0/auth0-spa-js/dist/auth0-spa-js.production.esm.js'))],
};

/** A home for the browser in which the certificate is trusted, as a developer would do it once. */
const home = mkdtempSync(join(tmpdir(), 'spare-key-browser-'));
const store = `sql:${join(home, '.pki/nssdb')}`;
let site;
let browser;
let page;
const wrong = [];

before(async () => {
  await settle();
  mkdirSync(join(home, '.pki/nssdb'), { recursive: true });
  execFileSync('certutil', ['-d', store, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', store, '-A', '-n', 'spare-key', '-t', 'C,,', '-i', process.env.NODE_EXTRA_CA_CERTS]);
  site = createServer(({ url }, response) => {
    const [type, body] = FILES[url] ?? ['text/plain', undefined];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': type }).end(body);
  });
  await new Promise((resolve) => { site.listen(0, '127.0.0.1', resolve); });
  browser = await launch({ env: { ...process.env, HOME: home } });
  page = await browser.newPage();
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => { if (/CORS|blocked/i.test(message.text())) wrong.push(message.text()); });
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.waitForFunction(() => 'app' in globalThis);
});

after(async () => {
  await browser?.close();
  site?.close();
  rmSync(home, { recursive: true, force: true });
  await settle();
  assert.deepEqual(wrong, []);
});

const start = (refreshToken, more = {}) => page.evaluate((given) => app.start(...given), [domain, SPA.client_id, refreshToken, more]);
const token = (options = {}) => page.evaluate((given) => app.token(given), options);
const call = (...given) => page.evaluate((all) => app.call(...all), given);
const mfa = async (...given) => {
  const answer = await call('mfa', ...given);
  assert.ok('value' in answer, JSON.stringify(answer));
  return answer.value;
};

/** The next refresh of somebody who is signed in since before the policy. */
async function meet(who, more) {
  await start(who.refreshTokens.pop(), more);
  const asked = await token();
  assert.equal(asked.error, 'mfa_required', JSON.stringify(asked));
  return asked;
}

const redeemed = async (who, recoveryCode) => {
  const { mfaToken } = await meet(who);
  return call('mfa', 'verify', { mfaToken, recoveryCode });
};
const refused = async (who, code) => {
  const { error, description } = await redeemed(who, code);
  assert.deepEqual([error, description], ['invalid_grant', 'MFA Authorization rejected.']);
};

for (const [name, options] of [['forms', {}], ['JSON', { useFormData: false }]]) {
  test(`the whole life of a code, with ${name}`, async () => {
    const who = await early(7);
    const { mfaToken, requirements } = await meet(who, options);
    assert.deepEqual(requirements.enroll, [{ type: 'otp' }]);
    assert.deepEqual(await mfa('getEnrollmentFactors', mfaToken), [{ type: 'otp' }]);
    const enrollment = await mfa('enroll', { mfaToken, factorType: 'otp' });
    const [first] = enrollment.recoveryCodes;
    assert.match(first, CODE);
    const authenticator = new Authenticator(enrollment.secret);
    const tokens = await mfa('verify', { mfaToken, otp: await authenticator.next() });
    assert.equal(claims(tokens.id_token).sub, who.id);
    assert.equal(tokens.recovery_code, undefined);
    const { value: cached } = await token();
    assert.equal(cached.access_token, tokens.access_token, 'the client kept the token');
    const { value: user } = await page.evaluate(() => app.user());
    assert.equal(user.sub, who.id);
    assert.equal((await token({ cacheMode: 'off' })).error, undefined, 'a refresh after MFA asks for nothing');

    const again = await meet(who, options);
    assert.deepEqual(again.requirements.challenge, [{ type: 'otp' }]);
    const authenticators = await mfa('getAuthenticators', again.mfaToken);
    assert.deepEqual(authenticators.map(({ authenticatorType, active }) => [authenticatorType, active]), [['otp', true]]);
    assert.equal((await mfa('challenge', { mfaToken: again.mfaToken, challengeType: 'otp', authenticatorId: authenticators[0].id })).challengeType, 'otp');
    await mfa('verify', { mfaToken: again.mfaToken, otp: await authenticator.next() });

    const { value: { recovery_code: second } } = await redeemed(who, first);
    assert.match(second, CODE);
    await refused(who, first);
    const { recovery_code: third } = await manage(200, 'POST', `/users/${encodeURIComponent(who.id)}/recovery-code-regeneration`);
    await refused(who, second);
    assert.match((await redeemed(who, third)).value.recovery_code, CODE);
  });
}

test('a login by password from the page is answered across origins', async () => {
  const { email } = await enrolled();
  const { status, body } = await page.evaluate(([to, form]) => app.login(to, form), [
    issuer, { grant_type: 'password', username: email, password: PASSWORD, ...SPA },
  ]);
  assert.deepEqual([status, body.error], [403, 'mfa_required']);
});

test('recovery codes off: none is issued and none is accepted', async () => {
  const who = await enrolled({ who: await early(2) });
  await setRecoveryCodes(false);
  const other = await meet(await early(1));
  assert.equal((await mfa('enroll', { mfaToken: other.mfaToken, factorType: 'otp' })).recoveryCodes, undefined);
  await refused(who, who.code);
  await setRecoveryCodes(true);
  assert.match((await redeemed(who, who.code)).value.recovery_code, CODE);
});

test('a wrong password of the app is told, and the right one is accepted after it', async () => {
  const who = await enrolled({ who: await early(1) });
  const { mfaToken } = await meet(who);
  const { error, description } = await call('mfa', 'verify', { mfaToken, otp: who.app.wrong() });
  assert.deepEqual([error, description], ['invalid_grant', 'Invalid otp_code.']);
  assert.ok((await mfa('verify', { mfaToken, otp: await who.app.next() })).access_token);
});

describe('My Account', () => {
  const SCOPES = 'openid profile email offline_access';

  /** Somebody with an authenticator whose client may ask for tokens of several audiences. */
  async function known() {
    const who = await enrolled({ client: SPA, scope: SCOPES });
    await start(who.tokens.refresh_token, { useMrrt: true });
    return who;
  }
  const mine = async (...given) => {
    const answer = await call('myAccount', ...given);
    assert.ok('value' in answer, JSON.stringify(answer));
    return answer.value;
  };

  test('a new code is made in two phases: the old one works until the new one is confirmed', async () => {
    const who = await known();
    const challenge = await mine('enrollmentChallenge', { type: 'recovery-code' });
    assert.match(challenge.recovery_code, CODE);
    assert.match(challenge.id, /^recovery-code\|/);
    assert.ok(challenge.location.startsWith(`${issuer}me/v1/authentication-methods/`), challenge.location);
    const { location, auth_session: session } = challenge;
    const method = await mine('enrollmentVerify', { location, auth_session: session, type: 'recovery-code' });
    assert.deepEqual([method.type, method.confirmed], ['recovery-code', true]);
    assert.equal((await redeem(await begin(who, { client: SPA }), who.code, SPA)).status, 403);
    assert.match((await redeem(await begin(who, { client: SPA }), challenge.recovery_code, SPA)).body.recovery_code, CODE);
  });

  test('a new code that nobody confirms takes nothing away', async () => {
    const who = await known();
    const { recovery_code: next } = await mine('enrollmentChallenge', { type: 'recovery-code' });
    assert.equal((await redeem(await begin(who, { client: SPA }), next, SPA)).status, 403);
    assert.equal((await redeem(await begin(who, { client: SPA }), who.code, SPA)).status, 200);
  });

  test('what is enrolled is listed, without the code', async () => {
    const who = await known();
    const methods = await mine('getAuthenticationMethods');
    const types = methods.map(({ type }) => type);
    for (const type of ['totp', 'recovery-code']) assert.ok(types.includes(type), types.join());
    assert.ok(!JSON.stringify(methods).includes(who.code));
    const factors = await mine('getFactors');
    assert.ok(factors.some(({ type }) => type === 'recovery-code'), JSON.stringify(factors));
  });

  test('a session without a factor has to prove one first', async () => {
    const who = await enrolled({ who: await early(1) });
    await start(who.refreshTokens.pop(), { useMrrt: true });
    const asked = await call('myAccount', 'enrollmentChallenge', { type: 'recovery-code' });
    assert.equal(asked.error, 'mfa_required', JSON.stringify(asked));
    await mfa('verify', { mfaToken: asked.mfaToken, otp: await who.app.next() });
    const { recovery_code: code } = await mine('enrollmentChallenge', { type: 'recovery-code' });
    assert.match(code, CODE);
  });
});
