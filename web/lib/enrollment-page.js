/**
 * The save prompt of our own pages: the codes stand in the HTML, for people without JavaScript.
 * This hands them to the element, posts the form when the person confirms, says in time that the
 * pending codes are about to run out, and asks for more time without leaving the page.
 */
import { RecoveryCodes } from '../elements/recovery-codes.js';
import { pageLocale, textsOf } from './texts.js';

// This one alone: the page has no other.
RecoveryCodes.define();
const element = document.querySelector('recovery-codes');
if (element instanceof RecoveryCodes) {
  const { product = '', account = '', generation = '0', issuedOn = '', expiresIn, warnBefore, soon = '', expired, copyText, last = '', url } = element.dataset;
  element.addEventListener('recovery-codes-confirm', () => {
    // By its button, so that the form says which one was pressed.
    element.closest('form')?.requestSubmit(element.querySelector('.sk-continue'));
  });
  const locale = await pageLocale();
  element.sheetTexts = textsOf(locale, 'sheet');
  element.texts = { ...textsOf(locale, 'recovery-codes'), ...(copyText && { copy: copyText }), ...(expired && { expired }) };
  element.batch = {
    product,
    account,
    generation: Number(generation),
    issuedOn,
    // Where codes are entered: the login page of this server, unless the page says another.
    url: url ?? new URL('/u/login', location.href).href,
    codes: [...element.querySelectorAll('li')].map((item) => ({
      number: item.value,
      code: item.textContent?.trim() ?? '',
    })),
  };
  const pending = document.getElementById('pending');
  const more = document.getElementById('more-time');
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];
  /**
   * Watches the time that is left, in seconds. The line is a live region that has stood there since
   * before: the focus stays where it is.
   * @param {number} left
   * @param {number} before
   * @param {string} words
   */
  const watch = (left, before, words) => {
    timers.forEach(clearTimeout);
    timers = [];
    if (!(left > 0)) return;
    timers = [
      setTimeout(() => say(words, 'warn'), (left - before) * 1000),
      setTimeout(() => {
        element.expired();
        document.getElementById('pending-box')?.setAttribute('hidden', '');
      }, left * 1000),
    ];
  };
  /**
   * @param {string} text
   * @param {string} look
   */
  const say = (text, look) => {
    if (!pending) return;
    pending.textContent = text;
    pending.className = look;
  };
  watch(Number(expiresIn), Number(warnBefore), soon);
  more?.addEventListener('click', (event) => {
    const form = element.closest('form');
    if (!form || !(more instanceof HTMLButtonElement)) return;
    event.preventDefault();
    const fields = new URLSearchParams();
    for (const name of ['csrf', 'state']) fields.set(name, String(new FormData(form).get(name) ?? ''));
    fields.set('answer', 'json');
    fetch(more.formAction, { method: 'POST', body: fields, redirect: 'error' }).then(async (answer) => {
      if (answer.status === 410) {
        say(last, 'warn');
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const given = await answer.json();
      say(given.pending, 'quiet');
      watch(given.expires_in, given.warn_before, given.soon);
    }).catch(() => say(element.texts.network ?? '', 'warn'));
  });
}
