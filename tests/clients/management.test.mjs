/** `auth0` 7, the administrator's client, as published. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { ManagementClient, ManagementError } from 'auth0';
import { CODE, CONNECTION, MANAGEMENT, PASSWORD, READONLY, come, domain, enrolled, person, refused, settle } from './tenant.mjs';

const client = ({ client_id: clientId, client_secret: clientSecret }, more = {}) => new ManagementClient({ domain, clientId, clientSecret, ...more });
const management = client(MANAGEMENT);
const body = (more) => ({ connection: CONNECTION, email: `${randomUUID()}@example.com`, password: PASSWORD, ...more });

/** What the client makes of a refusal. */
const refusal = (statusCode, errorCode) => (error) => {
  assert.ok(error instanceof ManagementError, error.stack);
  assert.equal(error.statusCode, statusCode);
  assert.equal(error.body.statusCode, statusCode);
  if (errorCode) assert.equal(error.body.errorCode, errorCode);
  assert.ok(error.body.message);
  return true;
};

beforeEach(settle);
after(settle);

test('people are made, found, listed and deleted', async () => {
  const given = `auth0|${randomUUID()}`;
  const wanted = body({ user_id: given.slice('auth0|'.length) });
  const made = await management.users.create(wanted);
  assert.equal(made.user_id, given);
  assert.equal(made.email, wanted.email);
  assert.equal((await management.users.get(given)).email, wanted.email);
  const found = await management.users.listUsersByEmail({ email: wanted.email });
  assert.deepEqual(found.map(({ user_id: id }) => id), [given]);
  const page = await management.users.list({ per_page: 2, include_totals: true });
  assert.equal(page.data.length, 2);
  let seen = 0;
  for await (const { user_id: id } of await management.users.list({ per_page: 2, include_totals: true })) if (id) seen += 1;
  assert.ok(seen >= 4, `${seen} people on all pages`);
  await assert.rejects(management.users.create(wanted), refusal(409));
  await management.users.delete(given);
  await assert.rejects(management.users.get(given), refusal(404, 'inexistent_user'));
});

test('what a person has enrolled is listed without the code, and taken away at once', async () => {
  const { id, code } = await enrolled();
  const enrollments = await management.users.enrollments.get(id);
  assert.ok(enrollments.some(({ status }) => status === 'confirmed'));
  const methods = [];
  for await (const method of await management.users.authenticationMethods.list(id)) methods.push(method);
  assert.deepEqual(methods.map(({ type, confirmed }) => [type, confirmed]).sort(), [['recovery-code', true], ['totp', true]]);
  assert.ok(!JSON.stringify(methods).includes(code));
  await management.users.authenticationMethods.deleteAll(id);
  const left = [];
  for await (const method of await management.users.authenticationMethods.list(id)) left.push(method);
  assert.deepEqual(left, []);
});

test('all authenticators of a person are reset, and they enroll anew', async () => {
  const who = await enrolled();
  await management.users.authenticators.deleteAll(who.id);
  assert.deepEqual(await management.users.enrollments.get(who.id), []);
  await assert.rejects(management.users.regenerateRecoveryCode(who.id), refusal(404, 'enrollment_not_found'));
});

test('factors and policies are read and set', async () => {
  const factors = await management.guardian.factors.list();
  const names = factors.map(({ name }) => name).sort();
  assert.deepEqual(names, ['duo', 'email', 'otp', 'push-notification', 'recovery-code', 'sms', 'webauthn-platform', 'webauthn-roaming']);
  const on = factors.filter(({ enabled }) => enabled).map(({ name }) => name).sort();
  assert.deepEqual(on, ['otp', 'recovery-code']);
  assert.deepEqual(await management.guardian.policies.list(), ['all-applications']);
  assert.deepEqual(await management.guardian.policies.set([]), []);
  assert.deepEqual(await management.guardian.policies.list(), []);
  await management.guardian.policies.set(['all-applications']);
  await assert.rejects(management.guardian.enrollments.get('dev_nothing'), refusal(404, 'enrollment_not_found'));
});

test('regenerating needs the scope, the person and an authenticator; a wrong secret is said by the token endpoint', async () => {
  const { id } = await enrolled();
  await assert.rejects(client(READONLY).users.regenerateRecoveryCode(id), refusal(403, 'insufficient_scope'));
  await assert.rejects(management.users.regenerateRecoveryCode('auth0|nobody'), refusal(404, 'inexistent_user'));
  const { id: bare } = await person();
  await assert.rejects(management.users.regenerateRecoveryCode(bare), refusal(404, 'enrollment_not_found'));
  await assert.rejects(client({ ...MANAGEMENT, client_secret: 'not the secret' }).users.regenerateRecoveryCode(id), (error) => {
    assert.equal(error.statusCode, 401);
    assert.ok(['access_denied', 'invalid_client'].includes(error.body.error), JSON.stringify(error.body));
    return true;
  });
  const stale = new ManagementClient({ domain, token: 'not.a.token' });
  await assert.rejects(stale.users.regenerateRecoveryCode(id), refusal(401));
});

/** A fetch that does the request and loses the first answer to a regeneration. */
function losing(how) {
  const codes = [];
  const keys = [];
  const lossy = async (url, init) => {
    const response = await fetch(url, init);
    if (!String(url).endsWith('/recovery-code-regeneration')) return response;
    codes.push((await response.clone().json()).recovery_code);
    keys.push(new Headers(init.headers).get('idempotency-key'));
    return codes.length === 1 ? how() : response;
  };
  return { lossy, codes, keys };
}
const gone = () => new Response('', { status: 502, headers: { 'retry-after': '1' } });

test('a lost answer is asked for again by the client, and the code of the second answer is the live one', async () => {
  const who = await enrolled();
  const { lossy, codes } = losing(gone);
  const { recovery_code: code } = await client(MANAGEMENT, { fetch: lossy }).users.regenerateRecoveryCode(who.id);
  assert.equal(codes.length, 2, 'the client repeats the request by itself');
  assert.equal(code, codes[1]);
  if (codes[0] !== code) await refused(who, codes[0]);
  assert.equal((await come(who, code)).status, 200);
});

test('with an Idempotency-Key the second answer is the first one again', async () => {
  const who = await enrolled();
  const { lossy, codes, keys } = losing(gone);
  const headers = { 'Idempotency-Key': randomUUID() };
  const { recovery_code: code } = await client(MANAGEMENT, { fetch: lossy }).users.regenerateRecoveryCode(who.id, { headers });
  assert.deepEqual(keys, [headers['Idempotency-Key'], headers['Idempotency-Key']]);
  assert.equal(codes[0], codes[1]);
  assert.equal((await management.users.regenerateRecoveryCode(who.id, { headers })).recovery_code, code, 'and again');
  const other = await enrolled();
  await assert.rejects(management.users.regenerateRecoveryCode(other.id, { headers }), refusal(409));
  const answer = await come(who, code);
  assert.equal(answer.status, 200);
  assert.match(answer.body.recovery_code, CODE);
});
