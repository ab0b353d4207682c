//! What an account has enrolled: enrollments, methods, and taking them away.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;

use super::super::bearer::{
    DeleteEnrollments, DeleteMethods, Manager, ReadEnrollments, ReadMethods, ReadUsers, UpdateUsers,
};
use super::super::said::{Management, No};
use super::super::wire::{Enrollment, Method, Methods};
use super::{Asked, Named, UserId, manages};
use crate::domain::{Error, Refusal, Status};
use crate::model::{AccountId, AuthenticatorId};

/// The most methods on a page.
const PAGE_MAX: u32 = 100;

manages!(EnrollmentsNos, "read:users":
    No::InvalidUri("The id is 1 to 255 bytes."),
    No::UnknownUser,
);

/// An account's enrollments
#[utoipa::path(
    get,
    path = "/api/v2/users/{id}/enrollments",
    operation_id = "list_enrollments",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255)),
    responses((status = 200, description = "Confirmed and pending ones.", body = Vec<Enrollment>), EnrollmentsNos),
    security(("machine" = ["read:users"])),
)]
pub(in crate::http::auth0) async fn enrollments(
    manager: Manager<ReadUsers>,
    UserId(account): UserId,
) -> Result<Json<Vec<Enrollment>>, Management> {
    let of = |error| manager.no(error);
    manager.mfa().account(&account).await.map_err(of)?;
    let caller = manager.acts_on(account);
    let bound = manager.mfa().factors(&caller).await.map_err(of)?;
    let waiting = manager.mfa().waiting_factor(&caller).await.map_err(of)?;
    let mut all: Vec<Enrollment> = bound.iter().map(Enrollment::confirmed).collect();
    all.extend(waiting.map(|(id, _)| Enrollment::pending(id)));
    Ok(Json(all))
}

manages!(EnrollmentNos, "read:guardian_enrollments": No::UnknownEnrollment);

/// One enrollment
#[utoipa::path(
    get,
    path = "/api/v2/guardian/enrollments/{id}",
    operation_id = "get_enrollment",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("id" = String, Path, description = "The enrollment, percent-encoded.")),
    responses((status = 200, description = "The enrollment.", body = Enrollment), EnrollmentNos),
    security(("machine" = ["read:guardian_enrollments"])),
)]
pub(in crate::http::auth0) async fn enrollment(
    manager: Manager<ReadEnrollments>,
    Named(id): Named,
) -> Result<Json<Enrollment>, Management> {
    let id = AuthenticatorId(id);
    let found = manager.mfa().named_factor(&id).await;
    let found = found.map_err(|error| no_enrollment(&manager, error))?;
    Ok(Json(Enrollment::named(id, &found)))
}

manages!(EndNos, "delete:guardian_enrollments": No::UnknownEnrollment);

/// End one enrollment
///
/// With an account's last one go its recovery codes.
#[utoipa::path(
    delete,
    path = "/api/v2/guardian/enrollments/{id}",
    operation_id = "delete_enrollment",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("id" = String, Path, description = "The enrollment, percent-encoded.")),
    responses((status = 204, description = "It is ended."), EndNos),
    security(("machine" = ["delete:guardian_enrollments"])),
)]
pub(in crate::http::auth0) async fn end_enrollment(
    manager: Manager<DeleteEnrollments>,
    Named(id): Named,
) -> Result<StatusCode, Management> {
    let id = AuthenticatorId(id);
    let of = |error| no_enrollment(&manager, error);
    let found = manager.mfa().named_factor(&id).await.map_err(of)?;
    let caller = manager.acts_on(found.account);
    manager
        .mfa()
        .remove_factor(&caller, &id)
        .await
        .map_err(of)?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_enrollment<R>(manager: &Manager<R>, error: Error) -> Management {
    match error {
        Error::Refused(Refusal::UnknownAuthenticator) => No::UnknownEnrollment.into(),
        error => manager.no(error),
    }
}

/// How methods are listed.
#[derive(Deserialize)]
pub(in crate::http::auth0) struct MethodsAsked {
    include_totals: Option<bool>,
    page: Option<u32>,
    per_page: Option<u32>,
}

manages!(MethodsNos, "read:authentication_methods":
    No::InvalidUri("The id is 1 to 255 bytes."),
    No::UnknownUser,
);

/// An account's methods
///
/// The recovery code is among them, without the code itself.
#[utoipa::path(
    get,
    path = "/api/v2/users/{id}/authentication-methods",
    operation_id = "list_methods",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(
        ("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255),
        ("page" = Option<u64>, Query, description = "Which page, from 0.", maximum = 4294967295_u32),
        ("per_page" = Option<u32>, Query, description = "How many on a page; 50 unless said otherwise.", minimum = 1, maximum = 100),
        ("include_totals" = Option<bool>, Query, description = "In an envelope that says how many there are."),
    ),
    responses((status = 200, description = "All of them.", body = Methods), MethodsNos),
    security(("machine" = ["read:authentication_methods"])),
)]
pub(in crate::http::auth0) async fn methods(
    manager: Manager<ReadMethods>,
    UserId(account): UserId,
    Asked(asked): Asked<MethodsAsked>,
) -> Result<Json<Methods>, Management> {
    let MethodsAsked {
        include_totals,
        page,
        per_page,
    } = asked;
    let limit = per_page.unwrap_or(50);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(No::InvalidUri("The page has 1 to 100 methods.").into());
    }
    let start = page.unwrap_or(0).saturating_mul(limit);
    let (mut methods, _) = all(&manager, &account).await?;
    let total = methods.len() as u64;
    // Clients ask for pages until one is empty.
    methods = methods
        .into_iter()
        .skip(start as usize)
        .take(limit as usize)
        .collect();
    if !include_totals.unwrap_or(false) {
        return Ok(Json(Methods::Bare(methods)));
    }
    Ok(Json(Methods::Counted {
        authenticators: methods,
        start: start.into(),
        limit: limit.into(),
        total,
    }))
}

async fn all<R>(
    manager: &Manager<R>,
    account: &AccountId,
) -> Result<(Vec<Method>, Status), Management> {
    let of = |error| manager.no(error);
    manager.mfa().account(account).await.map_err(of)?;
    let caller = manager.acts_on(account.clone());
    let factors = manager.mfa().factors(&caller).await.map_err(of)?;
    let waiting = manager.mfa().waiting_factor(&caller).await.map_err(of)?;
    let status = manager.mfa().status(account).await.map_err(of)?;
    Ok((Method::all(factors, waiting, Some(&status)), status))
}

manages!(TakeOneNos, "delete:authentication_methods":
    No::InvalidUri("The id is 1 to 255 bytes."),
    No::UnknownUser,
    No::UnknownMethod,
);

/// Take one method from an account
///
/// A recovery code is revoked. With the last authenticator go the codes too.
#[utoipa::path(
    delete,
    path = "/api/v2/users/{id}/authentication-methods/{method_id}",
    operation_id = "delete_method",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(
        ("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255),
        ("method_id" = String, Path, description = "The method, percent-encoded."),
    ),
    responses((status = 204, description = "It is gone."), TakeOneNos),
    security(("machine" = ["delete:authentication_methods"])),
)]
pub(in crate::http::auth0) async fn take_one(
    manager: Manager<DeleteMethods>,
    UserId(account): UserId,
    Named(id): Named,
) -> Result<StatusCode, Management> {
    let of = |error| manager.no(error);
    let (methods, status) = all(&manager, &account).await?;
    let caller = manager.acts_on(account);
    let codes = Method::codes(&status).is_some_and(|codes| codes.id == id);
    if codes {
        manager.mfa().revoke(&caller).await.map_err(of)?;
        return Ok(StatusCode::NO_CONTENT);
    }
    if !methods.iter().any(|method| method.id == id) {
        return Err(No::UnknownMethod.into());
    }
    let id = AuthenticatorId(id);
    manager
        .mfa()
        .remove_factor(&caller, &id)
        .await
        .map_err(of)?;
    Ok(StatusCode::NO_CONTENT)
}

manages!(TakeAllNos, "delete:authentication_methods":
    No::InvalidUri("The id is 1 to 255 bytes."),
    No::UnknownUser,
);

/// Take every method from an account
///
/// Its sessions end, and the person enrolls anew at the next sign-in.
#[utoipa::path(
    delete,
    path = "/api/v2/users/{id}/authentication-methods",
    operation_id = "delete_methods",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255)),
    responses((status = 204, description = "There are none any more."), TakeAllNos),
    security(("machine" = ["delete:authentication_methods"])),
)]
pub(in crate::http::auth0) async fn take_all(
    manager: Manager<DeleteMethods>,
    UserId(account): UserId,
) -> Result<StatusCode, Management> {
    reset(&manager, account).await
}

manages!(ResetNos, "update:users":
    No::InvalidUri("The id is 1 to 255 bytes."),
    No::UnknownUser,
);

/// Take every authenticator from an account
///
/// The same as taking every method, under its older name.
#[utoipa::path(
    delete,
    path = "/api/v2/users/{id}/authenticators",
    operation_id = "delete_authenticators",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255)),
    responses((status = 204, description = "There are none any more."), ResetNos),
    security(("machine" = ["update:users"])),
)]
pub(in crate::http::auth0) async fn take_authenticators(
    manager: Manager<UpdateUsers>,
    UserId(account): UserId,
) -> Result<StatusCode, Management> {
    reset(&manager, account).await
}

async fn reset<R>(manager: &Manager<R>, account: AccountId) -> Result<StatusCode, Management> {
    let caller = manager.acts_on(account);
    let reset = manager.mfa().reset_mfa(&caller).await;
    reset.map_err(|error| manager.no(error))?;
    Ok(StatusCode::NO_CONTENT)
}
