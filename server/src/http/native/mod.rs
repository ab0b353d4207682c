//! The native dialect: the verifier behind somebody's own login.
//!
//! For teams that have accounts, passwords and sessions of their own and want only the recovery
//! codes. A handler reads, calls the domain once, and converts; it decides nothing.

mod accounts;
mod address;
mod batches;
mod body;
mod caller;
mod error;
mod events;
mod problem;
mod redeem;
mod status;
mod wire;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::problem::{Document, Problem};
use super::Web;
#[cfg(test)]
use super::refusals::Answered;
use super::request::InPath;
#[cfg(test)]
use crate::domain::Refusal;
#[cfg(test)]
use crate::model::Timestamp;

/// Under what its operations stand in the OpenAPI document.
const TAG: &str = "recovery";

/// What the account in a path is.
const ACCOUNT: &str = "The caller's own identifier of the account, percent-encoded into one \
                       segment: 1 to 255 bytes after decoding, no control characters.";

pub(super) fn router() -> OpenApiRouter<Web> {
    OpenApiRouter::with_openapi(described())
        .routes(routes!(accounts::list))
        .routes(routes!(status::status, accounts::forget))
        .routes(routes!(batches::stage, batches::revoke))
        .routes(routes!(batches::show, batches::give_up))
        .routes(routes!(batches::activate))
        .routes(routes!(redeem::redeem))
        .routes(routes!(events::events))
        .route("/problems/{name}", get(explain))
}

/// What its operations have in common.
fn described() -> OpenApi {
    let basic = HttpBuilder::new()
        .scheme(HttpAuthScheme::Basic)
        .description(Some(
            "A machine client's identifier and secret. Each operation names the scope it needs.",
        ))
        .build();
    let components = ComponentsBuilder::new()
        .schema_from::<Document>()
        .security_scheme("basic", SecurityScheme::Http(basic))
        .build();
    let tag = TagBuilder::new()
        .name(TAG)
        .description(Some(
            "Recovery codes behind a login of your own. The caller vouches for the person: it says \
             in `proof` which factor was proven, and that is recorded. Errors are problem \
             documents (RFC 9457); key on `type`.",
        ))
        .build();
    OpenApiBuilder::new()
        .info(InfoBuilder::new().build())
        .components(Some(components))
        .tags(Some([tag]))
        .build()
}

/// An answer that no handler gave.
pub(super) fn plain(status: StatusCode, request_id: &str) -> Response<Body> {
    Problem::of_status(status, request_id).into_response()
}

/// What a problem's type leads to: what it is, and what to do about it.
async fn explain(InPath(name): InPath<String>) -> Result<String, Problem> {
    let problem = Problem::samples()
        .into_iter()
        .find(|problem| problem.name() == name)
        .ok_or(Problem::NotFound)?;
    Ok(format!(
        "{}\n\nStatus {}. {}\n",
        problem.title(),
        problem.status().as_u16(),
        problem.detail()
    ))
}

/// The answers to a refusal, for the table of every dialect's: surface, status and body.
#[cfg(test)]
pub(super) fn refused(refusal: Refusal, now: Timestamp) -> Vec<Answered> {
    let problem = Problem::of_refusal(refusal, now);
    let body = serde_json::to_string(&problem.document()).unwrap_or_default();
    vec![("native", problem.status(), body)]
}
