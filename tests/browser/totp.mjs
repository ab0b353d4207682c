/** An authenticator app: what the phone of a person in these tests shows. */
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP = 30_000;

/** RFC 6238 with SHA-1, six digits, 30 seconds. */
export function password(base32, step) {
  const bits = [...base32].map((symbol) => ALPHABET.indexOf(symbol).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', key).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/**
 * A step is accepted once, and one step either way of now. So the first password is the one of the
 * step before, and three can be had within a step; the fourth waits.
 */
export class Authenticator {
  #last = 0;

  constructor(secret) {
    this.secret = secret.replace(/\s/g, '');
  }

  /** A password that was not used yet. */
  async next() {
    for (;;) {
      const now = Math.floor(Date.now() / STEP);
      // Near the end of a step the one before it would be too old on arrival.
      const early = Date.now() % STEP > STEP - 4000 ? now : now - 1;
      const step = Math.max(this.#last + 1, early);
      if (step <= now + 1) {
        this.#last = step;
        return password(this.secret, step);
      }
      await sleep(250);
    }
  }

  /** The password that was given out last. */
  again() {
    return password(this.secret, this.#last);
  }

  /** Six digits that the app shows neither now nor near now. */
  wrong() {
    const now = Math.floor(Date.now() / STEP);
    const shown = [-3, -2, -1, 0, 1, 2, 3].map((away) => password(this.secret, now + away));
    return ['000000', '111111', '222222', '333333', '444444', '555555', '666666', '777777']
      .find((digits) => !shown.includes(digits));
  }
}
