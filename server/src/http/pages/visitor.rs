//! Who is looking at the page: cookies, and the proof that a form came from our page.
//!
//! Three cookies, all opaque, HttpOnly and SameSite: the session, the challenge on the way in, and
//! before both a random value that only ties forms to this browser. A form carries an HMAC over
//! whichever of them is the highest; a POST without it, or from another site, changes nothing.

use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use super::error::PageError;
use crate::domain::{Caller, Error, Refusal};
use crate::http::Web;
use crate::http::request::ClientIp;
use crate::model::Token;

const SESSION: &str = "spare-key";
const CHALLENGE: &str = "spare-key-sign-in";
const FORM: &str = "spare-key-form";

/// Somebody with a browser.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) web: Web,
    jar: CookieJar,
    /// A form cookie that this answer must set.
    fresh: Option<Token>,
    ip: Option<std::net::IpAddr>,
}

impl Visitor {
    /// The name of a cookie here: by https it is bound to this host (`__Host-`).
    fn name(&self, cookie: &str) -> String {
        if self.web.settings.secure() {
            format!("__Host-{cookie}")
        } else {
            cookie.to_owned()
        }
    }

    fn value(&self, cookie: &str) -> Option<String> {
        self.jar
            .get(&self.name(cookie))
            .map(|found| found.value().to_owned())
    }

    /// Whose session this is.
    pub(super) async fn session(&self) -> Result<Caller, Error> {
        let value = self.value(SESSION).ok_or(Refusal::SessionGone)?;
        self.web
            .mfa
            .caller_by_session(&Token::presented(&value), self.ip)
            .await
    }

    /// Who is on the way in.
    pub(super) async fn challenge(&self) -> Result<Caller, Error> {
        let value = self.value(CHALLENGE).ok_or(Refusal::ChallengeGone)?;
        self.web
            .mfa
            .caller_by_challenge(&Token::presented(&value), self.ip)
            .await
    }

    /// Who is in, or else who is on the way in.
    pub(super) async fn anybody(&self) -> Result<Caller, Error> {
        match self.session().await {
            Err(Error::Refused(Refusal::SessionGone)) => self.challenge().await,
            found => found,
        }
    }

    /// From where.
    pub(super) fn ip(&self) -> Option<std::net::IpAddr> {
        self.ip
    }

    /// The proof that a form carries.
    pub(super) fn csrf(&self) -> Result<String, Error> {
        let fresh = self.fresh.as_ref().map(|token| token.reveal().to_owned());
        let holder = self
            .value(SESSION)
            .or_else(|| self.value(CHALLENGE))
            .or_else(|| self.value(FORM))
            .or(fresh)
            .unwrap_or_default();
        let proof = self
            .web
            .mfa
            .keyring()
            .csrf_proof(&holder)
            .map_err(|fault| Error::Fault(fault.into()))?;
        Ok(data_encoding::BASE64URL_NOPAD.encode(&proof.0))
    }

    /// Sets the form cookie that was drawn for this answer, if one was.
    pub(super) fn dress(&self, response: &mut Response<Body>) {
        if let Some(token) = &self.fresh {
            self.set(response, FORM, token.reveal());
        }
    }

    /// On the way in from here on.
    pub(super) fn set_challenge(&self, response: &mut Response<Body>, token: &Token) {
        self.set(response, CHALLENGE, token.reveal());
        self.clear(response, SESSION);
    }

    /// In from here on.
    pub(super) fn set_session(&self, response: &mut Response<Body>, token: &Token) {
        self.set(response, SESSION, token.reveal());
        self.clear(response, CHALLENGE);
    }

    /// Out from here on.
    pub(super) fn clear_all(&self, response: &mut Response<Body>) {
        self.clear(response, SESSION);
        self.clear(response, CHALLENGE);
    }

    fn set(&self, response: &mut Response<Body>, name: &str, value: &str) {
        put(response, &self.cookie(name, value.to_owned()));
    }

    fn clear(&self, response: &mut Response<Body>, name: &str) {
        if self.value(name).is_some() {
            let mut cookie = self.cookie(name, String::new());
            cookie.make_removal();
            put(response, &cookie);
        }
    }

    fn cookie(&self, name: &str, value: String) -> Cookie<'static> {
        Cookie::build((self.name(name), value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.web.settings.secure())
            .build()
    }
}

fn put(response: &mut Response<Body>, cookie: &Cookie<'static>) {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let ip = parts
            .extensions
            .get::<ClientIp>()
            .and_then(|ClientIp(ip)| *ip);
        let mut visitor = Self {
            web: web.clone(),
            jar,
            fresh: None,
            ip,
        };
        if [SESSION, CHALLENGE, FORM]
            .iter()
            .all(|cookie| visitor.value(cookie).is_none())
        {
            let token = web
                .mfa
                .draw_token()
                .map_err(|error| PageError::of(&visitor, error))?;
            visitor.fresh = Some(token);
        }
        Ok(visitor)
    }
}

/// A form that came from our page, from this browser.
pub(super) struct Posted<T> {
    pub(super) visitor: Visitor,
    pub(super) form: T,
}

/// A form's proof, whatever else it holds.
pub(super) trait Proven {
    /// The value of its field `csrf`.
    fn csrf(&self) -> &str;
}

impl<T: DeserializeOwned + Proven + Send> FromRequest<Web> for Posted<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, web).await?;
        let site = fetch_site(&parts.headers);
        if !matches!(site, None | Some("same-origin" | "none")) {
            return Err(PageError::forbidden(&visitor));
        }
        let ours = site == Some("same-origin");
        let request = Request::from_parts(parts, body);
        let Form(form) = Form::<T>::from_request(request, web)
            .await
            .map_err(|rejection| PageError::malformed(&visitor, rejection.status()))?;
        let expected = visitor
            .csrf()
            .map_err(|error| PageError::of(&visitor, error))?;
        if bool::from(expected.as_bytes().ct_eq(form.csrf().as_bytes())) {
            Ok(Self { visitor, form })
        } else if ours {
            Err(PageError::out_of_date(&visitor))
        } else {
            Err(PageError::forbidden(&visitor))
        }
    }
}

/// What the browser itself says of the request's origin (Fetch Metadata); old ones say nothing.
fn fetch_site(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("sec-fetch-site")
        .map(|site| site.to_str().unwrap_or("unreadable"))
}
