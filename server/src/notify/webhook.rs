//! To the operator's own program: one request for each event, signed as Standard Webhooks 1.0 has it,
//! so that its libraries check it.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::redirect;
use serde::Serialize;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::rfc3339;
use crate::domain::{Event, Notice, Sending};
use crate::issuer::is_loopback;
use crate::model::Timestamp;
use crate::texts::{Texts, in_words};

/// How long the program may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a secret begins with.
const SECRET: &str = "whsec_";

/// Where the operator's program listens: `https`, or `http` on this computer.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(reqwest::Url);

/// What the requests are signed with: 24 to 64 bytes.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// Why nobody can be told this way. Repeats nothing: an address may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitWebhook {
    /// Not an address.
    #[error("the webhook is not an address that begins with https://")]
    Url,
    /// In the clear, over a network.
    #[error("the webhook is http and not on this computer: who did what would travel in the clear")]
    Clear,
    /// Not a secret.
    #[error("the webhook's secret is not whsec_ and 24 to 64 bytes in Base64")]
    Secret,
}

impl WebhookUrl {
    /// Takes an address.
    ///
    /// # Errors
    /// It is none, or in the clear.
    pub fn parse(text: &str) -> Result<Self, UnfitWebhook> {
        let url = reqwest::Url::parse(text).map_err(|_| UnfitWebhook::Url)?;
        let host = url.host_str().ok_or(UnfitWebhook::Url)?;
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(host) => Ok(Self(url)),
            "http" => Err(UnfitWebhook::Clear),
            _ => Err(UnfitWebhook::Url),
        }
    }
}

/// The host alone: a path often is a password.
impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({:?})", self.0.host_str())
    }
}

impl WebhookSecret {
    /// Takes `whsec_` and Base64.
    ///
    /// # Errors
    /// It is something else, too short or too long.
    pub fn parse(text: &str) -> Result<Self, UnfitWebhook> {
        let encoded = text.trim().strip_prefix(SECRET);
        let bytes = encoded.and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok());
        let bytes = Zeroizing::new(bytes.ok_or(UnfitWebhook::Secret)?);
        if (24..=64).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(UnfitWebhook::Secret)
        }
    }

    /// The header that shows who sent it: over the request's name, its time and its body.
    fn signature(&self, id: &str, at: i64, body: &str) -> String {
        // HMAC takes keys of any length (RFC 2104, 2).
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        for part in [id, ".", &at.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// Calls the operator's program.
#[derive(Debug)]
pub struct Webhook {
    http: reqwest::Client,
    url: WebhookUrl,
    secret: WebhookSecret,
}

#[derive(Serialize)]
struct Message<'a> {
    /// What happened: `codes.redeemed`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// When it happened.
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    /// The number of the audit row.
    event: i64,
    account: &'a str,
    login: Option<&'a str>,
    actor: &'static str,
    generation: Option<u32>,
    number: Option<u32>,
    remaining: Option<u32>,
    detail: Option<&'a str>,
    ip: Option<String>,
    /// The same in words, in English.
    text: Option<String>,
}

impl Webhook {
    /// Calls this address.
    ///
    /// # Errors
    /// The operating system's certificates cannot be read.
    pub fn new(url: WebhookUrl, secret: WebhookSecret) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent("spare-key");
        // A proxy of the environment would get what is for this computer, in the clear.
        let builder = match url.0.scheme() {
            "http" => builder.no_proxy(),
            _ => builder,
        };
        let http = builder.build()?;
        Ok(Self { http, url, secret })
    }

    /// Tells the program; any answer but 2xx is a refusal. The name is the same at every try, so that
    /// the program knows what it has seen.
    pub(super) async fn send(&self, notice: &Notice, now: Timestamp) -> Sending {
        let Notice { event, .. } = notice;
        let id = name(event);
        let Ok(body) = serde_json::to_string(&message(notice)) else {
            return Sending::Hopeless;
        };
        let at = now.0.div_euclid(1_000);
        let request = self
            .http
            .post(self.url.0.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", self.secret.signature(&id, at, &body))
            .body(body);
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Sending::Sent,
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::warn!(status, notice.id, "the webhook refused");
                Sending::Failed
            }
            Err(error) => {
                // Without the address: it may hold a secret.
                let error = error.without_url();
                tracing::warn!(error = %error, notice.id, "the webhook was not reached");
                Sending::Failed
            }
        }
    }
}

/// The event's name in all the world: numbers alone come again in a database that was restored.
pub(super) fn name(event: &Event) -> String {
    format!("evt_{}_{}", event.at.0, event.id)
}

fn message(notice: &Notice) -> Message<'_> {
    let event = &notice.event;
    Message {
        kind: event.kind.name(),
        timestamp: rfc3339(event.at),
        data: Data {
            event: event.id,
            account: notice.account.as_str(),
            login: notice.login.as_deref(),
            actor: event.actor.kind(),
            generation: event.generation.map(|generation| generation.0),
            number: event.number,
            remaining: event.remaining,
            detail: event.detail.as_deref(),
            ip: event.ip.map(|ip| ip.to_string()),
            text: in_words(Texts::english(), event),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification of Standard Webhooks.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.signature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn an_address_is_https_or_on_this_computer() {
        for fit in [
            "https://hooks.example.com/a?b=c",
            "http://127.0.0.1:9/x",
            "http://localhost/",
        ] {
            assert!(WebhookUrl::parse(fit).is_ok(), "{fit}");
        }
        assert_eq!(
            WebhookUrl::parse("http://hooks.example.com/"),
            Err(UnfitWebhook::Clear)
        );
        for unfit in ["", "hooks.example.com", "ftp://a/b", "data:x", "https://"] {
            assert_eq!(WebhookUrl::parse(unfit), Err(UnfitWebhook::Url), "{unfit}");
        }
    }

    #[test]
    fn a_secret_is_long_enough_and_never_shown() {
        for unfit in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
            "whsec_?",
        ] {
            assert!(WebhookSecret::parse(unfit).is_err(), "{unfit}");
        }
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}
