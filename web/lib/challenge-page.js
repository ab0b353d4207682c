/** The recovery-code field of our own pages, in the language of the page. */
import { RecoveryCodeInput } from '../elements/recovery-code-input.js';
import { pageLocale, textsOf } from './texts.js';

// This one alone: the page has no other.
RecoveryCodeInput.define();
const element = document.querySelector('recovery-code-input');
if (element instanceof RecoveryCodeInput) {
  element.texts = textsOf(await pageLocale(), 'recovery-code-input');
}
