//! The Canopy dialect: people with an access token and a refresh cookie, step-up tokens, trusted
//! devices, and the portal of those who administer.
//!
//! A handler reads, calls the domain, and converts; it decides nothing. Hosted login, registration,
//! hierarchy, roles and webhooks are not here, and WebAuthn and e-mail factors answer that they are
//! not offered.

mod body;
mod caller;
mod challenges;
mod cookie;
mod devices;
mod enrolling;
mod environments;
mod factors;
mod passkeys;
mod people;
mod portal;
mod said;
mod sign_in;
mod tokens;
mod wire;

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::said::No;
use self::wire::{CanopyError, CanopyErrorBody};
use super::Web;
#[cfg(test)]
use super::refusals::Answered;
#[cfg(test)]
use crate::domain::Refusal;
#[cfg(test)]
use crate::model::Timestamp;

/// Under what its operations stand in the OpenAPI document.
const TAG: &str = "canopy";

/// How this dialect is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanopySettings {
    /// The tenant's name, as clients send it.
    pub account: String,
    /// Its one application's.
    pub application: String,
    /// How single objects are answered.
    pub envelope: Envelope,
}

/// How single objects are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// As they are, as the reference has them.
    Bare,
    /// Behind `data`, as the guides have them.
    Data,
}

impl Default for CanopySettings {
    fn default() -> Self {
        Self {
            account: "main".to_owned(),
            application: "app".to_owned(),
            envelope: Envelope::Bare,
        }
    }
}

impl CanopySettings {
    /// Those of local development.
    pub fn of_development() -> Self {
        Self {
            account: "dev".to_owned(),
            application: "dev-app".to_owned(),
            envelope: Envelope::Bare,
        }
    }
}

/// Every route.
pub(super) fn router() -> OpenApiRouter<Web> {
    OpenApiRouter::with_openapi(described())
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::refresh))
        .routes(routes!(sign_in::logout))
        .routes(routes!(people::own))
        .routes(routes!(people::sessions))
        .routes(routes!(people::end_session))
        .routes(routes!(challenges::totp))
        .routes(routes!(challenges::recovery_code))
        .routes(routes!(passkeys::challenge_options))
        .routes(routes!(passkeys::challenge_verify))
        .routes(routes!(passkeys::email_send))
        .routes(routes!(passkeys::email_verify))
        .routes(routes!(factors::list))
        .routes(routes!(enrolling::start))
        .routes(routes!(enrolling::verify))
        .routes(routes!(passkeys::enroll_options))
        .routes(routes!(passkeys::enroll_verify))
        .routes(routes!(factors::step_up))
        .routes(routes!(passkeys::step_up_options))
        .routes(routes!(passkeys::step_up_verify))
        .routes(routes!(factors::regenerate))
        .routes(routes!(factors::remove))
        .routes(routes!(devices::list, devices::revoke_all))
        .routes(routes!(devices::revoke))
        .routes(routes!(portal::login))
        .routes(routes!(portal::identities))
        .routes(routes!(portal::summary))
        .routes(routes!(portal::reset))
        .routes(routes!(environments::read, environments::change))
        .layer(from_fn(said::addressed))
}

/// What its operations have in common.
fn described() -> OpenApi {
    let bearer = |said: &str| {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some(said.to_owned());
        SecurityScheme::Http(scheme)
    };
    let components = ComponentsBuilder::new()
        .schema_from::<CanopyError>()
        .schema_from::<CanopyErrorBody>()
        .security_scheme(
            "identity",
            bearer("An access token of `/v1/identity/auth/login` or of a challenge."),
        )
        .security_scheme(
            "portal",
            bearer(
                "An access token of `/v1/auth/login`, or of `/oauth/token` with the audience \
                 `{issuer}/portal/v1`.",
            ),
        )
        .build();
    let tag = TagBuilder::new()
        .name(TAG)
        .description(Some(
            "Sign-in, factors, recovery codes and trusted devices, as Canopy has them.",
        ))
        .build();
    OpenApiBuilder::new()
        .info(InfoBuilder::new().build())
        .components(Some(components))
        .tags(Some([tag]))
        .build()
}

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    ["/v1/identity", "/v1/auth", "/portal"]
        .into_iter()
        .any(|prefix| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

/// An answer that no handler gave.
pub(super) fn plain(
    method: &Method,
    path: &str,
    status: StatusCode,
    request_id: &str,
) -> Response<Body> {
    let no = No::of_status(status, request_id);
    said::with_address(no.into_response(), method, path)
}

/// The answers to a refusal, for the table of every dialect's: surface, status and body.
#[cfg(test)]
pub(super) fn refused(refusal: Refusal, now: Timestamp) -> Vec<Answered> {
    let told = No::of_refusal(refusal, now).told();
    let body = told.body("POST", "/v1/identity").to_string();
    vec![("canopy", told.status, body)]
}
