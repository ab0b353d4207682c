//! Accounts, and an account's recovery code.

use std::marker::PhantomData;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use spare_key_core::Spec;
use zeroize::Zeroizing;

use super::super::bearer::{CreateUsers, DeleteUsers, Manager, ReadUsers, UpdateUsers};
use super::super::body::{self, Nothing};
use super::super::said::{Management, No};
use super::super::wire::{CONNECTION, CodeAnswer, NewUserBody, PROVIDER, User, Users, only_code};
use super::{Asked, UserId, manages};
use crate::domain::{
    AccountPage, Activation, Error, IdempotencyKey, NewPerson, Refusal, StageRequest,
};
use crate::http::idempotency::IDEMPOTENCY_REPLAYED;
use crate::model::AccountId;

/// The most accounts on a page.
const PAGE_MAX: u32 = 100;

manages!(RegenerateNos, "update:users":
    No::InvalidUri("The id is 1 to 255 bytes."),
    No::Invalid("There is nothing to say here."),
    No::UnknownUser,
    No::UnknownEnrollment,
    No::SwitchedOff,
    No::IdempotencyKey,
    No::TooLarge,
    No::Busy { wait: 1 },
);

/// Regenerate an account's recovery code
///
/// The one before, and every code of a list, is dead when this is answered. The same
/// `Idempotency-Key` of the same client within 10 minutes gets the same answer, until the code is
/// redeemed or another is made; with another account it is refused.
#[utoipa::path(
    post,
    path = "/api/v2/users/{id}/recovery-code-regeneration",
    operation_id = "regenerate_recovery_code",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(
        ("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.", min_length = 1, max_length = 255),
    ),
    responses(
        (status = 200, description = "The new code; it is live.", body = CodeAnswer, headers(("Idempotency-Replayed" = String, description = "`true` where the answer was given before under this key."))),
        RegenerateNos,
    ),
    security(("machine" = ["update:users"])),
)]
pub(in crate::http::auth0) async fn regenerate(
    manager: Manager<UpdateUsers>,
    UserId(account): UserId,
    headers: HeaderMap,
    _: Nothing<Management>,
) -> Result<Response, Management> {
    let key = body::idempotency_key(&headers)?;
    let idempotency = key.map(|key| {
        let request: [&[u8]; 2] = [b"recovery-code-regeneration", account.as_str().as_bytes()];
        IdempotencyKey::new(manager.client(), key, &request)
    });
    let request = StageRequest {
        spec: Spec::SINGLE,
        activation: Activation::AtOnce,
        idempotency,
    };
    let caller = manager.acts_on(account);
    let issued = manager.mfa().stage(&caller, request).await;
    let issued = issued.map_err(|error| manager.no(error))?;
    let recovery_code =
        only_code(&issued).ok_or_else(|| manager.origin.broken("a batch without a code"))?;
    let mut response = Json(CodeAnswer { recovery_code }).into_response();
    if issued.replayed {
        let replayed = HeaderValue::from_static("true");
        response
            .headers_mut()
            .insert(IDEMPOTENCY_REPLAYED, replayed);
    }
    Ok(response)
}

manages!(CreateNos, "create:users":
    No::Missing("connection"),
    No::Invalid("The connection is Username-Password-Authentication."),
    No::WeakPassword,
    No::UserExists,
    No::TooLarge,
    No::MediaType,
    No::Busy { wait: 1 },
);

/// Add an account
#[utoipa::path(
    post,
    path = "/api/v2/users",
    operation_id = "create_user",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    request_body = NewUserBody,
    responses((status = 201, description = "It is there.", body = User), CreateNos),
    security(("machine" = ["create:users"])),
)]
pub(in crate::http::auth0) async fn create(
    manager: Manager<CreateUsers>,
    body::Json(body, PhantomData): body::Json<NewUserBody, Management>,
) -> Result<(StatusCode, Json<User>), Management> {
    let NewUserBody {
        connection,
        email,
        password,
        user_id,
    } = body;
    let password = Zeroizing::new(password);
    if connection != CONNECTION {
        return Err(No::Invalid("The connection is Username-Password-Authentication.").into());
    }
    let login = email.filter(|email| is_login(email)).ok_or(No::Invalid(
        "The email is a mail address of at most 254 bytes.",
    ))?;
    let name = match user_id {
        Some(name) => name,
        None => drawn_name(&manager)?,
    };
    let id = AccountId::parse(&format!("{PROVIDER}|{name}"))
        .filter(|_| !name.is_empty() && !name.contains('|'))
        .ok_or(No::Invalid("The user_id is 1 to 249 bytes without a bar."))?;
    let person = NewPerson {
        id: id.clone(),
        login,
        password,
    };
    let caller = manager.acts_on(id.clone());
    let added = manager.mfa().add_person(&caller, person).await;
    added.map_err(|error| manager.no(error))?;
    let account = manager.mfa().account(&id).await;
    let account = account.map_err(|error| manager.no(error))?;
    Ok((StatusCode::CREATED, Json(User::from(account))))
}

/// Enough to tell a mail address from what is none (RFC 5321, 4.5.3.1.3 for the length).
fn is_login(email: &str) -> bool {
    email.len() <= 254
        && !email.chars().any(|c| c.is_control() || c.is_whitespace())
        && email
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

fn drawn_name<R>(manager: &Manager<R>) -> Result<String, Management> {
    let token = manager.mfa().draw_token();
    let token = token.map_err(|error| manager.no(error))?;
    let digest = crate::keyring::token_digest(&token);
    Ok(data_encoding::HEXLOWER.encode(&digest.0[..12]))
}

manages!(ReadNos, "read:users":
    No::InvalidUri("The id is 1 to 255 bytes."),
    No::UnknownUser,
);

/// One account
#[utoipa::path(
    get,
    path = "/api/v2/users/{id}",
    operation_id = "get_user",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255)),
    responses((status = 200, description = "The account.", body = User), ReadNos),
    security(("machine" = ["read:users"])),
)]
pub(in crate::http::auth0) async fn read(
    manager: Manager<ReadUsers>,
    UserId(account): UserId,
) -> Result<Json<User>, Management> {
    let found = manager.mfa().account(&account).await;
    let found = found.map_err(|error| manager.no(error))?;
    Ok(Json(User::from(found)))
}

/// Which accounts.
#[derive(Deserialize)]
pub(in crate::http::auth0) struct PageAsked {
    page: Option<u32>,
    per_page: Option<u32>,
    include_totals: Option<bool>,
}

manages!(ListNos, "read:users":
    No::InvalidUri("The page has 1 to 100 accounts."),
);

/// Accounts, by identifier
#[utoipa::path(
    get,
    path = "/api/v2/users",
    operation_id = "list_users",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(
        ("page" = Option<u64>, Query, description = "Which page, from 0.", maximum = 4294967295_u32),
        ("per_page" = Option<u32>, Query, description = "How many on a page; 50 unless said otherwise.", minimum = 1, maximum = 100),
        ("include_totals" = Option<bool>, Query, description = "In an envelope that says how many there are."),
    ),
    responses((status = 200, description = "A page of accounts.", body = Users), ListNos),
    security(("machine" = ["read:users"])),
)]
pub(in crate::http::auth0) async fn list(
    manager: Manager<ReadUsers>,
    Asked(asked): Asked<PageAsked>,
) -> Result<Json<Users>, Management> {
    let PageAsked {
        page,
        per_page,
        include_totals,
    } = asked;
    let limit = per_page.unwrap_or(50);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(No::InvalidUri("The page has 1 to 100 accounts.").into());
    }
    let skip = page.unwrap_or(0).saturating_mul(limit);
    let lines = manager.mfa().accounts(AccountPage {
        beginning: None,
        remaining_at_most: None,
        after: None,
        skip,
        limit,
    });
    let lines = lines.await.map_err(|error| manager.no(error))?;
    let users: Vec<User> = lines.into_iter().map(User::from).collect();
    if !include_totals.unwrap_or(false) {
        return Ok(Json(Users::Bare(users)));
    }
    let total = manager.mfa().count_accounts().await;
    Ok(Json(Users::Counted {
        start: skip.into(),
        limit: limit.into(),
        length: users.len() as u64,
        total: total.map_err(|error| manager.no(error))?,
        users,
    }))
}

/// Whose account.
#[derive(Deserialize)]
pub(in crate::http::auth0) struct EmailAsked {
    email: String,
}

manages!(ByEmailNos, "read:users":
    No::InvalidUri("The query is not what it should be."),
);

/// The accounts that sign in with this mail address: one, or none
#[utoipa::path(
    get,
    path = "/api/v2/users-by-email",
    operation_id = "users_by_email",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("email" = String, Query, description = "The mail address, in any case.")),
    responses((status = 200, description = "The accounts.", body = Vec<User>), ByEmailNos),
    security(("machine" = ["read:users"])),
)]
pub(in crate::http::auth0) async fn by_email(
    manager: Manager<ReadUsers>,
    Asked(EmailAsked { email }): Asked<EmailAsked>,
) -> Result<Json<Vec<User>>, Management> {
    match manager.mfa().account_by_login(&email).await {
        Ok(account) => Ok(Json(vec![User::from(account)])),
        Err(Error::Refused(Refusal::UnknownAccount)) => Ok(Json(Vec::new())),
        Err(error) => Err(manager.no(error)),
    }
}

manages!(DeleteNos, "delete:users":
    No::InvalidUri("The id is 1 to 255 bytes."),
);

/// Forget an account
///
/// All of it. That there was none is no error.
#[utoipa::path(
    delete,
    path = "/api/v2/users/{id}",
    operation_id = "delete_user",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255)),
    responses((status = 204, description = "There is no such account any more."), DeleteNos),
    security(("machine" = ["delete:users"])),
)]
pub(in crate::http::auth0) async fn delete(
    manager: Manager<DeleteUsers>,
    UserId(account): UserId,
) -> Result<StatusCode, Management> {
    match manager.mfa().forget(&account).await {
        Ok(()) | Err(Error::Refused(Refusal::UnknownAccount)) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(manager.no(error)),
    }
}
