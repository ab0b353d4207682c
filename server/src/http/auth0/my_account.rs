//! `/me/v1`: a person's own recovery code, in two steps: shown, and live when it is saved.

use std::marker::PhantomData;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, HeaderValue, LOCATION};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use spare_key_core::Spec;
use subtle::ConstantTimeEq;

use super::bearer::{CreateOwn, Origin, Owner, ReadOwn, ReadOwnFactors};
use super::body;
use super::said::described::nos;
use super::said::{MyAccount, No};
use super::wire::{
    Method, NewMethodAnswer, NewMethodBody, OwnFactor, OwnFactors, OwnMethods, VerifyBody,
    method_id,
};
use crate::domain::{Activation, Authority, Caller, IdempotencyKey, Issued, StageRequest};
use crate::http::idempotency::IDEMPOTENCY_REPLAYED;
use crate::http::request::InPath;
use crate::model::Generation;

nos!(ListNos, MyAccount:
    No::BadHeader,
    No::Unauthenticated,
    No::BadToken,
    No::ExpiredToken,
    No::Scope("read:me:authentication_methods"),
);

/// One's own methods
#[utoipa::path(
    get,
    path = "/me/v1/authentication-methods",
    operation_id = "my_methods",
    tag = super::ME_TAG,
    responses((status = 200, description = "All of them.", body = OwnMethods), ListNos),
    security(("person" = ["read:me:authentication_methods"])),
)]
pub(super) async fn list(owner: Owner<ReadOwn>) -> Result<Json<OwnMethods>, MyAccount> {
    let Owner { origin, caller, .. } = owner;
    let of = |error| MyAccount(origin.no(error));
    let status = origin.mfa().status(&caller.account).await.map_err(of)?;
    let on = origin.mfa().recovery_codes().await.map_err(of)?;
    let factors = origin.mfa().factors(&caller).await.map_err(of)?;
    let waiting = origin.mfa().waiting_factor(&caller).await.map_err(of)?;
    Ok(Json(OwnMethods {
        // Switched off, no code is accepted, and so there is none.
        authentication_methods: Method::all(factors, waiting, on.then_some(&status)),
    }))
}

nos!(FactorsNos, MyAccount:
    No::BadHeader,
    No::Unauthenticated,
    No::BadToken,
    No::ExpiredToken,
    No::Scope("read:me:factors"),
);

/// What one can enroll
#[utoipa::path(
    get,
    path = "/me/v1/factors",
    operation_id = "my_factors",
    tag = super::ME_TAG,
    responses((status = 200, description = "The types that are offered here.", body = OwnFactors), FactorsNos),
    security(("person" = ["read:me:factors"])),
)]
pub(super) async fn factors(owner: Owner<ReadOwnFactors>) -> Result<Json<OwnFactors>, MyAccount> {
    let on = owner.origin.mfa().recovery_codes().await;
    let on = on.map_err(|error| owner.origin.no(error))?;
    let factors = on.then_some(OwnFactor {
        kind: "recovery-code",
        usage: ["secondary"],
    });
    Ok(Json(OwnFactors {
        factors: factors.into_iter().collect(),
    }))
}

nos!(CreateNos, MyAccount:
    No::Missing("type"),
    No::Invalid("The types offered here are: recovery-code."),
    No::BadHeader,
    No::Unauthenticated,
    No::BadToken,
    No::ExpiredToken,
    No::StepUp,
    No::Scope("create:me:authentication_methods"),
    No::SwitchedOff,
    No::UnknownEnrollment,
    No::IdempotencyKey,
    No::TooLarge,
    No::MediaType,
    No::Busy { wait: 1 },
);

/// A new recovery code for oneself
///
/// The code before works until this one is verified, that is: until the person has said that it is
/// saved. Asked again, another one takes its place; with the same `Idempotency-Key`, in the same
/// session within 10 minutes, it is the same one, until it is verified or another is made.
#[utoipa::path(
    post,
    path = "/me/v1/authentication-methods",
    operation_id = "my_new_method",
    tag = super::ME_TAG,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.", min_length = 1, max_length = 255),
    ),
    request_body = NewMethodBody,
    responses(
        (
            status = 202,
            description = "The code, and what to verify it with.",
            body = NewMethodAnswer,
            headers(
                ("Location" = String, description = "Where it is verified."),
                ("Idempotency-Replayed" = String, description = "`true` where the answer was given before under this key."),
            ),
        ),
        CreateNos,
    ),
    security(("person" = ["create:me:authentication_methods"])),
)]
pub(super) async fn create(
    owner: Owner<CreateOwn>,
    headers: HeaderMap,
    body::Json(body, PhantomData): body::Json<NewMethodBody, MyAccount>,
) -> Result<Response, MyAccount> {
    let Owner { origin, caller, .. } = owner;
    let key = body::idempotency_key(&headers)?;
    if body.kind != "recovery-code" {
        return Err(No::Invalid("The types offered here are: recovery-code.").into());
    }
    let request = StageRequest {
        spec: Spec::SINGLE,
        activation: Activation::OnConfirm,
        idempotency: key.map(|key| {
            let request: [&[u8]; 1] = [b"authentication-methods recovery-code"];
            IdempotencyKey::new(&name(&caller), key, &request)
        }),
    };
    let issued = origin.mfa().stage(&caller, request).await;
    let issued = issued.map_err(|error| origin.no(error))?;
    let session = auth_session(&origin, &issued)?;
    let answer = NewMethodAnswer::of(&issued, session);
    let answer = answer.ok_or_else(|| origin.broken("a batch without a code"))?;
    // Absolute, as clients go on from it as it stands.
    let location = format!(
        "{}me/v1/authentication-methods/{}",
        origin.issuer(),
        answer.id.replace('|', "%7C")
    );
    let accepted = (StatusCode::ACCEPTED, [(LOCATION, location)], Json(answer));
    let mut response = accepted.into_response();
    if issued.replayed {
        let replayed = HeaderValue::from_static("true");
        response
            .headers_mut()
            .insert(IDEMPOTENCY_REPLAYED, replayed);
    }
    Ok(response)
}

/// What tells one session from another under an idempotency key.
fn name(caller: &Caller) -> String {
    match &caller.authority {
        Authority::Session { digest, .. } => {
            format!("session {}", BASE64URL_NOPAD.encode(&digest.0))
        }
        _ => format!("account {}", caller.account.as_str()),
    }
}

/// What the verification is asked for with: bound to account and generation.
fn auth_session(origin: &Origin, issued: &Issued) -> Result<String, No> {
    proof(origin, &method_id(&issued.account, issued.generation))
}

fn proof(origin: &Origin, method: &str) -> Result<String, No> {
    let proof = origin
        .mfa()
        .keyring()
        .csrf_proof(&format!("auth_session {method}"));
    let proof = proof.map_err(|fault| origin.no(fault))?;
    Ok(BASE64URL_NOPAD.encode(&proof.0))
}

nos!(VerifyNos, MyAccount:
    No::Missing("auth_session"),
    No::BadHeader,
    No::Unauthenticated,
    No::BadToken,
    No::ExpiredToken,
    No::Scope("create:me:authentication_methods"),
    No::SwitchedOff,
    No::NothingPending,
    No::UnknownEnrollment,
    No::TooLarge,
    No::MediaType,
);

/// Verify a new recovery code
///
/// It is saved: it goes live, and the one before is dead when this is answered.
#[utoipa::path(
    post,
    path = "/me/v1/authentication-methods/{id}/verify",
    operation_id = "my_verify_method",
    tag = super::ME_TAG,
    params(("id" = String, Path, description = "The method's name, percent-encoded.")),
    request_body = VerifyBody,
    responses((status = 201, description = "It is live.", body = Method), VerifyNos),
    security(("person" = ["create:me:authentication_methods"])),
)]
pub(super) async fn verify(
    owner: Owner<CreateOwn>,
    InPath(id): InPath<String>,
    body::Json(body, PhantomData): body::Json<VerifyBody, MyAccount>,
) -> Result<(StatusCode, Json<Method>), MyAccount> {
    let Owner { origin, caller, .. } = owner;
    let expected = proof(&origin, &id)?;
    if !bool::from(expected.as_bytes().ct_eq(body.auth_session.as_bytes())) {
        return Err(No::NothingPending.into());
    }
    let generation = named(&origin, &caller, &id).await?;
    let status = origin.mfa().activate(&caller, generation).await;
    let status = status.map_err(|error| origin.no(error))?;
    let method = Method::codes(&status).ok_or(No::NothingPending)?;
    Ok((StatusCode::CREATED, Json(method)))
}

/// The pending or live batch of this name.
async fn named(origin: &Origin, caller: &Caller, id: &str) -> Result<Generation, No> {
    let status = origin.mfa().status(&caller.account).await;
    let status = status.map_err(|error| origin.no(error))?;
    let pending = status.pending.map(|pending| pending.generation);
    [pending, Some(status.generation)]
        .into_iter()
        .flatten()
        .find(|generation| method_id(&caller.account, *generation) == id)
        .ok_or(No::NothingPending)
}
