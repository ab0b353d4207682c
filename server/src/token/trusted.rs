//! Access tokens of identity providers that are trusted by name: read with the keys that the
//! provider publishes.
//!
//! The provider is looked for among the configured ones and nowhere else; its keys are fetched from
//! where its own discovery document says, never from where a token says (RFC 8725, 3.10). They are
//! kept for ten minutes, and asked for again when a token names a new one.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::redirect;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::Audience;
use super::keys::TokenError;
use crate::issuer::TrustedIssuer;
use crate::model::{Millis, Timestamp};

/// How long fetched keys are used without asking again.
const KEPT_FOR: Millis = Millis::minutes(10);

/// A key's name that is not among them is asked for at most so often, and a provider that does not
/// answer is asked again no sooner.
const ASKED_EVERY: Millis = Millis::seconds(30);

/// How long a provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest document that is taken from a provider, in bytes.
const DOCUMENT_MAX: usize = 256 * 1024;

/// The longest token that is taken.
const LONGEST: usize = 8 * 1024;

/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 30;

/// What `acr` or `amr` says of two factors.
const MULTI_FACTOR: [&str; 2] = [
    "mfa",
    "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
];

/// The providers that are trusted.
#[derive(Debug)]
pub struct TrustedIssuers {
    /// `None` where nobody is trusted: then there is nobody to ask.
    http: Option<reqwest::Client>,
    providers: Vec<Provider>,
}

#[derive(Debug)]
struct Provider {
    name: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<String, (Algorithm, DecodingKey)>,
    fetched_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("keys", &self.keys.len())
            .field("fetched_at", &self.fetched_at)
            .finish_non_exhaustive()
    }
}

/// What a provider says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// The provider's name, without a slash at the end.
    pub issuer: String,
    /// The person's name there.
    pub subject: String,
    /// What may be done with the token, by spaces.
    pub scope: String,
    /// When the person signed in there.
    pub auth_time: Option<Timestamp>,
    /// Whether with two factors.
    pub multi_factor: bool,
}

/// Why nobody is vouched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unvouched {
    /// The token is not accepted.
    Token(TokenError),
    /// The provider does not answer, or not with what it should.
    Unreachable,
}

/// A provider's claims, as far as they are read here.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    auth_time: Option<i64>,
    #[serde(default)]
    acr: Option<String>,
    #[serde(default)]
    amr: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Named {
    iss: String,
}

impl TrustedIssuers {
    /// These, by name.
    ///
    /// # Errors
    /// The operating system's certificates cannot be read.
    pub fn new(names: &[TrustedIssuer]) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent("spare-key");
        let http = match names {
            [] => None,
            _ => Some(client.build()?),
        };
        let providers = names
            .iter()
            .map(|name| Provider {
                name: name.as_str().to_owned(),
                kept: Mutex::default(),
            })
            .collect();
        Ok(Self { http, providers })
    }

    /// Whether a token says that it is of one of these. It is not yet proven.
    pub fn claim(&self, token: &str) -> bool {
        self.provider(token).is_some()
    }

    /// Whether a web origin is one of these.
    pub fn has_origin(&self, origin: &str) -> bool {
        self.providers.iter().any(|provider| {
            provider
                .name
                .strip_prefix(origin)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn provider(&self, token: &str) -> Option<&Provider> {
        if self.providers.is_empty() || token.len() > LONGEST {
            return None;
        }
        // Only to find the one whose keys the signature is checked with.
        let named = jsonwebtoken::dangerous::insecure_decode_claims::<Named>(token).ok()?;
        self.providers
            .iter()
            .find(|provider| same_issuer(&provider.name, &named.iss))
    }

    /// Reads a token that is meant for one of `audiences`.
    ///
    /// # Errors
    /// It is not accepted, or its provider cannot be asked.
    pub async fn read(
        &self,
        token: &str,
        audiences: &[String],
        now: Timestamp,
    ) -> Result<Vouched, Unvouched> {
        let invalid = Unvouched::Token(TokenError::Invalid);
        let provider = self.provider(token).ok_or(invalid)?;
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid)?;
        let typed = header.typ.as_deref().is_none_or(|kind| {
            ["jwt", "at+jwt", "application/at+jwt"].contains(&kind.to_ascii_lowercase().as_str())
        });
        let named = header.kid.filter(|_| typed && header.crit.is_none());
        let named = named.ok_or(invalid)?;
        let (algorithm, key) = self.key(provider, &named, now).await?;
        if header.alg != algorithm {
            return Err(invalid);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &signature_only(algorithm))
            .map_err(|_| invalid)?
            .claims;
        checked(provider, claims, audiences, now).map_err(Unvouched::Token)
    }

    /// The provider's key of this name; there is one algorithm for each.
    async fn key(
        &self,
        provider: &Provider,
        named: &str,
        now: Timestamp,
    ) -> Result<(Algorithm, DecodingKey), Unvouched> {
        // Held while it is fetched: others wait for the same answer.
        let mut kept = provider.kept.lock().await;
        let within = |at: Option<Timestamp>, span: Millis| {
            at.is_some_and(|at| now.since(at) < span && now >= at)
        };
        let current = within(kept.fetched_at, KEPT_FOR);
        let asked = within(kept.asked_at, ASKED_EVERY);
        let known = current && kept.keys.contains_key(named);
        if !(asked || known) {
            kept.asked_at = Some(now);
            match self.fetch(provider).await {
                Ok(keys) => {
                    kept.keys = keys;
                    kept.fetched_at = Some(now);
                }
                Err(why) => {
                    tracing::warn!(issuer = %provider.name, why, "a trusted issuer's keys could not be fetched");
                }
            }
        }
        if !within(kept.fetched_at, KEPT_FOR) {
            return Err(Unvouched::Unreachable);
        }
        kept.keys
            .get(named)
            .cloned()
            .ok_or(Unvouched::Token(TokenError::UnknownKey))
    }

    async fn fetch(
        &self,
        provider: &Provider,
    ) -> Result<HashMap<String, (Algorithm, DecodingKey)>, &'static str> {
        let base = provider.name.trim_end_matches('/');
        let at = format!("{base}/.well-known/openid-configuration");
        let discovery: Discovery = self.document(&at).await?;
        if !same_issuer(&provider.name, &discovery.issuer) {
            return Err("its discovery document is of another issuer");
        }
        // As safe as the name itself: by https, or on this computer.
        TrustedIssuer::parse(&discovery.jwks_uri)
            .map_err(|_| "its keys are not where they could be fetched safely")?;
        let set: JwkSet = self.document(&discovery.jwks_uri).await?;
        Ok(usable(&set))
    }

    async fn document<T: DeserializeOwned>(&self, at: &str) -> Result<T, &'static str> {
        let http = self.http.as_ref().ok_or("nobody is trusted")?;
        let mut response = http
            .get(at)
            .send()
            .await
            .map_err(|_| "it does not answer")?;
        if response.status() != reqwest::StatusCode::OK {
            return Err("it does not answer with 200");
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| "its answer broke off")? {
            body.extend_from_slice(&chunk);
            if body.len() > DOCUMENT_MAX {
                return Err("its answer is too large");
            }
        }
        serde_json::from_slice(&body).map_err(|_| "its answer is not what it should be")
    }
}

/// The keys that sign, by name, each with its one algorithm.
fn usable(set: &JwkSet) -> HashMap<String, (Algorithm, DecodingKey)> {
    let mut keys = HashMap::new();
    for jwk in &set.keys {
        let signs = jwk
            .common
            .public_key_use
            .as_ref()
            .is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
                Some(Algorithm::ES256)
            }
            _ => None,
        };
        let stated = jwk.common.key_algorithm.map(|stated| stated.to_string());
        let fits = algorithm.filter(|algorithm| {
            signs
                && stated
                    .as_deref()
                    .is_none_or(|stated| stated == format!("{algorithm:?}"))
        });
        if let (Some(algorithm), Some(id), Ok(key)) =
            (fits, &jwk.common.key_id, DecodingKey::from_jwk(jwk))
        {
            keys.insert(id.clone(), (algorithm, key));
        }
    }
    keys
}

/// With or without the slash at the end: people leave it out, tokens have it.
fn same_issuer(name: &str, said: &str) -> bool {
    name.trim_end_matches('/') == said.trim_end_matches('/')
}

fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn checked(
    provider: &Provider,
    claims: Claims,
    audiences: &[String],
    now: Timestamp,
) -> Result<Vouched, TokenError> {
    let seconds = now.0.div_euclid(1_000);
    let ahead = |at: Option<i64>| at.is_some_and(|at| at > seconds + LEEWAY);
    let ours = same_issuer(&provider.name, &claims.iss);
    if !ours || claims.sub.is_empty() || ahead(claims.nbf) || ahead(claims.iat) {
        return Err(TokenError::Invalid);
    }
    if claims.exp <= seconds - LEEWAY {
        return Err(TokenError::Expired);
    }
    if !audiences.iter().any(|audience| claims.aud.has(audience)) {
        return Err(TokenError::WrongAudience);
    }
    let methods = claims.amr.unwrap_or_default();
    let multi_factor = methods
        .iter()
        .map(String::as_str)
        .chain(claims.acr.as_deref())
        .any(|word| MULTI_FACTOR.contains(&word));
    Ok(Vouched {
        issuer: provider.name.trim_end_matches('/').to_owned(),
        subject: claims.sub,
        scope: claims.scope.unwrap_or_default(),
        // A time that has not come yet is no proof of freshness.
        auth_time: claims
            .auth_time
            .filter(|at| *at <= seconds + LEEWAY)
            .map(|at| Timestamp(at.saturating_mul(1_000))),
        multi_factor,
    })
}
