/**
 * A person with a browser: what they type and click, and what must hold whatever they do.
 *
 * Every visit fails on an error or a warning in the console, on a violation of the policy, on a
 * request to elsewhere, and on a code in a place where it must not be.
 */
import assert from 'node:assert/strict';
import { request as send } from 'node:http';
import { Authenticator } from './totp.mjs';
import { PASSWORD } from './server.mjs';

/** Where a sign-in begins. */
export const DOOR = '/u/login';

/** The transaction that an address names. */
const stateIn = (address) => new URL(address ?? '', 'http://localhost').searchParams.get('state') ?? undefined;

/** A path; a screen's with the name of its transaction. */
export const named = (path, state) => (path.startsWith('/u/') ? `${path}?state=${state}` : path);

export class Visit {
  constructor(server, context, person) {
    this.server = server;
    this.context = context;
    this.person = person;
    /** Codes that were shown: never to be found in a log, an address, a title or a store. */
    this.shown = new Set();
    this.wrong = [];
    this.said = [];
    this.requests = [];
    this.responses = [];
  }

  /** Somebody new, with a browser window of their own. */
  static async begin(browser, server, options = {}) {
    return Visit.of(browser, server, await server.person(), options);
  }

  static async of(browser, server, person, options = {}) {
    const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(10_000);
    const visit = new Visit(server, context, person);
    visit.scripted = options.javaScriptEnabled !== false;
    if (visit.scripted) {
      await context.exposeBinding('__violation', (_, what) => { visit.wrong.push(`violation: ${what}`); });
      await context.addInitScript(() => {
        addEventListener('securitypolicyviolation', (event) => globalThis.__violation(`${event.violatedDirective} ${event.blockedURI}`));
      });
    }
    visit.page = await visit.newPage();
    return visit;
  }

  /** Another tab of the same browser. */
  async newPage() {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.wrong.push(`error: ${error.message}`));
    page.on('console', (message) => {
      this.said.push(message.text());
      const document = message.location().url.startsWith(`${this.server.origin}/assets/`) === false;
      // A page that says no has a status that says no, and Chromium notes it.
      const refusal = document && /the server responded with a status of 4(01|03|04|05|09|10|22|29)/.test(message.text());
      // The browser's own: it asks nobody who has not touched the page, and that is right.
      const untouched = message.text().includes("Blocked attempt to show a 'beforeunload'");
      if (['error', 'warning'].includes(message.type()) && !refusal && !untouched) this.wrong.push(`console: ${message.text()}`);
    });
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame()) this.state = stateIn(frame.url()) ?? this.state;
    });
    page.on('request', (request) => {
      this.requests.push(`${request.method()} ${request.url()}`);
      if (!request.url().startsWith(`${this.server.origin}/`) && !request.url().startsWith(`blob:${this.server.origin}`)) {
        this.wrong.push(`foreign request: ${request.url()}`);
      }
    });
    page.on('response', (response) => { this.responses.push(response); });
    return page;
  }

  url(path) {
    return this.server.origin + path;
  }

  path() {
    return new URL(this.page.url()).pathname;
  }

  /** Opens a page; a screen of the transaction that was seen last. */
  go(path) {
    return this.page.goto(this.url(this.state ? named(path, this.state) : path));
  }

  /** Waits for a page by its address: a click that posts has answered then. */
  at(path) {
    return this.page.waitForURL((url) => url.pathname === path, { waitUntil: 'load' });
  }

  heading() {
    return this.page.locator('h1').textContent();
  }

  button(name) {
    return this.page.getByRole('button', { name });
  }

  link(name) {
    return this.page.getByRole('link', { name });
  }

  alert() {
    return this.page.locator('[role=alert]:not(:empty)');
  }

  /** Presses what posts the form and waits for the answer, which may be the same page. */
  async press(button) {
    const answer = this.page.waitForResponse((response) => response.request().method() === 'POST');
    await button.click();
    const response = await answer;
    await this.page.waitForLoadState('load');
    return response;
  }

  async password(text = PASSWORD) {
    await this.page.goto(this.url(DOOR));
    await this.page.getByLabel('Email address').fill(this.person.login);
    await this.page.getByLabel('Password').fill(text);
    return this.press(this.button('Continue'));
  }

  /** Takes the key from the page, as who cannot scan it. */
  async takeKey() {
    const key = this.page.locator('.secret');
    if (!(await key.isVisible())) await this.page.getByText('Cannot scan it?').click();
    this.app = new Authenticator(await key.innerText());
    return this.app;
  }

  async otp(digits) {
    await this.page.getByLabel(/^Code from/).fill(digits ?? await this.app.next());
    return this.press(this.page.locator('button.primary'));
  }

  /** The codes on the page. */
  async readCodes(page = this.page) {
    await this.ready(page);
    const codes = await page.locator('.sk-list code').allTextContents();
    for (const code of codes) this.shown.add(code);
    return codes;
  }

  /** The element has taken over the page. */
  async ready(page = this.page) {
    if (!this.scripted || this.plain) return;
    await page.locator('button.sk-wrote-down').waitFor();
  }

  async confirm(name = 'Continue', way = 'I wrote them down') {
    await this.button(way).click();
    await this.page.getByRole('checkbox').check();
    await this.button(name).click();
    await this.at('/account');
  }

  /** Password, authenticator, codes: everything up to the account. */
  async enroll() {
    await this.toCodes();
    await this.confirm();
    return this.codes;
  }

  /** Up to the codes, unconfirmed. */
  async toCodes() {
    await this.password();
    await this.takeKey();
    await this.otp();
    return this.codesSeen();
  }

  /** The save prompt of an enrollment is there: reads it. */
  async codesSeen() {
    await this.at('/u/mfa-recovery-code-enrollment');
    this.codes = await this.readCodes();
    return this.codes;
  }

  /** In by password and authenticator. */
  async signIn() {
    await this.password();
    await this.otp();
    await this.at('/account');
  }

  async signOut() {
    await this.press(this.button('Sign out'));
    assert.equal(await this.heading(), 'You are signed out');
  }

  /** To the field for a recovery code. */
  async toChallenge() {
    await this.password();
    await this.button('Use a recovery code').click();
    await this.at('/u/mfa-recovery-code-challenge');
    await this.fieldReady();
  }

  async fieldReady() {
    if (this.scripted && !this.plain) await this.page.evaluate(() => document.querySelector('recovery-code-input')?.ready);
  }

  field() {
    return this.page.getByLabel('Enter your recovery code', { exact: true });
  }

  /** Types a code as it stands on the sheet, and sends it. */
  async redeem(code) {
    await this.toChallenge();
    await this.field().pressSequentially(code);
    return this.press(this.button('Continue'));
  }

  /** A single code in the place of the list. */
  async single() {
    const issued = await fetch(this.url(`/recovery/v1/accounts/${encodeURIComponent(this.person.id)}/batches`), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('dev-host:dev-host-secret')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ format: 'single', activate: 'at_once', proof: { amr: ['pwd'], at: new Date().toISOString() } }),
    });
    return (await issued.json()).codes[0].code;
  }

  /** Whether a code still works: tries it as somebody with a fresh browser would. */
  async works(code) {
    const forms = new Forms(this.server.origin);
    const { status, location } = await forms.redeem(this.person.login, code);
    assert.ok(status === 303 || status === 403, `answered ${status}`);
    return status === 303 && location === '/u/after-recovery';
  }

  /** This account's rows of a table, changed: for what only time would do. */
  alter(table, change) {
    return this.server.alter(`UPDATE ${table} SET ${change} WHERE account_n = (SELECT n FROM account WHERE id = '${this.person.id}')`);
  }

  /**
   * Presses what posts to this path; the server acts, and its answer never arrives: neither the
   * page nor its cookies. Gives what the server had answered.
   */
  async loseAnswer(path, button) {
    const { page } = this;
    let done = false;
    let answered;
    const lost = new Promise((resolve) => { answered = resolve; });
    await page.route((url) => url.pathname === path, async (route) => {
      const request = route.request();
      if (done || request.method() !== 'POST') return route.fallback();
      done = true;
      const cookies = await this.context.cookies(request.url());
      const answer = await raw('POST', request.url(), {
        body: request.postData() ?? '',
        headers: { ...request.headers(), cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') },
      });
      await route.abort('connectionreset');
      answered(answer);
    });
    await button.click();
    const answer = await lost;
    await page.waitForURL('chrome-error://chromewebdata/');
    return answer;
  }

  async account(id = this.person.id) {
    return this.server.show(id);
  }

  /** What must hold of this window wherever it stands. */
  async leaksNothing(page = this.page) {
    if (!this.scripted || !page.url().startsWith(this.server.origin)) return;
    const kept = await page.evaluate(async () => ({
      local: localStorage.length,
      session: sessionStorage.length,
      state: history.state,
      caches: await globalThis.caches?.keys(),
      databases: (await indexedDB.databases()).length,
      cookies: document.cookie,
    }));
    assert.deepEqual(kept, { local: 0, session: 0, state: null, caches: [], databases: 0, cookies: '' });
    const told = [await page.title(), ...this.said, ...this.requests].join('\n');
    for (const code of this.shown) {
      assert.ok(!told.includes(code) && !told.includes(code.replaceAll('-', '')), 'a code in a title, an address or the console');
    }
  }

  async end() {
    try {
      for (const page of this.context.pages()) await this.leaksNothing(page);
      assert.deepEqual(this.wrong, []);
    } finally {
      await this.context.close();
    }
  }
}

/** Forms without a browser: for the many repeats that need no eyes. */
export class Forms {
  jar = new Map();

  constructor(origin) {
    this.origin = origin;
  }

  cookie() {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  request(method, path, { body = '', headers = {} } = {}) {
    return raw(method, this.origin + path, {
      body,
      headers: {
        ...(this.jar.size > 0 && { cookie: this.cookie() }),
        ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
    }).then((answer) => {
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value === '' || /max-age=0/i.test(line)) this.jar.delete(name);
        else this.jar.set(name, value);
      }
      this.state = stateIn(answer.headers.location) ?? this.state;
      return answer;
    });
  }

  /** A page; a screen of this transaction, and the first screen begins one. */
  async get(path) {
    const answer = await this.request('GET', path === DOOR ? path : named(path, this.state ?? ''));
    return answer.status === 303 && answer.location === path ? this.request('GET', named(path, this.state)) : answer;
  }

  post(path, fields, headers) {
    return this.request('POST', path, { body: new URLSearchParams(fields).toString(), headers });
  }

  /** What the form of a page carries beside what one fills in. */
  async hidden(path) {
    const { body } = await this.get(path);
    const read = (name) => new RegExp(`name="${name}" value="([^"]+)"`).exec(body)?.[1] ?? '';
    return { csrf: read('csrf'), state: read('state') };
  }

  /** The proof in the form of a page. */
  async csrf(path) {
    return (await this.hidden(path)).csrf;
  }

  /** Posts the form of a page to the page, or to `action`. */
  async submit(path, fields, action = path) {
    const hidden = await this.hidden(path);
    return this.post(named(action, hidden.state), { ...hidden, ...fields });
  }

  password(login, password = PASSWORD) {
    return this.submit('/u/login', { username: login, password });
  }

  async redeem(login, code) {
    const { location } = await this.password(login);
    assert.equal(location, '/u/mfa-otp-challenge');
    return this.submit('/u/mfa-recovery-code-challenge', { code });
  }
}

/** One request without any help of a browser. */
export function raw(method, url, { body = '', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const sent = send(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => { text += part; });
      answer.on('end', () => resolve({
        // Where it leads, whatever the transaction is named.
        status: answer.statusCode, headers: answer.headers, location: answer.headers.location?.split('?')[0], body: text,
      }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
