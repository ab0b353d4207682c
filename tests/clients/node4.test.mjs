/**
 * `auth0` 4, as published. Its AuthenticationClient logs in and is told that MFA is needed; it has no
 * calls for MFA, so its users make them by plain requests, as these tests do.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { AuthApiError, AuthenticationClient, ManagementApiError, ManagementClient } from 'auth0-v4';
import { Authenticator } from '../browser/totp.mjs';
import { APP, CODE, CONNECTION, MANAGEMENT, PASSWORD, READONLY, associate, domain, enrolled, person, redeem, refused, settle, verify } from './tenant.mjs';

const options = ({ client_id: clientId, client_secret: clientSecret }) => ({ domain, clientId, clientSecret });
const auth = new AuthenticationClient(options(APP));
const management = new ManagementClient(options(MANAGEMENT));

beforeEach(settle);
after(settle);

const login = (who, more = {}) => auth.oauth.passwordGrant({ username: who.email, password: PASSWORD, realm: CONNECTION, scope: 'openid offline_access', ...more });

async function begin(who) {
  const error = await login(who).then(() => assert.fail('MFA was not asked for'), (thrown) => thrown);
  assert.ok(error instanceof AuthApiError, error.stack);
  assert.deepEqual([error.statusCode, error.error], [403, 'mfa_required']);
  return JSON.parse(error.body).mfa_token;
}

test('the whole life of a code', async () => {
  const { data: { user_id: id, email } } = await management.users.create({ connection: CONNECTION, email: `${randomUUID()}@example.com`, password: PASSWORD });
  const who = { id, email };
  const mfaToken = await begin(who);
  const { secret, recovery_codes: [first] } = await associate(mfaToken);
  assert.match(first, CODE);
  const app = new Authenticator(secret);
  assert.equal((await verify(mfaToken, await app.next())).status, 200);
  assert.equal((await verify(await begin(who), await app.next())).status, 200);

  const { body: { recovery_code: second } } = await redeem(await begin(who), first);
  assert.match(second, CODE);
  await refused(who, first);
  const { data: { recovery_code: third } } = await management.users.regenerateRecoveryCode({ id });
  assert.match(third, CODE);
  await refused(who, second);

  const { data: off } = await management.guardian.updateFactor({ name: 'recovery-code' }, { enabled: false });
  assert.deepEqual(off, { enabled: false });
  const other = await person();
  assert.equal((await associate(await begin(other))).recovery_codes, undefined);
  await refused(who, third);
  await management.guardian.updateFactor({ name: 'recovery-code' }, { enabled: true });
  assert.match((await redeem(await begin(who), third)).body.recovery_code, CODE);
});

test('an id_token stands up to the client, which fetches the keys and checks the signature', async () => {
  await management.guardian.updatePolicies([]);
  try {
    const who = await person();
    const { data } = await login(who);
    assert.ok(data.id_token && data.refresh_token);
    const { data: refreshed } = await auth.oauth.refreshTokenGrant({ refresh_token: data.refresh_token });
    assert.ok(refreshed.id_token);
    await assert.rejects(auth.oauth.refreshTokenGrant({ refresh_token: 'not one' }), { name: 'AuthApiError', statusCode: 403, error: 'invalid_grant' });
  } finally {
    await management.guardian.updatePolicies(['all-applications']);
  }
});

test('refusals of the Management API are what the client knows', async () => {
  const { id } = await enrolled();
  const refusal = (statusCode, errorCode) => (error) => {
    assert.ok(error instanceof ManagementApiError, error.stack);
    assert.deepEqual([error.statusCode, error.errorCode], [statusCode, errorCode]);
    return true;
  };
  await assert.rejects(management.users.regenerateRecoveryCode({ id: 'auth0|nobody' }), refusal(404, 'inexistent_user'));
  const readonly = new ManagementClient(options(READONLY));
  await assert.rejects(readonly.users.regenerateRecoveryCode({ id }), refusal(403, 'insufficient_scope'));
  const { data: factors } = await management.guardian.getFactors();
  assert.equal(factors.find(({ name }) => name === 'recovery-code').enabled, true);
});

test('an Idempotency-Key brings the same code again', async () => {
  const { id } = await enrolled();
  const key = randomUUID();
  // The headers given here would replace the client's own, so they are added to them.
  const withKey = async ({ init }) => ({ headers: { ...init.headers, 'Idempotency-Key': key } });
  const { data: { recovery_code: code } } = await management.users.regenerateRecoveryCode({ id }, withKey);
  const { data: { recovery_code: again } } = await management.users.regenerateRecoveryCode({ id }, withKey);
  assert.equal(again, code);
});
