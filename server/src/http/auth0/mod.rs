//! The Auth0 dialect: what an unmodified Auth0 client needs of recovery codes.
//!
//! The token endpoint, the MFA API, the management API, the account API. A handler reads, calls
//! the domain, and converts; it decides nothing. There is no authorization endpoint: people sign in
//! by the token endpoint's grants, or on our own pages.

mod audience;
mod bearer;
mod body;
pub(super) mod limits;
mod management;
mod mfa;
mod my_account;
mod said;
mod token;
mod well_known;
mod wire;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::management::{factors, logs, methods, users};
#[cfg(test)]
use self::said::Surface as _;
use self::said::{Management, MyAccount, No, Oauth};
use self::wire::{
    ManagementErrorBody, MfaRequirement, MyAccountErrorBody, OAuthErrorBody, ValidationError,
};
use super::Web;
#[cfg(test)]
use super::refusals::Answered;
#[cfg(test)]
use crate::domain::Refusal;
#[cfg(test)]
use crate::model::Timestamp;

/// Under what its operations stand in the OpenAPI document.
const OAUTH_TAG: &str = "auth0-oauth";
const MFA_TAG: &str = "auth0-mfa";
const MANAGEMENT_TAG: &str = "auth0-management";
const ME_TAG: &str = "auth0-my-account";

/// What is called from the pages of other origins.
pub(super) fn shared() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
        .routes(routes!(token::token))
        .routes(routes!(well_known::discovery))
        .routes(routes!(well_known::jwks))
        .routes(routes!(well_known::user_info))
        .routes(routes!(mfa::associate))
        .routes(routes!(mfa::list))
        .routes(routes!(mfa::challenge))
        .routes(routes!(mfa::remove))
        .routes(routes!(my_account::factors))
        .routes(routes!(my_account::list, my_account::create))
        .routes(routes!(my_account::verify))
}

/// What servers call.
pub(super) fn router() -> OpenApiRouter<Web> {
    let management = OpenApiRouter::with_openapi(described())
        .routes(routes!(users::regenerate))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::read, users::delete))
        .routes(routes!(users::by_email))
        .routes(routes!(factors::list))
        .routes(routes!(factors::switch_recovery_codes))
        .routes(routes!(factors::switch_otp))
        .routes(routes!(factors::policies, factors::set_policies))
        .routes(routes!(methods::enrollments))
        .routes(routes!(methods::enrollment, methods::end_enrollment))
        .routes(routes!(methods::methods, methods::take_all))
        .routes(routes!(methods::take_one))
        .routes(routes!(methods::take_authenticators))
        .routes(routes!(logs::list));
    management.layer(from_fn(limits::tell))
}

/// What its operations have in common.
fn described() -> OpenApi {
    let bearer = |description: &str| {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description));
        SecurityScheme::Http(scheme.build())
    };
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "The client's identifier and secret, instead of in the body.",
        ));
    let components = ComponentsBuilder::new()
        .schema_from::<OAuthErrorBody>()
        .schema_from::<ManagementErrorBody>()
        .schema_from::<MyAccountErrorBody>()
        .schema_from::<MfaRequirement>()
        .schema_from::<ValidationError>()
        .security_scheme("client", SecurityScheme::Http(basic.build()))
        .security_scheme(
            "machine",
            bearer("An access token by `client_credentials`."),
        )
        .security_scheme("person", bearer("A person's access token for this API."))
        .security_scheme("mfa_token", bearer("The `mfa_token` of a sign-in."))
        .build();
    let tags = [
        (OAUTH_TAG, "Tokens, as Auth0's clients ask for them."),
        (
            MFA_TAG,
            "A person's authenticators, on the way in or within.",
        ),
        (
            MANAGEMENT_TAG,
            "Accounts, factors and policies, for programs.",
        ),
        (ME_TAG, "A person's own recovery code, in two steps."),
    ]
    .map(|(name, description)| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    });
    OpenApiBuilder::new()
        .info(InfoBuilder::new().build())
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

/// Whether a path is this dialect's.
pub(super) fn owns(path: &str) -> bool {
    const PATHS: [&str; 7] = [
        "/api/v2",
        "/oauth",
        "/mfa",
        "/me",
        "/userinfo",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ];
    PATHS.into_iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// An answer that no handler gave.
pub(super) fn plain(path: &str, status: StatusCode, request_id: &str) -> Response<Body> {
    let no = No::of_status(status, request_id);
    if path.starts_with("/api/v2") {
        Management(no).into_response()
    } else if path.starts_with("/me") {
        MyAccount(no).into_response()
    } else {
        Oauth(no).into_response()
    }
}

/// The answers to a refusal, for the table of every dialect's: surface, status and body.
#[cfg(test)]
pub(super) fn refused(refusal: Refusal, now: Timestamp) -> Vec<Answered> {
    let no = No::of_refusal(refusal, now);
    [
        ("auth0 oauth", Oauth::told(&no)),
        ("auth0 management", Management::told(&no)),
        ("auth0 account", MyAccount::told(&no)),
    ]
    .map(|(surface, told)| (surface, told.status, told.body.to_string()))
    .into()
}
