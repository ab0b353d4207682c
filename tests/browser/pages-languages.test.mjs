/** Six languages: every page in every state in each of them, on the narrowest screen. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { inspector } from './inspect.mjs';
import { Tour, wholeTour } from './pages-tour.mjs';
import { PRODUCT, start } from './server.mjs';
import { Forms, Visit } from './visit.mjs';

const LANGUAGES = ['en', 'de', 'es', 'fr', 'ja', 'ar'];
const locale = (language) => JSON.parse(readFileSync(new URL(`../../web/locales/${language}.json`, import.meta.url), 'utf8'));

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

/** Every text of a page that is cut off, runs out of the screen, or is a key in the place of a text. */
const TROUBLE = `(() => {
  const wrong = [];
  if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page is ' + document.documentElement.scrollWidth + ' px wide');
  for (const part of document.querySelectorAll('body *')) {
    if (![...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(part);
    const box = part.getBoundingClientRect();
    if (style.visibility === 'hidden' || box.width < 2 || part.closest('.skip, pre, .scroll')) continue;
    if (box.left < -1 || box.right > innerWidth + 1) wrong.push('off the screen: ' + part.outerHTML.slice(0, 200));
    if (part.scrollWidth > part.clientWidth + 1 && style.display !== 'inline' && !part.matches('input')) wrong.push('cut off: ' + part.outerHTML.slice(0, 200));
    if (/^[a-z]+(-[a-z]+)*(\\.[a-zA-Z_-]+)+$/.test(part.textContent.trim()) || /\\{[a-z]+\\}|\\$\\{/.test(part.textContent)) wrong.push('a key: ' + part.textContent);
  }
  return wrong;
})()`;

describe('every page in every state, at 320 px: nothing is cut off, axe finds nothing, language and direction are said (B-04, B-10, U4, U9)', () => {
  for (const language of LANGUAGES) {
    test(language, { timeout: 240_000 }, async () => {
      const seen = new Set();
      await wholeTour(browser, server, language, async (page, name) => {
        seen.add(name);
        const where = `${language} ${name}`;
        const said = await page.evaluate(() => ({ lang: document.documentElement.lang, dir: document.documentElement.dir, current: document.querySelector('.languages [aria-current]')?.lang }));
        assert.deepEqual(said, { lang: language, dir: language === 'ar' ? 'rtl' : 'ltr', current: language }, where);
        await page.setViewportSize({ width: 320, height: 640 });
        const { run, violations, end } = await inspector(page, where);
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          assert.deepEqual(await violations(), [], `${where} ${colorScheme}`);
        }
        assert.deepEqual(await run(TROUBLE), [], where);
        const codes = await run(`[...document.querySelectorAll('.sk-list code, input.code, input.otp, .secret')].map((part) => getComputedStyle(part).direction)`);
        assert.ok(codes.every((direction) => direction === 'ltr'), `${where}: codes run from left to right`);
        await end();
        await page.setViewportSize({ width: 1280, height: 900 });
      });
      assert.ok(seen.size >= 40, `only ${seen.size} pages were seen`);
    });
  }
});

test('Arabic is mirrored: what begins on the left begins on the right, codes and fields for them do not', { timeout: 60_000 }, async () => {
  const edges = {};
  for (const language of ['en', 'ar']) {
    const tour = await Tour.in(browser, server, language, { viewport: { width: 1000, height: 900 } });
    await tour.toCodes();
    edges[language] = await tour.page.evaluate(() => {
      const card = document.querySelector('main').getBoundingClientRect();
      const gap = (selector) => {
        const box = document.querySelector(selector).getBoundingClientRect();
        return Math.round(document.documentElement.dir === 'rtl' ? card.right - box.right : box.left - card.left);
      };
      return {
        box: gap('.sk-saved input'), mark: getComputedStyle(document.querySelector('h1')).textAlign,
        code: getComputedStyle(document.querySelector('.sk-list')).direction,
        first: document.querySelector('.sk-copy').getBoundingClientRect().left < document.querySelector('.sk-download').getBoundingClientRect().left,
      };
    });
    await tour.context.close();
  }
  assert.equal(edges.ar.box, edges.en.box, 'the box stands at the beginning of its line');
  assert.deepEqual([edges.en.first, edges.ar.first], [true, false]);
  assert.equal(edges.ar.code, 'ltr');
});

describe('which language', () => {
  const lang = async (forms, path) => /<html lang="(\w+)" dir="(\w+)">/.exec((await forms.request('GET', path)).body)?.slice(1).join(' ');

  test('as the browser asks, else English; the switch comes before, by a plain link, and is remembered', async () => {
    const asks = async (accept) => {
      const forms = new Forms(server.origin);
      const { body } = await forms.request('GET', '/nothing', { headers: { accept: 'text/html', 'accept-language': accept } });
      return /lang="(\w+)"/.exec(body)[1];
    };
    assert.equal(await asks('de-CH, de;q=0.9, en;q=0.5'), 'de');
    assert.equal(await asks('sv, ar;q=0.3'), 'ar');
    assert.equal(await asks('sv'), 'en');

    const forms = new Forms(server.origin);
    const door = await forms.get('/u/login');
    const href = /<a href="([^"]*ui_locales=fr)"/.exec(door.body)[1].replaceAll('&amp;', '&').replaceAll('&#38;', '&');
    const switched = await forms.request('GET', `/u/login${href}`);
    assert.equal(switched.status, 303);
    assert.equal(switched.headers.location, `/u/login?state=${forms.state}`, 'the transaction goes on');
    assert.deepEqual(switched.headers['set-cookie'].map((line) => line.replace(/; Max-Age=\d+/, '; Max-Age')), ['spare-key-language=fr; HttpOnly; SameSite=Lax; Path=/; Max-Age']);
    assert.equal(await lang(forms, switched.headers.location), 'fr ltr');
    assert.equal(await lang(forms, '/u/login?state=unknown'), 'fr ltr', 'messages too');
  });

  test('ui_locales takes a list of preferences as OpenID Connect has it, and leads nowhere else', async () => {
    const forms = new Forms(server.origin);
    const first = await forms.request('GET', '/u/login?ui_locales=sv+ja-JP+de');
    assert.equal(first.headers.location, '/u/login');
    assert.match(first.headers['set-cookie'][0], /^spare-key-language=ja;/);
    const unknown = await forms.request('GET', '/u/login?ui_locales=sv');
    assert.equal(unknown.headers['set-cookie'], undefined);
    for (const path of ['//evil.example/?ui_locales=de', '/account?ui_locales=de&next=//evil.example']) {
      assert.match((await forms.request('GET', path)).headers.location ?? '/', /^\/(?!\/)/);
    }
    const posted = await forms.post('/u/login?ui_locales=de', { username: 'a' });
    assert.equal(posted.headers['set-cookie']?.some((line) => line.startsWith('spare-key-language')) ?? false, false, 'a form is no switch');
  });

  test('by the switch on the page, halfway through an enrollment, also without JavaScript; nothing is lost (B-29)', { timeout: 60_000 }, async () => {
    for (const javaScriptEnabled of [true, false]) {
      const visit = await Visit.begin(browser, server, { javaScriptEnabled });
      const { page } = visit;
      page.on('dialog', (dialog) => dialog.accept());
      const codes = await visit.toCodes();
      await page.getByRole('link', { name: 'Deutsch' }).click();
      await page.getByRole('heading', { name: 'Fast geschafft' }).waitFor();
      assert.deepEqual(await page.locator('.sk-list code').allTextContents(), codes);
      await page.getByText('Ich habe diese Codes sicher aufbewahrt').waitFor();
      assert.equal((await visit.account()).recovery.pending_generation, 1, 'shown again, not made again');
      await visit.end();
    }
  });

  for (const [language, codes, part] of [['de', 'Wiederherstellungscodes für', 'Satz 1, erstellt am'], ['ja', 'リカバリーコード', 'セット1（'], ['ar', 'رموز استرداد', 'المجموعة 1، أُنشئت في']]) {
    test(`the file and the sheet are in the reader's language, with and without JavaScript (${language}, U4, B-41)`, { timeout: 60_000 }, async () => {
      const texts = {};
      for (const javaScriptEnabled of [true, false]) {
        const tour = await Tour.in(browser, server, language, { javaScriptEnabled });
        const shown = await tour.toCodes();
        const [download] = await Promise.all([tour.page.waitForEvent('download'), tour.page.locator('.sk-download').click()]);
        const text = readFileSync(await download.path(), 'utf8');
        assert.match(download.suggestedFilename(), /^fernhill-library-recovery-codes[\w-]*\.txt$/);
        assert.ok(text.startsWith(language === 'de' ? `${codes} ${PRODUCT}` : text.split('\r\n')[0]) && text.includes(codes), text);
        assert.ok(text.includes(part), text);
        for (const code of shown) assert.ok(text.includes(code));
        for (const sentence of ['usage', 'replacement', 'alarm']) assert.ok(text.includes(locale(language)[`sheet.${sentence}`]), sentence);
        assert.ok(!text.includes('made on') && !text.includes('Each code works once'), 'no English');
        texts[javaScriptEnabled] = text.split('\r\n').filter((line) => line && !/^\s*\d+\. /.test(line) && !line.includes('http') && !line.includes('person-'));
        await tour.context.close();
      }
      assert.deepEqual(texts.true, texts.false);
    });
  }
});
