//! Binding an authenticator: the QR code and its first one-time password.

use super::error::{PageError, Told};
use super::form::CodeForm;
use super::sign_in::{no_code, passed_on};
use super::view::OtpEnrollment;
use super::visitor::{Posted, Visitor};
use super::{Answer, Frame, errors, frame, page, quiet, shown_on, wire};
use crate::domain::{Authority, Caller, Error, Refusal};

const SCREEN: &str = "mfa-otp-enrollment-qr";

pub(super) async fn show(visitor: Visitor) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.anybody().await.map_err(of)?;
    enrollment(&visitor, &caller, &quiet()).await
}

async fn enrollment(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    let pending = match visitor.web.mfa.pending_enrollment(caller).await {
        Ok(pending) => pending,
        // Bound already, in another window or by a second click: on to what comes next.
        Err(Error::Refused(Refusal::AlreadyEnrolled)) => {
            return visitor.go_to("/u/mfa-recovery-code-enrollment");
        }
        Err(Error::Refused(Refusal::FreshProofRequired | Refusal::NoPendingAuthenticator))
            if matches!(caller.authority, Authority::Session { .. }) =>
        {
            return visitor.go_to("/account");
        }
        Err(error) => return Err(PageError::of(visitor, error)),
    };
    let codes = visitor.web.mfa.recovery_codes().await;
    let codes = codes.map_err(|error| PageError::of(visitor, error))?;
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let template = OtpEnrollment {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, told, SCREEN),
        action: visitor.address("/u/mfa-otp-enrollment-qr")?,
        replacing: pending.replaces,
        step: 2,
        steps: if pending.replaces || !codes { 0 } else { 3 },
        qr_svg: wire::qr_svg(&pending).unwrap_or_default(),
        secret_groups: wire::secret_groups(&pending),
        account: pending.label.clone(),
        wait_seconds: told.wait_seconds,
    };
    Ok(page(visitor, told, &template))
}

pub(super) async fn submit(Posted { visitor, form }: Posted<CodeForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.anybody().await.map_err(of)?;
    if form.code.trim().is_empty() {
        return enrollment(&visitor, &caller, &no_code()).await;
    }
    let passed = match visitor
        .web
        .mfa
        .confirm_enrollment(&caller, &form.code)
        .await
    {
        Ok(passed) => passed,
        Err(error) => {
            let told = shown_on(SCREEN, Some("code"), &visitor, error)?;
            return enrollment(&visitor, &caller, &told).await;
        }
    };
    visitor.note_language(&caller.account).await;
    let status = visitor.web.mfa.status(&caller.account).await.map_err(of)?;
    // Who came in with the last code gets a new list before going on: the proof is fresh.
    let codes = visitor.web.mfa.recovery_codes().await.map_err(of)?;
    let then = if status.remaining == 0 && codes {
        "/account/regenerate"
    } else {
        "/account"
    };
    passed_on(&visitor, passed, then).await
}
