/** The entry field beyond a single keystroke: random edits against a model, lists, files, marks. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { launchWithProfile } from './chromium.mjs';
import { CODE, CODES, alert, bare, caret, field, grouped, open, paste, site, status } from './host.mjs';

/** Numbers from a seed, so that a failure can be run again: mulberry32. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What a field of symbols is: symbols, a caret among them, and what was before. Knows no dashes. */
class Model {
  symbols = '';
  caret = 0;
  #past = [{ symbols: '', caret: 0 }];
  #at = 0;

  #push() {
    const { symbols, caret } = this;
    if (symbols === this.#past[this.#at].symbols) this.#past[this.#at] = { symbols, caret };
    else {
      this.#past.splice(this.#at + 1, Infinity, { symbols, caret });
      this.#at += 1;
    }
  }

  replace(from, to, text) {
    this.symbols = this.symbols.slice(0, from) + text + this.symbols.slice(to);
    this.caret = from + text.length;
    this.#push();
  }

  go(by) {
    const entry = this.#past[this.#at + by];
    if (!entry) return;
    this.#at += by;
    Object.assign(this, entry);
  }
}

const shown = (symbols) => (symbols.length > 16 ? symbols : grouped(symbols));
const left = (text, at) => bare(text.slice(0, at)).length;

describe('whatever one does, in whatever order', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`text and caret are those of the model, undo and redo included (B-26, B-27, seed ${seed})`, () => open('/field', async (page) => {
      const draw = numbers(seed);
      const model = new Model();
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
      const word = (length) => Array.from({ length }, () => alphabet[draw(32)]).join('');
      await field(page).focus();
      for (let step = 0; step < 150; step += 1) {
        const value = await field(page).inputValue();
        const [a, b] = [draw(value.length + 1), draw(value.length + 1)];
        // Mostly a caret, now and then a selection.
        const [from, to] = draw(4) > 0 ? [a, a] : [Math.min(a, b), Math.max(a, b)];
        const place = () => field(page).evaluate((input, [start, end]) => input.setSelectionRange(start, end), [from, to]);
        const [start, end] = [left(value, from), left(value, to)];
        let did;
        switch (draw(7)) {
          case 0: case 1: case 2: {
            // Not beyond what is grouped, so that every dash is met.
            if (model.symbols.length - (end - start) >= 16) continue;
            const text = word(1);
            did = `type ${text} at ${from}-${to}`;
            await place();
            await page.keyboard.type(draw(2) ? text : text.toLowerCase());
            model.replace(start, end, text);
            break;
          }
          case 3:
            did = `Backspace at ${from}-${to}`;
            await place();
            await page.keyboard.press('Backspace');
            if (start === end && from !== to) continue;
            if (start < end) model.replace(start, end, '');
            else if (start > 0) model.replace(start - 1, start, '');
            else model.caret = start;
            break;
          case 4:
            did = `Delete at ${from}-${to}`;
            if (from !== to && start === end) continue;
            await place();
            await page.keyboard.press('Delete');
            if (start < end) model.replace(start, end, '');
            else if (start < model.symbols.length) model.replace(start, start + 1, '');
            else model.caret = start;
            break;
          case 5: {
            const text = word(1 + draw(4));
            if (model.symbols.length - (end - start) + text.length > 16) continue;
            did = `paste ${text} at ${from}-${to}`;
            await place();
            await paste(page, text);
            model.replace(start, end, text);
            break;
          }
          default: {
            const by = draw(2) ? -1 : 1;
            did = by < 0 ? 'undo' : 'redo';
            await page.keyboard.press(by < 0 ? 'Control+z' : 'Control+Shift+z');
            model.go(by);
            break;
          }
        }
        const now = await field(page).inputValue();
        assert.equal(now, shown(model.symbols), `step ${step}: ${did} in ${value}`);
        if (did !== 'undo' && did !== 'redo') {
          assert.equal(left(now, await caret(page)), model.caret, `caret, step ${step}: ${did} in ${value}`);
        }
        assert.equal(await page.evaluate(() => document.querySelector('recovery-code-input').value), now);
      }
    }));
  }
});

const LIST = CODES.map((code, at) => `${at + 1}. ${code}`).join('\r\n');
const choices = (page) => page.getByRole('group', { name: 'Codes to pick from' }).getByRole('button');

/** Drops text or a file on the field, as a browser does. */
const drop = (page, { text, file }) => field(page).evaluate((input, given) => {
  const data = new DataTransfer();
  if (given.file) data.items.add(new File([given.file], 'codes.txt', { type: 'text/plain' }));
  if (given.text) data.setData('text/plain', given.text);
  const over = new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true });
  const event = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
  return [input.dispatchEvent(over), input.dispatchEvent(event)];
}, { text, file });

describe('more than one code', () => {
  test('a pasted list is offered code by code, none is tried, and the one picked is put in (E7, B-01)', () => open('/field', async (page) => {
    await field(page).pressSequentially('KZ');
    await paste(page, LIST);
    assert.equal(await field(page).inputValue(), 'KZ', 'nothing is put in by itself');
    assert.match(await status(page).textContent(), /list of codes. Pick one/);
    assert.deepEqual(await choices(page).allTextContents(), LIST.split('\r\n'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.equal(await field(page).inputValue(), CODES[1]);
    assert.equal(await choices(page).count(), 0);
    assert.equal(await field(page).evaluate((input) => input === document.activeElement), true);
    assert.equal(await status(page).textContent(), 'The code is complete.');
    await page.keyboard.press('Control+z');
    assert.equal(await field(page).inputValue(), 'KZ', 'undo brings back what was typed');
    assert.equal(site.posted.length, 0);
  }));

  test('picking none is one key, and typing goes on where it was', () => open('/field', async (page) => {
    await paste(page, LIST);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    assert.equal(await choices(page).count(), 0);
    await page.keyboard.type('KZ');
    assert.equal(await field(page).inputValue(), 'KZ');
    await paste(page, LIST);
    await page.keyboard.type('3');
    assert.equal(await choices(page).count(), 0, 'typing takes the offer away');
  }));

  test('a table copied in one line is taken apart at its groups', () => open('/field', async (page) => {
    await paste(page, `Fernhill Library recovery codes, Account: alice ${LIST.replaceAll('\r\n', ' ')} Keep them`);
    assert.deepEqual(await choices(page).allTextContents(), LIST.split('\r\n'));
  }));

  test('the saved file dropped on the field is offered the same way; a file with one code fills it in (E7)', () => open('/field', async (page) => {
    const prose = 'Fernhill Library recovery codes\r\nAccount: alice@example.com\r\nSet 2, made on 21 November 2026\r\n\r\n';
    assert.deepEqual(await drop(page, { file: `${prose}${LIST}\r\n\r\nIf you make new codes, these stop working.\r\n` }), [false, false]);
    await choices(page).first().waitFor();
    assert.deepEqual(await choices(page).allTextContents(), LIST.split('\r\n'));
    await drop(page, { file: `${prose}1. ${CODE}\r\n` });
    await page.waitForFunction(() => document.querySelector('recovery-code-input').value.length === 19);
    assert.equal(await field(page).inputValue(), CODE);
    assert.equal(await choices(page).count(), 0);
    await drop(page, { file: 'a shopping list' });
    await page.waitForFunction(() => /no recovery code/.test(document.querySelector('[role=status]').textContent));
    assert.equal(await field(page).inputValue(), CODE, 'and nothing is lost');
  }));

  test('dragged text of several lines is a list too', () => open('/field', async (page) => {
    assert.deepEqual(await drop(page, { text: LIST }), [true, false]);
    assert.equal(await choices(page).count(), 5);
  }));

  test('a whole line of the sheet is one code, number and all (E1, E4, B-24)', () => open('/field', async (page) => {
    for (const line of ['3. KZ3M-Q7TB-WJ5R-HXYN', '  3.  kz3m  q7tb  wj5r  hxyn  (not crossed out)'.slice(0, 30), '12) KZ3M Q7TB WJ5R HXYN']) {
      await field(page).fill('');
      await paste(page, line);
      assert.equal(await field(page).inputValue(), CODE, line);
    }
  }));
});

describe('where it is wrong', () => {
  const marked = (page) => page.locator('.sk-marks u').allTextContents();
  /** The left edges of the marks and of the characters they are for, by the field's own metrics. */
  const offsets = (page, at) => page.evaluate((index) => {
    const input = document.querySelector('recovery-code-input input');
    const style = getComputedStyle(input);
    const measure = document.createElement('span');
    for (const name of ['fontFamily', 'fontSize', 'fontWeight', 'letterSpacing', 'fontVariantNumeric']) measure.style[name] = style[name];
    measure.style.whiteSpace = 'pre';
    measure.textContent = input.value.slice(0, index);
    document.body.append(measure);
    const start = input.getBoundingClientRect().left + input.clientLeft + parseFloat(style.paddingLeft) - input.scrollLeft;
    const wanted = start + measure.getBoundingClientRect().width;
    measure.remove();
    return [document.querySelector('.sk-marks u').getBoundingClientRect().left, wanted];
  }, at);

  test('a typo is told from a complete code without a request; the likely place is marked and said (B-03, E9)', () => open('/field', async (page) => {
    const requests = site.requests.length;
    await field(page).pressSequentially('KZ3M-Q7TB-WJSR-HXYN');
    assert.match(await status(page).textContent(), /character 11 \(S or 5\?\)/);
    assert.deepEqual(await marked(page), ['S']);
    const [is, wanted] = await offsets(page, 12);
    assert.ok(Math.abs(is - wanted) < 1.5, `mark at ${is}, character at ${wanted}`);
    const described = await field(page).evaluate((input) => input.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent).join(' '));
    assert.match(described, /character 11/);
    assert.equal(await page.locator('.sk-marks').getAttribute('aria-hidden'), 'true');
    assert.equal(site.requests.length, requests);
    await page.getByRole('button', { name: 'Sign in' }).click();
    assert.match(await alert(page).textContent(), /character 11/);
    assert.deepEqual(await field(page).evaluate((input) => [input.selectionStart, input.selectionEnd]), [12, 13], 'one place: selected');
    await page.keyboard.type('5');
    assert.equal(await field(page).inputValue(), CODE);
    assert.deepEqual(await marked(page), []);
    assert.equal(await page.locator('.sk-marks').count(), 0);
  }));

  test('two neighbours the wrong way round are both marked, over a dash too', () => open('/field', async (page) => {
    await field(page).pressSequentially('KZ3Q-M7TB-WJ5R-HXYN');
    assert.match(await status(page).textContent(), /characters 4 and 5 \(the other way round\?\)/);
    assert.ok((await marked(page)).join('').includes('QM'));
  }));

  test('a 1 that may be I or L is settled by the check, and asked about where the check cannot tell (E2)', () => open('/field', async (page) => {
    // ABCD-EFGH-IJKL-MNOI has an I at 9 and 16 and an L at 12: each alone is settled.
    for (const typed of ['ABCD-EFGH-1JKL-MNOI', 'ABCD-EFGH-IJK1-MNOI', 'abcd-efgh-ijkl-mn0i']) {
      await field(page).fill(typed);
      assert.equal(await page.evaluate(() => document.querySelector('recovery-code-input').verdict.formatted), 'ABCD-EFGH-IJKL-MNOI');
    }
    await field(page).fill('1111-1111-1111-1111');
    assert.match(await status(page).textContent(), /^Is it I or L\? Look at character 1, /);
    assert.equal((await marked(page)).join(''), '11111111');
    assert.equal(await field(page).getAttribute('aria-invalid'), 'true');
  }));

  test('the marks follow a field that is too narrow for its text', () => open('/field', async (page) => {
    await page.evaluate(() => { document.querySelector('recovery-code-input').style.inlineSize = '7rem'; });
    await field(page).pressSequentially('KZ3M-Q7TB-WJSR-HXYN');
    assert.ok(await field(page).evaluate((input) => input.scrollLeft) > 0);
    const [is, wanted] = await offsets(page, 12);
    assert.ok(Math.abs(is - wanted) < 1.5, `mark at ${is}, character at ${wanted}`);
  }));
});

test('the browser does not keep what was typed for its form history (B-20, E8)', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spare-key-profile-'));
  const kept = () => execFileSync('sqlite3', ['-readonly', join(folder, 'Default/Web Data'), 'select name from autofill'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  try {
    const context = await launchWithProfile(folder);
    const page = await context.newPage();
    for (const path of ['/field', '/server-field']) {
      await page.goto(`${site.origin}${path}`);
      await page.evaluate(() => document.querySelector('recovery-code-input').ready);
      await field(page).pressSequentially(CODE);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/redeem');
    }
    // The same with a plain field, so that we know that this browser keeps what it may.
    await page.goto(`${site.origin}/plain-field`);
    await page.locator('input').pressSequentially('something');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/redeem');
    await context.close();
    assert.deepEqual(kept(), ['nickname']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
