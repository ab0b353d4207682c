//! The two cookies: what renews an access token, and what a trusted device is recognized by.

use axum::body::Body;
use axum::http::Response;
use axum::http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::caller::Origin;
use super::said::No;
use crate::model::{Timestamp, Token};

/// What renews an access token.
pub(super) const REFRESH: &str = "refresh_token";

/// What a trusted device is recognized by.
pub(super) const DEVICE: &str = "mfa_trusted_device";

/// A cookie's value, if it was sent.
pub(super) fn sent(origin: &Origin, headers: &HeaderMap, cookie: &str) -> Option<Token> {
    CookieJar::from_headers(headers)
        .get(&origin.web.settings.cookie_name(cookie))
        .map(|found| Token::presented(found.value()))
}

/// Sets a cookie until a time.
pub(super) fn set(
    origin: &Origin,
    response: &mut Response<Body>,
    cookie: &str,
    (value, until): (&Token, Timestamp),
) -> Result<(), No> {
    let left = until.since(origin.mfa().now()).0.max(0).div_euclid(1_000);
    put(origin, response, cookie, value.reveal(), left)
}

/// Takes a cookie away.
pub(super) fn unset(
    origin: &Origin,
    response: &mut Response<Body>,
    cookie: &str,
) -> Result<(), No> {
    put(origin, response, cookie, "", 0)
}

fn put(
    origin: &Origin,
    response: &mut Response<Body>,
    cookie: &str,
    value: &str,
    seconds: i64,
) -> Result<(), No> {
    let mut built = Cookie::new(origin.web.settings.cookie_name(cookie), value);
    built.set_path("/");
    built.set_http_only(true);
    built.set_same_site(SameSite::Lax);
    built.set_secure(origin.web.settings.secure());
    let line = format!("{built}; Max-Age={seconds}");
    let line = HeaderValue::from_str(&line).map_err(|_| origin.broken("a cookie"))?;
    response.headers_mut().append(SET_COOKIE, line);
    Ok(())
}
