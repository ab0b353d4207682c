//! The signing keys, ready to sign and to check.

use data_encoding::BASE64_MIME;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use zeroize::Zeroizing;

use super::claims::{AccessClaims, IdClaims};
use crate::domain::SigningKey;
use crate::model::Timestamp;

/// The type of access tokens (RFC 9068, 2.1).
const ACCESS: &str = "at+jwt";

/// The type of ID tokens, as clients know it.
const ID: &str = "JWT";

/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 5;

/// No token of ours is longer.
const LONGEST: usize = 4096;

/// The keys of one moment.
pub struct Keys {
    signer: (String, EncodingKey),
    verifiers: Vec<(String, DecodingKey)>,
    published: JwkSet,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("signer", &self.signer.0)
            .finish_non_exhaustive()
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// It is none of ours, or was changed.
    Invalid,
    /// It names a key that is not published.
    UnknownKey,
    /// It is one of ours and has run out.
    Expired,
    /// It is one of ours and for somebody else.
    WrongAudience,
}

impl Keys {
    /// Of the published keys at this time; `None` when there is none, or one is none. The latest
    /// that signs already signs; where a clock is behind that of the server that made the only key,
    /// the next one does.
    pub(super) fn of(keys: &[SigningKey], now: Timestamp) -> Option<Self> {
        let mut published = JwkSet { keys: Vec::new() };
        let mut verifiers = Vec::new();
        let mut private = Vec::new();
        for key in keys {
            let pair = EncodingKey::from_rsa_pem(pem(&key.pkcs8).as_bytes()).ok()?;
            let mut public = Jwk::from_encoding_key(&pair, Algorithm::RS256).ok()?;
            public.common.key_id = Some(key.id.clone());
            public.common.public_key_use = Some(PublicKeyUse::Signature);
            verifiers.push((key.id.clone(), DecodingKey::from_jwk(&public).ok()?));
            published.keys.push(public);
            private.push((key.signs_from, (key.id.clone(), pair)));
        }
        private.sort_by_key(|(signs_from, _)| *signs_from);
        let signing = private.partition_point(|(signs_from, _)| *signs_from <= now);
        let (_, signer) = private.into_iter().nth(signing.saturating_sub(1))?;
        Some(Self {
            signer,
            verifiers,
            published,
        })
    }

    /// The public keys, as they are published.
    pub fn published(&self) -> &JwkSet {
        &self.published
    }

    /// Signs an access token. `None`: the cryptographic library failed.
    pub fn sign_access(&self, claims: &AccessClaims) -> Option<String> {
        self.sign(ACCESS, claims)
    }

    /// Signs an ID token. `None`: the cryptographic library failed.
    pub fn sign_id(&self, claims: &IdClaims) -> Option<String> {
        self.sign(ID, claims)
    }

    fn sign(&self, kind: &str, claims: &impl Serialize) -> Option<String> {
        let (id, key) = &self.signer;
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(kind.to_owned());
        header.kid = Some(id.clone());
        jsonwebtoken::encode(&header, claims, key).ok()
    }

    /// Reads an access token: its form, its signature, then what it says.
    pub(super) fn read_access(
        &self,
        token: &str,
        (issuer, audience): (&str, &str),
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let fits = header.alg == Algorithm::RS256
            && header.typ.as_deref() == Some(ACCESS)
            && header.crit.is_none();
        if !fits {
            return Err(TokenError::Invalid);
        }
        let named = header.kid.ok_or(TokenError::Invalid)?;
        let (_, key) = self
            .verifiers
            .iter()
            .find(|(id, _)| *id == named)
            .ok_or(TokenError::UnknownKey)?;
        let claims = jsonwebtoken::decode::<AccessClaims>(token, key, &signature_only())
            .map_err(|_| TokenError::Invalid)?
            .claims;
        let seconds = now.0.div_euclid(1_000);
        if claims.iss != issuer || claims.sub.is_empty() || claims.iat > seconds + LEEWAY {
            return Err(TokenError::Invalid);
        }
        if claims.exp <= seconds - LEEWAY {
            return Err(TokenError::Expired);
        }
        if !claims.aud.has(audience) {
            return Err(TokenError::WrongAudience);
        }
        Ok(claims)
    }
}

/// The library checks the signature; the times are checked against our own clock.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

pub(super) fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(BASE64_MIME.encode(pkcs8));
    Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\r\n{}-----END PRIVATE KEY-----\r\n",
        &*body
    ))
}
