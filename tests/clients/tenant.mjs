/** The tenant that the clients talk to, and what a test sets up there by plain requests. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Authenticator } from '../browser/totp.mjs';

if (!process.env.SPARE_KEY_DOMAIN) throw new Error('no server: node run.mjs starts one and then this file');

export const domain = process.env.SPARE_KEY_DOMAIN;
export const origin = `https://${domain}`;
export const issuer = `${origin}/`;

export const MANAGEMENT = { client_id: 'dev-management', client_secret: 'dev-management-secret' };
export const READONLY = { client_id: 'dev-readonly', client_secret: 'dev-readonly-secret' };
export const APP = { client_id: 'dev-app', client_secret: 'dev-app-secret' };
export const SPA = { client_id: 'dev-spa' };
export const PASSWORD = 'correct horse battery staple';
export const CONNECTION = 'Username-Password-Authentication';
export const CODE = /^[A-Z0-9]{24}$/;

/** The long names of the grants. */
export const GRANT = Object.fromEntries(
  ['password-realm', 'mfa-otp', 'mfa-oob', 'mfa-recovery-code'].map((name) => [name, `http://auth0.com/oauth/grant-type/${name}`]),
);

/** How clients tell a code that is not accepted. */
export const REJECTED = { error: 'invalid_grant', error_description: 'MFA Authorization rejected.' };

/**
 * One request. `json` and `form` are bodies with their type, `text` is a body without one, `token` a
 * bearer. What comes back says that it is JSON, or is empty.
 */
export async function send(method, path, { json, form, text, token, headers = {} } = {}) {
  const all = new Headers(headers);
  let body = text;
  if (json !== undefined) {
    body = JSON.stringify(json);
    all.set('content-type', 'application/json');
  }
  if (form !== undefined) {
    body = new URLSearchParams(form).toString();
    all.set('content-type', 'application/x-www-form-urlencoded');
  }
  if (token !== undefined) all.set('authorization', `Bearer ${token}`);
  // As bytes, so that fetch adds no content type of its own.
  const response = await fetch(origin + path, { method, headers: all, body: body === undefined ? undefined : new TextEncoder().encode(body) });
  const answer = await response.text();
  if (answer !== '') assert.match(response.headers.get('content-type') ?? '', /^application\/([a-z]+\+)?json\b/, answer);
  return { status: response.status, headers: response.headers, body: answer === '' ? undefined : JSON.parse(answer) };
}

/** One request that has to be answered with this status. */
export async function expect(status, method, path, options) {
  const answer = await send(method, path, options);
  assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

let token;

/** A token of the machine client that may do everything. */
export async function managementToken(client = MANAGEMENT) {
  if (client === MANAGEMENT && token !== undefined) return token;
  const answer = await expect(200, 'POST', '/oauth/token', {
    form: { grant_type: 'client_credentials', ...client, audience: `${issuer}api/v2/` },
  });
  if (client === MANAGEMENT) token = answer.access_token;
  return answer.access_token;
}

/** One call of the Management API, with every scope. */
export const manage = async (status, method, path, json) => expect(status, method, `/api/v2${path}`, { json, token: await managementToken() });

/** `[]` demands MFA of nobody, `['all-applications']` of everybody. */
export const setPolicy = (policies) => manage(200, 'PUT', '/guardian/policies', policies);

/** Whether codes are issued and accepted. */
export const setRecoveryCodes = (enabled) => manage(200, 'PUT', '/guardian/factors/recovery-code', { enabled });

/** The tenant as `dev` makes it. */
export async function settle() {
  await setPolicy(['all-applications']);
  await setRecoveryCodes(true);
}

/** Somebody new, who has only a password. */
export async function person() {
  const email = `${randomUUID()}@example.com`;
  const { user_id: id } = await manage(201, 'POST', '/users', { connection: CONNECTION, email, password: PASSWORD });
  return { id, email };
}

/** A login by password. */
export const login = (who, { client = APP, scope = 'openid profile', ...more } = {}) => send('POST', '/oauth/token', {
  form: { grant_type: 'password', username: who.email, password: PASSWORD, scope, ...client, ...more },
});

/** A login by password that is answered with what MFA needs. */
export async function begin(who, options) {
  const { status, body } = await login(who, options);
  assert.equal(status, 403, JSON.stringify(body));
  assert.equal(body.error, 'mfa_required');
  return body.mfa_token;
}

/** The three ways on from there. */
export const associate = (mfaToken) => expect(200, 'POST', '/mfa/associate', { json: { authenticator_types: ['otp'] }, token: mfaToken });
export const verify = (mfaToken, otp, client = APP) => send('POST', '/oauth/token', {
  form: { grant_type: GRANT['mfa-otp'], mfa_token: mfaToken, otp, ...client },
});
export const redeem = (mfaToken, code, client = APP) => send('POST', '/oauth/token', {
  form: { grant_type: GRANT['mfa-recovery-code'], mfa_token: mfaToken, recovery_code: code, ...client },
});

/**
 * Somebody new who has signed in, this many times, before the policy came. Each of the refresh tokens
 * is of a session without a second factor: where clients that know no password meet MFA.
 */
export async function early(times, { client = SPA, scope = 'openid profile email offline_access' } = {}) {
  const who = await person();
  await setPolicy([]);
  const refreshTokens = [];
  for (let time = 0; time < times; time += 1) {
    const { status, body } = await login(who, { client, scope });
    assert.equal(status, 200, JSON.stringify(body));
    refreshTokens.push(body.refresh_token);
  }
  await setPolicy(['all-applications']);
  return { ...who, refreshTokens };
}

/** Somebody with an authenticator app and, where they are issued, a recovery code. */
export async function enrolled(options = {}) {
  const who = options.who ?? await person();
  const mfaToken = await begin(who, options);
  const association = await associate(mfaToken);
  const app = new Authenticator(association.secret);
  const { status, body } = await verify(mfaToken, await app.next(), options.client);
  assert.equal(status, 200, JSON.stringify(body));
  return { ...who, app, code: association.recovery_codes?.[0], tokens: body };
}

/** Lets time pass where only the store knows of it: somebody's rows of a table, changed. */
export function alter(who, table, change) {
  const sql = `UPDATE ${table} SET ${change} WHERE account_n = (SELECT n FROM account WHERE id = '${who.id}')`;
  execFileSync('sqlite3', ['-cmd', '.timeout 5000', process.env.SPARE_KEY_DATABASE, sql]);
}

/** A login that ends with a recovery code. */
export const come = async (who, code, options = {}) => redeem(await begin(who, options), code, options.client);

/** A code is refused, as every code that does not get one in. */
export async function refused(who, code, options) {
  const { status, body } = await come(who, code, options);
  assert.equal(status, 403);
  assert.deepEqual(body, REJECTED);
}

/** What a token says. Its signature is the business of the clients. */
export const claims = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString('utf8'));
