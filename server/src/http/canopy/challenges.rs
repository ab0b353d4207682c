//! Completing a sign-in: by an authenticator app or by a recovery code.

use axum::response::Response;

use super::body::{self, Fields};
use super::caller::Origin;
use super::said::described::nos;
use super::said::{Fault, No};
use super::sign_in::with_cookies;
use super::tokens;
use super::wire::{AnswerBody, SessionAnswer};
use crate::domain::{Caller, Error, Refusal};
use crate::model::Token;

const CHALLENGE: Fault = body::text("challenge_token", "challenge_token must be a text.");
const REMEMBER: Fault = body::text("remember_device", "remember_device must be true or false.");

/// What was sent: whose challenge, the answer, and whether to remember the device.
struct Answer {
    token: Token,
    code: zeroize::Zeroizing<String>,
    remember: bool,
}

impl Answer {
    fn read(mut fields: Fields) -> Result<Self, No> {
        let token = fields.token(CHALLENGE);
        let code = fields.code();
        let remember = fields.flag(REMEMBER).unwrap_or(false);
        fields.done()?;
        Ok(Self {
            token: Token::presented(&token),
            code,
            remember,
        })
    }

    async fn caller(&self, origin: &Origin) -> Result<Caller, No> {
        let caller = origin
            .mfa()
            .caller_by_bearer_challenge(&self.token, origin.ip)
            .await;
        caller.map_err(|error| origin.no(error))
    }
}

nos!(TotpNos:
    No::Invalid(vec![CHALLENGE, body::CODE]),
    No::ChallengeInvalid,
    No::CodeInvalid { tries_left: 8 },
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
);

/// Complete a sign-in by an authenticator app
///
/// A one-time password is right once. Five wrong answers end the challenge.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/mfa/challenge/totp",
    operation_id = "canopy_challenge_totp",
    tag = super::TAG,
    request_body = AnswerBody,
    responses(
        (status = 200, description = "The session.", body = SessionAnswer, example = json!({
            "requires_application_selection": false,
            "requires_mfa_challenge": false,
            "expires_in": 900,
            "identity": { "id": "5b0e3f0a-6d0c-8f1e-9a55-0d2c6f7b8a91", "email": "carol@example.com", "first_name": "Carol", "last_name": "" },
            "access_token": "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln",
            "token_type": "Bearer",
        })),
        TotpNos,
    ),
    security(()),
)]
pub(super) async fn totp(origin: Origin, fields: Fields) -> Result<Response, No> {
    let answer = Answer::read(fields)?;
    let caller = answer.caller(&origin).await?;
    let ready = tokens::ready(&origin, &caller.account).await?;
    let trust = answer.remember.then_some(origin.agent.as_str());
    let mfa = origin.mfa();
    let opened = match mfa.pass_bearer_with_otp(&caller, &answer.code, trust).await {
        // What cannot be a one-time password cost nothing.
        Err(Error::Refused(Refusal::MalformedOtp)) => {
            let tries_left = mfa.otp_tries_left(&caller).await;
            let tries_left = tries_left.map_err(|error| origin.no(error))?;
            return Err(No::CodeInvalid { tries_left });
        }
        other => other.map_err(|error| origin.no(error))?,
    };
    let access = tokens::person(&origin, &ready, &opened)?;
    let answer = SessionAnswer::signed_in(&ready.card, access, tokens::LIFE);
    with_cookies(&origin, origin.say(answer), &opened)
}

nos!(CodeNos:
    No::Invalid(vec![CHALLENGE, body::CODE]),
    No::FactorNotAllowed,
    No::ChallengeInvalid,
    No::CodeInvalid { tries_left: 8 },
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
    No::Busy { wait: 1 },
);

/// Complete a sign-in by a recovery code
///
/// In whatever case, with or without dashes and spaces. Right, it never is again, and no device is
/// trusted any more. Wrong, used, replaced and malformed are one answer; malformed costs nothing.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/mfa/challenge/recovery-code",
    operation_id = "canopy_challenge_recovery_code",
    tag = super::TAG,
    request_body = AnswerBody,
    responses(
        (status = 200, description = "The session.", body = SessionAnswer, example = json!({
            "requires_application_selection": false,
            "requires_mfa_challenge": false,
            "expires_in": 900,
            "identity": { "id": "5b0e3f0a-6d0c-8f1e-9a55-0d2c6f7b8a91", "email": "carol@example.com", "first_name": "Carol", "last_name": "" },
            "access_token": "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln",
            "token_type": "Bearer",
            "recovery_codes_remaining": 9,
            "recovery_codes_generation": 1,
            "recovery_code_number": 4,
        })),
        CodeNos,
    ),
    security(()),
)]
pub(super) async fn recovery_code(origin: Origin, fields: Fields) -> Result<Response, No> {
    let answer = Answer::read(fields)?;
    let mfa = origin.mfa();
    let of = |error| origin.no(error);
    if !mfa.recovery_codes().await.map_err(of)? {
        return Err(No::FactorNotAllowed);
    }
    let caller = answer.caller(&origin).await?;
    let Ok(code) = mfa.read_code(&caller, &answer.code).await.map_err(of)? else {
        let status = mfa.status(&caller.account).await.map_err(of)?;
        let tries_left = status.throttle.tries_left;
        return Err(No::CodeInvalid { tries_left });
    };
    let ready = tokens::ready(&origin, &caller.account).await?;
    let redemption = mfa.pass_bearer_with_code(&caller, &code).await;
    let redemption = redemption.map_err(of)?;
    let opened = redemption.bearer.as_ref();
    let opened = opened.ok_or_else(|| origin.broken("a session"))?;
    let access = tokens::person(&origin, &ready, opened)?;
    let answer = SessionAnswer::signed_in(&ready.card, access, tokens::LIFE);
    let answer = origin.say(answer.by_code(&redemption));
    with_cookies(&origin, answer, opened)
}
