/** The classes of the elements, not registered: import `spare-key/elements/define.js` for that. */
export { RecoveryCodeInput } from './elements/recovery-code-input.js';
export { RecoveryCodes } from './elements/recovery-codes.js';
export * from './lib/events.js';
export { speak } from './lib/speak.js';
