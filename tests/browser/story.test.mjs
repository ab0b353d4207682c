/** The story of a person and their codes, typed and clicked in a real browser at the real binary. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { PRODUCT } from './server.mjs';
import { CODE, SAVE, browser, server, story } from './tell.mjs';
import { Forms, Visit } from './visit.mjs';

// Row L18.
story('the whole story: enroll, save, lose the phone, come in by a code, replace the phone (L4, L5, L6, L13, L14, U6, U10, U11, U12, B-04)', async (visit, page) => {
  await visit.password();
  await visit.at('/u/mfa-otp-enrollment-qr');
  assert.equal(await visit.heading(), 'Set up your authenticator');
  assert.equal(await page.locator('.step').textContent(), 'Step 2 of 3');
  assert.equal(await page.locator('.qr svg').count(), 1);
  const lost = await visit.takeKey();
  await visit.otp();
  await visit.at(SAVE);
  assert.equal(await visit.heading(), 'Almost There!');
  assert.match(await page.locator('main').innerText(), /one of them lets you in\. Each works once\./);
  const codes = await visit.readCodes();
  assert.equal(codes.length, 10);
  assert.equal(new Set(codes).size, 10);
  for (const code of codes) assert.match(code, CODE);
  await visit.confirm();
  await page.getByText('10 of 10 remaining').waitFor();
  await page.getByText(/^Set 1, made on \d{1,2} [A-Z][a-z]+ \d{4}$/).waitFor();
  assert.equal((await visit.account()).recovery.remaining, 10);

  await visit.signOut();
  await visit.password();
  await visit.at('/u/mfa-otp-challenge');
  assert.equal(await visit.heading(), 'Confirm it is you', 'the authenticator is asked for first, the code is one step away');
  await visit.button('Use a recovery code').click();
  await visit.at('/u/mfa-recovery-code-challenge');
  await visit.field().pressSequentially(codes[3]);
  await visit.button('Continue').click();
  await visit.at('/u/after-recovery');
  await page.getByText('Code 4 is used. Cross it out.').waitFor();
  await page.getByText('9 of 10 left').waitFor();

  await visit.button('Set up a new authenticator').click();
  await visit.at('/u/mfa-otp-enrollment-qr');
  assert.equal(await visit.heading(), 'Set up your new authenticator');
  const found = await visit.takeKey();
  assert.notEqual(found.secret, lost.secret);
  await visit.otp();
  await visit.at('/account');
  await page.getByText('9 of 10 remaining').waitFor();
  await page.getByText('Signed in with recovery code 4').waitFor();
  await page.getByText('Authenticator app replaced').waitFor();
  await visit.signOut();

  await visit.password();
  assert.equal((await visit.otp(await lost.next())).status(), 403);
  assert.match(await visit.alert().textContent(), /did not match/);
  await visit.otp(await found.next());
  await visit.at('/account');
  await visit.signOut();

  assert.equal((await visit.redeem(codes[3])).status(), 403);
  assert.match(await visit.alert().textContent(), /^That code did not work/);
  assert.equal(await visit.works(codes[4]), true, 'the others are as good as before');
});

describe('saving', () => {
  story('copied: the clipboard has the sheet, and each of its lines pasted is accepted (B-01, B-40, B-41, B-46, E7, U1)', async (visit, page) => {
    await visit.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
    const codes = await visit.toCodes();
    assert.equal(await page.locator('.sk-status[role=status]').count(), 1, 'the live region is there before it speaks');
    await visit.button('Copy').click();
    await page.getByText('Copied. Now paste the codes somewhere safe.').waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    const lines = text.split(/\r?\n/).filter((line) => /^\s*\d+\. /.test(line));
    assert.equal(lines.length, 10);
    lines.forEach((line, at) => assert.equal(line.trim(), `${at + 1}. ${codes[at]}`));
    for (const part of [PRODUCT, visit.person.login, 'Set 1', 'password manager']) assert.ok(text.includes(part), part);
    await visit.confirm('Continue', 'Copy');
    await visit.signOut();
    await pasteAndRedeem(visit, lines[1]);
    for (const line of lines.slice(2, 5)) {
      const forms = new Forms(server.origin);
      assert.equal((await forms.redeem(visit.person.login, line)).location, '/u/after-recovery', 'the pasted line as it is');
    }
  });

  story('downloaded: the file is named after product and set, and a line of it pasted as it is gets one in (B-41, B-42, B-43, E7, U3)', async (visit, page) => {
    const codes = await visit.toCodes();
    const [download] = await Promise.all([page.waitForEvent('download'), visit.button('Download').click()]);
    assert.match(download.suggestedFilename(), /^fernhill-library-recovery-codes[\w-]*\.txt$/);
    await page.getByText(`Downloaded as ${download.suggestedFilename()}`).waitFor();
    const path = join(server.folder, 'downloaded.txt');
    await download.saveAs(path);
    const text = readFileSync(path, 'utf8');
    assert.ok(text.endsWith('\r\n') && !/[^\r]\n/.test(text), 'lines end as every editor reads them');
    const lines = text.split('\r\n').filter((line) => /^\s*\d+\. /.test(line));
    assert.deepEqual(lines.map((line) => line.trim()), codes.map((code, at) => `${at + 1}. ${code}`));
    for (const part of [PRODUCT, visit.person.login, 'Set 1']) assert.ok(text.includes(part), part);
    assert.ok(!text.includes('<'));
    await visit.confirm('Continue', 'Download');
    await visit.signOut();
    await pasteAndRedeem(visit, lines[9]);
    await page.getByText('Code 10 is used').waitFor();
  });

  story('printed: one page with the ten codes, nothing of the page around them, and no address (B-44, U2)', async (visit, page) => {
    const codes = await visit.toCodes();
    await page.evaluate(() => { window.print = () => { globalThis.printed = true; }; });
    await visit.button('Print').click();
    assert.equal(await page.evaluate(() => globalThis.printed), true);
    const path = join(server.folder, 'sheet.pdf');
    await page.pdf({ path, format: 'A4' });
    const text = execFileSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' });
    for (const code of codes) assert.ok(text.includes(code));
    assert.match(execFileSync('pdfinfo', [path], { encoding: 'utf8' }), /Pages:\s+1\n/);
    for (const part of [`${PRODUCT} recovery codes`, visit.person.login, 'Set 1', 'Cross it out']) assert.ok(text.includes(part), part);
    for (const part of ['Continue', 'Download', 'Copy', 'Print', 'Step 3', 'Almost There', 'Skip to', 'I have safely', 'http', '?', 'csrf']) {
      assert.ok(!text.includes(part), `"${part}" on paper`);
    }
    await visit.confirm('Continue', 'Print');
  });

  test('a refused clipboard is said, and the codes are selected for the keyboard (B-40, U1)', async () => {
    // By plain http and a name, as in an office: no secure context, so the browser has no clipboard.
    const office = await launch({
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP library.test 127.0.0.1'],
    });
    try {
      const there = { ...server, origin: server.origin.replace('127.0.0.1', 'library.test') };
      const visit = await Visit.begin(office, there);
      const { page } = visit;
      await visit.toCodes();
      await visit.button('Copy').click();
      await page.getByText('The browser did not allow copying. The codes are selected').waitFor();
      const selected = await page.evaluate(() => getSelection().toString());
      for (const code of visit.codes) assert.ok(selected.includes(code));
      await page.getByRole('checkbox').check();
      await visit.button('Continue').click({ force: true });
      await page.getByText(/^First copy, download, print or write down the codes/).waitFor();
      assert.equal(visit.path(), SAVE, 'what did not work is no saving');
      await visit.confirm();
      assert.deepEqual(visit.wrong.filter((what) => !what.includes('Cross-Origin-Opener-Policy')), []);
    } finally {
      await office.close();
    }
  });

  story('going on without saving or without the tick is told and asks nothing of the server; the server insists as well (B-02, B-05, U5)', async (visit, page) => {
    await visit.toCodes();
    const before = visit.requests.length;
    await visit.button('Continue').click({ force: true });
    await page.getByText(/^First copy, download/).waitFor();
    await visit.button('I wrote them down').click();
    await page.getByText('Compare what you wrote with the screen once more').waitFor();
    await visit.button('Continue').click({ force: true });
    await page.getByText('Tick the box first, then continue.').waitFor();
    assert.equal(visit.requests.length, before);
    assert.equal(await page.locator('.sk-list code').count(), 10);
    const answer = await page.evaluate(async () => {
      const fields = new FormData(document.querySelector('form'));
      fields.delete('saved');
      const response = await fetch(location.href, { method: 'POST', body: new URLSearchParams(fields) });
      return { status: response.status, text: await response.text() };
    });
    assert.equal(answer.status, 422);
    assert.match(answer.text, /data-error="no-confirmation">Please confirm that you have recorded the codes/);
    assert.equal((await visit.account()).recovery.state, 'none');
    await page.getByText('I have safely recorded these codes').click();
    assert.equal(await page.getByRole('checkbox').isChecked(), true, 'the label is clickable');
    await visit.button('Continue').click();
    await visit.at('/account');
  });
});

/** Pastes a text into the field with the clipboard and the keyboard, and sends it. */
async function pasteAndRedeem(visit, text) {
  await visit.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.origin });
  await visit.toChallenge();
  await visit.page.evaluate((words) => navigator.clipboard.writeText(words), text);
  await visit.field().focus();
  await visit.page.keyboard.press('Control+V');
  await visit.page.getByText('The code is complete.').waitFor();
  await visit.button('Continue').click();
  await visit.at('/u/after-recovery');
}

describe('the pending codes', () => {
  story('a reload, another tab, and back and forward show the same codes until they are confirmed, and then never again (L2, L4, U5, B-63)', async (visit, page) => {
    const codes = await visit.toCodes();
    await page.reload();
    assert.deepEqual(await visit.readCodes(), codes);
    const other = await visit.newPage();
    await other.goto(page.url());
    assert.deepEqual(await visit.readCodes(other), codes);
    await page.goBack();
    await page.goForward();
    await page.waitForURL((url) => url.pathname === SAVE);
    assert.deepEqual(await visit.readCodes(), codes);
    await visit.go('/u/mfa-otp-enrollment-qr');
    assert.equal(visit.path(), SAVE, 'no step back to a key that is bound');
    await visit.confirm();
    // The other tab is of a sign-in that is over: confirming there changes nothing and leads in.
    await other.getByRole('button', { name: 'I wrote them down' }).click();
    await other.getByRole('checkbox').check();
    await other.getByRole('button', { name: 'Continue' }).click();
    await other.getByRole('heading', { name: 'This page has expired' }).waitFor();
    await other.getByRole('link', { name: 'Go to my account' }).click();
    await other.waitForURL((url) => url.pathname === '/account');
    for (const path of [SAVE, '/account/codes', '/u/mfa-otp-enrollment-qr']) {
      await visit.go(path);
      const text = await page.content();
      if (path.startsWith('/u/')) assert.equal(await visit.heading(), 'This page has expired', path);
      else assert.equal(visit.path(), '/account', path);
      assert.ok(codes.every((code) => !text.includes(code)));
    }
    await page.goBack();
    await page.goBack();
    assert.ok(codes.every((code) => visit.shown.has(code)));
    const text = await page.content();
    assert.ok(codes.every((code) => !text.includes(code)), 'the back button brings no code back');
    assert.equal((await visit.account()).recovery.generation, 1);
    assert.equal(await visit.works(codes[0]), true);
  });

  story('leaving before confirming warns, staying keeps the codes; after confirming there is no warning (U5)', async (visit, page) => {
    await visit.toCodes();
    await visit.button('I wrote them down').click();
    const asked = [];
    const stay = (dialog) => { asked.push(dialog.type()); return dialog.dismiss(); };
    page.on('dialog', stay);
    await visit.go('/account').catch(() => {});
    assert.deepEqual(asked, ['beforeunload']);
    assert.equal(visit.path(), SAVE);
    assert.deepEqual(await page.locator('.sk-list code').allTextContents(), visit.codes);
    await page.getByRole('checkbox').check();
    await visit.button('Continue').click();
    await visit.at('/account');
    await visit.page.goto(visit.url('/u/login'));
    assert.deepEqual(asked, ['beforeunload']);
  });

  story('the codes leave the page when it is left, and what comes back from the back button has none (B-64)', async (visit, page) => {
    await visit.toCodes();
    // A note that outlives the page: added last, so it is written after everybody else was told.
    await page.evaluate(() => addEventListener('pagehide', () => {
      document.cookie = `left=${document.querySelectorAll('.sk-list li').length}`;
    }));
    await visit.go('/openapi.json');
    const left = (await visit.context.cookies()).find(({ name }) => name === 'left');
    assert.equal(left?.value, '0', 'codes on the page that was left');
    await visit.context.clearCookies({ name: 'left' });
    // As the back-forward cache would bring it back, were it ever to keep the page.
    await page.goBack();
    await visit.readCodes();
    await page.evaluate(() => {
      dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
    });
    const text = await page.content();
    assert.ok(visit.codes.every((code) => !text.includes(code)));
    await page.getByText('The codes are no longer shown here. Reload the page to see them again.').waitFor();
    await page.reload();
    assert.deepEqual(await visit.readCodes(), visit.codes);
  });

  story('codes that were not confirmed in time are said to be worthless, and one click makes new ones (L1, B-09)', async (visit, page) => {
    const codes = await visit.toCodes();
    await visit.alter('batch', 'seed_until = 1');
    await page.reload();
    assert.equal(await visit.heading(), 'These codes have expired');
    await visit.button('Make new codes').click();
    await visit.at(SAVE);
    const next = await visit.readCodes();
    assert.ok(next.every((code) => !codes.includes(code)));
    await visit.confirm();
    assert.equal(await visit.works(codes[0]), false);
    assert.equal(await visit.works(next[0]), true);
  });
});

describe('an answer that is lost', () => {
  story('at the confirmation of the authenticator: the codes drawn there are shown (L1, L4)', async (visit, page) => {
    await visit.password();
    await visit.takeKey();
    await page.getByLabel('Code from the app').fill(await visit.app.next());
    const lost = await visit.loseAnswer('/u/mfa-otp-enrollment-qr', visit.button('Continue'));
    assert.equal(lost.location, SAVE);
    await visit.go('/u/mfa-otp-enrollment-qr');
    assert.equal(visit.path(), SAVE);
    const codes = await visit.readCodes();
    await page.reload();
    assert.deepEqual(await visit.readCodes(), codes);
    await visit.confirm();
    assert.equal((await visit.account()).recovery.generation, 1, 'one set was made and it is the one shown');
    assert.equal(await visit.works(codes[9]), true);
  });

  story('at the confirmation of the codes: a reload does no harm, and the person signs in with the codes they saved (L1)', async (visit, page) => {
    const codes = await visit.toCodes();
    await visit.button('I wrote them down').click();
    await page.getByRole('checkbox').check();
    const lost = await visit.loseAnswer(SAVE, visit.button('Continue'));
    assert.equal(lost.location, '/account');
    // The reload of a browser sends the form once more.
    await page.reload();
    await page.getByText('Nothing was lost.').waitFor();
    await visit.go(SAVE);
    await visit.link('Sign in again').click();
    await visit.at('/u/login');
    await visit.signIn();
    await page.getByText('10 of 10 remaining').waitFor();
    assert.equal((await visit.account()).recovery.generation, 1);
    assert.equal(await visit.works(codes[0]), true);
  });

  story('when new codes are made: the old ones work, and the new ones can be fetched again (L1, L2, L7)', async (visit, page) => {
    const old = await visit.enroll();
    await visit.go('/account/regenerate');
    const lost = await visit.loseAnswer('/account/regenerate', visit.button('Show the new codes'));
    assert.equal(lost.location, '/account/codes');
    assert.equal(await visit.works(old[0]), true, 'until the new ones are confirmed');
    await visit.go('/account');
    await page.getByText('9 of 10 remaining').waitFor();
    await page.getByText('New codes are waiting for you to save them.').waitFor();
    await visit.link('Show the new codes').click();
    await visit.at('/account/codes');
    const next = await visit.readCodes();
    await page.reload();
    assert.deepEqual(await visit.readCodes(), next);

    await visit.button('I wrote them down').click();
    await page.getByRole('checkbox').check();
    const again = await visit.loseAnswer('/account/codes', visit.button('Use these codes from now on'));
    assert.equal(again.location, '/account');
    // The reload of a browser sends the form once more: what it asks for is so already.
    await page.reload();
    assert.equal(visit.path(), '/account');
    await page.getByText('10 of 10 remaining').waitFor();
    await page.getByText(/^Set 2, made on/).waitFor();
    assert.equal(await visit.works(next[0]), true);
    assert.equal(await visit.works(old[1]), false);
  });
});
