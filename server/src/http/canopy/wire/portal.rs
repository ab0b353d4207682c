//! What administrators see.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Factor, IdentityLine, Shown, bound};
use crate::clock::rfc3339;
use crate::domain::{
    AccountCard, AccountLine, AccountState, Device, Environment, FactorKind, Status,
};

/// An administrator's program is in.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyAdminSession, example = json!({
    "requires_account_selection": false,
    "requires_application_selection": false,
    "access_token": "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln",
    "token_type": "Bearer",
    "expires_in": 900,
    "user": { "id": "dev-management", "email": "dev-management", "name": "dev-management" },
}))]
pub(in crate::http::canopy) struct AdminSession {
    /// False: there is one.
    requires_account_selection: bool,
    /// False: there is one.
    requires_application_selection: bool,
    access_token: Shown,
    /// `Bearer`.
    token_type: &'static str,
    expires_in: i64,
    user: AdminUser,
}

/// The program that administers.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyAdminUser)]
struct AdminUser {
    id: String,
    email: String,
    name: String,
}

impl AdminSession {
    /// Of this client.
    pub(in crate::http::canopy) fn new(
        access: String,
        expires_in: i64,
        (id, name): (String, String),
    ) -> Self {
        Self {
            requires_account_selection: false,
            requires_application_selection: false,
            access_token: Shown(access.into()),
            token_type: "Bearer",
            expires_in,
            user: AdminUser {
                email: id.clone(),
                id,
                name,
            },
        }
    }
}

/// An identity's second factors, for who administers; never a code.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyMfaSummary)]
pub(in crate::http::canopy) struct Summary {
    factors: Vec<Factor>,
    /// The number of the live list, or of the last one; 0: there was never one.
    recovery_codes_generation: u32,
    recovery_codes_remaining: u32,
    recovery_codes_total: u32,
    /// When an administrator last took everything away; null: never.
    #[schema(required, format = DateTime)]
    mfa_admin_reset_at: Option<String>,
}

impl Summary {
    /// Of this account.
    pub(in crate::http::canopy) fn of(
        card: &AccountCard,
        devices: Vec<Device>,
        status: &Status,
    ) -> Self {
        let live = status.state == AccountState::Active;
        let count = |number: u32| if live { number } else { 0 };
        Self {
            factors: bound(devices),
            recovery_codes_generation: status.generation.0,
            recovery_codes_remaining: count(status.remaining),
            recovery_codes_total: count(status.total),
            mfa_admin_reset_at: card.reset_at.map(rfc3339),
        }
    }
}

/// Identities, a page at a time.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyIdentities, example = json!({
    "items": [{
        "id": "5b0e3f0a-6d0c-8f1e-9a55-0d2c6f7b8a91",
        "email": "carol@example.com",
        "first_name": "Carol",
        "last_name": "",
    }],
    "pagination": { "page": 1, "take": 20, "has_more": false },
}))]
pub(in crate::http::canopy) struct Identities {
    items: Vec<IdentityLine>,
    pagination: Pagination,
}

/// Which page it is.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyPagination)]
struct Pagination {
    /// From 1.
    page: u32,
    take: u32,
    /// Whether there is another.
    has_more: bool,
}

impl Identities {
    /// Of these; one more than fits says that there is another page.
    pub(in crate::http::canopy) fn of(all: &[AccountLine], page: u32, take: u32) -> Self {
        let fits = usize::try_from(take).unwrap_or(usize::MAX);
        Self {
            items: all
                .iter()
                .take(fits)
                .map(|line| IdentityLine::named(&line.id, line.login.as_deref()))
                .collect(),
            pagination: Pagination {
                page,
                take,
                has_more: all.len() > fits,
            },
        }
    }
}

/// How people sign in.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyEnvironment, example = json!({
    "id": "6b1d2f3c-4b5a-8c9e-8bd6-0d1f7c3f7d3b",
    "application_id": "94c36b1d-2f3c-8b5a-8c9e-8bd60d1f7c3f",
    "name": "Development",
    "slug": "development",
    "settings": {
        "mfa_required": true,
        "mfa_grace_period_days": 7,
        "mfa_trusted_device_days": 30,
        "mfa_factor_allowlist": ["totp", "webauthn"],
    },
    "version": 1,
    "created_at": "1970-01-01T00:00:00.000Z",
    "updated_at": "1970-01-01T00:00:00.000Z",
}))]
pub(in crate::http::canopy) struct EnvironmentAnswer {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = Uuid)]
    application_id: String,
    name: String,
    slug: String,
    settings: EnvironmentSettings,
    /// How often it was changed, and once more.
    version: u32,
    /// When it was first changed from how it began; the beginning of time where it was not.
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// What is asked of people.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyEnvironmentSettings)]
struct EnvironmentSettings {
    mfa_required: bool,
    mfa_grace_period_days: u32,
    /// 0: no device is trusted.
    mfa_trusted_device_days: u32,
    /// `totp`, `webauthn`.
    mfa_factor_allowlist: Vec<&'static str>,
}

impl EnvironmentAnswer {
    /// Of this environment, known by these.
    pub(in crate::http::canopy) fn of(
        environment: Environment,
        (id, application_id): (String, String),
    ) -> Self {
        let Environment {
            name,
            slug,
            mfa_required,
            grace_days,
            trusted_days,
            factors,
            version,
            updated_at,
        } = environment;
        Self {
            id,
            application_id,
            name,
            slug,
            settings: EnvironmentSettings {
                mfa_required,
                mfa_grace_period_days: grace_days,
                mfa_trusted_device_days: trusted_days,
                mfa_factor_allowlist: factors.into_iter().map(FactorKind::name).collect(),
            },
            version,
            created_at: rfc3339(updated_at.min(crate::model::Timestamp(0))),
            updated_at: rfc3339(updated_at),
        }
    }
}
