//! The Arklow dialect: a person's devices and backup codes, by API key or session.
//!
//! Every answer is an envelope of `data` and `errors`. A handler reads, calls the domain, and
//! converts; it decides nothing. Organizations, rules, sources and billing are not here.

mod body;
mod caller;
mod devices;
mod keys;
mod people;
mod proofs;
mod said;
mod wire;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, OpenApiVersion, ServerBuilder,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::said::No;
use self::wire::{ArklowError, ErrorEntry};
use super::Web;
#[cfg(test)]
use super::refusals::Answered;
#[cfg(test)]
use crate::domain::Refusal;
#[cfg(test)]
use crate::model::Timestamp;

/// Under what its operations stand in the OpenAPI document.
const TAG: &str = "arklow";

/// Every route that is written down.
pub(super) fn router() -> OpenApiRouter<Web> {
    OpenApiRouter::with_openapi(described())
        .routes(routes!(people::login))
        .routes(routes!(people::logout))
        .routes(routes!(people::own))
        .routes(routes!(devices::list))
        .routes(routes!(devices::start))
        .routes(routes!(devices::confirm))
        .routes(routes!(proofs::totp))
        .routes(routes!(proofs::backup))
        .routes(routes!(proofs::regenerate))
        .routes(routes!(devices::remove))
        .routes(routes!(keys::create))
        .routes(routes!(keys::delete))
}

/// The same without the slash at the end.
pub(super) fn unwritten() -> Router<Web> {
    Router::new()
        .route("/v1/self", get(people::own))
        .route("/v1/self/mfa", get(devices::list))
        .route("/v1/orgs/{org_id}/keys", axum::routing::put(keys::create))
}

/// The document of this dialect alone.
pub(super) fn document() -> OpenApi {
    let (_, mut document) = router().split_for_parts();
    document.openapi = OpenApiVersion::Version31;
    document.info = InfoBuilder::new()
        .title("Arklow")
        .description(Some("What Spare Key answers of Arklow's API."))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    document.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    document
}

/// What its operations have in common.
fn described() -> OpenApi {
    let header = ApiKeyValue::with_description(
        "x-arklow-auth",
        "An API key, or a session token of `/v1/self/login`. An API key may stand in \
         `x-arklow-api-key` instead.",
    );
    let components = ComponentsBuilder::new()
        .schema_from::<ArklowError>()
        .schema_from::<ErrorEntry>()
        .security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(header)))
        .build();
    let tag = TagBuilder::new()
        .name(TAG)
        .description(Some(
            "A person's devices and backup codes, as Arklow has them.",
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
    ["/v1/self", "/v1/orgs"].into_iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// An answer that no handler gave.
pub(super) fn plain(status: StatusCode, request_id: &str) -> Response<Body> {
    No::of_status(status, request_id).into_response()
}

/// The answers to a refusal, for the table of every dialect's: surface, status and body.
#[cfg(test)]
pub(super) fn refused(refusal: Refusal, now: Timestamp) -> Vec<Answered> {
    let told = No::of_refusal(refusal, now).told();
    vec![("arklow", told.status, told.body().to_string())]
}
