/**
 * How clients that are not run here put their requests, down to the bytes: go-auth0, auth0-java,
 * Auth0.swift, Auth0.Android, auth0.js, auth0-python 4.
 */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { Authenticator } from '../browser/totp.mjs';
import {
  APP, CODE, CONNECTION, GRANT, MANAGEMENT, PASSWORD, SPA, associate, begin, come, domain, enrolled, expect, issuer, managementToken,
  person, refused, send, settle, verify,
} from './tenant.mjs';

beforeEach(settle);
after(settle);

const audience = `${issuer}api/v2/`;
const client = `Basic ${Buffer.from(`${APP.client_id}:${APP.client_secret}`).toString('base64')}`;

describe('go-auth0', () => {
  test('fetches the keys when it is constructed', async () => {
    const { keys } = await expect(200, 'GET', '/.well-known/jwks.json');
    assert.ok(keys.length > 0);
    for (const key of keys) {
      assert.equal(key.kty, 'RSA');
      assert.ok(key.kid && key.n && key.e);
      assert.equal(key.d, undefined, 'a private exponent');
    }
    const found = await expect(200, 'GET', '/.well-known/openid-configuration');
    assert.equal(found.issuer, issuer);
    assert.equal(found.token_endpoint, `${issuer}oauth/token`);
    assert.equal(found.jwks_uri, `${issuer}.well-known/jwks.json`);
    assert.ok(found.id_token_signing_alg_values_supported.includes('RS256'));
  });

  test('puts client_id and client_secret into the body of the association, and grants into forms', async () => {
    const who = await person();
    const mfaToken = await begin(who, { grant_type: GRANT['password-realm'], realm: CONNECTION });
    const association = await expect(200, 'POST', '/mfa/associate', {
      json: { ...APP, authenticator_types: ['otp'] }, token: mfaToken,
    });
    assert.equal(association.authenticator_type, 'otp');
    const app = new Authenticator(association.secret);
    const { status, body } = await verify(mfaToken, await app.next());
    assert.equal(status, 200);
    assert.equal(body.recovery_code, undefined);
    const redeemed = await come(who, association.recovery_codes[0]);
    assert.match(redeemed.body.recovery_code, CODE);
    assert.deepEqual([redeemed.body.token_type, typeof redeemed.body.expires_in], ['Bearer', 'number']);
    assert.equal(redeemed.headers.get('cache-control'), 'no-store');
  });
});

describe('regeneration takes every kind of no body', () => {
  const kinds = [
    ['no body and no type (node 4, 5 and 7, python 6)', {}],
    ['an empty body that is said to be JSON (python 4)', { text: '', headers: { 'content-type': 'application/json' } }],
    ['{} and a line break (go-auth0)', { text: '{}\n', headers: { 'content-type': 'application/json' } }],
  ];
  for (const [name, options] of kinds) {
    test(name, async () => {
      const who = await enrolled();
      const path = `/api/v2/users/${encodeURIComponent(who.id)}/recovery-code-regeneration`;
      const token = await managementToken();
      const { recovery_code: code } = await expect(200, 'POST', path, { ...options, token });
      assert.match(code, CODE);
      await refused(who, who.code);
      assert.equal((await come(who, code)).status, 200);
    });
  }

  test('and knows only POST', async () => {
    const { id } = await enrolled();
    const path = `/api/v2/users/${encodeURIComponent(id)}/recovery-code-regeneration`;
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status } = await send(method, path, { token: await managementToken() });
      assert.ok([404, 405].includes(status), `${method}: ${status}`);
    }
  });

  test('and the id may stand in the path as it is', async () => {
    const { id } = await enrolled();
    const answer = await expect(200, 'POST', `/api/v2/users/${id.replace('|', '%7c')}/recovery-code-regeneration`, { token: await managementToken() });
    assert.match(answer.recovery_code, CODE);
  });
});

describe('JSON at the token endpoint', () => {
  // Row A-87.
  test('auth0-java, Auth0.swift and Auth0.Android: every grant', async () => {
    const who = await person();
    const grant = (status, json) => expect(status, 'POST', '/oauth/token', { json: { ...APP, ...json } });
    const credentials = { username: who.email, password: PASSWORD, realm: CONNECTION, scope: 'openid profile email offline_access' };
    const begun = await grant(403, { grant_type: GRANT['password-realm'], ...credentials });
    assert.equal(begun.error, 'mfa_required');
    const { secret, recovery_codes: [code] } = await associate(begun.mfa_token);
    const app = new Authenticator(secret);
    const first = await grant(200, { grant_type: GRANT['mfa-otp'], mfa_token: begun.mfa_token, otp: await app.next() });
    assert.ok(first.id_token && first.refresh_token);
    const { access_token: refreshed } = await grant(200, { grant_type: 'refresh_token', refresh_token: first.refresh_token });
    assert.ok(refreshed);
    const again = await grant(403, { grant_type: GRANT['password-realm'], ...credentials });
    const challenge = await expect(200, 'POST', '/mfa/challenge', { json: { ...APP, mfa_token: again.mfa_token, challenge_type: 'otp oob' } });
    assert.equal(challenge.challenge_type, 'otp');
    const recovered = await grant(200, { grant_type: GRANT['mfa-recovery-code'], mfa_token: again.mfa_token, recovery_code: code });
    assert.match(recovered.recovery_code, CODE);
  });

  test('auth0-python 4: members that are null are as good as absent', async () => {
    const token = await expect(200, 'POST', '/oauth/token', {
      json: { ...MANAGEMENT, audience, grant_type: 'client_credentials', organization: null },
    });
    assert.equal(token.token_type, 'Bearer');
    const who = await person();
    const begun = await expect(403, 'POST', '/oauth/token', {
      json: { ...APP, username: who.email, password: PASSWORD, realm: null, scope: null, audience: null, grant_type: 'password', organization: null },
    });
    assert.equal(begun.error, 'mfa_required');
  });

  test('a charset behind the type, and members that nobody knows, do no harm', async () => {
    const who = await person();
    const headers = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8', 'auth0-client': 'eyJuYW1lIjoiYW55In0', 'auth0-forwarded-for': '192.0.2.7' };
    const text = new URLSearchParams({ grant_type: 'password', username: who.email, password: PASSWORD, realm: CONNECTION, device: 'x', ...APP }).toString();
    assert.equal((await expect(403, 'POST', '/oauth/token', { text, headers })).error, 'mfa_required');
    const json = JSON.stringify({ grant_type: 'password', username: who.email, password: PASSWORD, device: { name: 'x' }, ...APP });
    assert.equal((await expect(403, 'POST', '/oauth/token', { text: json, headers: { 'content-type': 'application/json; charset=utf-8' } })).error, 'mfa_required');
  });

  test('the secret may come by Basic, with or without client_id in the body', async () => {
    const who = await person();
    for (const more of [{}, { client_id: APP.client_id }]) {
      const form = { grant_type: 'password', username: who.email, password: PASSWORD, ...more };
      assert.equal((await expect(403, 'POST', '/oauth/token', { form, headers: { authorization: client } })).error, 'mfa_required');
    }
  });

  test('an empty scope asks for nothing and takes nothing away', async () => {
    const { tokens } = await enrolled({ scope: 'openid offline_access' });
    const refreshed = await expect(200, 'POST', '/oauth/token', {
      json: { ...APP, refresh_token: tokens.refresh_token, scope: '', grant_type: 'refresh_token' },
    });
    assert.ok(refreshed.id_token);
  });
});

test('auth0.js: from a page elsewhere, JSON with a preflight before it', async () => {
  const who = await person();
  const page = 'http://127.0.0.1:3000';
  const preflight = await fetch(`${issuer}oauth/token`, {
    method: 'OPTIONS',
    headers: { origin: page, 'access-control-request-method': 'POST', 'access-control-request-headers': 'auth0-client,content-type' },
  });
  assert.ok(preflight.ok, `${preflight.status}`);
  assert.equal(preflight.headers.get('access-control-allow-origin'), page);
  const allowed = preflight.headers.get('access-control-allow-headers').toLowerCase().split(/\s*,\s*/);
  for (const header of ['auth0-client', 'content-type']) assert.ok(allowed.includes(header), header);
  const { status, headers, body } = await send('POST', '/oauth/token', {
    json: { realm: CONNECTION, ...SPA, scope: 'openid profile', grant_type: GRANT['password-realm'], username: who.email, password: PASSWORD },
    headers: { origin: page, 'auth0-client': 'eyJuYW1lIjoiYXV0aDAuanMifQ==' },
  });
  assert.deepEqual([status, body.error], [403, 'mfa_required']);
  assert.equal(headers.get('access-control-allow-origin'), page);
  assert.match(headers.get('vary') ?? '', /origin/i);
  const foreign = await send('POST', '/oauth/token', { json: { ...SPA, grant_type: 'password' }, headers: { origin: 'https://evil.example' } });
  assert.equal(foreign.headers.get('access-control-allow-origin'), null);
});

test('a domain with a port is the issuer, slash included', () => {
  assert.match(domain, /^127\.0\.0\.1:\d+$/);
  assert.equal(issuer, `https://${domain}/`);
});
