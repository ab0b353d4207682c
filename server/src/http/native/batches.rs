//! Batches: stage, show again, activate, give up, revoke.

use axum::Json;
use axum::http::header::{HeaderValue, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::address::{Account, NoQuery, Numbered, percent_encoded};
use super::body::Body;
use super::caller::{Host, Issue, Revoke};
use super::problem::{Problem, problems};
use super::wire::{BatchAnswer, SavedBody, StageBody, StatusAnswer, Wanted};
use crate::clock::rfc3339;
use crate::domain::{
    Activation, HostProof, IdempotencyKey, Issued, Refusal, StageRequest, VouchedBy,
};
use crate::http::idempotency::{IDEMPOTENCY_REPLAYED, sent_key};
use crate::model::{AccountId, BatchState, Generation};

problems!(StageProblems, Issue:
    Problem::member("/count", "The count of a list is 1 to 16, of a single 1."),
    Problem::FreshProofRequired,
    Problem::RecoveryCodesOff,
    Problem::IdempotencyConflict,
    Problem::ContentTooLarge,
    Problem::UnsupportedMediaType,
    Problem::Busy { wait: 1 },
);

/// Stage a batch, or issue it at once
///
/// A staged batch changes nothing until it is activated: the codes before it still work. Staging
/// again replaces the pending batch and takes the next number. The account comes into being with
/// its first batch. To issue over a live batch the proof is at most 5 minutes old, unless it is
/// `"by":"administrator"`. The same `Idempotency-Key` within 10 minutes gets the same answer.
#[utoipa::path(
    post,
    path = "/recovery/v1/accounts/{account}/batches",
    operation_id = "stage",
    tag = super::TAG,
    params(
        ("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters. Another request under the same key is refused.", min_length = 1, max_length = 255),
    ),
    request_body = StageBody,
    responses(
        (
            status = 201,
            description = "The batch with its codes.",
            body = BatchAnswer,
            headers(
                ("Location" = String, description = "Where a pending batch is shown again; for one that is live at once, the account."),
                ("Idempotency-Replayed" = String, description = "`true` where the answer was given before under this key."),
            ),
        ),
        StageProblems,
    ),
    security(("basic" = ["recovery:issue"])),
)]
pub(super) async fn stage(
    host: Host<Issue>,
    Account(account): Account,
    _: NoQuery,
    headers: HeaderMap,
    Body(body): Body<StageBody>,
) -> Result<Response, Problem> {
    let wanted = body.read(host.mfa().policy())?;
    let key = sent_key(&headers).map_err(|_| {
        let detail = "The key is 1 to 255 visible ASCII characters, sent once.";
        Problem::parameter("Idempotency-Key", detail)
    })?;
    let idempotency = key.map(|key| idempotency(host.client(), key, &account, &wanted));
    let Wanted {
        spec,
        activation,
        proof,
    } = wanted;
    let caller = host.asks_for(account, proof);
    let request = StageRequest {
        spec,
        activation,
        idempotency,
    };
    let issued = host.mfa().stage(&caller, request).await;
    let issued = issued.map_err(|error| host.problem(error))?;
    Ok(created(&issued))
}

fn created(issued: &Issued) -> Response {
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::from_str(&location(issued)) {
        headers.insert(LOCATION, location);
    }
    if issued.replayed {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    (
        StatusCode::CREATED,
        headers,
        Json(BatchAnswer::from(issued)),
    )
        .into_response()
}

/// What can be asked for afterwards: the pending batch, or the account that the batch is live in.
fn location(issued: &Issued) -> String {
    let account = percent_encoded(&issued.account);
    let rest = match issued.state {
        BatchState::Pending => "/batches/pending",
        _ => "",
    };
    format!("/recovery/v1/accounts/{account}{rest}")
}

/// The key, and what was asked for under it with everything filled in.
fn idempotency(client: &str, key: &str, account: &AccountId, wanted: &Wanted) -> IdempotencyKey {
    let Wanted {
        spec,
        activation,
        proof,
    } = wanted;
    let activation: &[u8] = match activation {
        Activation::OnConfirm => b"on_confirm",
        Activation::AtOnce => b"at_once",
    };
    let proof = proof.as_ref().map(|HostProof { amr, at, by }| {
        let by = match by {
            VouchedBy::Person => "person",
            VouchedBy::Administrator => "administrator",
        };
        // Names of methods have no spaces.
        format!("{by} {} {}", rfc3339(*at), amr.join(" "))
    });
    let request: [&[u8]; 5] = [
        account.as_str().as_bytes(),
        spec.format().name().as_bytes(),
        &[spec.count()],
        activation,
        proof.as_deref().unwrap_or_default().as_bytes(),
    ];
    IdempotencyKey::new(client, key, &request)
}

problems!(ShowProblems, Issue: Problem::RecoveryCodesOff, Problem::NoPendingBatch);

/// Show the pending batch again
///
/// After a lost answer or a closed tab, until it is activated, given up, or has run out.
#[utoipa::path(
    get,
    path = "/recovery/v1/accounts/{account}/batches/pending",
    operation_id = "show_pending",
    tag = super::TAG,
    params(("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255)),
    responses(
        (status = 200, description = "The same codes as before.", body = BatchAnswer),
        ShowProblems,
    ),
    security(("basic" = ["recovery:issue"])),
)]
pub(super) async fn show(
    host: Host<Issue>,
    Account(account): Account,
    _: NoQuery,
) -> Result<Json<BatchAnswer>, Problem> {
    let caller = host.asks_for(account, None);
    let issued = host.mfa().pending(&caller).await;
    let issued = issued.map_err(|error| host.problem(error))?;
    Ok(Json(BatchAnswer::from(&issued)))
}

problems!(ActivateProblems, Issue:
    Problem::member("/kept", "There is no such member."),
    Problem::RecoveryCodesOff,
    Problem::NotFound,
    Problem::StaleGeneration { pending: Some(Generation(3)) },
    Problem::ContentTooLarge,
    Problem::UnsupportedMediaType,
    Problem::NotConfirmed,
);

/// Make the pending batch the live one
///
/// Once the person has said that the codes are saved. The codes before are dead when this is
/// answered. Activating the live batch again is no error: it repeats a lost answer.
#[utoipa::path(
    post,
    path = "/recovery/v1/accounts/{account}/batches/{generation}/activate",
    operation_id = "activate",
    tag = super::TAG,
    params(
        ("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255),
        ("generation" = u32, Path, description = "The batch's number."),
    ),
    request_body = SavedBody,
    responses(
        (status = 200, description = "How the account stands now.", body = StatusAnswer),
        ActivateProblems,
    ),
    security(("basic" = ["recovery:issue"])),
)]
pub(super) async fn activate(
    host: Host<Issue>,
    Account(account): Account,
    Numbered(generation): Numbered,
    _: NoQuery,
    Body(body): Body<SavedBody>,
) -> Result<Json<StatusAnswer>, Problem> {
    if !body.is_confirmed() {
        return Err(host.problem(Refusal::NotConfirmed));
    }
    let caller = host.asks_for(account, None);
    let status = host.mfa().activate(&caller, generation).await;
    let status = status.map_err(|error| host.problem(error))?;
    Ok(Json(StatusAnswer::from(&status)))
}

problems!(GiveUpProblems, Issue: Problem::NoPendingBatch);

/// Give the pending batch up
///
/// The live one stays as it is.
#[utoipa::path(
    delete,
    path = "/recovery/v1/accounts/{account}/batches/pending",
    operation_id = "give_up_pending",
    tag = super::TAG,
    params(("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255)),
    responses((status = 204, description = "No batch is pending any more."), GiveUpProblems),
    security(("basic" = ["recovery:issue"])),
)]
pub(super) async fn give_up(
    host: Host<Issue>,
    Account(account): Account,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let caller = host.asks_for(account, None);
    let given_up = host.mfa().give_up_pending(&caller).await;
    given_up.map_err(|error| host.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}

problems!(RevokeProblems, Revoke:);

/// End the live and the pending batch
///
/// No code of the account is accepted any more. That there was none is no error.
#[utoipa::path(
    delete,
    path = "/recovery/v1/accounts/{account}/batches",
    operation_id = "revoke",
    tag = super::TAG,
    params(("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255)),
    responses((status = 204, description = "There are no codes any more."), RevokeProblems),
    security(("basic" = ["recovery:revoke"])),
)]
pub(super) async fn revoke(
    host: Host<Revoke>,
    Account(account): Account,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let caller = host.asks_for(account, None);
    let revoked = host.mfa().revoke(&caller).await;
    revoked.map_err(|error| host.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}
