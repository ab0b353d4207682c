/** The pairs of error and description that clients compare with, and what else they look for in a refusal. */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import {
  APP, GRANT, MANAGEMENT, PASSWORD, READONLY, REJECTED, SPA, alter, associate, begin, come, enrolled, expect, issuer, login, manage, managementToken,
  person, redeem, send, setRecoveryCodes, settle, verify,
} from './tenant.mjs';

beforeEach(settle);
after(settle);

const pair = ({ body }) => [body.error, body.error_description];

describe('at the token endpoint', () => {
  test('a code that is wrong, spent, superseded, malformed, or was never issued: one answer', async () => {
    const who = await enrolled();
    const { body: { recovery_code: second } } = await come(who, who.code);
    const { recovery_code: third } = await manage(200, 'POST', `/users/${encodeURIComponent(who.id)}/recovery-code-regeneration`);
    await setRecoveryCodes(false);
    const without = await enrolled();
    await setRecoveryCodes(true);
    const stranger = await enrolled();
    const answers = [
      await come(who, who.code), await come(who, second), await come(who, stranger.code), await come(who, '123456'), await come(without, third),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 403);
      assert.deepEqual(answer.body, REJECTED);
      assert.match(answer.headers.get('content-type'), /^application\/json\b/);
      assert.equal(answer.headers.get('www-authenticate'), null, 'openid-client would lose the error over it');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
    }
    assert.equal((await come(who, third)).status, 200);
  });

  test('a wrong password of the app', async () => {
    const who = await enrolled();
    const answer = await verify(await begin(who), who.app.wrong());
    assert.deepEqual([answer.status, ...pair(answer)], [403, 'invalid_grant', 'Invalid otp_code.']);
  });

  test('a password of the app is good for one time', async () => {
    const who = await enrolled();
    const answer = await verify(await begin(who), who.app.again());
    assert.deepEqual([answer.status, ...pair(answer)], [403, 'invalid_grant', 'Invalid otp_code.']);
  });

  test('an mfa_token that cannot be read, and one that is spent', async () => {
    const who = await enrolled();
    const garbled = await redeem('Fe26.2*not*one', who.code);
    assert.deepEqual([garbled.status, ...pair(garbled)], [403, 'invalid_grant', 'Malformed mfa_token']);
    const mfaToken = await begin(who);
    const { body: { recovery_code: next } } = await redeem(mfaToken, who.code);
    const spent = await redeem(mfaToken, next);
    assert.deepEqual([spent.status, ...pair(spent)], [403, 'invalid_grant', 'Malformed mfa_token']);
    assert.equal((await come(who, next)).status, 200, 'the code was not touched by it');
  });

  test('an mfa_token that is over', async () => {
    const who = await enrolled();
    const mfaToken = await begin(who);
    alter(who, 'challenge', `expires_at = ${Date.now() - 1}`);
    const answer = await redeem(mfaToken, who.code);
    assert.deepEqual([answer.status, ...pair(answer)], [403, 'expired_token', 'mfa_token is expired']);
    assert.equal((await come(who, who.code)).status, 200);
  });

  test("another client's mfa_token", async () => {
    const who = await enrolled();
    const answer = await redeem(await begin(who), who.code, SPA);
    assert.deepEqual([answer.status, ...pair(answer)], [400, 'invalid_request', 'mfa_token not issued to this client']);
    assert.equal((await come(who, who.code)).status, 200);
  });

  test('a member that is missing, a grant that is not there, a secret that is wrong, a grant that is not allowed', async () => {
    const who = await person();
    const mfaToken = await begin(who);
    const token = (form) => send('POST', '/oauth/token', { form });
    const missing = await token({ ...APP, grant_type: GRANT['mfa-recovery-code'], mfa_token: mfaToken });
    assert.deepEqual([missing.status, ...pair(missing)], [400, 'invalid_request', 'Missing required parameter: recovery_code']);
    const unknown = await token({ ...APP, grant_type: 'telepathy' });
    assert.ok([400, 403].includes(unknown.status));
    assert.equal(unknown.body.error, 'unsupported_grant_type');
    const wrong = await token({ ...APP, client_secret: 'not the secret', grant_type: 'password', username: who.email, password: PASSWORD });
    assert.equal(wrong.status, 401);
    assert.ok(['access_denied', 'invalid_client'].includes(wrong.body.error));
    assert.equal(wrong.headers.get('www-authenticate'), null);
    const disallowed = await token({ ...MANAGEMENT, grant_type: 'password', username: who.email, password: PASSWORD });
    assert.deepEqual([disallowed.status, disallowed.body.error], [403, 'unauthorized_client']);
    const nothing = await send('POST', '/oauth/token', { text: '', headers: { 'content-type': 'application/json' } });
    assert.deepEqual([nothing.status, nothing.body.error], [400, 'invalid_request']);
  });

  test('a refresh token that is not one', async () => {
    const answer = await send('POST', '/oauth/token', { form: { ...APP, grant_type: 'refresh_token', refresh_token: 'not one' } });
    assert.deepEqual([answer.status, ...pair(answer)], [403, 'invalid_grant', 'Unknown or invalid refresh token.']);
  });

  test('ten wrong codes, and the right one has to wait as well; the app lets one in all the same', async () => {
    const who = await enrolled();
    const { code: wrong } = await enrolled();
    const mfaToken = await begin(who);
    for (let times = 0; times < 10; times += 1) assert.deepEqual((await redeem(mfaToken, wrong)).body, REJECTED);
    const limited = await redeem(mfaToken, who.code);
    assert.deepEqual([limited.status, limited.body.error], [429, 'too_many_attempts']);
    assert.ok(Number(limited.headers.get('retry-after')) > 0);
    assert.equal((await verify(mfaToken, await who.app.next())).status, 200);
  });
});

describe('at the MFA API', () => {
  test('no bearer, or one that is nothing: 401 in JSON', async () => {
    for (const token of [undefined, 'nothing']) {
      await expect(401, 'GET', '/mfa/authenticators', { token });
      await expect(401, 'POST', '/mfa/associate', { json: { authenticator_types: ['otp'] }, token });
    }
  });

  test('a person with an authenticator associates no second one with an mfa_token', async () => {
    const who = await enrolled();
    const answer = await send('POST', '/mfa/associate', { json: { authenticator_types: ['otp'] }, token: await begin(who) });
    assert.deepEqual([answer.status, ...pair(answer)], [403, 'access_denied', 'User is already enrolled.']);
  });

  test('a challenge before anything is associated', async () => {
    const mfaToken = await begin(await person());
    const answer = await send('POST', '/mfa/challenge', { json: { ...APP, mfa_token: mfaToken, challenge_type: 'otp' } });
    assert.equal(answer.body.error, 'association_required');
  });

  test('a challenge of a kind that is not there', async () => {
    const who = await enrolled();
    const answer = await send('POST', '/mfa/challenge', { json: { ...APP, mfa_token: await begin(who), challenge_type: 'oob' } });
    assert.equal(answer.body.error, 'unsupported_challenge_type');
  });

  test('a recovery code in an association that nobody has confirmed opens nothing', async () => {
    const who = await person();
    const mfaToken = await begin(who);
    const { recovery_codes: [code] } = await associate(mfaToken);
    const { status } = await redeem(mfaToken, code);
    assert.equal(status, 403);
  });
});

test('a factor that was proven five minutes ago is not fresh enough for the factors themselves', async () => {
  const who = await enrolled({ scope: 'openid offline_access' });
  let refreshToken = who.tokens.refresh_token;
  const refresh = async (audience) => {
    const { status, body } = await send('POST', '/oauth/token', { form: { ...APP, grant_type: 'refresh_token', refresh_token: refreshToken, audience } });
    refreshToken = body.refresh_token ?? refreshToken;
    return [status, body.error];
  };
  for (const audience of ['me/', 'mfa/']) assert.deepEqual(await refresh(issuer + audience), [200, undefined]);
  alter(who, 'session', 'factor_at = factor_at - 301000');
  for (const audience of ['me/', 'mfa/']) assert.deepEqual(await refresh(issuer + audience), [403, 'mfa_required']);
  assert.deepEqual(await refresh(''), [200, undefined]);
});

describe('at the Management API', () => {
  test('errors have a status, its words, a message and a code', async () => {
    const { id } = await enrolled();
    const path = (of) => `/api/v2/users/${encodeURIComponent(of)}/recovery-code-regeneration`;
    const scope = await expect(403, 'POST', path(id), { token: await managementToken(READONLY) });
    assert.deepEqual(scope, { statusCode: 403, error: 'Forbidden', message: 'Insufficient scope, expected any of: update:users', errorCode: 'insufficient_scope' });
    const nobody = await expect(404, 'POST', path('auth0|nobody'), { token: await managementToken() });
    assert.deepEqual(nobody, { statusCode: 404, error: 'Not Found', message: 'The user does not exist.', errorCode: 'inexistent_user' });
    const { id: bare } = await person();
    const unenrolled = await expect(404, 'POST', path(bare), { token: await managementToken() });
    assert.deepEqual(unenrolled, { statusCode: 404, error: 'Not Found', message: 'Enrollment not found', errorCode: 'enrollment_not_found' });
    const unknown = await expect(404, 'GET', '/api/v2/organizations', { token: await managementToken() });
    assert.equal(unknown.statusCode, 404);
  });

  test("a person's access token is none for the Management API", async () => {
    const who = await enrolled();
    const { body: { access_token: token } } = await come(who, who.code);
    await expect(401, 'POST', `/api/v2/users/${encodeURIComponent(who.id)}/recovery-code-regeneration`, { token });
    await expect(401, 'POST', `/api/v2/users/${encodeURIComponent(who.id)}/recovery-code-regeneration`);
  });

  test('the limits are in the headers', async () => {
    const { headers } = await send('GET', '/api/v2/guardian/factors', { token: await managementToken() });
    for (const name of ['limit', 'remaining', 'reset']) assert.match(headers.get(`x-ratelimit-${name}`) ?? '', /^\d+$/, name);
  });
});

test('a wrong password is not told that MFA would be next', async () => {
  const who = await enrolled();
  const answer = await login(who, { password: 'not the password' });
  assert.deepEqual([answer.status, answer.body.error], [403, 'invalid_grant']);
  assert.equal(answer.body.mfa_token, undefined);
  assert.equal((await login(who, { audience: `${issuer}me/` })).body.error, 'mfa_required');
});
