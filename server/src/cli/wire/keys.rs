//! Keys in lists: their names and times, never what they are.

use serde::Serialize;

use super::time;
use crate::cli::output::plain;
use crate::clock::rfc3339;
use crate::domain::{ApiKeyCard, KeyUse, SigningKey};
use crate::keyring::KeyLine;
use crate::model::KeyId;

/// The keyring's keys.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Keys {
    pub(in crate::cli) keys: Vec<KeyRow>,
}

/// A key of the keyring, or one that is missing there.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct KeyRow {
    id: u32,
    /// `null`: the key is missing, and things were made with it.
    created_at: Option<String>,
    current: bool,
    /// Where a store was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_with_it: Option<MadeWith>,
}

/// What cannot be used without a key.
#[derive(Debug, Clone, Copy, Serialize)]
struct MadeWith {
    live_batches: u64,
    pending_batches: u64,
    passwords: u64,
    authenticators: u64,
    signing_keys: u64,
}

impl From<KeyUse> for MadeWith {
    fn from(uses: KeyUse) -> Self {
        let KeyUse {
            key: _,
            live,
            pending,
            passwords,
            authenticators,
            signing_keys,
        } = uses;
        Self {
            live_batches: live,
            pending_batches: pending,
            passwords,
            authenticators,
            signing_keys,
        }
    }
}

impl KeyRow {
    pub(in crate::cli) const HEADING: [&'static str; 3] = ["KEY", "MADE", "USE"];

    pub(in crate::cli) const HEADING_WITH_USES: [&'static str; 8] = [
        "KEY",
        "MADE",
        "USE",
        "LIVE BATCHES",
        "PENDING",
        "PASSWORDS",
        "AUTHENTICATORS",
        "SIGNING KEYS",
    ];

    /// The keyring's keys and those that are missing there, by number.
    pub(in crate::cli) fn all(lines: &[KeyLine], uses: Option<&[KeyUse]>) -> Vec<Self> {
        let of = |id: KeyId| {
            let uses = uses?.iter().find(|uses| uses.key == id).copied();
            Some(uses.unwrap_or_else(|| KeyUse::none(id)).into())
        };
        let missing = uses
            .unwrap_or_default()
            .iter()
            .filter(|uses| lines.iter().all(|line| line.id != uses.key))
            .map(|uses| Self {
                id: uses.key.0,
                created_at: None,
                current: false,
                made_with_it: Some((*uses).into()),
            });
        let mut rows: Vec<_> = missing
            .chain(lines.iter().map(|line| Self {
                id: line.id.0,
                created_at: Some(rfc3339(line.created_at)),
                current: line.current,
                made_with_it: of(line.id),
            }))
            .collect();
        rows.sort_by_key(|row| row.id);
        rows
    }

    pub(in crate::cli) fn cells(&self) -> [String; 3] {
        let role = match (&self.created_at, self.current) {
            (None, _) => "MISSING",
            (Some(_), true) => "current",
            (Some(_), false) => "older codes",
        };
        [
            self.id.to_string(),
            self.created_at.clone().unwrap_or_else(|| "-".to_owned()),
            role.to_owned(),
        ]
    }

    pub(in crate::cli) fn cells_with_uses(&self) -> [String; 8] {
        let [id, made, role] = self.cells();
        let count = |of: fn(MadeWith) -> u64| self.made_with_it.map_or(0, of).to_string();
        [
            id,
            made,
            role,
            count(|made| made.live_batches),
            count(|made| made.pending_batches),
            count(|made| made.passwords),
            count(|made| made.authenticators),
            count(|made| made.signing_keys),
        ]
    }
}

/// The keys that tokens are signed with.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct SigningKeys {
    pub(in crate::cli) keys: Vec<SigningKeyRow>,
}

/// A key that tokens are signed with.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct SigningKeyRow {
    pub(in crate::cli) id: String,
    created_at: String,
    pub(in crate::cli) signs_from: String,
    published_until: Option<String>,
}

impl From<SigningKey> for SigningKeyRow {
    fn from(key: SigningKey) -> Self {
        Self {
            created_at: rfc3339(key.created_at),
            signs_from: rfc3339(key.signs_from),
            published_until: time(key.verifies_until),
            id: key.id,
        }
    }
}

impl SigningKeyRow {
    pub(in crate::cli) const HEADING: [&'static str; 4] =
        ["KEY", "MADE", "SIGNS FROM", "PUBLISHED UNTIL"];

    pub(in crate::cli) fn cells(&self) -> [String; 4] {
        [
            self.id.clone(),
            self.created_at.clone(),
            self.signs_from.clone(),
            self.published_until
                .clone()
                .unwrap_or_else(|| "another follows".to_owned()),
        ]
    }
}

/// All API keys.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct ApiKeys {
    pub(in crate::cli) keys: Vec<ApiKeyRow>,
}

/// An API key.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct ApiKeyRow {
    number: i64,
    account: String,
    name: Option<String>,
    created_at: String,
}

impl From<ApiKeyCard> for ApiKeyRow {
    fn from(card: ApiKeyCard) -> Self {
        let ApiKeyCard {
            number,
            account,
            name,
            created_at,
        } = card;
        Self {
            number,
            account: account.as_str().to_owned(),
            name,
            created_at: rfc3339(created_at),
        }
    }
}

impl ApiKeyRow {
    pub(in crate::cli) const HEADING: [&'static str; 4] = ["NUMBER", "ACCOUNT", "NAME", "MADE"];

    pub(in crate::cli) fn cells(&self) -> [String; 4] {
        [
            self.number.to_string(),
            plain(&self.account),
            plain(self.name.as_deref().unwrap_or("-")),
            self.created_at.clone(),
        ]
    }
}
