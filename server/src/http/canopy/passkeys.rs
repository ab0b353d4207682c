//! What is not offered: passkeys and codes by e-mail. Each says so where clients look for it.

use super::caller::{Identity, Known};
use super::said::No;
use super::said::described::nos;

nos!(OpenNos: No::FactorNotAllowed);
nos!(KnownNos: No::FactorNotAllowed, No::InvalidToken, No::WrongPrincipal);
nos!(IdentityNos:
    No::FactorNotAllowed,
    No::InvalidToken,
    No::WrongPrincipal,
    No::EnrollmentRequired,
);

macro_rules! not_offered {
    ($name:ident($($who:ident)?), $path:literal, $operation:literal, $about:literal, $nos:ident, [$($security:tt)*]) => {
        #[doc = $about]
        ///
        /// Not offered here.
        #[utoipa::path(
            post,
            path = $path,
            operation_id = $operation,
            tag = super::TAG,
            responses($nos),
            security($($security)*),
        )]
        pub(super) async fn $name($(_: $who)?) -> No {
            No::FactorNotAllowed
        }
    };
}

not_offered!(
    challenge_options(),
    "/v1/identity/auth/mfa/challenge/webauthn/options",
    "canopy_challenge_webauthn_options",
    "Begin completing a sign-in by a passkey",
    OpenNos,
    [()]
);
not_offered!(
    challenge_verify(),
    "/v1/identity/auth/mfa/challenge/webauthn/verify",
    "canopy_challenge_webauthn_verify",
    "Complete a sign-in by a passkey",
    OpenNos,
    [()]
);
not_offered!(
    email_send(),
    "/v1/identity/auth/mfa/challenge/email-otp/send",
    "canopy_challenge_email_send",
    "Send a code by e-mail",
    OpenNos,
    [()]
);
not_offered!(
    email_verify(),
    "/v1/identity/auth/mfa/challenge/email-otp/verify",
    "canopy_challenge_email_verify",
    "Complete a sign-in by a code from an e-mail",
    OpenNos,
    [()]
);
not_offered!(
    enroll_options(Known),
    "/v1/identity/auth/mfa/webauthn/enroll/options",
    "canopy_enroll_webauthn_options",
    "Begin enrolling a passkey",
    KnownNos,
    [("identity" = [])]
);
not_offered!(
    enroll_verify(Known),
    "/v1/identity/auth/mfa/webauthn/enroll/verify",
    "canopy_enroll_webauthn_verify",
    "Confirm a passkey",
    KnownNos,
    [("identity" = [])]
);
not_offered!(
    step_up_options(Identity),
    "/v1/identity/auth/mfa/step-up/webauthn/options",
    "canopy_step_up_webauthn_options",
    "Begin proving a passkey for one change",
    IdentityNos,
    [("identity" = [])]
);
not_offered!(
    step_up_verify(Identity),
    "/v1/identity/auth/mfa/step-up/webauthn/verify",
    "canopy_step_up_webauthn_verify",
    "Prove a passkey for one change",
    IdentityNos,
    [("identity" = [])]
);
