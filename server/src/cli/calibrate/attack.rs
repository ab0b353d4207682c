//! What guessing one code would cost somebody who has the database, and what if they have the
//! keyring too. Lower bounds: whatever is in doubt is counted for the attacker.

use std::str::FromStr;

use super::Measured;
use crate::cli::wire::{Attack, AttackCost};

/// Bits of the locator that lies beside each digest: with the keyring, one fast HMAC tells all but
/// one in 65,536 guesses apart, and only that one is worth a slow hash.
const LOCATOR_BITS: i32 = 16;

/// Bits of a key of the keyring.
const KEY_BITS: i32 = 256;

/// Bytes a second that a card moves in its memory: a large one, and each hash writes and reads
/// every block of each pass once at least.
const CARD_BYTES_A_SECOND: f64 = 1e12;

/// The codes that are looked at, in bits.
const CODES: [(&str, i32); 3] = [
    ("a code of ours", 75),
    ("the shortest that can be set", 64),
    ("the weakest that is imported", 32),
];

/// Of an hour of one core.
#[derive(Debug, Clone, Copy)]
pub(super) struct Price(f64);

impl FromStr for Price {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let price = text.parse::<f64>().ok();
        let sound = price.filter(|price| *price > 0.0 && *price <= 1e6);
        sound
            .map(Self)
            .ok_or("give a price above 0, for example 0.01")
    }
}

pub(super) fn costs(alone: Measured, Price(price): Price) -> Attack {
    let seconds = alone.time.as_secs_f64();
    let codes = CODES.map(|(what, bits)| {
        // Half of all guesses, on average.
        let guesses = 2_f64.powi(bits - 1);
        let slow_hashes = 2_f64.powi(bits - 1 - LOCATOR_BITS);
        let core_hours = slow_hashes * seconds / 3600.0;
        AttackCost {
            what,
            bits,
            guesses,
            slow_hashes,
            core_hours,
            price: core_hours * price,
        }
    });
    let bytes = 2.0 * alone.memory_kib() * 1024.0 * f64::from(alone.params.passes);
    let card = CARD_BYTES_A_SECOND / bytes;
    Attack {
        core_seconds: seconds,
        core_hour_price: price,
        key_bits: KEY_BITS,
        locator_bits: LOCATOR_BITS,
        codes: codes.into(),
        card_hashes_a_second: card.round(),
        card_is_worth_cores: (card * seconds).round(),
    }
}

impl Attack {
    pub(super) fn text(&self) -> String {
        let mut lines = vec![
            "Guessing one code, at what is in use:".to_owned(),
            format!(
                "  With the database alone: the keyring's key is in every digest, and guessing it is \
                 2^{} hashes. No price.",
                self.key_bits - 1
            ),
            format!(
                "  With the database and the keyring: half of all codes on average, by a fast HMAC \
                 each (not counted);\n  one in 2^{} fits the locator and needs a slow hash of \
                 {:.4} core-seconds, at {} a core-hour:",
                self.locator_bits, self.core_seconds, self.core_hour_price
            ),
        ];
        for code in &self.codes {
            lines.push(format!(
                "    {} ({} bits): 2^{} guesses, 2^{} slow hashes × {:.4} s / 3600 = {} core-hours × \
                 {} = {}",
                code.what,
                code.bits,
                code.bits - 1,
                code.bits - 1 - self.locator_bits,
                self.core_seconds,
                figure(code.core_hours),
                self.core_hour_price,
                figure(code.price)
            ));
        }
        lines.push(format!(
            "  A graphics card that moves 1 TB/s is bound by memory to {} hashes a second at most: an \
             hour of it is {} core-hours or less.\n  By fast hashes it tries thousands of millions of \
             guesses a second.",
            figure(self.card_hashes_a_second),
            figure(self.card_is_worth_cores)
        ));
        lines.join("\n")
    }
}

/// A number as people read it, and as a power of ten where it is very large or small.
fn figure(number: f64) -> String {
    if !(0.01..1e6).contains(&number) {
        format!("{number:.1e}")
    } else if number >= 100.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::Policy;

    #[test]
    fn the_arithmetic_is_the_one_that_is_shown() {
        let now = Measured {
            params: Policy::standard(true).hash,
            time: Duration::from_millis(36),
        };
        let attack = costs(now, "0.01".parse().unwrap());
        let [ours, least, weak] = attack.codes.as_slice() else {
            panic!("{attack:?}")
        };
        // 2^15 hashes of 36 ms are 0.32768 hours.
        assert!((weak.core_hours - 0.327_68).abs() < 1e-9);
        assert!((weak.price - 0.003_276_8).abs() < 1e-12);
        assert!((least.price / weak.price - 2_f64.powi(32)).abs() < 1.0);
        assert!((ours.price / least.price - 2_f64.powi(11)).abs() < 1e-6);
        // 1 TB/s over twice 19 MiB, twice.
        assert!((attack.card_hashes_a_second - 12_548.0).abs() < 1.0);
        let text = attack.text();
        assert!(text.contains("2^255 hashes"), "{text}");
        assert!(
            text.contains("2^58 slow hashes × 0.0360 s / 3600"),
            "{text}"
        );
    }

    #[test]
    fn a_price_is_a_number_above_nothing() {
        for wrong in ["", "0", "-1", "NaN", "inf", "cheap"] {
            assert!(wrong.parse::<Price>().is_err(), "{wrong}");
        }
    }
}
