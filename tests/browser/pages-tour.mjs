/**
 * A walk through every page in every state, in any language: it finds its way by the names of fields
 * and by addresses, never by words. What is done at each stop is up to who walks.
 */
import { Visit } from './visit.mjs';

const SAVE = '/u/mfa-recovery-code-enrollment';
const STRANGER = 'KZ3M-Q7TB-WJ5R-HXYN';

/** A visit in a language, worked without reading a word. */
export class Tour extends Visit {
  static async in(browser, server, language, options = {}) {
    const person = await server.person();
    const tour = Object.assign(Object.create(Tour.prototype), await Visit.of(browser, server, person, { locale: language, ...options }));
    tour.language = language;
    return tour;
  }

  submit(selector = 'main form button.primary, main form button.sk-continue') {
    return this.press(this.page.locator(selector).first());
  }

  async password(text) {
    await this.page.goto(this.url('/u/login'));
    await this.page.locator('#username').fill(this.person.login);
    await this.page.locator('#password').fill(text ?? 'correct horse battery staple');
    return this.submit();
  }

  async takeKey() {
    const key = this.page.locator('.secret');
    if (!(await key.isVisible())) await this.page.locator('details summary').click();
    return super.takeKey();
  }

  async otp(digits) {
    await this.page.locator('#code').fill(digits ?? await this.app.next());
    return this.submit();
  }

  async confirm() {
    await this.page.locator('.sk-wrote-down').click();
    await this.page.locator('.sk-saved input').check();
    await this.page.locator('.sk-continue').click();
    await this.at('/account');
  }

  async signOut() {
    await this.press(this.page.locator('form[action="/account/sign-out"] button'));
  }

  field() {
    return this.page.locator('#code');
  }

  async toChallenge() {
    await this.password();
    await this.page.locator('form.other button').click();
    await this.at('/u/mfa-recovery-code-challenge');
    await this.fieldReady();
  }

  async redeem(code) {
    await this.toChallenge();
    await this.field().pressSequentially(code);
    return this.submit();
  }
}

/**
 * @param stop what is done at each page: `(page, name, tour)`
 */
export async function wholeTour(browser, server, language, stop, options) {
  const tour = await Tour.in(browser, server, language, options);
  const { page } = tour;
  const see = (name) => stop(page, name, tour);
  try {
    await tour.go('/');
    await see('home');
    await page.goto(tour.url('/u/login'));
    await see('login');
    await tour.password('wrong wrong wrong');
    await see('login-error');
    await tour.password();
    await see('qr');
    await tour.takeKey();
    await see('qr-key');
    await tour.otp(tour.app.wrong());
    await see('qr-error');
    await tour.otp();
    const codes = await tour.codesSeen();
    await see('save');
    await page.locator('.sk-continue').click({ force: true });
    await see('save-error');
    await page.locator('.sk-wrote-down').click();
    await page.locator('.sk-saved input').check();
    await see('save-ready');
    await page.locator('.sk-continue').click();
    await tour.at('/account');
    await see('account');
    await tour.go('/account/regenerate');
    await see('regenerate');
    await tour.submit();
    await tour.at('/account/codes');
    await tour.readCodes();
    await see('new-codes');
    await tour.go('/account');
    await see('account-pending');
    await tour.signOut();
    await see('signed-out');
    await tour.password();
    await see('otp');
    await tour.otp(tour.app.wrong());
    await see('otp-error');
    await page.locator('form.other button').click();
    await tour.at('/u/mfa-recovery-code-challenge');
    await tour.fieldReady();
    await see('challenge');
    await tour.field().pressSequentially(`${codes[0].slice(0, -1)}${codes[0].endsWith('A') ? 'B' : 'A'}`);
    await page.locator('main form button.primary').click();
    await see('challenge-mistyped');
    await tour.field().fill('');
    await tour.field().pressSequentially(STRANGER);
    await tour.submit();
    await see('challenge-wrong');
    await server.alter(`UPDATE throttle SET retry_at = (unixepoch() + 1800) * 1000 WHERE account_id = '${tour.person.id}' AND lane = 0`);
    await tour.field().fill('');
    await tour.field().pressSequentially(STRANGER);
    await tour.submit();
    await see('challenge-wait');
    await server.alter(`DELETE FROM throttle WHERE account_id = '${tour.person.id}'`);
    // So many wrong ones are told at the next sign-in.
    await server.alter(`INSERT INTO event (account_id, kind, at, actor) SELECT account_id, kind, at, actor FROM event
      WHERE account_id = '${tour.person.id}' AND kind = 'codes.refused'`);
    await tour.field().fill('');
    await tour.field().pressSequentially(codes[0]);
    await tour.submit();
    await tour.at('/u/after-recovery');
    await see('after');
    await tour.go('/account');
    await see('account-recovered');
    await tour.go('/account/regenerate');
    await see('regenerate-otp');
    await tour.go('/account/step-up');
    await see('step-up');
    await tour.go('/account');
    await page.locator('form[action="/account/replace-authenticator"] button').click();
    await tour.at('/u/mfa-otp-enrollment-qr');
    await see('replace-qr');
    await tour.go('/account');
    await tour.signOut();
    for (const code of codes.slice(1, 6)) await tour.works(code);
    await tour.redeem(codes[6]);
    await tour.at('/u/after-recovery');
    await see('after-low');
    await tour.go('/account');
    await see('account-low');
    for (const code of codes.slice(7, 9)) await tour.works(code);
    await tour.signOut();
    await tour.redeem(codes[9]);
    await tour.at('/u/after-recovery');
    await see('after-none');
    await page.goto(tour.url('/nothing/here'));
    await see('not-found');
    await page.goto(tour.url(`${SAVE}?state=another`));
    await see('expired');
    await single(browser, server, language, stop, options);
    await administration(browser, server, language, stop, options);
    await page.goto(tour.url('/gallery'));
    await page.locator('html[data-gallery=ready]').waitFor({ timeout: 20_000 });
    await see('gallery');
  } finally {
    await tour.context.close();
  }
}

async function single(browser, server, language, stop, options) {
  const tour = await Tour.in(browser, server, language, options);
  const { page } = tour;
  try {
    await tour.toCodes();
    await tour.alter('batch', 'seed_until = 1');
    await page.reload();
    await stop(page, 'codes-expired', tour);
    await tour.submit();
    await tour.codesSeen();
    await tour.confirm();
    await tour.signOut();
    await tour.password();
    await page.locator('[name=remember]').check();
    await tour.otp();
    await tour.at('/account');
    await stop(page, 'account-browsers', tour);
    await page.locator('form[action="/account/browsers/forget"] button').click();
    await tour.at('/account');
    const spent = await tour.single();
    await tour.signOut();
    await tour.toChallenge();
    await stop(page, 'challenge-single', tour);
    await tour.field().fill(spent);
    await tour.submit();
    await tour.at('/u/mfa-recovery-code-challenge-new-code');
    await tour.readCodes();
    await stop(page, 'new-code', tour);
  } finally {
    await tour.context.close();
  }
}

async function administration(browser, server, language, stop, options) {
  const tour = await Tour.in(browser, server, language, options);
  const { page } = tour;
  try {
    await server.account('administrator', tour.person.id, 'on');
    await tour.enroll();
    await stop(page, 'account-administrator', tour);
    await tour.go('/admin');
    await stop(page, 'admin', tour);
    await tour.go('/admin?q=zzz');
    await stop(page, 'admin-none', tour);
    const id = encodeURIComponent(tour.person.id);
    await tour.go(`/admin/account?id=${id}`);
    await stop(page, 'admin-account', tour);
    await tour.go(`/admin/account/reset?id=${id}`);
    await stop(page, 'admin-reset', tour);
    await tour.alter('session', 'factor_at = 1');
    await tour.go(`/admin/account/revoke?id=${id}`);
    await stop(page, 'admin-revoke-otp', tour);
    await tour.go('/admin/switch-off');
    await stop(page, 'admin-switch-off', tour);
  } finally {
    await tour.context.close();
  }
}
