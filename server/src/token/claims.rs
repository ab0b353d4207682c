//! What stands in the tokens.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::model::TokenDigest;

/// How a token says that no person is behind it.
pub const MACHINE: &str = "client-credentials";

/// A session's name in tokens.
pub fn sid(session: &TokenDigest) -> String {
    BASE64URL_NOPAD.encode(&session.0)
}

/// Whom a token is for: one name, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Audience {
    /// Whether this name is among them.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }
}

/// An access token's claims (RFC 9068, 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// Whose it is: an account, or a client (`ID@clients`).
    pub sub: String,
    /// For which APIs.
    pub aud: Audience,
    /// To which client it was issued.
    pub azp: String,
    /// The same, by the name of RFC 9068.
    pub client_id: String,
    /// When, in seconds since 1970.
    pub iat: i64,
    /// Until when.
    pub exp: i64,
    /// Its number.
    pub jti: String,
    /// What may be done with it, by spaces.
    #[serde(default)]
    pub scope: String,
    /// `client-credentials`, where no person is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gty: Option<String>,
    /// When the person signed in (RFC 9470, 6.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By what (RFC 8176).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<String>>,
    /// The session that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// What kind of principal holds it, where a dialect says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The tenant, where a dialect names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The application, where a dialect names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The environment, where a dialect names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

impl AccessClaims {
    /// The session that it is of, if it names one.
    pub fn session(&self) -> Option<TokenDigest> {
        let bytes = BASE64URL_NOPAD
            .decode(self.sid.as_deref()?.as_bytes())
            .ok()?;
        <[u8; 32]>::try_from(bytes).ok().map(TokenDigest)
    }

    /// Whether no person is behind it.
    pub fn is_machines(&self) -> bool {
        self.gty.as_deref() == Some(MACHINE)
    }
}

/// An ID token's claims (OpenID Connect Core 1.0, 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdClaims {
    /// Who issued it.
    pub iss: String,
    /// Whose account.
    pub sub: String,
    /// To which client.
    pub aud: String,
    /// When, in seconds since 1970.
    pub iat: i64,
    /// Until when.
    pub exp: i64,
    /// When the person signed in.
    pub auth_time: i64,
    /// How well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By what.
    pub amr: Vec<String>,
    /// The session that it is of.
    pub sid: String,
    /// With the scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// With the scope `email`: whether somebody has checked it. Nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// With the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
}
