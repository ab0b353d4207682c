/** The recovery-code field of our own pages, in the language of the page. */
import '../elements/define.js';
import { RecoveryCodeInput } from '../elements/recovery-code-input.js';
import { pageLocale, textsOf } from './texts.js';

const element = document.querySelector('recovery-code-input');
if (element instanceof RecoveryCodeInput) {
  element.texts = textsOf(await pageLocale(), 'recovery-code-input');
}
