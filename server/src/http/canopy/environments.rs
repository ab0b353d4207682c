//! The one environment: how people sign in.

use axum::response::Response;

use super::body::{self, Fields};
use super::caller::{Admin, Changes, Origin, Reads};
use super::said::described::nos;
use super::said::{Fault, No};
use super::wire::{EnvironmentAnswer, EnvironmentBody};
use crate::domain::{Environment, FactorKind, Scope};
use crate::http::request::InPath;
use crate::model::AccountId;

const NAME: Fault = body::text("name", "name must be a text of 1 to 64 characters.");
const SLUG: Fault = body::text(
    "slug",
    "slug must be 1 to 64 lower-case letters, digits and single dashes between them.",
);
const MFA: Fault = body::text("mfa", "mfa must be an object.");
const REQUIRED: Fault = body::text("mfa_required", "mfa_required must be true or false.");
const GRACE: Fault = body::text(
    "mfa_grace_period_days",
    "mfa_grace_period_days must be a number from 0 to 365.",
);
const TRUSTED: Fault = body::text(
    "mfa_trusted_device_days",
    "mfa_trusted_device_days must be a number from 0 to 365.",
);
const FACTORS: Fault = body::text(
    "mfa_factor_allowlist",
    "mfa_factor_allowlist must be a list of totp and webauthn, one of them at least.",
);

/// Which environment of which application of which tenant.
type Which = InPath<(String, String, String)>;

/// A UUID for a name that has none of its own.
fn uuid_of(name: &str) -> String {
    AccountId::parse(name).map_or_else(String::new, |id| id.uuid().to_string())
}

/// The environment's.
pub(super) fn environment_id(origin: &Origin) -> String {
    uuid_of(&format!("environment of {}", origin.settings().application))
}

/// The environment, if it is this one.
async fn found(
    origin: &Origin,
    InPath((tenant, application, slug)): Which,
) -> Result<Environment, No> {
    let settings = origin.settings();
    let environment = origin.mfa().environment().await;
    let environment = environment.map_err(|error| origin.no(error))?;
    let known = tenant == settings.account
        && application == settings.application
        && slug == environment.slug;
    known.then_some(environment).ok_or(No::EnvironmentNotFound)
}

fn answer(origin: &Origin, environment: Environment) -> Response {
    let application = uuid_of(&format!("application {}", origin.settings().application));
    let known = (environment_id(origin), application);
    origin.say(EnvironmentAnswer::of(environment, known))
}

nos!(ReadNos:
    No::InvalidToken,
    No::WrongPrincipal,
    No::Scope(Scope::ReadFactors),
    No::EnvironmentNotFound,
);

/// See how people sign in
#[utoipa::path(
    get,
    path = "/portal/v1/accounts/{account_slug}/applications/{app_slug}/environments/{env_slug}",
    operation_id = "canopy_environment",
    tag = super::TAG,
    params(
        ("account_slug" = String, Path, description = "The tenant."),
        ("app_slug" = String, Path, description = "Its application."),
        ("env_slug" = String, Path, description = "Its environment."),
    ),
    responses((status = 200, description = "The environment.", body = EnvironmentAnswer), ReadNos),
    security(("portal" = [])),
)]
pub(super) async fn read(admin: Admin<Reads>, which: Which) -> Result<Response, No> {
    let environment = found(&admin.origin, which).await?;
    Ok(answer(&admin.origin, environment))
}

nos!(ChangeNos:
    No::Invalid(vec![NAME, SLUG, MFA, REQUIRED, GRACE, TRUSTED, FACTORS]),
    No::InvalidToken,
    No::WrongPrincipal,
    No::Scope(Scope::UpdateFactors),
    No::EnvironmentNotFound,
    No::TooLarge,
    No::MediaType,
    No::Busy { wait: 1 },
);

/// Change how people sign in
///
/// What is left out stays. A factor that was enrolled before keeps working when its kind leaves the
/// list; trust in devices ends with the days that it was given for, or with fewer.
#[utoipa::path(
    patch,
    path = "/portal/v1/accounts/{account_slug}/applications/{app_slug}/environments/{env_slug}",
    operation_id = "canopy_change_environment",
    tag = super::TAG,
    params(
        ("account_slug" = String, Path, description = "The tenant."),
        ("app_slug" = String, Path, description = "Its application."),
        ("env_slug" = String, Path, description = "Its environment."),
    ),
    request_body = EnvironmentBody,
    responses((status = 200, description = "As it is now.", body = EnvironmentAnswer), ChangeNos),
    security(("portal" = [])),
)]
pub(super) async fn change(
    admin: Admin<Changes>,
    which: Which,
    mut fields: Fields,
) -> Result<Response, No> {
    let origin = &admin.origin;
    let name = fields.optional_text(NAME, |text| {
        let length = text.trim().chars().count();
        (1..=64).contains(&length) && !text.chars().any(char::is_control)
    });
    let slug = fields.optional_text(SLUG, is_slug);
    let mut mfa = fields.object(MFA);
    let required = mfa.flag(REQUIRED);
    let grace = mfa.number(GRACE, Environment::DAYS_MAX);
    let trusted = mfa.number(TRUSTED, Environment::DAYS_MAX);
    let factors = mfa.list(FACTORS, FactorKind::named);
    fields.take_back(mfa);
    fields.done()?;
    found(origin, which).await?;
    let changed = origin
        .mfa()
        .change_environment(|environment| {
            if let Some(name) = &name {
                name.trim().clone_into(&mut environment.name);
            }
            if let Some(slug) = &slug {
                environment.slug.clone_from(slug);
            }
            if let Some(factors) = &factors {
                environment.factors.clone_from(factors);
            }
            environment.mfa_required = required.unwrap_or(environment.mfa_required);
            environment.grace_days = grace.unwrap_or(environment.grace_days);
            environment.trusted_days = trusted.unwrap_or(environment.trusted_days);
        })
        .await;
    let changed = changed.map_err(|error| origin.no(error))?;
    Ok(answer(origin, changed))
}

fn is_slug(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 64
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(fits))
}
