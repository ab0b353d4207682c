//! Keys in lists: their names and times, never what they are.

use serde::Serialize;

use super::time;
use crate::cli::output::plain;
use crate::clock::rfc3339;
use crate::domain::{ApiKeyCard, SigningKey};
use crate::keyring::KeyLine;

/// The keyring's keys.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Keys {
    pub(in crate::cli) keys: Vec<KeyRow>,
}

/// A key of the keyring.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct KeyRow {
    id: u32,
    created_at: String,
    current: bool,
}

impl From<KeyLine> for KeyRow {
    fn from(line: KeyLine) -> Self {
        Self {
            id: line.id.0,
            created_at: rfc3339(line.created_at),
            current: line.current,
        }
    }
}

impl KeyRow {
    pub(in crate::cli) const HEADING: [&'static str; 3] = ["KEY", "MADE", "USE"];

    pub(in crate::cli) fn cells(&self) -> [String; 3] {
        let role = if self.current {
            "current"
        } else {
            "older codes"
        };
        [
            self.id.to_string(),
            self.created_at.clone(),
            role.to_owned(),
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
