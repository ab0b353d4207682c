/** Registers the elements under their names. The only file here that does something by being loaded. */
import { RecoveryCodeInput } from './recovery-code-input.js';
import { RecoveryCodes } from './recovery-codes.js';

RecoveryCodeInput.define();
RecoveryCodes.define();
