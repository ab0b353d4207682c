//! What every request passes through: a span, a time limit, headers, the caller's address.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::middleware::Next;
use futures_util::FutureExt;
use tracing::Instrument;

use super::request::{ClientIp, Product, RequestId};
use super::{Web, arklow, auth0, canopy, native, pages};
use crate::clock::Stopwatch;
use crate::texts::{Language, Texts};

/// The longest a request may take, waiting for the hash pool included.
const TIME_LIMIT: Duration = Duration::from_secs(30);

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Seconds after which it is worth asking again what was cut off.
const SOON: &str = "5";

/// Scripts and styles from here and from nowhere else; wasm may be compiled; no sink takes a string.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; \
     style-src 'self'; img-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

/// A span without body, query or headers; the time to answer, by route.
pub(super) async fn observe(
    State(web): State<Web>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let watch = Stopwatch::start();
    // Unguessable would be of no use here: it only has to tell requests apart.
    let id = web.mfa.draw_token().map_or_else(
        |_| "none".to_owned(),
        |token| token.reveal().chars().take(16).collect::<String>(),
    );
    let product = Product(web.mfa.policy().product.as_str().into());
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(product);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let method = known_method(request.method());
    let span =
        tracing::info_span!("request", request.id = %id, http.method = method, http.route = %route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = watch.elapsed();
    let status = response.status().as_u16();
    web.mfa
        .metrics()
        .request(&format!("{method} {route}"), status, took.as_secs_f64());
    tracing::info!(parent: &span, http.status = status, ms = took.as_millis(), "answered");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    if web.settings.https_for_ever() {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        response
            .headers_mut()
            .insert(STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// An unknown method's name is the caller's text and no label.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Cuts off what takes too long and catches what panics; the message of a panic may hold anything
/// and is not repeated.
pub(super) async fn within_limits(request: Request, next: Next) -> Response<Body> {
    let form = Form::of(&request);
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(TIME_LIMIT, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a request handler panicked");
            form.answer(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Err(_) => {
            tracing::error!("a request took too long and was cut off");
            form.answer(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// The headers of every answer. An answer that says nothing of caching is not to be kept.
pub(super) async fn headers(request: Request, next: Next) -> Response<Body> {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    response
}

/// The caller's address: the connection's, or what a trusted proxy says of it.
pub(super) async fn client_ip(
    State(web): State<Web>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip());
    let trusted = &web.settings.trusted_proxies;
    let ip = match peer {
        Some(peer) if trusted.contains(&peer) => {
            forwarded_for(request.headers(), trusted).or(Some(peer))
        }
        peer => peer,
    };
    request.extensions_mut().insert(ClientIp(ip));
    next.run(request).await
}

/// The last address in `X-Forwarded-For` that is not a trusted proxy's own: what stands before it
/// is whatever the caller wrote.
fn forwarded_for(headers: &HeaderMap, trusted: &[IpAddr]) -> Option<IpAddr> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| part.trim().parse::<IpAddr>().ok())
        .rev()
        .find(|ip| ip.is_none_or(|ip| !trusted.contains(&ip)))
        .flatten()
}

/// In whose words an answer is that no handler gave.
#[derive(Debug, Clone)]
struct Form {
    page: bool,
    method: Method,
    path: String,
    id: String,
    product: Option<Product>,
    language: Language,
}

impl Form {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let api = path.starts_with("/recovery/")
            || auth0::owns(path)
            || arklow::owns(path)
            || canopy::owns(path);
        let page = !api
            && request
                .headers()
                .get(ACCEPT)
                .and_then(|accept| accept.to_str().ok())
                .is_some_and(|accept| accept.contains("text/html"));
        let id = RequestId::of(request.extensions());
        Self {
            page,
            method: request.method().clone(),
            path: path.to_owned(),
            id,
            product: request.extensions().get().cloned(),
            language: pages::language_of(request.headers()),
        }
    }

    fn answer(&self, status: StatusCode) -> Response<Body> {
        let mut answer = self.in_its_words(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = HeaderValue::from_static(SOON);
            answer.headers_mut().entry(RETRY_AFTER).or_insert(soon);
        }
        answer
    }

    fn in_its_words(&self, status: StatusCode) -> Response<Body> {
        if self.page {
            let product = self.product.as_ref().map_or("", |Product(name)| name);
            let texts = Texts::of_language(self.language);
            pages::plain(status, texts, product, &self.id)
        } else {
            if auth0::owns(&self.path) {
                auth0::plain(&self.path, status, &self.id)
            } else if arklow::owns(&self.path) {
                arklow::plain(status, &self.id)
            } else if canopy::owns(&self.path) {
                canopy::plain(&self.method, &self.path, status, &self.id)
            } else {
                native::plain(status, &self.id)
            }
        }
    }
}

/// No such path.
pub(super) async fn not_found(request: Request) -> Response<Body> {
    Form::of(&request).answer(StatusCode::NOT_FOUND)
}

/// Not by this method; axum adds `Allow`.
pub(super) async fn method_not_allowed(request: Request) -> Response<Body> {
    Form::of(&request).answer(StatusCode::METHOD_NOT_ALLOWED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            HeaderName::from_static("x-forwarded-for"),
            HeaderValue::from_static(value),
        )])
    }

    #[test]
    fn who_is_cut_off_is_told_when_to_come_back_in_whatever_words() {
        for path in [
            "/recovery/v1/x",
            "/oauth/token",
            "/v1/self",
            "/v1/identity/x",
            "/",
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = Form::of(&request).answer(StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key(RETRY_AFTER), "{path}");
            let answer = Form::of(&request).answer(StatusCode::NOT_FOUND);
            assert!(!answer.headers().contains_key(RETRY_AFTER), "{path}");
        }
    }

    /// Rows S12, A-55.
    #[test]
    fn the_address_is_the_last_one_that_no_trusted_proxy_owns() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let read = |value| forwarded_for(&of(value), &[proxy]).map(|ip| ip.to_string());
        assert_eq!(read("1.2.3.4"), Some("1.2.3.4".to_owned()));
        assert_eq!(
            read("6.6.6.6, 1.2.3.4, 10.0.0.1"),
            Some("1.2.3.4".to_owned())
        );
        assert_eq!(read("6.6.6.6, nonsense"), None);
        assert_eq!(read("10.0.0.1"), None);
    }
}
