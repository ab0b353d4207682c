//! How this dialect's values look in JSON.

mod log;
mod people;

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use zeroize::Zeroizing;

pub(super) use self::log::LogLine;
pub(super) use self::people::*;
use crate::domain::{Association, Authority, Caller, Issued, SessionKind};
use crate::model::{AccountId, Generation};

/// What `acr` says of two factors.
const MULTI_FACTOR: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";

/// The answer of the token endpoint (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
    "id_token": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
    "scope": "openid profile",
    "expires_in": 86400,
    "token_type": "Bearer",
    "recovery_code": "KZ3MQ7TBWJ5RHXYNABCDEFGW",
}))]
pub(super) struct TokenAnswer {
    /// The access token.
    pub(super) access_token: String,
    /// Who it is, with the scope `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_token: Option<String>,
    /// Gives new tokens, with the scope `offline_access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    /// What was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    /// Seconds until it runs out.
    pub(super) expires_in: i64,
    /// `Bearer`.
    pub(super) token_type: &'static str,
    /// The code that takes the place of the one just spent; it is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recovery_code: Option<Shown>,
}

/// A secret on its way to its owner, zeroed afterwards.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub(super) struct Shown(#[serde(serialize_with = "as_text")] Zeroizing<String>);

fn as_text<S: Serializer>(text: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

/// The one code of a batch that has one.
pub(super) fn only_code(issued: &Issued) -> Option<Shown> {
    let numbered = issued.codes.first()?;
    Some(Shown(numbered.code.expose()))
}

/// How well, and by what, a session was opened (RFC 8176 has no word for a recovery code).
pub(super) fn assurance(caller: &Caller) -> (Option<String>, Vec<String>) {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    match &caller.authority {
        Authority::Session {
            kind: SessionKind::Recovery,
            ..
        } => (
            Some(MULTI_FACTOR.to_owned()),
            words(&["pwd", "recovery-code", "mfa"]),
        ),
        Authority::Session {
            factor_at: Some(_), ..
        } => (Some(MULTI_FACTOR.to_owned()), words(&["pwd", "otp", "mfa"])),
        _ => (None, words(&["pwd"])),
    }
}

/// The name under which a recovery code is listed: it has the generation in it, so that a new
/// batch is a new method.
pub(super) fn method_id(account: &AccountId, generation: Generation) -> String {
    let number = generation.0.to_be_bytes();
    let name = crate::keyring::scope(b"auth0 method", account, &number);
    format!("recovery-code|dev_{}", BASE64URL_NOPAD.encode(&name[..12]))
}

/// What is asked for at an association.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "authenticator_types": ["otp"] }))]
pub(super) struct AssociateBody {
    /// `["otp"]`.
    pub(super) authenticator_types: Vec<String>,
}

/// An authenticator that waits for its first password.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "authenticator_type": "otp",
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "barcode_uri": "otpauth://totp/Spare%20Key:alice%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Spare%20Key&algorithm=SHA1&digits=6&period=30",
    "recovery_codes": ["KZ3MQ7TBWJ5RHXYNABCDEFGW"],
}))]
pub(super) struct AssociateAnswer {
    /// `otp`.
    authenticator_type: &'static str,
    /// The secret in base32.
    secret: Shown,
    /// The same for a QR code.
    barcode_uri: Shown,
    /// The recovery code, at the first association and where there are recovery codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<Shown>>,
}

impl From<&Association> for AssociateAnswer {
    fn from(association: &Association) -> Self {
        let Association { enrollment, codes } = association;
        Self {
            authenticator_type: "otp",
            secret: Shown(enrollment.secret.clone()),
            barcode_uri: Shown(enrollment.uri.clone()),
            recovery_codes: codes.as_ref().and_then(only_code).map(|code| vec![code]),
        }
    }
}

/// An authenticator in a list.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "totp|dev_cnvd8BsdG3qT5h3Jx0lQ4A",
    "authenticator_type": "otp",
    "type": "otp",
    "active": true,
}))]
pub(super) struct AuthenticatorLine {
    pub(super) id: String,
    /// `otp` or `recovery-code`.
    pub(super) authenticator_type: &'static str,
    /// The same, by the name that some clients read.
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// Whether it can be proven.
    pub(super) active: bool,
}

/// What is to be challenged.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "mfa_token": "TeG5V0BkFB2hIjv5Tq0F1mJ8dUuKu0kF2m1uY0eFjXg",
    "client_id": "dev-app",
    "client_secret": "dev-app-secret",
    "challenge_type": "otp",
}))]
pub(super) struct ChallengeBody {
    pub(super) mfa_token: String,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    /// What the client can ask for, by spaces; absent, anything.
    pub(super) challenge_type: Option<String>,
    /// Which authenticator; absent, any.
    pub(super) authenticator_id: Option<String>,
}

/// How to prove it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "challenge_type": "otp" }))]
pub(super) struct ChallengeAnswer {
    pub(super) challenge_type: &'static str,
}

/// A new recovery code; the one before is dead.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "recovery_code": "KZ3MQ7TBWJ5RHXYNABCDEFGW" }))]
pub(super) struct CodeAnswer {
    pub(super) recovery_code: Shown,
}

/// `{error, error_description}`.
#[derive(Serialize, ToSchema)]
#[schema(as = OAuthError)]
pub(super) struct OAuthErrorBody {
    /// What to key on.
    error: String,
    /// For people.
    error_description: String,
    /// With `mfa_required`: what to go on with, for ten minutes.
    mfa_token: Option<String>,
    /// With `mfa_required`: `enroll` or `challenge`, and by what.
    mfa_requirements: Option<BTreeMap<String, Vec<MfaRequirement>>>,
    /// Where something broke here: what to ask about.
    request_id: Option<String>,
}

/// A way to go on.
#[derive(Serialize, ToSchema)]
pub(super) struct MfaRequirement {
    /// `otp`.
    #[serde(rename = "type")]
    kind: String,
}

/// `{statusCode, error, message, errorCode}`.
#[derive(Serialize, ToSchema)]
#[schema(as = ManagementError)]
pub(super) struct ManagementErrorBody {
    #[serde(rename = "statusCode")]
    status_code: u16,
    /// The status in words.
    error: String,
    /// For people.
    message: String,
    /// What to key on; absent where the token is not accepted.
    #[serde(rename = "errorCode")]
    error_code: Option<String>,
    /// Where the token is not accepted: the message again.
    attributes: Option<BTreeMap<String, String>>,
    /// Where something broke here: what to ask about.
    #[serde(rename = "requestId")]
    request_id: Option<String>,
}

/// A problem document.
#[derive(Serialize, ToSchema)]
#[schema(as = MyAccountError)]
pub(super) struct MyAccountErrorBody {
    /// What to key on.
    #[serde(rename = "type")]
    kind: String,
    status: u16,
    title: String,
    /// For people.
    detail: String,
    /// Where the body is not what it should be.
    validation_errors: Option<Vec<ValidationError>>,
    /// Where something broke here: what to ask about.
    request_id: Option<String>,
}

/// What is wrong with a body.
#[derive(Serialize, ToSchema)]
pub(super) struct ValidationError {
    detail: String,
    /// The member that is missing.
    field: Option<String>,
}
