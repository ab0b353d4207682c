import type { Edit, SaveFailure, SaveState, SaveWay, SheetTexts, Verdict, VerdictState } from './index.js';

export type Texts = Readonly<Record<string, string>>;

export class RecoveryCodeInput extends HTMLElement {
  static readonly formAssociated: true;
  static texts: Texts;
  static define(registry?: CustomElementRegistry, name?: string): void;
  readonly ready: Promise<boolean>;
  readonly input: HTMLInputElement;
  readonly form: HTMLFormElement | null;
  readonly verdict: Verdict | undefined;
  readonly validity: ValidityState;
  readonly validationMessage: string;
  value: Edit['text'];
  texts: Texts;
  checkValidity(): boolean;
  reportValidity(): boolean;
}

export interface ShownBatch {
  product: string;
  account?: string;
  generation: number;
  issuedOn: string;
  /** Where codes are entered, for the sheet. */
  url?: string;
  codes: { number: number; code: string }[];
}

export class RecoveryCodes extends HTMLElement {
  static texts: Texts;
  static sheetTexts: SheetTexts;
  static define(registry?: CustomElementRegistry, name?: string): void;
  readonly ready: Promise<boolean>;
  readonly state: SaveState | undefined;
  batch: ShownBatch | undefined;
  texts: Texts;
  sheetTexts: SheetTexts;
  confirmed(): void;
  refused(reason: SaveFailure): void;
  expired(): void;
}

/** All elements in the language of a locale, `spare-key/locales/de.json` or your own. */
export function speak(locale: Readonly<Record<string, unknown>>): void;

export class RecoveryCodeVerdictEvent extends Event { readonly state: VerdictState }
export class RecoveryCodesSavedEvent extends Event { readonly way: SaveWay }
export class RecoveryCodesFailedEvent extends Event { readonly what: 'copy' | 'download' | 'print' | 'module' }
export class RecoveryCodesConfirmEvent extends Event { readonly generation: number }
export class RecoveryCodesWipedEvent extends Event {}

declare global {
  interface HTMLElementTagNameMap {
    'recovery-code-input': RecoveryCodeInput;
    'recovery-codes': RecoveryCodes;
  }
  interface HTMLElementEventMap {
    'recovery-code-verdict': RecoveryCodeVerdictEvent;
    'recovery-codes-saved': RecoveryCodesSavedEvent;
    'recovery-codes-failed': RecoveryCodesFailedEvent;
    'recovery-codes-confirm': RecoveryCodesConfirmEvent;
    'recovery-codes-wiped': RecoveryCodesWipedEvent;
  }
}
