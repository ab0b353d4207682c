/**
 * The save prompt of our own pages: the codes stand in the HTML, for people without JavaScript.
 * This hands them to the element, posts the form when the person confirms, and says in time that
 * the pending codes are about to run out.
 */
import { RecoveryCodes } from '../elements/recovery-codes.js';
import { pageLocale, textsOf } from './texts.js';

// This one alone: the page has no other.
RecoveryCodes.define();
const element = document.querySelector('recovery-codes');
if (element instanceof RecoveryCodes) {
  const { product = '', account = '', generation = '0', issuedOn = '', expiresIn, warnBefore, soon = '', expired, copyText, url } = element.dataset;
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
  if (Number(expiresIn) > 0) {
    const pending = document.getElementById('pending');
    // A live region that has stood there since before: the focus stays where it is.
    setTimeout(() => {
      if (!pending) return;
      pending.textContent = soon;
      pending.className = 'warn';
    }, (Number(expiresIn) - Number(warnBefore)) * 1000);
    setTimeout(() => {
      element.expired();
      if (pending) pending.hidden = true;
    }, Number(expiresIn) * 1000);
  }
}
