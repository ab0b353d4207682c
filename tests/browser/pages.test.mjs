/** The pages when something goes wrong, and what they never let happen. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { start } from './server.mjs';
import { Forms, Visit, raw } from './visit.mjs';

const SAVE = '/u/mfa-recovery-code-enrollment';
const CHALLENGE = '/u/mfa-recovery-code-challenge';

let browser;
let server;
before(async () => {
  server = await start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A test with a person of its own. */
function visiting(name, body, options) {
  test(name, { timeout: 60_000 }, async () => {
    const visit = await Visit.begin(browser, server, options);
    try {
      await body(visit, visit.page);
      await visit.end();
    } finally {
      await visit.context.close();
    }
  });
}

/** A code of the right shape that belongs to nobody. */
const STRANGER = 'KZ3M-Q7TB-WJ5R-HXYN';

/** The browser moves the focus when it first draws the page: soon, and not at once. */
const standsAt = (page, name) => page.waitForFunction((wanted) => {
  const part = document.activeElement;
  return [part.id, part.className, part.localName].includes(wanted);
}, name);

describe('what goes wrong is said where it is', () => {
  visiting('a wrong password: at the page, with the address kept and the password gone, and the same for somebody unknown (B-03)', async (visit, page) => {
    assert.equal((await visit.password('wrong wrong wrong')).status(), 401);
    const known = await visit.alert().innerText();
    assert.match(known, /do not go together/);
    assert.match(await page.title(), /^Error: /);
    await standsAt(page, 'alert');
    assert.equal(await page.getByLabel('Email address').inputValue(), visit.person.login);
    assert.equal(await page.getByLabel('Password').inputValue(), '');
    await page.getByLabel('Email address').fill('nobody@example.com');
    await page.getByLabel('Password').fill('wrong wrong wrong');
    assert.equal((await visit.press(visit.button('Continue'))).status(), 401);
    assert.equal(await visit.alert().innerText(), known);
  });

  visiting('a wrong one-time password, no digits at all, and one that was used already (B-03, B-07)', async (visit, page) => {
    await visit.enroll();
    await visit.signOut();
    await visit.password();
    for (const [digits, words] of [[visit.app.wrong(), /did not match/], ['12345', /has 6 digits/]]) {
      const answer = await visit.otp(digits);
      assert.ok([403, 422].includes(answer.status()));
      assert.match(await visit.alert().textContent(), words);
      await standsAt(page, 'code');
      const field = page.getByLabel('Code from the app');
      assert.equal(await field.getAttribute('aria-invalid'), 'true');
      for (const id of (await field.getAttribute('aria-describedby')).split(' ')) assert.equal(await page.locator(`#${id}`).count(), 1);
    }
    await visit.otp();
    await visit.at('/account');
    await visit.signOut();
    await visit.password();
    assert.equal((await visit.otp(visit.app.again())).status(), 403, 'the same password twice');
    await visit.otp(await visit.app.next());
    await visit.at('/account');
  });

  visiting('a wrong first one-time password leaves the same key on the page', async (visit, page) => {
    await visit.password();
    const { secret } = await visit.takeKey();
    assert.equal((await visit.otp(visit.app.wrong())).status(), 403);
    assert.match(await visit.alert().textContent(), /did not match.*check that the clock/);
    assert.equal((await visit.takeKey()).secret, secret);
    await page.reload();
    assert.equal((await visit.takeKey()).secret, secret);
  });

  visiting('a mistyped code is told without a request and without an attempt; nothing is sent before one sends it (B-03, B-11, B-21, E9)', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    await visit.toChallenge();
    assert.equal(await page.locator('input:not([type=hidden])').count(), 1, 'one field, never split boxes');
    const before = visit.requests.length;
    const mistyped = codes[0].slice(0, -1) + (codes[0].endsWith('A') ? 'B' : 'A');
    await visit.field().pressSequentially(mistyped.toLowerCase().replaceAll('-', ''));
    assert.equal(await visit.field().inputValue(), mistyped);
    await page.getByText(/^Something is mistyped\. Compare/).waitFor();
    await visit.button('Continue').click();
    assert.match(await visit.alert().textContent(), /mistyped/);
    await standsAt(page, 'code');
    assert.equal(await visit.field().getAttribute('aria-invalid'), 'true');
    await visit.field().fill(codes[0].slice(0, 12));
    await visit.button('Continue').click();
    assert.match(await visit.alert().textContent(), /5 characters are missing|6 characters are missing/);
    // Where an I or an L stands, a 1 is read as that, and the code would be right.
    const other = codes.find((code) => !'IL'.includes(code[5]));
    await visit.field().fill(`${other.slice(0, 5)}1${other.slice(6)}`);
    await visit.button('Continue').click();
    await visit.field().fill('');
    await visit.field().pressSequentially(codes[0]);
    await page.getByText('The code is complete.').waitFor();
    assert.equal(visit.requests.length, before, 'no request, not even for the complete code');
    assert.equal((await visit.account()).recovery.tries_left, 10);
    await visit.button('Continue').click();
    await visit.at('/u/after-recovery');
  });

  // Row A-103.
  visiting('three wrong codes with the right password are told at the next sign-in, and only then', async (visit, page) => {
    await visit.enroll();
    await visit.signOut();
    const forms = new Forms(server.origin);
    await forms.password(visit.person.login);
    for (let n = 0; n < 3; n += 1) await forms.submit(CHALLENGE, { code: STRANGER });
    await visit.signIn();
    await page.getByText(/^Before you signed in, 3 wrong codes were entered, the last on .* If that was not you, somebody knows your password: change it\./).waitFor();
    await page.locator('.warn').getByRole('link', { name: 'Recent activity' }).click();
    assert.equal(new URL(page.url()).hash, '#events');
    await visit.signOut();
    await visit.signIn();
    assert.equal(await page.getByText('Before you signed in').count(), 0);
  });

  // Rows.
  visiting('ten wrong codes: tries left are counted, then the wait is said, and password and authenticator work as before (B-05)', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    assert.equal((await visit.redeem(STRANGER)).status(), 403);
    await page.getByText('You have 9 tries left.').waitFor();
    await page.getByText('That code did not work. Compare it with your list').waitFor();
    await standsAt(page, 'code');
    const forms = new Forms(server.origin);
    await forms.password(visit.person.login);
    for (let left = 8; left > 0; left -= 1) {
      const { status } = await forms.submit(CHALLENGE, { code: STRANGER });
      assert.equal(status, 403, `${left} left`);
    }
    await visit.field().fill('');
    await visit.field().pressSequentially(STRANGER);
    await visit.press(visit.button('Continue'));
    await visit.field().fill('');
    await visit.field().pressSequentially(codes[0]);
    const answer = await visit.press(visit.button('Continue'));
    assert.equal(answer.status(), 429);
    const seconds = Number(answer.headers()['retry-after']);
    assert.ok(seconds > 0 && seconds <= 3600, `Retry-After: ${seconds}`);
    await page.getByText('That was too many tries for now. Your codes are still good, and your authenticator app still works.').waitFor();
    assert.match(await page.locator('.wait').textContent(), /^You can try again in (\d+ (second|minute|hour)s?)\.$/);
    await visit.button('Try another method').click();
    await visit.otp();
    await visit.at('/account');
    await page.getByText('Recovery codes were paused after too many tries').first().waitFor();
    await page.getByText('10 of 10 remaining').waitFor();
  });

  visiting('a sign-in that is over or was never begun is told so, with one way on', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    for (const path of ['/u/mfa-otp-challenge', CHALLENGE, SAVE, '/u/mfa-otp-enrollment-qr']) {
      await visit.go(path);
      assert.equal(await visit.heading(), 'This page has expired', path);
    }
    await visit.link('Sign in again').click();
    await visit.at('/u/login');
    await visit.toChallenge();
    await visit.alter('challenge', 'expires_at = 1');
    await visit.field().pressSequentially(codes[0]);
    assert.equal((await visit.press(visit.button('Continue'))).status(), 409);
    assert.equal(await visit.heading(), 'This page has expired');
    assert.equal((await visit.account()).recovery.remaining, 10, 'the code was not used');
    await page.goto(visit.url('/no/such/page'));
    assert.equal(await visit.heading(), 'There is nothing here');
  });
});

describe('only our own forms change anything', () => {
  /** Everything that can change by a page. */
  const state = async (visit) => {
    const seen = await visit.account();
    return JSON.stringify(seen);
  };

  // Rows S20, A-89.
  visiting('without the proof, with another one, or from another site, every form is refused and nothing changes', async (visit) => {
    const codes = await visit.enroll();
    await visit.go('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    const cookies = await visit.context.cookies();
    const header = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const inside = ['/account/sign-out', '/account/replace-authenticator', '/account/step-up', '/account/regenerate',
      '/account/codes', '/account/codes/download', '/u/after-recovery', '/u/mfa-otp-enrollment-qr'];
    const before = await state(visit);
    const proof = await visit.page.locator('input[name=csrf]').first().getAttribute('value');
    const stranger = new Forms(server.origin);
    const foreign = await stranger.csrf('/u/login');
    const fields = async () => ({
      code: await visit.app.next(), generation: '2', saved: 'on', action: 'replace-authenticator', username: visit.person.login, password: 'x',
    });
    const given = await fields();
    for (const path of inside) {
      for (const [name, csrf, headers] of [
        ['none', undefined, {}], ['empty', '', {}], ['another browser’s', foreign, {}], ['nearly right', `${proof.slice(0, -2)}AA`, {}],
        ['from another site', proof, { 'sec-fetch-site': 'cross-site' }], ['from a neighbour', proof, { 'sec-fetch-site': 'same-site' }],
      ]) {
        const answer = await raw('POST', visit.url(path), {
          body: new URLSearchParams({ ...given, ...(csrf !== undefined && { csrf }) }).toString(),
          headers: { cookie: header, 'content-type': 'application/x-www-form-urlencoded', ...headers },
        });
        assert.equal(answer.status, 403, `${path}, ${name}`);
        assert.match(answer.body, /nothing was changed/i);
      }
    }
    assert.equal(await state(visit), before);
    await visit.go('/account');
    assert.equal(visit.path(), '/account', 'still in');

    // The same on the way in: the proof of the sign-in form is not the proof of the next.
    const forms = new Forms(server.origin);
    await forms.password(visit.person.login);
    for (const [path, more] of [['/u/mfa-otp-challenge', { code: given.code }], [CHALLENGE, { code: codes[0] }], [SAVE, { saved: 'on', generation: '1' }], ['/u/login', { username: 'a', password: 'b' }]]) {
      for (const csrf of ['', foreign, proof]) assert.equal((await forms.post(path, { csrf, ...more })).status, 403, path);
      const own = await forms.csrf('/u/mfa-otp-challenge');
      assert.equal((await forms.post(path, { csrf: own, ...more }, { 'sec-fetch-site': 'cross-site' })).status, 403, path);
    }
    assert.equal(await visit.works(codes[0]), true);
  });

  // Row S20.
  visiting('a form on another site, sent by the browser of somebody who is signed in, changes nothing', async (visit, page) => {
    await visit.enroll();
    const proof = await page.locator('input[name=csrf]').first().getAttribute('value');
    const before = await state(visit);
    const trap = await visit.newPage();
    await trap.route('http://trap.test/', (route) => route.fulfill({
      contentType: 'text/html',
      body: `<title>Win</title><form method="post" action="${visit.url('/account/sign-out')}"><input name="csrf" value="${proof}"><button>Win</button></form>`,
    }));
    await trap.goto('http://trap.test/');
    await trap.getByRole('button').click();
    await trap.waitForURL((url) => url.pathname === '/account/sign-out');
    assert.equal(await trap.locator('h1').textContent(), 'This did not come from our page');
    assert.equal(await state(visit), before);
    await page.reload();
    assert.equal(visit.path(), '/account');
    visit.wrong = visit.wrong.filter((what) => !what.includes('trap.test'));
  });

  visiting('reading changes nothing, however often (L3)', async (visit, page) => {
    await visit.enroll();
    await visit.go('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    const pending = await visit.readCodes();
    const before = await state(visit);
    for (let round = 0; round < 2; round += 1) {
      for (const path of ['/', '/account', '/account/regenerate', '/account/codes', '/account/step-up', '/account/sign-out',
        '/account/replace-authenticator', '/account/codes/download', '/u/login', '/u/after-recovery', SAVE, `${SAVE}/again`,
        `${SAVE}/download`, '/u/mfa-otp-enrollment-qr', '/u/mfa-otp-challenge', CHALLENGE]) {
        await visit.go(path);
      }
    }
    assert.equal(await state(visit), before);
    await visit.go('/account/codes');
    assert.deepEqual(await visit.readCodes(), pending);
  });
});

describe('sessions', () => {
  const cookies = async (visit) => Object.fromEntries((await visit.context.cookies()).map((one) => [one.name, one]));

  // Rows S18, A-90.
  visiting('cookies are opaque, for the server only, and for this site only; the name is new at login, step-up and recovery (A-76)', async (visit) => {
    const seen = [];
    const note = async () => {
      const jar = await cookies(visit);
      for (const one of Object.values(jar)) {
        assert.equal(one.httpOnly, true, one.name);
        assert.ok(['Lax', 'Strict'].includes(one.sameSite), one.name);
        assert.match(one.value, /^[\w-]{22,}$/, 'random letters and nothing else');
        assert.ok(!one.value.includes('person') && !Buffer.from(one.value, 'base64url').toString().includes('person'));
        assert.equal(one.expires, -1, 'gone with the browser');
      }
      const value = jar['spare-key']?.value ?? jar['spare-key-sign-in']?.value;
      assert.ok(value && !seen.includes(value), 'a new one');
      seen.push(value);
    };
    await visit.password();
    await note();
    await visit.takeKey();
    await visit.otp();
    await visit.codesSeen();
    await visit.confirm();
    await note();
    await visit.go('/account/step-up');
    await visit.otp();
    await note();
    await visit.go('/account');
    await visit.signOut();
    assert.equal((await cookies(visit))['spare-key'], undefined);
    await visit.redeem(visit.codes[0]);
    await note();
  });

  // Row A-06.
  visiting('after signing out the old cookie is worth nothing, and neither is the one before a step-up', async (visit) => {
    await visit.enroll();
    const first = (await cookies(visit))['spare-key'].value;
    await visit.go('/account/step-up');
    await visit.otp();
    const second = (await cookies(visit))['spare-key'].value;
    const open = (value) => raw('GET', visit.url('/account'), { headers: { cookie: `spare-key=${value}` } });
    assert.equal((await open(first)).location, '/u/login');
    assert.equal((await open(second)).status, 200);
    await visit.go('/account');
    await visit.signOut();
    assert.equal((await open(second)).location, '/u/login');
  });

  visiting('a sign-in that was completed cannot be completed again with its old cookie', async (visit) => {
    await visit.enroll();
    await visit.signOut();
    await visit.password();
    const before = (await cookies(visit))['spare-key-sign-in'].value;
    const address = visit.page.url();
    await visit.otp();
    await visit.at('/account');
    const again = await raw('GET', address, { headers: { cookie: `spare-key-sign-in=${before}` } });
    assert.equal(again.status, 409);
  });

  visiting('who came by a recovery code makes no new codes without a factor, but may replace the lost one (A-77, L13, L14)', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.signOut();
    await visit.redeem(codes[0]);
    await visit.button('I still have it, go to my account').click();
    await visit.at('/account');
    await page.getByText('You came in with a recovery code.').waitFor();
    await visit.link('Make new codes').click();
    assert.equal(await page.getByLabel('Code from your authenticator app').count(), 1);
    const csrf = await page.locator('input[name=csrf]').first().getAttribute('value');
    const cookie = `spare-key=${(await cookies(visit))['spare-key'].value}`;
    const answer = await raw('POST', visit.url('/account/regenerate'), {
      body: new URLSearchParams({ csrf }).toString(), headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.equal(answer.status, 422);
    const { recovery, authenticators } = await visit.account();
    assert.deepEqual([recovery.pending_generation, recovery.generation, authenticators.length], [null, 1, 1]);
    await visit.go('/account');
    await visit.button('Replace authenticator').click();
    await visit.at('/u/mfa-otp-enrollment-qr');
    await visit.takeKey();
    await visit.otp();
    await visit.at('/account');
    assert.equal(await page.getByText('You came in with a recovery code.').count(), 0);
  });
});

describe('what every answer has', () => {
  visiting('the headers of browser.md on every page of the story, and nothing kept by the browser (B-60 to B-63, B-66, B-67, B-69)', async (visit, page) => {
    const codes = await visit.enroll();
    await visit.go('/account/regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    await visit.readCodes();
    await visit.go('/account');
    await visit.signOut();
    await visit.redeem(codes[0]);
    await visit.at('/u/after-recovery');
    await visit.page.goto(visit.url('/u/login'));
    await visit.go('/nothing/here');
    const pages = visit.responses.filter((response) => response.request().isNavigationRequest());
    const paths = new Set(pages.map((response) => new URL(response.url()).pathname));
    for (const path of ['/u/login', '/u/mfa-otp-enrollment-qr', SAVE, '/account', '/account/regenerate', '/account/codes',
      '/account/sign-out', '/u/mfa-otp-challenge', CHALLENGE, '/u/after-recovery', '/nothing/here']) assert.ok(paths.has(path), path);
    for (const response of pages) {
      const headers = response.headers();
      const where = `${response.request().method()} ${response.url()}`;
      const policy = headers['content-security-policy'];
      for (const part of ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "form-action 'self'", "base-uri 'none'",
        "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"]) assert.ok(policy?.includes(part), `${where}: ${part}`);
      assert.ok(!policy.includes("'unsafe-inline'") && !policy.includes("'unsafe-eval'") && !policy.includes('http'), where);
      assert.equal(headers['cache-control'], 'no-store', where);
      assert.equal(headers['referrer-policy'], 'no-referrer', where);
      assert.equal(headers['x-content-type-options'], 'nosniff', where);
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin', where);
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin', where);
      assert.equal(response.request().headers().referer, undefined, where);
    }
    const wasm = visit.responses.find((response) => response.url().endsWith('.wasm'));
    assert.equal(wasm.headers()['content-type'], 'application/wasm');
    await visit.leaksNothing();
    const tree = await page.locator('body').ariaSnapshot();
    assert.ok([...visit.shown].every((code) => !tree.includes(code)), 'no code where none is shown');
  });
});
