//! `/mfa/*`: the person's own authenticators.

use std::marker::PhantomData;

use axum::Json;
use axum::http::StatusCode;

use super::bearer::{Enroll, OnTheWay, Origin, ReadAuthenticators, RemoveAuthenticators, Within};
use super::body;
use super::said::described::nos;
use super::said::{No, Oauth};
use super::token::proven;
use super::wire::{
    AssociateAnswer, AssociateBody, AuthenticatorLine, ChallengeAnswer, ChallengeBody, method_id,
};
use crate::domain::{AccountState, NextStep};
use crate::http::request::InPath;
use crate::model::{AuthenticatorId, Token};

nos!(AssociateNos, Oauth:
    No::Missing("authenticator_types"),
    No::Invalid("The authenticator types offered here are: otp."),
    No::BadHeader,
    No::Unauthenticated,
    No::MfaBearer,
    No::BadToken,
    No::StepUp,
    No::AlreadyEnrolled,
    No::MfaTokenExpired,
    No::Scope("enroll"),
    No::TooLarge,
    No::MediaType,
    No::Busy { wait: 1 },
);

/// Bind an authenticator
///
/// It is active with the first verification, at the token endpoint. Begun again before that, it is
/// replaced. The first of an account comes with a recovery code where there are recovery codes.
#[utoipa::path(
    post,
    path = "/mfa/associate",
    operation_id = "mfa_associate",
    tag = super::MFA_TAG,
    request_body = AssociateBody,
    responses((status = 200, description = "What the authenticator app needs.", body = AssociateAnswer), AssociateNos),
    security(("mfa_token" = []), ("person" = ["enroll"])),
)]
pub(super) async fn associate(
    person: OnTheWay<Enroll>,
    body::Json(body, PhantomData): body::Json<AssociateBody, Oauth>,
) -> Result<Json<AssociateAnswer>, Oauth> {
    if !body.authenticator_types.iter().any(|kind| kind == "otp") {
        return Err(No::Invalid("The authenticator types offered here are: otp.").into());
    }
    let association = person.origin.mfa().associate(&person.caller).await;
    let association = association.map_err(|error| person.origin.no(error))?;
    Ok(Json(AssociateAnswer::from(&association)))
}

nos!(ListNos, Oauth:
    No::BadHeader,
    No::Unauthenticated,
    No::MfaBearer,
    No::BadToken,
    No::MfaTokenExpired,
    No::Scope("read:authenticators"),
);

/// List the authenticators
#[utoipa::path(
    get,
    path = "/mfa/authenticators",
    operation_id = "mfa_authenticators",
    tag = super::MFA_TAG,
    responses((status = 200, description = "All of them, the recovery code too.", body = Vec<AuthenticatorLine>), ListNos),
    security(("mfa_token" = []), ("person" = ["read:authenticators"])),
)]
pub(super) async fn list(
    person: OnTheWay<ReadAuthenticators>,
) -> Result<Json<Vec<AuthenticatorLine>>, Oauth> {
    let OnTheWay { origin, caller, .. } = person;
    let of = |error| Oauth(origin.no(error));
    let line = |id: String, kind, active| AuthenticatorLine {
        id,
        authenticator_type: kind,
        kind,
        active,
    };
    let status = origin.mfa().status(&caller.account).await.map_err(of)?;
    let bound = origin.mfa().factors(&caller).await.map_err(of)?;
    let waiting = origin.mfa().waiting_factor(&caller).await.map_err(of)?;
    let on = origin.mfa().recovery_codes().await.map_err(of)?;
    let live = status.state == AccountState::Active && status.remaining > 0;
    // Switched off, none is accepted, and so there is none.
    let codes = match &status.pending {
        _ if !on => None,
        _ if live => Some((status.generation, true)),
        pending => pending.map(|pending| (pending.generation, false)),
    };
    let mut lines = Vec::new();
    if let Some((generation, active)) = codes {
        let id = method_id(&caller.account, generation);
        lines.push(line(id, "recovery-code", active));
    }
    lines.extend(bound.into_iter().map(|one| line(one.id.0, "otp", true)));
    lines.extend(waiting.map(|(id, _)| line(id.0, "otp", false)));
    Ok(Json(lines))
}

nos!(ChallengeNos, Oauth:
    No::Missing("mfa_token"),
    No::MfaTokenOfAnother,
    No::Client,
    No::ChallengeType,
    No::AssociationRequired,
    No::MfaTokenExpired,
    No::MfaToken,
    No::TooLarge,
    No::MediaType,
);

/// Ask for a challenge
///
/// A one-time password needs none, so this says which authenticator is to be proven. A recovery
/// code is not challenged: it is sent to the token endpoint.
#[utoipa::path(
    post,
    path = "/mfa/challenge",
    operation_id = "mfa_challenge",
    tag = super::MFA_TAG,
    request_body = ChallengeBody,
    responses((status = 200, description = "How to prove it.", body = ChallengeAnswer), ChallengeNos),
    security(()),
)]
pub(super) async fn challenge(
    origin: Origin,
    body::Json(body, PhantomData): body::Json<ChallengeBody, Oauth>,
) -> Result<Json<ChallengeAnswer>, Oauth> {
    let ChallengeBody {
        mfa_token,
        client_id,
        client_secret,
        challenge_type,
        authenticator_id,
    } = body;
    let secret = client_secret.map(|secret| Token::presented(&secret));
    let client = client_id.ok_or(No::Missing("client_id"))?;
    let client = proven(&origin, &client, secret.as_ref()).await?;
    let token = Token::presented(&mfa_token);
    let caller = origin
        .mfa()
        .caller_by_client_challenge(&token, Some(&client.id), origin.ip)
        .await
        .map_err(|error| origin.no(error))?;
    let of = |error| Oauth(origin.no(error));
    if origin.mfa().next_step(&caller).await.map_err(of)? == NextStep::Enroll {
        return Err(No::AssociationRequired.into());
    }
    let accepts = challenge_type.as_deref().unwrap_or("otp");
    let bound = origin.mfa().factors(&caller).await.map_err(of)?;
    let enrolled = authenticator_id.is_none_or(|id| bound.iter().any(|factor| factor.id.0 == id));
    if !enrolled || !accepts.split(' ').any(|kind| kind == "otp") {
        return Err(No::ChallengeType.into());
    }
    Ok(Json(ChallengeAnswer {
        challenge_type: "otp",
    }))
}

nos!(RemoveNos, Oauth:
    No::BadHeader,
    No::Unauthenticated,
    No::BadToken,
    No::StepUp,
    No::Scope("remove:authenticators"),
    No::UnknownMethod,
);

/// Take an authenticator away
///
/// With the last one go the recovery codes. They are not taken away by themselves here.
#[utoipa::path(
    delete,
    path = "/mfa/authenticators/{id}",
    operation_id = "mfa_remove_authenticator",
    tag = super::MFA_TAG,
    params(("id" = String, Path, description = "The authenticator's name, percent-encoded.")),
    responses((status = 204, description = "It is gone."), RemoveNos),
    security(("person" = ["remove:authenticators"])),
)]
pub(super) async fn remove(
    person: Within<RemoveAuthenticators>,
    InPath(id): InPath<String>,
) -> Result<StatusCode, Oauth> {
    let removed = person
        .origin
        .mfa()
        .remove_factor(&person.caller, &AuthenticatorId(id))
        .await;
    removed.map_err(|error| person.origin.no(error))?;
    Ok(StatusCode::NO_CONTENT)
}
