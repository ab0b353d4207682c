//! What is asked for: a batch, that the codes are saved, that a code be spent.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use spare_key_core::{Format, Spec};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{FormatName, SAMPLE_AT};
use crate::clock::{parse_rfc3339, rfc3339};
use crate::domain::{Activation, HostProof, Policy, VouchedBy};
use crate::http::native::body::Wire;
use crate::http::native::problem::Problem;

/// How many methods a proof names at most, and how long a name is.
const AMR_MAX: usize = 10;
const AMR_NAME_MAX: usize = 64;

/// When a batch becomes the live one.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http::native) enum ActivateName {
    /// When the person has said that the codes are saved.
    OnConfirm,
    /// In the same step; the codes before are dead when this is answered.
    AtOnce,
}

/// On whose word.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::native) enum ByName {
    /// The person has proven it.
    Person,
    /// One of the host's administrators answers for it.
    Administrator,
}

/// What the host vouches for. It is recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Proof)]
pub(in crate::http::native) struct ProofBody {
    /// The methods that were proven, as RFC 8176 names them.
    #[schema(min_items = 1, max_items = 10, example = json!(["pwd"]))]
    amr: Vec<String>,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// On whose word; the person's unless said otherwise.
    by: Option<ByName>,
}

impl ProofBody {
    pub(in crate::http::native) fn read(self) -> Result<HostProof, Problem> {
        let Self { amr, at, by } = self;
        if !(1..=AMR_MAX).contains(&amr.len()) {
            let detail = "Name 1 to 10 methods, as RFC 8176 names them.";
            return Err(Problem::member("/proof/amr", detail));
        }
        if let Some(place) = amr.iter().position(|name| !is_visible(name, AMR_NAME_MAX)) {
            let detail = "A method is 1 to 64 visible ASCII characters.";
            return Err(Problem::member(format!("/proof/amr/{place}"), detail));
        }
        let at = parse_rfc3339(&at).ok_or_else(|| {
            Problem::member("/proof/at", "It is a time as in 2026-11-21T00:00:00Z.")
        })?;
        let by = match by {
            None | Some(ByName::Person) => VouchedBy::Person,
            Some(ByName::Administrator) => VouchedBy::Administrator,
        };
        Ok(HostProof { amr, at, by })
    }
}

/// Whether a text is 1 to `max` visible ASCII characters.
fn is_visible(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What batch is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StageRequest, example = StageBody::example)]
pub(in crate::http::native) struct StageBody {
    /// A list unless said otherwise.
    format: Option<FormatName>,
    /// How many codes a list has; the server's settings say unless this does. A single is one.
    #[schema(minimum = 1, maximum = 16)]
    count: Option<u32>,
    /// When it becomes the live one; `on_confirm` unless said otherwise.
    activate: Option<ActivateName>,
    /// Required to issue; without it the answer is `fresh-proof-required`.
    proof: Option<ProofBody>,
}

/// A batch asked for, with everything filled in.
pub(in crate::http::native) struct Wanted {
    pub(in crate::http::native) spec: Spec,
    pub(in crate::http::native) activation: Activation,
    pub(in crate::http::native) proof: Option<HostProof>,
}

impl Wire for StageBody {}

impl StageBody {
    fn example() -> Value {
        json!({
            "format": "list",
            "count": 10,
            "activate": "on_confirm",
            "proof": { "amr": ["pwd", "otp"], "at": rfc3339(SAMPLE_AT) },
        })
    }

    pub(in crate::http::native) fn read(self, policy: &Policy) -> Result<Wanted, Problem> {
        let Self {
            format,
            count,
            activate,
            proof,
        } = self;
        let spec = match format.unwrap_or(FormatName::List) {
            FormatName::List => {
                let usual = match policy.batch.format() {
                    Format::List => policy.batch,
                    Format::Single => Spec::LIST,
                };
                count.map_or(Some(usual), |count| {
                    let count = u8::try_from(count).ok()?;
                    Spec::new(Format::List, count).ok()
                })
            }
            // It is replaced by the next one as it is spent, so there is never a second.
            FormatName::Single => matches!(count, None | Some(1)).then_some(Spec::SINGLE),
        };
        let spec = spec.ok_or_else(|| {
            Problem::member("/count", "The count of a list is 1 to 16, of a single 1.")
        })?;
        let activation = match activate {
            None | Some(ActivateName::OnConfirm) => Activation::OnConfirm,
            Some(ActivateName::AtOnce) => Activation::AtOnce,
        };
        Ok(Wanted {
            spec,
            activation,
            proof: proof.map(ProofBody::read).transpose()?,
        })
    }
}

/// That the codes are saved. Nothing else is understood.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActivateRequest, example = SavedBody::example)]
pub(in crate::http::native) struct SavedBody {
    /// `true`: the person has said so.
    #[schema(value_type = bool)]
    saved: Option<Value>,
}

impl Wire for SavedBody {
    fn of_nothing() -> Option<Self> {
        Some(Self { saved: None })
    }
}

impl SavedBody {
    fn example() -> Value {
        json!({ "saved": true })
    }

    pub(in crate::http::native) fn is_confirmed(&self) -> bool {
        self.saved == Some(Value::Bool(true))
    }
}

/// A code as a person typed it.
#[derive(ToSchema)]
#[schema(value_type = String, example = "KZ3M-Q7TB-WJ5R-HXYN")]
pub(in crate::http::native) struct Typed(Zeroizing<String>);

impl Typed {
    pub(in crate::http::native) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// The code to be spent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedeemRequest, example = RedeemBody::example)]
pub(in crate::http::native) struct RedeemBody {
    /// As it was typed: case, spaces and dashes do not matter.
    #[schema(value_type = String)]
    pub(in crate::http::native) code: Typed,
    /// The first factor that the person has proven; without it the answer is
    /// `fresh-proof-required`.
    pub(in crate::http::native) proof: Option<ProofBody>,
}

impl Wire for RedeemBody {}

impl RedeemBody {
    fn example() -> Value {
        json!({
            "code": "KZ3M-Q7TB-WJ5R-HXYN",
            "proof": { "amr": ["pwd"], "at": rfc3339(SAMPLE_AT) },
        })
    }
}
