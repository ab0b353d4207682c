//! What the slow hash costs, as an operator writes it.

use std::str::FromStr;

use clap::Args;
use serde::Deserialize;

use crate::domain::FLOORS;
use crate::model::HashParams;

/// The most memory that one hash may take, in KiB: 1 GiB. All workers have as much.
const MEMORY_MAX: u32 = 1 << 20;

/// The most passes.
const PASSES_MAX: u32 = 64;

/// Argon2id's parameters, written as PHC strings have them: `m=19456,t=2,p=1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HashCost(pub HashParams);

/// Why a text is not the cost of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitCost {
    /// It is not written so.
    #[error("it is written m=KIB,t=PASSES,p=1")]
    Form,
    /// Guessing would be cheaper than it may be.
    #[error(
        "it is below what OWASP asks: m=47104,t=1 m=19456,t=2 m=12288,t=3 m=9216,t=4 m=7168,t=5"
    )]
    Weak,
    /// Nobody would wait so long.
    #[error("it is more than m={MEMORY_MAX},t={PASSES_MAX}, or p is not 1")]
    Dear,
}

impl FromStr for HashCost {
    type Err = UnfitCost;

    fn from_str(text: &str) -> Result<Self, UnfitCost> {
        let mut parts = text.split(',');
        let mut next = |name: &str| {
            let part = parts.next()?.strip_prefix(name)?.strip_prefix('=')?;
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<u32>().ok().filter(|_| digits)
        };
        let read = (next("m"), next("t"), next("p"));
        let (Some(memory_kib), Some(passes), Some(lanes), None) =
            (read.0, read.1, read.2, parts.next())
        else {
            return Err(UnfitCost::Form);
        };
        if memory_kib > MEMORY_MAX || passes > PASSES_MAX || lanes != 1 {
            return Err(UnfitCost::Dear);
        }
        let floor = (1..=passes).zip(FLOORS).last();
        if floor.is_none_or(|(_, floor)| memory_kib < floor) {
            return Err(UnfitCost::Weak);
        }
        Ok(Self(HashParams {
            memory_kib,
            passes,
            lanes,
        }))
    }
}

impl TryFrom<String> for HashCost {
    type Error = UnfitCost;

    fn try_from(text: String) -> Result<Self, UnfitCost> {
        text.parse()
    }
}

/// What was given by flag or environment.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct CostGiven {
    /// What one slow hash costs, as `spare-key calibrate` proposes it; lists and passwords made
    /// before keep their own cost until they are replaced [default: m=19456,t=2,p=1]
    #[arg(
        long,
        global = true,
        value_name = "m=KIB,t=PASSES,p=1",
        env = "SPARE_KEY_HASH_COST",
        hide_env_values = true
    )]
    pub hash_cost: Option<HashCost>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_read_as_phc_strings_have_it_and_never_below_a_floor() {
        let cost = |text: &str| text.parse::<HashCost>().map(|cost| cost.0);
        for (text, memory_kib, passes) in [
            ("m=19456,t=2,p=1", 19_456, 2),
            ("m=47104,t=1,p=1", 47_104, 1),
            ("m=7168,t=64,p=1", 7_168, 64),
            ("m=1048576,t=3,p=1", 1_048_576, 3),
        ] {
            let lanes = 1;
            let known = HashParams {
                memory_kib,
                passes,
                lanes,
            };
            assert_eq!(cost(text), Ok(known), "{text}");
        }
        for (text, why) in [
            ("", UnfitCost::Form),
            ("19456,2,1", UnfitCost::Form),
            ("t=2,m=19456,p=1", UnfitCost::Form),
            ("m=19456,t=2", UnfitCost::Form),
            ("m=19456,t=2,p=1,", UnfitCost::Form),
            ("m=+19456,t=2,p=1", UnfitCost::Form),
            ("m=99999999999,t=2,p=1", UnfitCost::Form),
            ("m=19455,t=2,p=1", UnfitCost::Weak),
            ("m=47103,t=1,p=1", UnfitCost::Weak),
            ("m=7167,t=9,p=1", UnfitCost::Weak),
            ("m=47104,t=0,p=1", UnfitCost::Weak),
            ("m=1048577,t=1,p=1", UnfitCost::Dear),
            ("m=19456,t=65,p=1", UnfitCost::Dear),
            ("m=19456,t=2,p=2", UnfitCost::Dear),
        ] {
            assert_eq!(cost(text), Err(why), "{text}");
        }
    }
}
