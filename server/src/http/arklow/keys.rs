//! `/v1/orgs/{org_id}/keys`: a person's own API keys.

use axum::Json;

use super::body::{Fields, number};
use super::caller::User;
use super::said::No;
use super::said::described::nos;
use super::wire::{DeletedKey, KeyBody, NewKeyAnswer, ORG, Said};
use crate::http::request::InPath;

/// What is said of a description that is none.
const DESCRIPTION: &str = "description must be a string of 2 to 50 characters.";

nos!(CreateNos:
    No::invalid(DESCRIPTION),
    No::Unauthorized,
    No::WrongPrincipal,
    No::Forbidden,
    No::MfaRequired,
    No::TooLarge,
    No::MediaType,
);

/// Make an API key
///
/// The key is shown this once. Where there is a device, a factor must have been proven within five
/// minutes.
#[utoipa::path(
    put,
    path = "/v1/orgs/{org_id}/keys/",
    operation_id = "put_v1_orgs_org_id_keys",
    tag = super::TAG,
    params(("org_id" = String, Path, description = "`1`.")),
    request_body = KeyBody,
    responses(
        (status = 200, description = "The key.", body = Said<NewKeyAnswer>, example = json!({ "data": {
            "id": "4",
            "org_id": "1",
            "member_id": "1",
            "material": "ak_2hVpQ1Yk4mXo7cJ3nZr8tWb5dLs0gEaUiFhKqPvNyMx",
            "user_id": "1",
            "description": "deploy script",
        }, "errors": null })),
        CreateNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn create(
    user: User,
    InPath(org): InPath<String>,
    mut fields: Fields,
) -> Result<Json<Said<NewKeyAnswer>>, No> {
    let User { origin, caller } = user;
    own(&org)?;
    let fits = |text: &str| (2..=50).contains(&text.chars().count());
    let name = fields.optional("description", fits, DESCRIPTION);
    fields.done()?;
    let of = |error| origin.no(error);
    let (card, key) = origin.mfa().add_own_key(&caller, name).await.map_err(of)?;
    let user = origin.mfa().account(&caller.account).await.map_err(of)?;
    Ok(Json(Said::new(NewKeyAnswer::of(card, &key, user.number))))
}

nos!(DeleteNos:
    No::invalid(super::caller::DIFFERENT),
    No::Unauthorized,
    No::WrongPrincipal,
    No::Forbidden,
    No::MfaRequired,
    No::KeyNotFound,
);

/// Delete an API key
///
/// It is nobody's when this is answered.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org_id}/keys/{id}",
    operation_id = "delete_v1_orgs_org_id_keys_id",
    tag = super::TAG,
    params(
        ("org_id" = String, Path, description = "`1`."),
        ("id" = String, Path, description = "The key's number."),
    ),
    responses(
        (status = 200, description = "It is gone.", body = Said<DeletedKey>, example = json!({ "data": {
            "id": "4",
            "org_id": "1",
            "member_id": "1",
            "deleted_at": "2026-11-21T09:50:00.000Z",
            "user_id": "1",
            "description": "deploy script",
        }, "errors": null })),
        DeleteNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn delete(
    user: User,
    InPath((org, id)): InPath<(String, String)>,
) -> Result<Json<Said<DeletedKey>>, No> {
    let User { origin, caller } = user;
    own(&org)?;
    let of = |error| origin.no(error);
    let mfa = origin.mfa();
    let card = mfa.remove_own_key(&caller, number(&id)).await.map_err(of)?;
    let user = mfa.account(&caller.account).await.map_err(of)?.number;
    Ok(Json(Said::new(DeletedKey::of(card, user, mfa.now()))))
}

/// That it is the organization there is.
fn own(org: &str) -> Result<(), No> {
    if org == ORG {
        Ok(())
    } else {
        Err(No::Forbidden)
    }
}
