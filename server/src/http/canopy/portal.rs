//! The portal: who administers, whose factors, and how many codes are left.

use axum::Json;
use axum::extract::RawQuery;
use axum::response::Response;
use uuid::Uuid;

use super::body::{self, Fields, Page};
use super::caller::{Admin, Changes, Origin, Reads};
use super::said::described::nos;
use super::said::{Fault, No};
use super::tokens;
use super::wire::{AdminLoginBody, AdminSession, Identities, Message, Summary};
use crate::domain::{AccountCard, AccountPage, Error, Refusal, Scope};
use crate::http::request::InPath;
use crate::model::Token;

const EMAIL: Fault = body::text("email", "email must be a text.");
const PASSWORD: Fault = body::text("password", "password must be a text.");

nos!(LoginNos:
    No::Invalid(vec![EMAIL, PASSWORD]),
    No::Credentials,
    No::TooLarge,
    No::MediaType,
    No::RateLimited { wait: Some(180) },
);

/// Sign an administrator's program in
///
/// With a client's identifier and secret.
#[utoipa::path(
    post,
    path = "/v1/auth/login",
    operation_id = "canopy_admin_login",
    tag = super::TAG,
    request_body = AdminLoginBody,
    responses((status = 200, description = "The access token.", body = AdminSession), LoginNos),
    security(()),
)]
pub(super) async fn login(origin: Origin, mut fields: Fields) -> Result<Response, No> {
    let id = fields.text(EMAIL, |text| text.len() <= 256);
    let secret = fields.text(PASSWORD, |text| text.len() <= 1024);
    fields.done()?;
    let mfa = origin.mfa();
    let admitted = mfa.admit_sign_in(origin.ip).await;
    admitted.map_err(|error| origin.no(error))?;
    let client = match mfa
        .authenticate_client(&id, &Token::presented(&secret))
        .await
    {
        Ok(client) if !client.public => client,
        Ok(_) | Err(Error::Refused(Refusal::UnknownClient)) => return Err(No::Credentials),
        Err(error) => return Err(origin.no(error)),
    };
    let access = tokens::admin(&origin, &client).await?;
    let who = (client.id, client.name);
    Ok(origin.say(AdminSession::new(access, tokens::LIFE, who)))
}

/// The account of this tenant that is known by this UUID.
async fn identity(origin: &Origin, tenant: &str, id: &str) -> Result<AccountCard, No> {
    let id = Uuid::try_parse(id).ok();
    let id = id.filter(|_| tenant == origin.settings().account);
    let found = origin
        .mfa()
        .account_by_uuid(id.ok_or(No::IdentityNotFound)?)
        .await;
    found.map_err(|error| origin.no(error))
}

nos!(ListNos:
    No::Invalid(vec![body::text("take", "take must be a number from 1 to 100.")]),
    No::InvalidToken,
    No::WrongPrincipal,
    No::Scope(Scope::ReadFactors),
    No::IdentityNotFound,
);

/// List the identities of an account
///
/// By identifier; `q` is the beginning of an e-mail address or of an identifier.
#[utoipa::path(
    get,
    path = "/portal/v1/accounts/{account_slug}/identities",
    operation_id = "canopy_identities",
    tag = super::TAG,
    params(
        ("account_slug" = String, Path, description = "The tenant."),
        ("q" = Option<String>, Query, description = "What is looked for.", max_length = 256),
        ("page" = Option<u32>, Query, description = "From 1.", minimum = 1, maximum = 1000000),
        ("take" = Option<u32>, Query, description = "How many a page.", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "A page of them.", body = Identities), ListNos),
    security(("portal" = [])),
)]
pub(super) async fn identities(
    admin: Admin<Reads>,
    InPath(tenant): InPath<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Identities>, No> {
    let origin = &admin.origin;
    let page = Page::read(query.as_deref())?;
    if tenant != origin.settings().account {
        return Err(No::IdentityNotFound);
    }
    let found = origin
        .mfa()
        .accounts(AccountPage {
            remaining_at_most: None,
            beginning: (!page.q.is_empty()).then(|| page.q.to_lowercase()),
            after: None,
            skip: (page.page - 1).saturating_mul(page.take),
            limit: page.take + 1,
        })
        .await;
    let found = found.map_err(|error| origin.no(error))?;
    Ok(Json(Identities::of(&found, page.page, page.take)))
}

nos!(SummaryNos:
    No::InvalidToken,
    No::WrongPrincipal,
    No::Scope(Scope::ReadFactors),
    No::IdentityNotFound,
);

/// See an identity's second factors
///
/// `recovery_codes_remaining` of `recovery_codes_total` are left. Never a code.
#[utoipa::path(
    get,
    path = "/portal/v1/accounts/{account_slug}/identities/{id}/mfa",
    operation_id = "canopy_mfa_summary",
    tag = super::TAG,
    params(
        ("account_slug" = String, Path, description = "The tenant."),
        ("id" = String, Path, description = "Whose.", format = Uuid),
    ),
    responses(
        (status = 200, description = "The factors.", body = Summary, example = json!({
            "factors": [{ "id": "0b7c6f7b-8a91-8c2d-9e10-5b0e3f0a6d0c", "type": "totp", "label": "Pixel", "enrolled_at": "2026-11-21T09:30:00.000Z", "last_used_at": null }],
            "recovery_codes_generation": 2,
            "recovery_codes_remaining": 9,
            "recovery_codes_total": 10,
            "mfa_admin_reset_at": null,
        })),
        SummaryNos,
    ),
    security(("portal" = [])),
)]
pub(super) async fn summary(
    admin: Admin<Reads>,
    InPath((tenant, id)): InPath<(String, String)>,
) -> Result<Response, No> {
    let origin = &admin.origin;
    let of = |error| origin.no(error);
    let card = identity(origin, &tenant, &id).await?;
    let caller = admin.acts_on(card.id.clone());
    let devices = origin.mfa().devices(&caller).await.map_err(of)?;
    let status = origin.mfa().status(&card.id).await.map_err(of)?;
    Ok(origin.say(Summary::of(&card, devices, &status)))
}

nos!(ResetNos:
    No::InvalidToken,
    No::WrongPrincipal,
    No::Scope(Scope::UpdateFactors),
    No::IdentityNotFound,
);

/// Take every factor, code and trusted device from an identity
///
/// Its sessions end too. It enrolls anew at its next sign-in.
#[utoipa::path(
    post,
    path = "/portal/v1/accounts/{account_slug}/identities/{id}/mfa/reset",
    operation_id = "canopy_mfa_reset",
    tag = super::TAG,
    params(
        ("account_slug" = String, Path, description = "The tenant."),
        ("id" = String, Path, description = "Whose.", format = Uuid),
    ),
    responses(
        (status = 200, description = "Done.", body = Message, example = json!({ "message": "Every second factor was taken away." })),
        ResetNos,
    ),
    security(("portal" = [])),
)]
pub(super) async fn reset(
    admin: Admin<Changes>,
    InPath((tenant, id)): InPath<(String, String)>,
) -> Result<Response, No> {
    let origin = &admin.origin;
    let card = identity(origin, &tenant, &id).await?;
    let reset = origin.mfa().reset_mfa(&admin.acts_on(card.id)).await;
    reset.map_err(|error| origin.no(error))?;
    Ok(origin.say(Message {
        message: "Every second factor was taken away.",
    }))
}
