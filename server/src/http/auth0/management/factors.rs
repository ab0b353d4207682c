//! Which factors are offered, and who must prove one.

use std::marker::PhantomData;

use axum::Json;

use super::super::bearer::{Manager, ReadFactors, ReadPolicies, UpdateFactors, UpdatePolicies};
use super::super::body;
use super::super::said::{Management, No};
use super::super::wire::{Enabled, FactorLine};
use super::manages;
use crate::domain::SecondFactor;

/// Every factor that clients know, by name, in their order; two are offered here.
const FACTORS: [&str; 8] = [
    "push-notification",
    "sms",
    "email",
    "duo",
    "otp",
    "webauthn-roaming",
    "webauthn-platform",
    "recovery-code",
];

/// The policy by which everybody proves a second factor.
const EVERYBODY: &str = "all-applications";

manages!(ListNos, "read:guardian_factors":);

/// The factors
#[utoipa::path(
    get,
    path = "/api/v2/guardian/factors",
    operation_id = "list_factors",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    responses((status = 200, description = "All that clients know, and which are offered.", body = Vec<FactorLine>), ListNos),
    security(("machine" = ["read:guardian_factors"])),
)]
pub(in crate::http::auth0) async fn list(
    manager: Manager<ReadFactors>,
) -> Result<Json<Vec<FactorLine>>, Management> {
    let codes = manager.mfa().recovery_codes().await;
    let codes = codes.map_err(|error| manager.no(error))?;
    let lines = FACTORS.into_iter().map(|name| FactorLine {
        name,
        enabled: name == "otp" || codes && name == "recovery-code",
        trial_expired: false,
    });
    Ok(Json(lines.collect()))
}

manages!(SwitchNos, "update:guardian_factors":
    No::Missing("enabled"),
    No::SwitchFixed,
    No::TooLarge,
    No::MediaType,
);

/// Switch recovery codes on or off
///
/// Off: none is issued and none accepted; those that are live are kept for when it is on again.
#[utoipa::path(
    put,
    path = "/api/v2/guardian/factors/recovery-code",
    operation_id = "switch_recovery_codes",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    request_body = Enabled,
    responses((status = 200, description = "How it stands.", body = Enabled), SwitchNos),
    security(("machine" = ["update:guardian_factors"])),
)]
pub(in crate::http::auth0) async fn switch_recovery_codes(
    manager: Manager<UpdateFactors>,
    body::Json(Enabled { enabled }, PhantomData): body::Json<Enabled, Management>,
) -> Result<Json<Enabled>, Management> {
    let switched = manager.mfa().switch_recovery_codes(enabled).await;
    switched.map_err(|error| manager.no(error))?;
    tracing::info!(
        client.id = manager.client(),
        enabled,
        "recovery codes switched"
    );
    Ok(Json(Enabled { enabled }))
}

manages!(OtpNos, "update:guardian_factors":
    No::Missing("enabled"),
    No::Invalid("One-time passwords are the factor offered here: they are always on."),
    No::TooLarge,
    No::MediaType,
);

/// Switch one-time passwords on
///
/// They are, as there is no other factor: switching them off is refused.
#[utoipa::path(
    put,
    path = "/api/v2/guardian/factors/otp",
    operation_id = "switch_otp",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    request_body = Enabled,
    responses((status = 200, description = "How it stands.", body = Enabled), OtpNos),
    security(("machine" = ["update:guardian_factors"])),
)]
pub(in crate::http::auth0) async fn switch_otp(
    _: Manager<UpdateFactors>,
    body::Json(Enabled { enabled }, PhantomData): body::Json<Enabled, Management>,
) -> Result<Json<Enabled>, Management> {
    if !enabled {
        return Err(No::Invalid(
            "One-time passwords are the factor offered here: they are always on.",
        )
        .into());
    }
    Ok(Json(Enabled { enabled }))
}

manages!(PoliciesNos, "read:mfa_policies":);

/// Who must prove a second factor
#[utoipa::path(
    get,
    path = "/api/v2/guardian/policies",
    operation_id = "get_policies",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    responses((status = 200, description = "`[\"all-applications\"]`: everybody; `[]`: who has one.", body = Vec<String>, example = json!(["all-applications"])), PoliciesNos),
    security(("machine" = ["read:mfa_policies"])),
)]
pub(in crate::http::auth0) async fn policies(
    manager: Manager<ReadPolicies>,
) -> Result<Json<Vec<&'static str>>, Management> {
    let demanded = manager.mfa().second_factor().await;
    Ok(Json(match demanded.map_err(|error| manager.no(error))? {
        SecondFactor::Everybody => vec![EVERYBODY],
        SecondFactor::WhoHasOne => Vec::new(),
    }))
}

manages!(SetPoliciesNos, "update:mfa_policies":
    No::Invalid("The policies offered here are [] and [\"all-applications\"]."),
    No::TooLarge,
    No::MediaType,
);

/// Say who must prove a second factor
///
/// `["all-applications"]`: everybody, and who has none enrolls one. `[]`: who has one; nobody who
/// has enrolled is ever let in without.
#[utoipa::path(
    put,
    path = "/api/v2/guardian/policies",
    operation_id = "set_policies",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    request_body(content = Vec<String>, example = json!(["all-applications"])),
    responses((status = 200, description = "How it stands.", body = Vec<String>, example = json!(["all-applications"])), SetPoliciesNos),
    security(("machine" = ["update:mfa_policies"])),
)]
pub(in crate::http::auth0) async fn set_policies(
    manager: Manager<UpdatePolicies>,
    body::Json(wanted, PhantomData): body::Json<Vec<String>, Management>,
) -> Result<Json<Vec<String>>, Management> {
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let of = match names.as_slice() {
        [] => SecondFactor::WhoHasOne,
        [EVERYBODY] => SecondFactor::Everybody,
        _ => {
            return Err(No::Invalid(
                "The policies offered here are [] and [\"all-applications\"].",
            )
            .into());
        }
    };
    let set = manager.mfa().demand_second_factor(of).await;
    set.map_err(|error| manager.no(error))?;
    tracing::info!(client.id = manager.client(), policy = ?of, "second factor demanded");
    Ok(Json(wanted))
}
