//! HTTP: what is common to every dialect and page, and where their routes are put together.
//!
//! It translates and decides nothing. Layers from the outside in: request id, span and time to
//! answer; headers; time limit and panics; who is calling from where; body limit.

mod arklow;
mod assets;
mod auth0;
mod basic;
mod canopy;
mod cors;
mod described;
mod docs;
mod idempotency;
mod json;
mod layers;
mod native;
mod ops;
mod outcome;
mod pages;
#[cfg(test)]
mod refusals;
mod request;

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa_axum::router::OpenApiRouter;

pub use self::canopy::{CanopySettings, Envelope};
use crate::domain::Mfa;
use crate::issuer::TrustedIssuer;
use crate::token::{Tokens, TrustedIssuers};

/// The largest body taken, in bytes.
pub const BODY_LIMIT: usize = 16 * 1024;

/// How the product is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address people and clients use, without a slash at the end.
    pub issuer: String,
    /// Whether the pages are served.
    pub pages: bool,
    /// Whether this is local development: the front page names the demo credentials.
    pub dev: bool,
    /// Proxies whose `X-Forwarded-For` is believed; everybody else's is not.
    pub trusted_proxies: Vec<IpAddr>,
    /// Identity providers whose people may keep their factors here.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// A style sheet that comes after the pages' own.
    pub theme: Option<String>,
    /// How the dialect of that name is spoken.
    pub canopy: CanopySettings,
}

impl Settings {
    /// Whether people come by https: cookies then are `__Host-` and `Secure`.
    pub fn secure(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// The name of a cookie here: by https it is bound to this host (RFC 6265bis, 4.1.3.2).
    pub(crate) fn cookie_name(&self, cookie: &str) -> String {
        if self.secure() {
            format!("__Host-{cookie}")
        } else {
            cookie.to_owned()
        }
    }

    /// Whether browsers are told to come by https alone for a year (HSTS, RFC 6797). Not by `dev`:
    /// they would do so with everything else on `localhost`, whatever its port.
    pub fn https_for_ever(&self) -> bool {
        self.secure() && !self.dev
    }
}

/// What every handler can see. One handle on all of it: every layer of a request has its own.
#[derive(Debug, Clone)]
pub struct Web(Arc<Seen>);

/// See [`Web`].
#[derive(Debug)]
pub struct Seen {
    /// The use cases.
    pub mfa: Mfa,
    /// How the product is reached.
    pub settings: Arc<Settings>,
    /// The issuer's tokens.
    pub tokens: Tokens,
    /// Identity providers whose people are let in.
    pub trusted: Arc<TrustedIssuers>,
    /// How often programs may manage.
    limits: auth0::limits::Limits,
}

impl Deref for Web {
    type Target = Seen;

    fn deref(&self) -> &Seen {
        &self.0
    }
}

impl Web {
    /// These use cases, reached like this.
    pub fn new(mfa: Mfa, settings: Arc<Settings>, trusted: Arc<TrustedIssuers>) -> Self {
        let tokens = Tokens::new(format!("{}/", settings.issuer));
        Self(Arc::new(Seen {
            mfa,
            settings,
            tokens,
            trusted,
            limits: auth0::limits::Limits::default(),
        }))
    }
}

impl Web {
    /// The names by which another issuer's tokens may mean this server.
    fn own_audiences(&self) -> [String; 3] {
        let issuer = self.tokens.issuer();
        [
            format!("{issuer}me/"),
            issuer.to_owned(),
            self.settings.issuer.clone(),
        ]
    }
}

/// Every route with every layer.
pub fn router(web: Web) -> Router {
    let Documented { api, shared, .. } = documented();
    // The fallback before the layer: a preflight is no method that a route has.
    let shared = shared
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(cors::layer(web.clone()));
    let mut router = api
        .merge(shared)
        .merge(ops::router())
        .merge(arklow::unwritten())
        .merge(docs::router())
        .merge(assets::router());
    if web.settings.pages {
        router = router.merge(pages::router(&web));
    }
    router
        .fallback(layers::not_found)
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(web.clone(), layers::client_ip))
        .layer(from_fn(layers::within_limits))
        .layer(from_fn(layers::headers))
        .layer(from_fn_with_state(web.clone(), layers::observe))
        .with_state(web)
}

/// The dialects' routes with their description.
struct Documented {
    /// What servers call.
    api: Router<Web>,
    /// What pages of other origins call too.
    shared: Router<Web>,
    document: utoipa::openapi::OpenApi,
}

fn documented() -> Documented {
    let (api, mut document) = OpenApiRouter::with_openapi(docs::info())
        .merge(native::router())
        .merge(auth0::router())
        .merge(arklow::router())
        .merge(canopy::router())
        .split_for_parts();
    let (shared, described) = auth0::shared().split_for_parts();
    document.merge(described);
    Documented {
        api,
        shared,
        document,
    }
}

/// The OpenAPI document of all dialects.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().document
}
