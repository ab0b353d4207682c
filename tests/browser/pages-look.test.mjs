/** How the pages look and are worked: every page in every state, in every colour scheme, by keyboard alone. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { inspector } from './inspect.mjs';
import { start } from './server.mjs';
import { Visit } from './visit.mjs';

const SAVE = '/u/mfa-recovery-code-enrollment';
const CHALLENGE = '/u/mfa-recovery-code-challenge';
const STRANGER = 'KZ3M-Q7TB-WJ5R-HXYN';
const shots = fileURLToPath(new URL('./shots/', import.meta.url));

let browser;
let server;
before(async () => {
  mkdirSync(shots, { recursive: true });
  server = await start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const LOOKS = [
  ['light-1280', { colorScheme: 'light', forcedColors: 'none' }, { width: 1280, height: 900 }],
  ['dark-1280', { colorScheme: 'dark', forcedColors: 'none' }, { width: 1280, height: 900 }],
  ['forced-1280', { colorScheme: 'light', forcedColors: 'active' }, { width: 1280, height: 900 }],
  ['light-320', { colorScheme: 'light', forcedColors: 'none' }, { width: 320, height: 640 }],
  ['dark-320', { colorScheme: 'dark', forcedColors: 'none' }, { width: 320, height: 640 }],
  // 1280 by 1024 at 400 %.
  ['zoom-400', { colorScheme: 'light', forcedColors: 'none' }, { width: 320, height: 256 }],
];

/** Looks at the page as it stands, in every way, without touching it. */
async function look(visit, name) {
  const { page } = visit;
  const { run, violations, end } = await inspector(page, name);
  for (const [scheme, media, size] of LOOKS) {
    await page.emulateMedia(media);
    await page.setViewportSize(size);
    const where = `${name} ${scheme}`;
    await page.screenshot({ path: `${shots}${name}-${scheme}.png`, fullPage: true });
    assert.deepEqual(await violations(), [], where);
    const seen = await run(`({
      wide: document.documentElement.scrollWidth - innerWidth,
      small: [...document.querySelectorAll('a, button, input:not([type=hidden]), summary, label:has(input)')].filter((target) => {
        const box = target.getBoundingClientRect();
        return box.width > 0 && !target.matches('.skip, label input, .hidden') && (box.width < 24 || box.height < 24);
      }).map((target) => target.outerHTML),
      low: [...document.querySelectorAll('button, .button')].filter((target) => {
        const { height } = target.getBoundingClientRect();
        return height > 0 && height < 44;
      }).map((target) => target.outerHTML),
      tiny: [...document.querySelectorAll('main *')].filter((part) => part.childNodes.length && [...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
        .filter((part) => part.getBoundingClientRect().width > 1 && parseFloat(getComputedStyle(part).fontSize) < 15).map((part) => part.outerHTML),
      headings: document.querySelectorAll('h1').length,
      primaries: [...document.querySelectorAll('.primary, .sk-continue')].filter((part) => part.getBoundingClientRect().width > 0).length,
    })`);
    assert.ok(seen.wide <= 0, `${where}: ${seen.wide} px too wide`);
    assert.deepEqual(seen.small.filter((html) => !html.startsWith('<a href')), [], `${where}: targets of less than 24 px`);
    assert.deepEqual(seen.low, [], `${where}: buttons of less than 44 px`);
    assert.deepEqual(seen.tiny, [], `${where}: small print`);
    assert.equal(seen.headings, 1, where);
    assert.ok(seen.primaries <= 1, `${where}: ${seen.primaries} primary actions`);
  }
  await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
  await page.setViewportSize({ width: 1280, height: 900 });
  await end();
}

function looking(name, body) {
  test(name, { timeout: 120_000 }, async () => {
    const visit = await Visit.begin(browser, server);
    try {
      await body(visit, visit.page);
      await visit.end();
    } finally {
      await visit.context.close();
    }
  });
}

describe('every page in every state is clean in light, dark, forced colours, at 320 px and at 400 % (B-04, B-06, B-08, B-10, B-14, U9)', () => {
  looking('signing in and enrolling', async (visit, page) => {
    await visit.go('/');
    await look(visit, 'home');
    await visit.page.goto(visit.url('/u/login'));
    await look(visit, 'login');
    await visit.password('wrong wrong wrong');
    await look(visit, 'login-error');
    await visit.password();
    await look(visit, 'qr');
    await visit.takeKey();
    await look(visit, 'qr-key');
    await visit.otp(visit.app.wrong());
    await look(visit, 'qr-error');
    await visit.otp();
    await visit.codesSeen();
    await look(visit, 'save');
    const { zero, size, hyphen } = await page.locator('.sk-list code').first().evaluate((code) => ({
      zero: getComputedStyle(code).fontVariantNumeric, size: parseFloat(getComputedStyle(code).fontSize), hyphen: code.textContent.split('-').length,
    }));
    assert.deepEqual([zero, size > 16, hyphen], ['slashed-zero', true, 4]);
    await visit.button('Continue').click({ force: true });
    await look(visit, 'save-error');
    await visit.button('I wrote them down').click();
    await page.getByRole('checkbox').check();
    await look(visit, 'save-ready');
    await visit.button('Continue').click();
    await visit.at('/account');
    await look(visit, 'account');
    await visit.signOut();
    await look(visit, 'signed-out');
  });

  looking('coming in by a recovery code', async (visit) => {
    const codes = await visit.enroll();
    await visit.signOut();
    await visit.password();
    await look(visit, 'otp');
    await visit.otp(visit.app.wrong());
    await look(visit, 'otp-error');
    await visit.button('Use a recovery code').click();
    await visit.fieldReady();
    await look(visit, 'challenge');
    await visit.field().pressSequentially(`${codes[0].slice(0, -1)}${codes[0].endsWith('A') ? 'B' : 'A'}`);
    await visit.button('Continue').click();
    await look(visit, 'challenge-mistyped');
    await visit.field().fill('');
    await visit.field().pressSequentially(STRANGER);
    await visit.press(visit.button('Continue'));
    await look(visit, 'challenge-wrong');
    await visit.server.alter(`UPDATE throttle SET retry_at = (unixepoch() + 1800) * 1000 WHERE account_id = '${visit.person.id}' AND lane = 0`);
    await visit.field().fill('');
    await visit.field().pressSequentially(STRANGER);
    assert.equal((await visit.press(visit.button('Continue'))).status(), 429);
    await look(visit, 'challenge-wait');
    await visit.server.alter(`DELETE FROM throttle WHERE account_id = '${visit.person.id}'`);
    await visit.field().fill('');
    await visit.field().pressSequentially(codes[0]);
    await visit.button('Continue').click();
    await visit.at('/u/after-recovery');
    await look(visit, 'after');
    await visit.button('I still have it').click();
    await visit.at('/account');
    await look(visit, 'account-recovered');
    await visit.button('Replace authenticator').click();
    await visit.at('/u/mfa-otp-enrollment-qr');
    await look(visit, 'replace-qr');
    await visit.go('/account/regenerate');
    await look(visit, 'regenerate-otp');
    await visit.go('/account/step-up');
    await look(visit, 'step-up');
  });

  looking('new codes, few codes, none, and what went wrong', async (visit) => {
    const codes = await visit.enroll();
    await visit.link('Make new codes').click();
    await look(visit, 'regenerate');
    await visit.button('Show the new codes').click();
    await visit.at('/account/codes');
    await visit.readCodes();
    await look(visit, 'new-codes');
    await visit.go('/account');
    await look(visit, 'account-pending');
    await visit.signOut();
    for (const code of codes.slice(0, 6)) assert.equal(await visit.works(code), true);
    await visit.redeem(codes[6]);
    await visit.at('/u/after-recovery');
    await look(visit, 'after-low');
    await visit.button('I still have it').click();
    await visit.at('/account');
    await look(visit, 'account-low');
    for (const code of codes.slice(7, 9)) assert.equal(await visit.works(code), true);
    await visit.signOut();
    await visit.redeem(codes[9]);
    await visit.at('/u/after-recovery');
    await look(visit, 'after-none');
    await visit.go('/nothing/here');
    await look(visit, 'not-found');
    await visit.page.goto(visit.url(`${CHALLENGE}?state=another`));
    assert.equal(await visit.heading(), 'This page has expired');
    await look(visit, 'expired');
    await visit.go('/docs');
    await look(visit, 'docs');
    await visit.go('/docs/auth0');
    assert.equal(await visit.heading(), 'Point your Auth0 client at Spare Key');
    await look(visit, 'guide');
  });

  looking('codes that ran out', async (visit, page) => {
    await visit.toCodes();
    await visit.alter('batch', 'seed_until = 1');
    await page.reload();
    await look(visit, 'codes-expired');
  });

  looking('a single code and its successor', async (visit) => {
    await visit.enroll();
    const spent = await visit.single();
    await visit.signOut();
    await visit.toChallenge();
    await look(visit, 'challenge-single');
    await visit.field().fill(spent);
    await visit.button('Continue').click();
    await visit.at('/u/mfa-recovery-code-challenge-new-code');
    await visit.readCodes();
    await look(visit, 'new-code');
  });

  looking('codes that are about to run out', async (visit, page) => {
    await visit.toCodes();
    await visit.alter('batch', 'seed_until = (unixepoch() + 3600) * 1000');
    await page.clock.install();
    await page.reload();
    await visit.readCodes();
    await page.clock.fastForward('58:30');
    await page.getByText('These codes run out in 2 minutes.').waitFor();
    await look(visit, 'save-soon');
  });
});

describe('by keyboard alone', () => {
  /** Where the keyboard stands, and whether one sees it. */
  const here = (page) => page.evaluate(() => {
    const part = document.activeElement;
    const style = getComputedStyle(part);
    const box = part.getBoundingClientRect();
    return {
      name: part.textContent?.trim().slice(0, 40) || part.id || part.type,
      ring: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none',
      inView: box.top >= -1 && box.bottom <= innerHeight + 1,
      top: box.top + scrollY,
      body: part === document.body,
    };
  });

  /** The browser moves the focus when it first draws the page: soon, and not at once. */
  const standsAt = (page, name) => page.waitForFunction((wanted) => {
    const part = document.activeElement;
    return [part.getAttribute('role'), part.getAttribute('name'), part.id].includes(wanted);
  }, name);

  /** Tabs on until the place with this name; every place passed is visible. */
  const tabTo = async (page, name) => {
    for (let step = 0; step < 25; step += 1) {
      await page.keyboard.press('Tab');
      const place = await here(page);
      if (place.body) continue;
      assert.ok(place.ring, `no focus to be seen at ${place.name}`);
      assert.ok(place.inView, `${place.name} has the focus out of sight`);
      if (name.test(place.name)) return;
    }
    assert.fail(`the keyboard does not get to ${name}`);
  };

  looking('enrolling and coming in by a code with Tab, Space and Enter (B-07, U9)', async (visit, page) => {
    const { keyboard } = page;
    // The skip link slides in: at once, for who wants it so.
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await visit.page.goto(visit.url('/u/login'));
    await standsAt(page, 'username');
    await keyboard.type(visit.person.login);
    await tabTo(page, /^password$/);
    await keyboard.type('wrong wrong wrong');
    await keyboard.press('Enter');
    await page.getByText('do not go together').waitFor();
    await standsAt(page, 'alert');
    await tabTo(page, /^username$/);
    await tabTo(page, /^password$/);
    await keyboard.type('correct horse battery staple');
    await keyboard.press('Enter');
    await visit.at('/u/mfa-otp-enrollment-qr');
    await tabTo(page, /^Skip to the content$/);
    await tabTo(page, /^Cannot scan it/);
    await keyboard.press('Enter');
    await visit.takeKey();
    await tabTo(page, /^code$/);
    await keyboard.type(await visit.app.next());
    await tabTo(page, /^Continue$/);
    await keyboard.press('Space');
    await visit.codesSeen();
    assert.equal(await page.evaluate(() => document.activeElement.localName), 'h1', 'the heading is read out first (B-07)');
    const order = [];
    for (const name of [/^Copy codes$/, /^Download$/, /^Print$/, /^I wrote them down$/]) {
      await tabTo(page, name);
      order.push((await here(page)).top);
    }
    await keyboard.press('Space');
    await page.getByText('Compare what you wrote').waitFor();
    await tabTo(page, /^(saved|on|checkbox)$/);
    order.push((await here(page)).top);
    await keyboard.press('Space');
    assert.equal(await page.getByRole('checkbox').isChecked(), true);
    await tabTo(page, /^Continue$/);
    order.push((await here(page)).top);
    assert.deepEqual(order, [...order].sort((a, b) => a - b), 'the order of the keyboard is the order on the page');
    await keyboard.press('Enter');
    await visit.at('/account');
    await tabTo(page, /^Make new codes$/);
    await tabTo(page, /^Replace authenticator$/);
    await tabTo(page, /^Sign out$/);
    await keyboard.press('Enter');
    await page.getByText('You are signed out').waitFor();
    await tabTo(page, /^Sign in$/);
    await keyboard.press('Enter');
    await visit.at('/u/login');
    await standsAt(page, 'username');
    await keyboard.type(visit.person.login);
    await tabTo(page, /^password$/);
    await keyboard.type('correct horse battery staple');
    await keyboard.press('Enter');
    await visit.at('/u/mfa-otp-challenge');
    await standsAt(page, 'code');
    await tabTo(page, /^Use a recovery code$/);
    await keyboard.press('Enter');
    await visit.at(CHALLENGE);
    await visit.fieldReady();
    await standsAt(page, 'code');
    await keyboard.type('kz3m');
    await keyboard.press('Enter');
    await page.getByText('12 characters are missing.').first().waitFor();
    await standsAt(page, 'code');
    await keyboard.press('Control+A');
    await keyboard.type(visit.codes[1]);
    await tabTo(page, /^Continue$/);
    await keyboard.press('Space');
    await visit.at('/u/after-recovery');
    await tabTo(page, /^Set up a new authenticator$/);
    await tabTo(page, /^I still have it/);
    await keyboard.press('Enter');
    await visit.at('/account');
  });

  looking('what is done is told in places that were there before (B-05), and nothing moves under reduced motion (B-13)', async (visit, page) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await visit.password();
    await visit.takeKey();
    await visit.otp();
    await visit.codesSeen();
    const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter((part) => {
      const style = getComputedStyle(part);
      return [style.transitionDuration, style.animationDuration].join().split(',').some((time) => parseFloat(time) > 0);
    }).length);
    assert.equal(moving, 0);
    const region = await page.locator('.sk-status').elementHandle();
    assert.equal(await region.textContent(), '');
    await visit.button('I wrote them down').click();
    assert.match(await region.textContent(), /^Good\. Compare/);
    assert.equal(await page.locator('[role=alert]').count(), 1);
  });
});
