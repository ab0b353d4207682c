/** What the elements tell their page. All bubble; none carries a code. */

/** The verdict on the field changed. */
export class RecoveryCodeVerdictEvent extends Event {
  /** @param {import('../wasm/spare_key.js').VerdictState} state */
  constructor(state) {
    super('recovery-code-verdict', { bubbles: true });
    this.state = state;
  }
}

/** The codes were saved in one of the four ways. */
export class RecoveryCodesSavedEvent extends Event {
  /** @param {import('../wasm/spare_key.js').SaveWay} way */
  constructor(way) {
    super('recovery-codes-saved', { bubbles: true });
    this.way = way;
  }
}

/** Something did not work: copying, the file, printing, or the module could not be loaded. */
export class RecoveryCodesFailedEvent extends Event {
  /** @param {'copy' | 'download' | 'print' | 'module'} what */
  constructor(what) {
    super('recovery-codes-failed', { bubbles: true });
    this.what = what;
  }
}

/**
 * The person confirmed. Make this generation live, then call `confirmed()` of the element, or
 * `refused(reason)`.
 */
export class RecoveryCodesConfirmEvent extends Event {
  /** @param {number} generation */
  constructor(generation) {
    super('recovery-codes-confirm', { bubbles: true });
    this.generation = generation;
  }
}

/** The codes were taken from the page. */
export class RecoveryCodesWipedEvent extends Event {
  constructor() {
    super('recovery-codes-wiped', { bubbles: true });
  }
}
