/**
 * An application with `@auth0/auth0-spa-js` in it, as a page serves it. The client has no login by
 * password, so the application logs in by a plain request and gives the client its refresh token.
 */
import { Auth0Client, CacheKey } from '/auth0-spa-js.js';

const SCOPE = 'openid profile email offline_access';

/** A cache of the application's own: what the client's option of that name takes. */
class Cache {
  #entries = new Map();

  get(key) { return this.#entries.get(key); }

  set(key, entry) { this.#entries.set(key, entry); }

  remove(key) { this.#entries.delete(key); }

  allKeys() { return [...this.#entries.keys()]; }
}

/** A call, and what it throws as plain data that leaves the page. */
async function said(call) {
  try {
    return { value: await call() };
  } catch (error) {
    const { name, message, error: code, error_description: description, mfa_token: mfaToken, mfa_requirements: requirements } = error;
    return { kind: error.constructor.name, name, message, error: code, description, mfaToken, requirements };
  }
}

globalThis.app = {
  /** Begins anew with somebody's refresh token. */
  start(domain, clientId, refreshToken, more) {
    const cache = new Cache();
    const key = new CacheKey({ clientId, audience: 'default', scope: SCOPE });
    const body = { refresh_token: refreshToken, audience: 'default', scope: SCOPE, client_id: clientId };
    cache.set(key.toKey(), { body, expiresAt: 0 });
    this.client = new Auth0Client({ domain, clientId, cache, useRefreshTokens: true, ...more });
  },

  /** A login by password, across origins. */
  async login(issuer, form) {
    const response = await fetch(`${issuer}oauth/token`, { method: 'POST', body: new URLSearchParams({ scope: SCOPE, ...form }) });
    return { status: response.status, body: await response.json() };
  },

  token(options) { return said(() => this.client.getTokenSilently({ detailedResponse: true, ...options })); },

  user() { return said(() => this.client.getUser()); },

  /** A call of the client's MFA part or of its My Account part. */
  call(part, name, ...given) { return said(() => this.client[part][name](...given)); },
};
