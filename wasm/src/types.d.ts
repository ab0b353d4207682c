/** 16 symbols in groups of four, or 24 symbols ungrouped. */
export type CodeFormat = 'list' | 'single';

export type VerdictState =
  | 'empty'
  | 'incomplete'
  | 'too-long'
  | 'symbol'
  | 'ambiguous'
  | 'check'
  | 'complete';

/** A place where a typo probably is. Never applied by itself: ask the person. */
export interface Place {
  /** Counted from 0 over the characters that count: separators and the list number don't. */
  at: number;
  /** Where it stands in the text that was checked, in UTF-16 units. */
  offset: number;
  /** `one`: a 1 that may be I or L. `missing`: not a symbol, and `symbol` would fit. */
  kind: 'looks-like' | 'swapped-with-next' | 'one' | 'missing';
  /** What would fit there, with `looks-like` and `missing`. */
  symbol: string | undefined;
}

export interface Verdict {
  state: VerdictState;
  /** How many characters count so far. */
  symbols: number;
  /** With `incomplete`: how many are missing. */
  missing: number | undefined;
  /** With `too-long`: how many are too many. */
  extra: number | undefined;
  /** With `symbol`: which of the characters that count is foreign, from 0. */
  at: number | undefined;
  /** With `symbol`: where it stands in the text, in UTF-16 units. */
  offset: number | undefined;
  /** With `check`, `ambiguous` and `symbol`: at most 8 places to look at. */
  likely: Place[];
  /** With `complete`: the code as people see it, look-alikes folded. Send this. */
  formatted: string | undefined;
  /** With `complete`: the bare symbols. */
  canonical: string | undefined;
  /** With `complete`: which format it is. */
  format: CodeFormat | undefined;
}

export interface Edit {
  text: string;
  /** In UTF-16 units, as `selectionStart`. */
  caret: number;
}

/** A batch as the server gives it. `count` is for a prompt that has no codes at hand. */
export interface Batch {
  generation: number;
  codes?: readonly string[];
  count?: number;
}

export type SaveWay = 'copied' | 'downloaded' | 'printed' | 'wrote-down';
export type SaveFailure = 'network' | 'expired' | 'refused';

export type SaveEventName =
  | 'copy' | 'download' | 'print' | 'wrote-down'
  | 'copied' | 'copy-refused' | 'downloaded' | 'download-failed' | 'printed' | 'print-failed'
  | 'ticked' | 'unticked' | 'continue' | 'activated' | 'expired' | 'left';

export type SaveEvent =
  | SaveEventName
  | { type: SaveEventName }
  | { type: 'activation-failed'; reason: SaveFailure };

export type SaveNotice =
  | 'copied' | 'copy-refused' | 'downloaded' | 'download-failed' | 'printed' | 'print-failed'
  | 'wrote-down' | 'save-first' | 'tick-first' | 'activating' | 'done'
  | 'network' | 'refused' | 'expired';

export type SaveEffect =
  | { type: 'copy' | 'download' | 'print' | 'select-text' | 'wipe' }
  | { type: 'announce'; what: SaveNotice }
  | { type: 'activate'; generation: number };

export interface SaveState {
  phase: 'shown' | 'activating' | 'done' | 'expired' | 'left';
  generation: number;
  count: number;
  /** In the order of the buttons. */
  savedBy: SaveWay[];
  ticked: boolean;
  canContinue: boolean;
  failure: SaveFailure | undefined;
}

/**
 * The sentences of a sheet, in the reader's language: those of a locale of this package, or your
 * own. `{product}`, `{account}`, `{generation}`, `{date}`, `{count}` and `{url}` are filled in.
 * What is left out is left out on the sheet.
 */
export interface SheetTexts {
  title?: string;
  account?: string;
  batch?: string;
  usage?: string;
  place?: string;
  protection?: string;
  replacement?: string;
  alarm?: string;
}

export interface SheetOptions {
  product: string;
  /** Whose account, as far as its owner needs it. */
  account?: string;
  /** Written for the reader: the module has no clock and no calendar. */
  date: string;
  /** Where codes are entered. */
  url?: string;
  texts: SheetTexts;
}

export interface SheetModel {
  title: string;
  facts: string[];
  /** As shown; the first is number 1. */
  codes: string[];
  notes: string[];
}

export interface Sheet {
  text: string;
  filename: string;
  model: SheetModel;
}

/** Symbols grouped for people. */
export function format(text: string, format?: CodeFormat): string;
/** The verdict on a half-typed code. */
export function check(text: string, format?: CodeFormat): Verdict;
/**
 * The text that should stand in the field and the caret in it. Give `before`, the value before
 * the keystroke: with it a deleted dash is told from four symbols pasted for certain.
 */
export function edit(text: string, caret: number, format?: CodeFormat, before?: string): Edit;
/** The text of the file, its name, and the sheet laid out for printing. */
export function sheet(batch: Batch, options: SheetOptions): Sheet;

/** The "save your codes" machine: carry the effects out and feed the outcomes back. */
export class SavePrompt {
  constructor(batch: Batch);
  readonly state: SaveState;
  /** Throws on a name that is no event's. */
  step(event: SaveEvent): { state: SaveState; effects: SaveEffect[] };
  free(): void;
  [Symbol.dispose](): void;
}
