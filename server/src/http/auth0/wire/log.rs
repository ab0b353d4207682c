//! Audit rows as Auth0's logs have them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;
use crate::domain::{AccountCard, Actor, Event};
use crate::model::EventKind;

/// One entry.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "log_id": "00000000000000000042",
    "date": "2026-11-21T09:30:00.000Z",
    "type": "sercft",
    "description": "Recovery code 1 of generation 3 redeemed",
    "user_id": "auth0|alice",
    "user_name": "alice@example.com",
    "client_id": "dev-app",
    "ip": "192.0.2.1",
}))]
pub(in crate::http::auth0) struct LogLine {
    /// Its number; newer ones have larger ones.
    log_id: String,
    date: String,
    /// What happened.
    #[serde(rename = "type")]
    kind: &'static str,
    /// For people.
    description: String,
    user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    /// Through which client, or by which.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
}

impl LogLine {
    /// The entry of an audit row, if Auth0 has a name for what happened.
    pub(in crate::http::auth0) fn of(account: &AccountCard, event: &Event) -> Option<Self> {
        let kind = name(event.kind, &event.actor)?;
        let generation = event.generation.map_or(0, |generation| generation.0);
        let number = event.number.unwrap_or(0);
        let description = match event.kind {
            EventKind::CodesRedeemed => {
                format!("Recovery code {number} of generation {generation} redeemed")
            }
            EventKind::CodesRefused => "Recovery code not accepted".to_owned(),
            EventKind::CodesThrottled => "Too many recovery codes were wrong".to_owned(),
            EventKind::FactorEnrolled | EventKind::FactorReplaced => {
                "Authenticator bound".to_owned()
            }
            EventKind::FactorRemoved | EventKind::MfaReset => "Authenticator unbound".to_owned(),
            EventKind::FactorVerified => "One-time password accepted".to_owned(),
            EventKind::FactorRefused => "One-time password not accepted".to_owned(),
            _ => "Wrong password".to_owned(),
        };
        let client_id = match &event.actor {
            Actor::Through(id) | Actor::Client(id) => Some(id.clone()),
            Actor::Person | Actor::Administrator | Actor::Server | Actor::Appointed(_) => None,
        };
        Some(Self {
            log_id: format!("{:020}", event.id),
            date: rfc3339(event.at),
            kind,
            description,
            user_id: account.id.as_str().to_owned(),
            user_name: account.login.clone(),
            client_id,
            ip: event.ip.map(|ip| ip.to_string()),
        })
    }
}

/// Auth0's name: the exchange at the token endpoint has names of its own.
fn name(kind: EventKind, actor: &Actor) -> Option<&'static str> {
    let exchanged = matches!(actor, Actor::Through(_));
    Some(match kind {
        EventKind::CodesRedeemed if exchanged => "sercft",
        EventKind::CodesRedeemed => "gd_recovery_succeed",
        EventKind::CodesRefused if exchanged => "fercft",
        EventKind::CodesRefused => "gd_recovery_failed",
        EventKind::CodesThrottled => "gd_recovery_rate_limit_exceed",
        EventKind::FactorEnrolled | EventKind::FactorReplaced => "gd_enrollment_complete",
        EventKind::FactorRemoved | EventKind::MfaReset => "gd_unenroll",
        EventKind::FactorVerified => "gd_auth_succeed",
        EventKind::FactorRefused => "gd_auth_failed",
        EventKind::PasswordRefused => "fp",
        EventKind::CodesStaged
        | EventKind::CodesShownAgain
        | EventKind::CodesActivated
        | EventKind::CodesGivenUp
        | EventKind::CodesRevoked
        | EventKind::CodesKept
        | EventKind::CodesImported
        | EventKind::FactorAsked
        | EventKind::DeviceTrusted
        | EventKind::DeviceForgotten
        | EventKind::KeyAdded
        | EventKind::KeyRemoved
        | EventKind::PasswordVerified
        | EventKind::SignedOut
        | EventKind::AdministratorAdded
        | EventKind::AdministratorRemoved
        | EventKind::AddressAdded
        | EventKind::AddressRemoved
        | EventKind::NoticeGivenUp
        | EventKind::CodesSwitchedOn
        | EventKind::CodesSwitchedOff
        | EventKind::AccountAdded => return None,
    })
}
