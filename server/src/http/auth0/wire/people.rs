//! Accounts, factors and methods, as the management and the account API have them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Shown, method_id, only_code};
use crate::clock::rfc3339;
use crate::domain::{AccountCard, AccountLine, AccountState, Factor, Issued, NamedTotp, Status};
use crate::model::{AccountId, AuthenticatorId, Timestamp};

/// The one place where accounts live here.
pub(in crate::http::auth0) const CONNECTION: &str = "Username-Password-Authentication";

/// What stands before the identifiers of accounts that are made here.
pub(in crate::http::auth0) const PROVIDER: &str = "auth0";

/// An account to add.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "connection": "Username-Password-Authentication",
    "email": "dora@example.com",
    "password": "a password of some length",
}))]
pub(in crate::http::auth0) struct NewUserBody {
    /// `Username-Password-Authentication`.
    pub(in crate::http::auth0) connection: String,
    /// What the person signs in with: a mail address of at most 254 bytes.
    #[schema(value_type = String)]
    pub(in crate::http::auth0) email: Option<String>,
    /// 8 to 256 characters.
    pub(in crate::http::auth0) password: String,
    /// What stands behind `auth0|`, without a bar; drawn when there is none.
    #[schema(min_length = 1, max_length = 249, pattern = "^[^|]+$")]
    pub(in crate::http::auth0) user_id: Option<String>,
}

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "user_id": "auth0|dora",
    "email": "dora@example.com",
    "email_verified": false,
    "name": "dora@example.com",
    "nickname": "dora",
    "created_at": "2026-11-21T09:30:00.000Z",
    "updated_at": "2026-11-21T09:30:00.000Z",
    "identities": [{ "connection": "Username-Password-Authentication", "provider": "auth0", "user_id": "dora", "isSocial": false }],
}))]
pub(in crate::http::auth0) struct User {
    user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Nobody has checked it.
    email_verified: bool,
    name: String,
    nickname: String,
    created_at: String,
    updated_at: String,
    identities: Vec<Identity>,
}

/// Where an account lives.
#[derive(Serialize, ToSchema)]
pub(in crate::http::auth0) struct Identity {
    connection: &'static str,
    provider: String,
    user_id: String,
    #[serde(rename = "isSocial")]
    is_social: bool,
}

impl User {
    fn of(id: &AccountId, login: Option<&str>, created_at: Timestamp) -> Self {
        let id = id.as_str().to_owned();
        let (provider, rest) = id.split_once('|').unwrap_or((PROVIDER, &id));
        let name = login.unwrap_or(&id).to_owned();
        Self {
            email: login.map(str::to_owned),
            email_verified: false,
            nickname: nickname(&name).to_owned(),
            name,
            created_at: rfc3339(created_at),
            updated_at: rfc3339(created_at),
            identities: vec![Identity {
                connection: CONNECTION,
                provider: provider.to_owned(),
                user_id: rest.to_owned(),
                is_social: false,
            }],
            user_id: id.clone(),
        }
    }
}

/// What stands before the at sign.
pub(in crate::http::auth0) fn nickname(login: &str) -> &str {
    login.split('@').next().unwrap_or(login)
}

impl From<AccountCard> for User {
    fn from(card: AccountCard) -> Self {
        Self::of(&card.id, card.login.as_deref(), card.created_at)
    }
}

impl From<AccountLine> for User {
    fn from(line: AccountLine) -> Self {
        Self::of(&line.id, line.login.as_deref(), line.created_at)
    }
}

/// A page of accounts, or with `include_totals` the same in an envelope.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http::auth0) enum Users {
    /// The accounts.
    Bare(Vec<User>),
    /// With how many there are.
    Counted {
        start: u64,
        limit: u64,
        length: u64,
        total: u64,
        users: Vec<User>,
    },
}

/// A factor and whether it is offered.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "name": "recovery-code", "enabled": true, "trial_expired": false }))]
pub(in crate::http::auth0) struct FactorLine {
    pub(in crate::http::auth0) name: &'static str,
    pub(in crate::http::auth0) enabled: bool,
    pub(in crate::http::auth0) trial_expired: bool,
}

/// Whether a factor is offered.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(example = json!({ "enabled": true }))]
pub(in crate::http::auth0) struct Enabled {
    pub(in crate::http::auth0) enabled: bool,
}

/// One enrollment.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "totp|dev_cnvd8BsdG3qT5h3Jx0lQ4A",
    "status": "confirmed",
    "type": "authenticator",
    "auth_method": "authenticator",
    "enrolled_at": "2026-11-21T09:30:00.000Z",
    "last_auth": "2026-11-21T09:30:00.000Z",
}))]
pub(in crate::http::auth0) struct Enrollment {
    id: String,
    /// `pending` or `confirmed`.
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    auth_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolled_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_auth: Option<String>,
}

impl Enrollment {
    pub(in crate::http::auth0) fn confirmed(factor: &Factor) -> Self {
        Self {
            id: factor.id.0.clone(),
            status: "confirmed",
            kind: "authenticator",
            auth_method: "authenticator",
            enrolled_at: Some(rfc3339(factor.confirmed_at)),
            last_auth: factor.last_used_at.map(rfc3339),
        }
    }

    pub(in crate::http::auth0) fn pending(id: AuthenticatorId) -> Self {
        Self {
            id: id.0,
            status: "pending",
            kind: "authenticator",
            auth_method: "authenticator",
            enrolled_at: None,
            last_auth: None,
        }
    }

    pub(in crate::http::auth0) fn named(id: AuthenticatorId, found: &NamedTotp) -> Self {
        match found.confirmed_at {
            None => Self::pending(id),
            Some(confirmed_at) => Self::confirmed(&Factor {
                id,
                confirmed_at,
                last_used_at: found.last_used_at,
            }),
        }
    }
}

/// One method of an account.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "recovery-code|dev_8BsdG3qT5h3Jx0lQ",
    "type": "recovery-code",
    "confirmed": true,
    "usage": ["secondary"],
    "created_at": "2026-11-21T09:30:00.000Z",
}))]
pub(in crate::http::auth0) struct Method {
    pub(in crate::http::auth0) id: String,
    /// `totp` or `recovery-code`.
    #[serde(rename = "type")]
    pub(in crate::http::auth0) kind: &'static str,
    pub(in crate::http::auth0) confirmed: bool,
    pub(in crate::http::auth0) usage: [&'static str; 1],
    pub(in crate::http::auth0) created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::auth0) last_auth_at: Option<String>,
}

impl Method {
    fn of(id: String, kind: &'static str, confirmed: bool, at: Timestamp) -> Self {
        Self {
            id,
            kind,
            confirmed,
            usage: ["secondary"],
            created_at: rfc3339(at),
            last_auth_at: None,
        }
    }

    /// Every method of an account: bound and waiting authenticators, live and waiting codes.
    pub(in crate::http::auth0) fn all(
        factors: Vec<Factor>,
        waiting: Option<(AuthenticatorId, Timestamp)>,
        status: Option<&Status>,
    ) -> Vec<Self> {
        let mut methods: Vec<Self> = factors
            .into_iter()
            .map(|factor| Self {
                last_auth_at: factor.last_used_at.map(rfc3339),
                ..Self::of(factor.id.0, "totp", true, factor.confirmed_at)
            })
            .collect();
        methods.extend(waiting.map(|(id, begun_at)| Self::of(id.0, "totp", false, begun_at)));
        methods.extend(status.and_then(Self::codes));
        methods
    }

    /// The live codes, if there are any.
    pub(in crate::http::auth0) fn codes(status: &Status) -> Option<Self> {
        let live = status.state == AccountState::Active && status.remaining > 0;
        let issued_at = status.issued_at.filter(|_| live)?;
        let id = method_id(&status.account, status.generation);
        Some(Self {
            last_auth_at: status.last_redeemed_at.map(rfc3339),
            ..Self::of(id, "recovery-code", true, issued_at)
        })
    }
}

/// The methods of an account, or with `include_totals` the same in an envelope.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http::auth0) enum Methods {
    /// The methods.
    Bare(Vec<Method>),
    /// With how many there are.
    Counted {
        authenticators: Vec<Method>,
        start: u64,
        limit: u64,
        total: u64,
    },
}

/// What is asked for of one's own account.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "type": "recovery-code" }))]
pub(in crate::http::auth0) struct NewMethodBody {
    /// `recovery-code`.
    #[serde(rename = "type")]
    pub(in crate::http::auth0) kind: String,
}

/// A recovery code that waits for the word that it is saved.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "recovery-code|dev_8BsdG3qT5h3Jx0lQ",
    "auth_session": "TeG5V0BkFB2hIjv5Tq0F1mJ8dUuKu0kF2m1uY0eFjXg",
    "recovery_code": "KZ3MQ7TBWJ5RHXYNABCDEFGW",
}))]
pub(in crate::http::auth0) struct NewMethodAnswer {
    pub(in crate::http::auth0) id: String,
    pub(in crate::http::auth0) auth_session: String,
    pub(in crate::http::auth0) recovery_code: Shown,
}

impl NewMethodAnswer {
    pub(in crate::http::auth0) fn of(issued: &Issued, auth_session: String) -> Option<Self> {
        Some(Self {
            id: method_id(&issued.account, issued.generation),
            auth_session,
            recovery_code: only_code(issued)?,
        })
    }
}

/// The word that it is saved.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "auth_session": "TeG5V0BkFB2hIjv5Tq0F1mJ8dUuKu0kF2m1uY0eFjXg" }))]
pub(in crate::http::auth0) struct VerifyBody {
    pub(in crate::http::auth0) auth_session: String,
}

/// The methods of one's own account.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "authentication_methods": [{ "id": "recovery-code|dev_8BsdG3qT5h3Jx0lQ", "type": "recovery-code", "confirmed": true, "usage": ["secondary"], "created_at": "2026-11-21T09:30:00.000Z" }] }))]
pub(in crate::http::auth0) struct OwnMethods {
    pub(in crate::http::auth0) authentication_methods: Vec<Method>,
}

/// What one can enroll.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "factors": [{ "type": "recovery-code", "usage": ["secondary"] }] }))]
pub(in crate::http::auth0) struct OwnFactors {
    pub(in crate::http::auth0) factors: Vec<OwnFactor>,
}

/// A type that is offered here.
#[derive(Serialize, ToSchema)]
pub(in crate::http::auth0) struct OwnFactor {
    #[serde(rename = "type")]
    pub(in crate::http::auth0) kind: &'static str,
    pub(in crate::http::auth0) usage: [&'static str; 1],
}
