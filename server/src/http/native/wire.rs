//! The JSON of this dialect, in and out. Codes leave only here.
//!
//! Types with codes have no `Debug`. Names and order of the members are the contract; renaming one
//! in the domain changes nothing here.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use spare_key_core::{Format, Spec};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::address::Cursor;
use super::body::Wire;
use super::problem::Problem;
use crate::clock::{parse_rfc3339, rfc3339};
use crate::domain::{
    AccountState, HostProof, Issued, NumberedCode, PendingStatus, Policy, Redemption, Status,
    ThrottleStatus, VouchedBy,
};
use crate::model::{BatchState, Timestamp};
use crate::store::{Activation, Actor, Event};

/// How many methods a proof names at most, and how long a name is.
const AMR_MAX: usize = 10;
const AMR_NAME_MAX: usize = 64;

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

/// When a batch becomes the live one.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActivateName {
    /// When the person has said that the codes are saved.
    OnConfirm,
    /// In the same step; the codes before are dead when this is answered.
    AtOnce,
}

/// On whose word.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ByName {
    /// The person has proven it.
    Person,
    /// One of the host's administrators answers for it.
    Administrator,
}

/// What the host vouches for. It is recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Proof)]
pub(super) struct ProofBody {
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
    pub(super) fn read(self) -> Result<HostProof, Problem> {
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
pub(super) fn is_visible(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What batch is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StageRequest, example = StageBody::example)]
pub(super) struct StageBody {
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
pub(super) struct Wanted {
    pub(super) spec: Spec,
    pub(super) activation: Activation,
    pub(super) proof: Option<HostProof>,
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

    pub(super) fn read(self, policy: &Policy) -> Result<Wanted, Problem> {
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
pub(super) struct SavedBody {
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

    pub(super) fn is_confirmed(&self) -> bool {
        self.saved == Some(Value::Bool(true))
    }
}

/// A code as a person typed it.
#[derive(ToSchema)]
#[schema(value_type = String, example = "KZ3M-Q7TB-WJ5R-HXYN")]
pub(super) struct Typed(Zeroizing<String>);

impl Typed {
    pub(super) fn as_str(&self) -> &str {
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
pub(super) struct RedeemBody {
    /// As it was typed: case, spaces and dashes do not matter.
    #[schema(value_type = String)]
    pub(super) code: Typed,
    /// The first factor that the person has proven; without it the answer is
    /// `fresh-proof-required`.
    pub(super) proof: Option<ProofBody>,
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

/// Whether an account has live codes.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AccountState)]
enum StateName {
    /// Never had any.
    None,
    /// A batch is live, be it used up.
    Active,
    /// The last live batch was ended without a successor.
    Revoked,
}

/// A batch that waits to be activated.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Pending)]
pub(super) struct PendingAnswer {
    /// Its number.
    generation: u32,
    /// Until when.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// How many attempts are left.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Throttle)]
pub(super) struct ThrottleAnswer {
    /// Without waiting.
    tries_left: u32,
    /// When the next can be made, if only after a wait; `null` with no tries left means never.
    #[schema(format = DateTime, required = true)]
    retry_at: Option<String>,
}

/// An account's codes, seen from outside.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Status, example = StatusAnswer::example)]
pub(super) struct StatusAnswer {
    /// The caller's own identifier.
    account: String,
    /// The live (or last) batch's number; 0 before the first.
    generation: u32,
    /// Whether there are live codes.
    state: StateName,
    /// The shape of its codes; `null` before the first batch.
    #[schema(required = true)]
    format: Option<FormatName>,
    /// How many codes the batch was issued with.
    total: u32,
    /// How many are left.
    remaining: u32,
    /// When it was issued.
    #[schema(format = DateTime, required = true)]
    issued_at: Option<String>,
    /// When a code was last redeemed, in any generation.
    #[schema(format = DateTime, required = true)]
    last_redeemed_at: Option<String>,
    /// The batch that waits to be activated.
    #[schema(required = true)]
    pending: Option<PendingAnswer>,
    /// Attempts.
    throttle: ThrottleAnswer,
}

impl From<&Status> for StatusAnswer {
    fn from(status: &Status) -> Self {
        let Status {
            account,
            generation,
            state,
            format,
            total,
            remaining,
            issued_at,
            last_redeemed_at,
            pending,
            throttle,
            low: _,
        } = status;
        let ThrottleStatus {
            tries_left,
            retry_at,
        } = throttle;
        Self {
            account: account.as_str().to_owned(),
            generation: generation.0,
            state: match state {
                AccountState::None => StateName::None,
                AccountState::Active => StateName::Active,
                AccountState::Revoked => StateName::Revoked,
            },
            format: format.map(FormatName::from),
            total: *total,
            remaining: *remaining,
            issued_at: issued_at.map(rfc3339),
            last_redeemed_at: last_redeemed_at.map(rfc3339),
            pending: pending.map(
                |PendingStatus {
                     generation,
                     expires_at,
                 }| PendingAnswer {
                    generation: generation.0,
                    expires_at: rfc3339(expires_at),
                },
            ),
            throttle: ThrottleAnswer {
                tries_left: *tries_left,
                retry_at: retry_at.map(rfc3339),
            },
        }
    }
}

impl StatusAnswer {
    fn sample() -> Self {
        Self {
            account: SAMPLE_ACCOUNT.to_owned(),
            generation: 1,
            state: StateName::Active,
            format: Some(FormatName::List),
            total: 10,
            remaining: 9,
            issued_at: Some(rfc3339(SAMPLE_AT)),
            last_redeemed_at: Some(rfc3339(SAMPLE_LATER)),
            pending: None,
            throttle: ThrottleAnswer {
                tries_left: 10,
                retry_at: None,
            },
        }
    }

    fn example() -> Value {
        sample(&Self::sample())
    }
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Accounts, example = AccountsAnswer::example)]
pub(super) struct AccountsAnswer {
    /// By identifier.
    accounts: Vec<StatusAnswer>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl AccountsAnswer {
    /// At most `limit` of `statuses`; one more tells that there is another page.
    pub(super) fn page(mut statuses: Vec<Status>, limit: usize) -> Self {
        let more = statuses.len() > limit;
        statuses.truncate(limit);
        let last = statuses.last().filter(|_| more);
        Self {
            next_cursor: last.map(|status| Cursor::after_account(&status.account)),
            accounts: statuses.iter().map(StatusAnswer::from).collect(),
        }
    }

    fn example() -> Value {
        sample(&Self {
            accounts: vec![StatusAnswer::sample()],
            next_cursor: None,
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

/// Who did something.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Actor)]
struct ActorAnswer {
    /// `person`, `client` or `administrator`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "client")]
    kind: &'static str,
    /// The client's identifier, where it was one.
    #[schema(required = true)]
    client: Option<String>,
}

/// An audit row.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Event)]
struct EventAnswer {
    /// Its number; newer rows have larger ones.
    id: i64,
    /// What happened.
    #[schema(value_type = String, example = "codes.redeemed")]
    kind: &'static str,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it.
    actor: ActorAnswer,
    /// The batch it was about.
    #[schema(required = true)]
    generation: Option<u32>,
    /// The code's number on the sheet.
    #[schema(required = true)]
    number: Option<u32>,
    /// Codes left afterwards.
    #[schema(required = true)]
    remaining: Option<u32>,
    /// The why, or what the host vouched for.
    #[schema(required = true)]
    detail: Option<String>,
    /// The address the request came from.
    #[schema(required = true)]
    ip: Option<String>,
}

impl From<&Event> for EventAnswer {
    fn from(event: &Event) -> Self {
        let Event {
            id,
            kind,
            at,
            actor,
            generation,
            number,
            remaining,
            detail,
            ip,
        } = event;
        let (actor, client) = match actor {
            Actor::Person => ("person", None),
            Actor::Client(id) => ("client", Some(id.clone())),
            Actor::Administrator => ("administrator", None),
        };
        Self {
            id: *id,
            kind: kind.name(),
            at: rfc3339(*at),
            actor: ActorAnswer {
                kind: actor,
                client,
            },
            generation: generation.map(|generation| generation.0),
            number: *number,
            remaining: *remaining,
            detail: detail.clone(),
            ip: ip.map(|ip| ip.to_string()),
        }
    }
}

/// A page of audit rows.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Events, example = EventsAnswer::example)]
pub(super) struct EventsAnswer {
    /// Newest first.
    events: Vec<EventAnswer>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl EventsAnswer {
    /// At most `limit` of `events`; one more tells that there is another page.
    pub(super) fn page(mut events: Vec<Event>, limit: usize) -> Self {
        let more = events.len() > limit;
        events.truncate(limit);
        let last = events.last().filter(|_| more);
        Self {
            next_cursor: last.map(|event| Cursor::before_event(event.id)),
            events: events.iter().map(EventAnswer::from).collect(),
        }
    }

    fn example() -> Value {
        sample(&Self {
            events: vec![EventAnswer {
                id: 7,
                kind: crate::model::EventKind::CodesRedeemed.name(),
                at: rfc3339(SAMPLE_AT),
                actor: ActorAnswer {
                    kind: "client",
                    client: Some("dev-host".to_owned()),
                },
                generation: Some(1),
                number: Some(4),
                remaining: Some(9),
                detail: Some(format!("person, pwd, {}", rfc3339(SAMPLE_AT))),
                ip: None,
            }],
            next_cursor: None,
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
