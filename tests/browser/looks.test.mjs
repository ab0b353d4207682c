/**
 * Every state of the elements in every look: axe-core finds nothing, nothing overflows, targets are
 * large enough, what has the focus shows it (B-04, B-06, B-07, B-08, B-10, B-13, U9).
 *
 * `SHOTS=folder node --test looks.test.mjs` keeps a picture of each, to be looked at.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faults } from './axe.mjs';
import { BATCH, CODES, field, open, paste, show } from './host.mjs';

const button = (page, name) => page.getByRole('button', { name, exact: true });
const early = (page) => button(page, 'Continue').click({ force: true });
const type = (text) => (page) => field(page).pressSequentially(text);
const sent = (text) => async (page) => {
  await field(page).pressSequentially(text);
  await button(page, 'Sign in').click();
};
const element = (page, name, ...args) => page.evaluate(([method, given]) => document.querySelector('recovery-codes')[method](...given), [name, args]);
async function confirmed(page) {
  await show(page);
  await button(page, 'I wrote them down').click();
  await page.getByRole('checkbox').check();
  await button(page, 'Continue').click();
}
const many = (count) => ({ ...BATCH, codes: Array.from({ length: count }, (_, at) => ({ number: at + 1, code: CODES[at % 5] })) });

const STATES = {
  '/field': {
    empty: () => {},
    missing: sent(''),
    incomplete: sent('KZ3M-Q7TB-WJ5'),
    typo: type('KZ3M-Q7TB-WJSR-HXYN'),
    'typo-sent': sent('KZ3M-Q7TB-WJSR-HXYN'),
    foreign: sent('KZ3M-Q7?B-WJ5R-HXYN'),
    ambiguous: type('1111-1111-1111-1111'),
    'too-long': type('KZ3M-Q7TB-WJ5R-HXYNA'),
    complete: type('kz3mq7tbwj5rhxyn'),
    list: (page) => paste(page, CODES.map((code, at) => `${at + 1}. ${code}`).join('\r\n')),
    disabled: (page) => page.evaluate(() => document.querySelector('form').append(Object.assign(document.createElement('fieldset'), { disabled: true })) ?? document.querySelector('fieldset').append(document.querySelector('recovery-code-input'))),
  },
  '/codes': {
    shown: (page) => show(page, many(10)),
    sixteen: (page) => show(page, many(16)),
    single: (page) => show(page, { ...BATCH, codes: [{ number: 1, code: 'KZ3MQ7TBWJ5RHXYNKZ3MQ7TB' }] }),
    'save-first': async (page) => { await show(page, many(10)); await early(page); },
    'tick-first': async (page) => { await show(page, many(10)); await button(page, 'I wrote them down').click(); await early(page); },
    ready: async (page) => { await show(page, many(10)); await button(page, 'I wrote them down').click(); await page.getByRole('checkbox').check(); },
    refused: async (page) => {
      await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); });
      await show(page, many(10));
      await button(page, 'Copy').click();
      await page.waitForFunction(() => document.querySelector('[role=status]').textContent);
    },
    activating: confirmed,
    network: async (page) => { await confirmed(page); await element(page, 'refused', 'network'); },
    done: async (page) => { await confirmed(page); await element(page, 'confirmed'); },
    expired: async (page) => { await show(page); await element(page, 'expired'); },
    left: async (page) => {
      await show(page);
      await page.evaluate(() => { for (const name of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(name, { persisted: true })); });
    },
  },
};

const LOOKS = {
  light: { viewport: { width: 1280, height: 800 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  'forced-colors': { viewport: { width: 1280, height: 800 }, forcedColors: 'active' },
  'phone-light': { viewport: { width: 320, height: 720 } },
  'phone-dark': { viewport: { width: 320, height: 720 }, colorScheme: 'dark' },
  'right-to-left': { viewport: { width: 640, height: 800 } },
};

/** Controls that are smaller than 24 by 24. */
const small = (page) => page.locator('recovery-codes :is(button, label, input), recovery-code-input :is(button, input)').evaluateAll((targets) => targets
  .map((target) => [target.className || target.type, target.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24)).map(([target]) => target));

for (const [path, states] of Object.entries(STATES)) {
  for (const [look, options] of Object.entries(LOOKS)) {
    test(`${path} in ${look}: ${Object.keys(states).join(', ')}`, { timeout: 90_000 }, () => open(path, async (page) => {
      page.on('dialog', (dialog) => dialog.accept());
      for (const [state, reach] of Object.entries(states)) {
        await page.reload();
        await page.waitForFunction(() => customElements.get('recovery-codes'));
        if (look === 'right-to-left') await page.evaluate(() => { document.documentElement.dir = 'rtl'; });
        await page.evaluate(() => document.querySelector('recovery-code-input')?.ready);
        await reach(page);
        assert.deepEqual(await faults(page), [], state);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${state} overflows`);
        assert.deepEqual(await small(page), [], state);
        if (process.env.SHOTS) {
          mkdirSync(process.env.SHOTS, { recursive: true });
          await page.screenshot({ path: join(process.env.SHOTS, `${path.slice(1)}-${state}-${look}.png`), fullPage: true });
        }
      }
    }, options));
  }
}

test('whatever has the focus shows it, by keys alone, in every look (B-07)', { timeout: 60_000 }, async () => {
  for (const [look, options] of Object.entries(LOOKS)) {
    await open('/codes', async (page) => {
      await show(page);
      for (let step = 0; step < 6; step += 1) {
        await page.keyboard.press('Tab');
        const ring = await page.evaluate(() => {
          const style = getComputedStyle(document.activeElement);
          return [document.activeElement.className || document.activeElement.type, style.boxShadow, style.outlineStyle, parseFloat(style.outlineWidth)];
        });
        const [name, shadow, outline, width] = ring;
        assert.ok((shadow !== 'none' && look !== 'forced-colors') || (outline === 'solid' && width >= 2), `${name} in ${look}: ${ring}`);
      }
    }, options);
  }
});

test('nothing moves under reduced motion (B-13)', () => open('/codes', async (page) => {
  await show(page);
  const moving = await page.evaluate(() => [...document.querySelectorAll('recovery-codes *')]
    .map((one) => getComputedStyle(one)).filter(({ animationName, transitionDuration }) => animationName !== 'none' || transitionDuration !== '0s').length);
  assert.equal(moving, 0);
}, { reducedMotion: 'reduce' }));

test('what is wrong is said without colour alone, and the words for the wrong places have enough contrast on every ground (B-08)', () => open('/field', async (page) => {
  await field(page).pressSequentially('KZ3M-Q7TB-WJSR-HXYN');
  assert.ok((await page.locator('[role=status]').textContent()).length > 10);
  const line = await page.locator('.sk-marks u').evaluate((mark) => getComputedStyle(mark).textDecorationLine);
  assert.equal(line, 'underline');
}));

test('letters and lines set as far apart as people need them are not cut off at 320 px (B-10)', { timeout: 60_000 }, async () => {
  for (const [path, reach] of [['/codes', STATES['/codes'].sixteen], ['/codes', STATES['/codes'].single], ['/field', STATES['/field'].list]]) {
    await open(path, async (page) => {
      await reach(page);
      await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }');
        document.adoptedStyleSheets.push(sheet);
      });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, path);
      const cut = await page.locator('code').evaluateAll((codes) => codes.filter((code) => code.getBoundingClientRect().right > innerWidth).length);
      assert.equal(cut, 0);
    }, { viewport: { width: 320, height: 720 } });
  }
});
