/** All elements of a page in one language. */
import { RecoveryCodeInput } from '../elements/recovery-code-input.js';
import { RecoveryCodes } from '../elements/recovery-codes.js';
import { textsOf } from './texts.js';

/**
 * What elements say that are made from now on: the texts of a locale of this package, or of your
 * own with the same keys. What it does not have stays English.
 * @param {Readonly<Record<string, unknown>>} locale
 */
export function speak(locale) {
  Object.assign(RecoveryCodeInput.texts, textsOf(locale, 'recovery-code-input'));
  Object.assign(RecoveryCodes.texts, textsOf(locale, 'recovery-codes'));
  Object.assign(RecoveryCodes.sheetTexts, textsOf(locale, 'sheet'));
}
