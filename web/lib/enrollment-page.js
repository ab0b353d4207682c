/**
 * The save prompt of our own pages: the codes stand in the HTML, for people without JavaScript.
 * This hands them to the element, and posts the form when the person confirms.
 */
import '../elements/define.js';
import { RecoveryCodes } from '../elements/recovery-codes.js';
import { pageTexts } from './texts.js';

const element = document.querySelector('recovery-codes');
if (element instanceof RecoveryCodes) {
  const { product = '', account = '', generation = '0', issuedOn = '', expiresIn } = element.dataset;
  element.addEventListener('recovery-codes-confirm', () => element.closest('form')?.submit());
  element.texts = await pageTexts('recovery-codes').catch(() => ({}));
  element.batch = {
    product,
    account,
    generation: Number(generation),
    issuedOn,
    codes: [...element.querySelectorAll('li')].map((item) => ({
      number: item.value,
      code: item.textContent?.trim() ?? '',
    })),
  };
  if (Number(expiresIn) > 0) setTimeout(() => element.expired(), Number(expiresIn) * 1000);
}
