//! The JSON of this dialect, in and out. Codes leave only here.
//!
//! Types with codes have no `Debug`. Names and order of the members are the contract; renaming one
//! in the domain changes nothing here.

mod asked;
mod standing;
mod trail;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use spare_key_core::Format;
use utoipa::ToSchema;
use zeroize::Zeroizing;

pub(super) use self::asked::{RedeemBody, SavedBody, StageBody, Wanted};
pub(super) use self::standing::{AccountsAnswer, StatusAnswer};
pub(super) use self::trail::EventsAnswer;
use crate::clock::rfc3339;
use crate::domain::{Issued, NumberedCode, Redemption};
use crate::model::{BatchState, Origin, Timestamp};

/// The shape of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FormatName {
    /// Codes of 16 symbols, numbered, in groups of four.
    List,
    /// One code of 24 symbols.
    Single,
}

impl From<Format> for FormatName {
    fn from(format: Format) -> Self {
        match format {
            Format::List => Self::List,
            Format::Single => Self::Single,
        }
    }
}

/// The shape of an account's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum HeldFormat {
    /// Codes of 16 symbols, numbered, in groups of four.
    List,
    /// One code of 24 symbols.
    Single,
    /// Codes that another system made: numbered, of any shape, without a check symbol.
    Imported,
}

impl HeldFormat {
    fn of(format: Format, origin: Option<Origin>) -> Self {
        match (origin, format) {
            (Some(_), _) => Self::Imported,
            (None, Format::List) => Self::List,
            (None, Format::Single) => Self::Single,
        }
    }
}

/// A code on its way to its owner.
struct Written(Zeroizing<String>);

impl From<&NumberedCode> for CodeAnswer {
    fn from(numbered: &NumberedCode) -> Self {
        Self {
            number: numbered.number,
            code: Written(numbered.code.expose()),
        }
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A code and its place on the sheet.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NumberedCode)]
pub(super) struct CodeAnswer {
    /// From 1.
    #[schema(minimum = 1)]
    number: u32,
    /// As people see it.
    #[schema(value_type = String)]
    code: Written,
}

/// Where a batch with codes in it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BatchState)]
enum BatchStateName {
    /// Its codes are not accepted yet.
    Pending,
    /// Its codes are accepted.
    Active,
}

/// A batch with its codes.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Batch, example = BatchAnswer::example)]
pub(super) struct BatchAnswer {
    /// The caller's own identifier.
    account: String,
    /// Its number: it only grows and is never used twice.
    generation: u32,
    /// Whether its codes are accepted already.
    state: BatchStateName,
    /// The shape of its codes.
    format: FormatName,
    /// When it was issued.
    #[schema(format = DateTime)]
    issued_at: String,
    /// Until when it can be activated, while it is pending.
    #[schema(format = DateTime, required = true)]
    expires_at: Option<String>,
    /// Its codes, by number.
    codes: Vec<CodeAnswer>,
}

impl From<&Issued> for BatchAnswer {
    fn from(issued: &Issued) -> Self {
        let Issued {
            account,
            generation,
            state,
            format,
            issued_at,
            expires_at,
            codes,
            replayed: _,
        } = issued;
        Self {
            account: account.as_str().to_owned(),
            generation: generation.0,
            // Only what is pending or live still has its codes.
            state: match state {
                BatchState::Pending | BatchState::Lapsed => BatchStateName::Pending,
                BatchState::Active | BatchState::Superseded | BatchState::Revoked => {
                    BatchStateName::Active
                }
            },
            format: (*format).into(),
            issued_at: rfc3339(*issued_at),
            expires_at: expires_at.map(rfc3339),
            codes: codes.iter().map(CodeAnswer::from).collect(),
        }
    }
}

impl BatchAnswer {
    fn example() -> Value {
        sample(&Self {
            account: SAMPLE_ACCOUNT.to_owned(),
            generation: 2,
            state: BatchStateName::Pending,
            format: FormatName::List,
            issued_at: rfc3339(SAMPLE_AT),
            expires_at: Some(rfc3339(SAMPLE_LATER)),
            codes: [(1, "KZ3M-Q7TB-WJ5R-HXYN"), (2, "ABCD-EFGH-IJKL-MNOI")]
                .into_iter()
                .map(|(number, code)| CodeAnswer {
                    number,
                    code: Written(Zeroizing::new(code.to_owned())),
                })
                .collect(),
        })
    }
}

/// A code was spent.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Redemption, example = RedemptionAnswer::example)]
pub(super) struct RedemptionAnswer {
    /// The caller's own identifier.
    account: String,
    /// The generation it was of.
    generation: u32,
    /// Its number on the sheet: cross it out.
    number: u32,
    /// Codes left in that generation.
    remaining: u32,
    /// Few enough are left that the person should make new ones.
    low: bool,
    /// The next code, live at once, where a single code was spent.
    #[schema(required = true)]
    replacement: Option<BatchAnswer>,
}

impl RedemptionAnswer {
    pub(super) fn of(account: String, redemption: &Redemption) -> Self {
        let Redemption {
            generation,
            number,
            remaining,
            total: _,
            low,
            replacement,
            session: _,
            opened: _,
            fresh_until: _,
            bearer: _,
        } = redemption;
        Self {
            account,
            generation: generation.0,
            number: *number,
            remaining: *remaining,
            low: *low,
            replacement: replacement.as_ref().map(BatchAnswer::from),
        }
    }

    fn example() -> Value {
        sample(&Self {
            account: SAMPLE_ACCOUNT.to_owned(),
            generation: 1,
            number: 4,
            remaining: 9,
            low: false,
            replacement: None,
        })
    }
}

const SAMPLE_ACCOUNT: &str = "auth0|alice";
const SAMPLE_AT: Timestamp = Timestamp(1_795_219_200_000);
const SAMPLE_LATER: Timestamp = Timestamp(1_795_219_800_000);

/// An example of an answer is an answer: it has the members that the type has.
fn sample<T: Serialize>(answer: &T) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}
