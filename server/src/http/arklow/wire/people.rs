//! People and what they carry.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Shown, TOTP, UNNAMED};
use crate::clock::rfc3339;
use crate::domain::{AccountCard, ApiKeyCard, Device};
use crate::model::{Timestamp, Token};

/// The one organization of a tenant.
pub(in crate::http::arklow) const ORG: &str = "1";

/// Who somebody is.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowUser)]
pub(in crate::http::arklow) struct User {
    id: String,
    name: String,
    email: String,
    memberships: Vec<Membership>,
    /// Null.
    #[schema(required, format = DateTime)]
    deleted_at: Option<String>,
}

/// Where somebody belongs.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowMembership)]
struct Membership {
    /// `1`.
    org_id: &'static str,
    /// What they may do there.
    permissions: [&'static str; 2],
}

impl From<AccountCard> for User {
    fn from(card: AccountCard) -> Self {
        let UserLine { id, name, email } = card.into();
        Self {
            id,
            name,
            email,
            memberships: vec![Membership {
                org_id: ORG,
                permissions: ["self", "keys"],
            }],
            deleted_at: None,
        }
    }
}

/// Who somebody is, in short.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowUserLine)]
struct UserLine {
    id: String,
    name: String,
    email: String,
}

impl From<AccountCard> for UserLine {
    fn from(card: AccountCard) -> Self {
        let email = card.login.unwrap_or_else(|| card.id.as_str().to_owned());
        let name = email.split('@').next().unwrap_or_default().to_owned();
        Self {
            id: card.number.to_string(),
            name,
            email,
        }
    }
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowSession)]
pub(in crate::http::arklow) struct SessionAnswer {
    /// For `x-arklow-auth`.
    session_token: Shown,
    user: UserLine,
    /// Whether a factor is to be proven first.
    mfa_required: bool,
    /// What can be proven.
    devices: Vec<DeviceLine>,
    /// Null: nothing was proven yet.
    #[schema(required, format = DateTime)]
    session_mfa_not_after: Option<String>,
    /// When it ends whatever happens.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A device, in short.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowDeviceLine)]
struct DeviceLine {
    id: String,
    name: String,
    /// `totp`.
    device_type: &'static str,
}

impl SessionAnswer {
    /// Of this user, with the devices that can be proven.
    pub(in crate::http::arklow) fn of(
        token: &Token,
        card: AccountCard,
        devices: Vec<Device>,
        expires_at: Timestamp,
    ) -> Self {
        let devices: Vec<_> = devices
            .into_iter()
            .filter(|device| device.confirmed_at.is_some())
            .map(|device| DeviceLine {
                id: device.number.to_string(),
                name: device.name.unwrap_or_else(|| UNNAMED.to_owned()),
                device_type: TOTP,
            })
            .collect();
        Self {
            session_token: Shown(token.reveal().to_owned().into()),
            user: card.into(),
            mfa_required: !devices.is_empty(),
            devices,
            session_mfa_not_after: None,
            expires_at: rfc3339(expires_at),
        }
    }
}

/// The session is over.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowLoggedOut)]
pub(in crate::http::arklow) struct LoggedOut {
    /// True.
    pub(in crate::http::arklow) logged_out: bool,
}

/// A new key.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowKey)]
pub(in crate::http::arklow) struct NewKeyAnswer {
    id: String,
    org_id: &'static str,
    member_id: String,
    /// The key itself, this once.
    material: Shown,
    user_id: String,
    #[schema(required)]
    description: Option<String>,
}

impl NewKeyAnswer {
    /// Of this user.
    pub(in crate::http::arklow) fn of(card: ApiKeyCard, key: &Token, user: i64) -> Self {
        Self {
            id: card.number.to_string(),
            org_id: ORG,
            member_id: user.to_string(),
            material: Shown(key.reveal().to_owned().into()),
            user_id: user.to_string(),
            description: card.name,
        }
    }
}

/// A key that was deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowDeletedKey)]
pub(in crate::http::arklow) struct DeletedKey {
    id: String,
    org_id: &'static str,
    member_id: String,
    #[schema(format = DateTime)]
    deleted_at: String,
    user_id: String,
    #[schema(required)]
    description: Option<String>,
}

impl DeletedKey {
    /// Of this user, at this time.
    pub(in crate::http::arklow) fn of(card: ApiKeyCard, user: i64, at: Timestamp) -> Self {
        Self {
            id: card.number.to_string(),
            org_id: ORG,
            member_id: user.to_string(),
            deleted_at: rfc3339(at),
            user_id: user.to_string(),
            description: card.name,
        }
    }
}
