//! What `--json` prints, and the one place of the command line where a code or a secret is
//! written out.

mod addresses;
mod backups;
mod calibration;
mod keys;

use std::io;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

pub(super) use self::addresses::AddressesView;
pub(super) use self::backups::{BackupAnswer, RestoreAnswer};
pub(super) use self::calibration::{Attack, AttackCost, Calibration, CalibrationRow};
pub(super) use self::keys::{ApiKeyRow, ApiKeys, KeyRow, Keys, SigningKeyRow, SigningKeys};
use super::output::{Output, plain};
use crate::clock::{date, rfc3339};
use crate::domain::{
    AccountCard, AccountLine, AccountState, ClientCard, Factor, Grant, Issued, Scope, Status,
    ThrottleStatus,
};
use crate::model::{BatchState, Origin, Timestamp, Token};

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(rfc3339)
}

/// A page of accounts.
#[derive(Debug, Serialize)]
pub(super) struct Accounts {
    pub(super) accounts: Vec<AccountRow>,
    /// What `--after` takes for the next page.
    pub(super) next: Option<String>,
}

/// An account in a list.
#[derive(Debug, Serialize)]
pub(super) struct AccountRow {
    id: String,
    login: Option<String>,
    authenticators: u32,
    generation: u32,
    remaining: u32,
    total: u32,
    last_redeemed_at: Option<String>,
}

impl From<AccountLine> for AccountRow {
    fn from(line: AccountLine) -> Self {
        let AccountLine {
            id,
            login,
            authenticators,
            generation,
            total,
            remaining,
            last_redeemed_at,
            created_at: _,
        } = line;
        Self {
            id: id.as_str().to_owned(),
            login,
            authenticators,
            generation: generation.0,
            remaining,
            total,
            last_redeemed_at: time(last_redeemed_at),
        }
    }
}

impl AccountRow {
    pub(super) const HEADING: [&'static str; 6] = [
        "ID",
        "LOGIN",
        "AUTHENTICATORS",
        "GENERATION",
        "CODES LEFT",
        "LAST USED",
    ];

    pub(super) fn cells(&self) -> [String; 6] {
        let live = self.generation > 0;
        [
            plain(&self.id),
            plain(self.login.as_deref().unwrap_or("-")),
            self.authenticators.to_string(),
            if live {
                self.generation.to_string()
            } else {
                "-".to_owned()
            },
            if live {
                format!("{} of {}", self.remaining, self.total)
            } else {
                "-".to_owned()
            },
            self.last_redeemed_at
                .clone()
                .unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// One account with what it has.
#[derive(Debug, Serialize)]
pub(super) struct AccountView {
    id: String,
    login: Option<String>,
    administrator: bool,
    created_at: String,
    authenticators: Vec<FactorRow>,
    recovery: RecoveryView,
}

#[derive(Debug, Serialize)]
struct FactorRow {
    id: String,
    confirmed_at: String,
    last_used_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct RecoveryView {
    state: &'static str,
    generation: u32,
    format: Option<&'static str>,
    origin: Option<&'static str>,
    remaining: u32,
    total: u32,
    low: bool,
    issued_at: Option<String>,
    last_redeemed_at: Option<String>,
    pending_generation: Option<u32>,
    pending_until: Option<String>,
    tries_left: u32,
    retry_at: Option<String>,
}

impl AccountView {
    pub(super) fn new(card: AccountCard, factors: Vec<Factor>, status: Status) -> Self {
        let AccountCard {
            id,
            number: _,
            login,
            reset_at: _,
            administrator,
            created_at,
        } = card;
        let authenticators = factors.into_iter().map(|factor| FactorRow {
            id: factor.id.0,
            confirmed_at: rfc3339(factor.confirmed_at),
            last_used_at: time(factor.last_used_at),
        });
        Self {
            id: id.as_str().to_owned(),
            login,
            administrator,
            created_at: rfc3339(created_at),
            authenticators: authenticators.collect(),
            recovery: status.into(),
        }
    }

    /// Lines for people.
    pub(super) fn text(&self) -> String {
        let or_never = |time: &Option<String>| time.clone().unwrap_or_else(|| "never".to_owned());
        let mut lines = vec![
            format!("account         {}", plain(&self.id)),
            format!(
                "login           {}",
                plain(self.login.as_deref().unwrap_or("none: a host signs it in"))
            ),
            format!("added           {}", self.created_at),
        ];
        if self.administrator {
            lines.push("administrator   yes, on the pages".to_owned());
        }
        if self.authenticators.is_empty() {
            lines.push("authenticator   none".to_owned());
        }
        for factor in &self.authenticators {
            let used = or_never(&factor.last_used_at);
            lines.push(format!(
                "authenticator   {}, bound {}, last used {used}",
                factor.id, factor.confirmed_at
            ));
        }
        let codes = &self.recovery;
        lines.push(match (codes.state, &codes.issued_at) {
            ("active", Some(at)) => format!(
                "recovery codes  {} of {} left, generation {}, {} {at}",
                codes.remaining,
                codes.total,
                codes.generation,
                match codes.origin {
                    Some(origin) => format!("imported ({origin})"),
                    None => "made".to_owned(),
                }
            ),
            ("revoked", _) => format!("recovery codes  revoked, generation {}", codes.generation),
            _ => "recovery codes  none".to_owned(),
        });
        lines.push(format!(
            "last redeemed   {}",
            or_never(&codes.last_redeemed_at)
        ));
        if let (Some(generation), Some(until)) = (codes.pending_generation, &codes.pending_until) {
            lines.push(format!(
                "waiting         generation {generation} to be confirmed until {until}"
            ));
        }
        lines.push(match (codes.tries_left, &codes.retry_at) {
            (0, None) => "attempts        none until new codes are made".to_owned(),
            (0, Some(at)) => format!("attempts        none until {at}"),
            (left, _) => format!("attempts        {left} left"),
        });
        lines.join("\n")
    }
}

impl From<Status> for RecoveryView {
    fn from(status: Status) -> Self {
        let Status {
            account: _,
            generation,
            state,
            format,
            origin,
            total,
            remaining,
            issued_at,
            last_redeemed_at,
            pending,
            throttle:
                ThrottleStatus {
                    tries_left,
                    retry_at,
                },
            low,
            reminder_ended: _,
            kept: _,
        } = status;
        Self {
            state: match state {
                AccountState::None => "none",
                AccountState::Active => "active",
                AccountState::Revoked => "revoked",
            },
            generation: generation.0,
            format: match origin {
                Some(_) => Some("imported"),
                None => format.map(format_name),
            },
            origin: origin.map(Origin::name),
            remaining,
            total,
            low,
            issued_at: time(issued_at),
            last_redeemed_at: time(last_redeemed_at),
            pending_generation: pending.map(|pending| pending.generation.0),
            pending_until: pending.map(|pending| rfc3339(pending.expires_at)),
            tries_left,
            retry_at: time(retry_at),
        }
    }
}

fn format_name(format: spare_key_core::Format) -> &'static str {
    match format {
        spare_key_core::Format::List => "list",
        spare_key_core::Format::Single => "single",
    }
}

/// Codes, this once. Not `Debug`: there is no other way to write them out.
#[derive(Serialize)]
struct Codes {
    account: String,
    generation: u32,
    state: &'static str,
    format: &'static str,
    issued_at: String,
    codes: Vec<CodeRow>,
}

#[derive(Serialize)]
struct CodeRow {
    number: u32,
    #[serde(serialize_with = "written_out")]
    code: Zeroizing<String>,
}

fn written_out<S: Serializer>(code: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(code)
}

impl From<&Issued> for Codes {
    fn from(issued: &Issued) -> Self {
        let codes = issued.codes.iter().map(|numbered| CodeRow {
            number: numbered.number,
            code: numbered.code.expose(),
        });
        Self {
            account: issued.account.as_str().to_owned(),
            generation: issued.generation.0,
            state: match issued.state {
                BatchState::Pending => "pending",
                BatchState::Active => "active",
                BatchState::Superseded => "superseded",
                BatchState::Revoked => "revoked",
                BatchState::Lapsed => "lapsed",
            },
            format: format_name(issued.format),
            issued_at: rfc3339(issued.issued_at),
            codes: codes.collect(),
        }
    }
}

/// Prints a new batch: the only time its codes can be read.
pub(super) fn print_codes(output: &mut Output, issued: &Issued, json: bool) -> io::Result<()> {
    let codes = Codes::from(issued);
    if json {
        return output.json(&codes);
    }
    let mut text = Zeroizing::new(format!(
        "Recovery codes of {}, generation {}, made on {}.\n\
         Each works once; the older ones work no longer. They are shown this once.\n",
        plain(&codes.account),
        codes.generation,
        date(issued.issued_at),
    ));
    for row in &codes.codes {
        // Made anew for each line: a string that grows leaves copies behind.
        let line = Zeroizing::new(format!("\n{:>2}. {}", row.number, row.code.as_str()));
        text = Zeroizing::new([text.as_str(), line.as_str()].concat());
    }
    output.print(&text)
}

/// All clients.
#[derive(Debug, Serialize)]
pub(super) struct Clients {
    pub(super) clients: Vec<ClientRow>,
}

/// A client in a list.
#[derive(Debug, Serialize)]
pub(super) struct ClientRow {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    grants: Vec<&'static str>,
    audiences: Vec<String>,
    origins: Vec<String>,
    public: bool,
    created_at: String,
}

impl From<ClientCard> for ClientRow {
    fn from(card: ClientCard) -> Self {
        let ClientCard {
            id,
            name,
            scopes,
            grants,
            audiences,
            origins,
            public,
            created_at,
        } = card;
        Self {
            id,
            name,
            scopes: scopes.into_iter().map(Scope::name).collect(),
            grants: grants.into_iter().map(Grant::name).collect(),
            audiences,
            origins,
            public,
            created_at: rfc3339(created_at),
        }
    }
}

impl ClientRow {
    pub(super) const HEADING: [&'static str; 5] = ["ID", "NAME", "ADDED", "GRANTS", "SCOPES"];

    pub(super) fn cells(&self) -> [String; 5] {
        [
            plain(&self.id),
            plain(&self.name),
            self.created_at.clone(),
            self.grants.join(" "),
            self.scopes.join(" "),
        ]
    }
}

#[derive(Serialize)]
struct NewClient<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

/// Prints a new client's secret, if it has one: the only time it can be read.
pub(super) fn print_client(
    output: &mut Output,
    id: &str,
    secret: Option<&Token>,
    json: bool,
) -> io::Result<()> {
    let secret = secret.map(Token::reveal);
    if json {
        return output.json(&NewClient { id, secret });
    }
    let Some(secret) = secret else {
        return output.print(&format!("client id      {id}\nIt has no secret."));
    };
    let text = Zeroizing::new(format!(
        "client id      {id}\nclient secret  {secret}\n\
         The secret is shown this once. Lost, the client is removed and added again."
    ));
    output.print(&text)
}

/// Prints a new API key: the only time it can be read.
pub(super) fn print_api_key(
    output: &mut Output,
    number: i64,
    key: &Token,
    json: bool,
) -> io::Result<()> {
    let key = key.reveal();
    if json {
        return output.json(&NewApiKey { number, key });
    }
    let text = Zeroizing::new(format!(
        "API key  {key}\nnumber   {number}\n\
         It is shown this once. Lost, it is removed and another one added."
    ));
    output.print(&text)
}

/// A new API key.
#[derive(Serialize)]
struct NewApiKey<'a> {
    number: i64,
    key: &'a str,
}

/// What `check` found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) fit: bool,
    pub(super) checks: Vec<Finding>,
}

/// One part of the product.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) fit: bool,
    pub(super) detail: String,
    pub(super) remedy: Option<String>,
}
