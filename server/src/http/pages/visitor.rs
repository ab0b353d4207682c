//! Who is looking at the page: cookies, and the proof that a form came from our page.
//!
//! Three cookies, all opaque, HttpOnly and SameSite: the session, the challenge on the way in, and
//! before both a random value that only ties forms to this browser. A form carries an HMAC over
//! whichever of them is the highest; a POST without it, or from another site, changes nothing.
//!
//! The address of every screen (`/u/…`) says by `state` which transaction it is of: a name made from
//! that same cookie. It is no secret and opens nothing; it only keeps a page of one transaction from
//! acting in another.

use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, Uri};
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use super::browsers;
use super::error::PageError;
use super::language::language_of;
use crate::domain::{Caller, Error, Refusal, TrustGiven};
use crate::http::Web;
use crate::http::request::ClientIp;
use crate::model::{AccountId, Token};
use crate::texts::{Language, Texts};

const SESSION: &str = "spare-key";
const CHALLENGE: &str = "spare-key-sign-in";
const FORM: &str = "spare-key-form";
/// Outlives them: by it a remembered browser is known. It opens nothing without the password.
const BROWSER: &str = "spare-key-browser";

/// Beneath it every screen is of a transaction.
const SCREENS: &str = "/u/";

/// Where a transaction begins: the one screen that may be asked for without naming one.
pub(super) const DOOR: &str = "/u/login";

/// Somebody with a browser.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) web: Web,
    jar: CookieJar,
    /// A form cookie that this answer must set.
    fresh: Option<Token>,
    ip: Option<std::net::IpAddr>,
    /// The address names the transaction that this visitor is in.
    named: bool,
    /// The query of the address.
    query: String,
    posted: bool,
    /// What the browser calls itself.
    label: String,
    language: Language,
}

impl Visitor {
    fn value(&self, cookie: &str) -> Option<String> {
        self.jar
            .get(&self.web.settings.cookie_name(cookie))
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

    /// The highest cookie's value: what forms and addresses are tied to.
    fn holder(&self) -> String {
        let fresh = self.fresh.as_ref().map(|token| token.reveal().to_owned());
        self.value(SESSION)
            .or_else(|| self.value(CHALLENGE))
            .or_else(|| self.value(FORM))
            .or(fresh)
            .unwrap_or_default()
    }

    /// Whether there is a session, by the looks of it.
    pub(super) fn seems_in(&self) -> bool {
        self.value(SESSION).is_some()
    }

    /// Whether the address names the transaction that this visitor is in; only the door may be
    /// asked for without.
    pub(super) fn named(&self) -> bool {
        self.named
    }

    /// The texts in this visitor's language.
    pub(super) fn texts(&self) -> Texts {
        Texts::of_language(self.language)
    }

    /// The query of the address, as it was sent.
    pub(super) fn query(&self) -> &str {
        &self.query
    }

    /// Whether they have sent something.
    pub(super) fn has_posted(&self) -> bool {
        self.posted
    }

    /// The proof that a form carries.
    pub(super) fn csrf(&self) -> Result<String, Error> {
        let keyring = self.web.mfa.keyring();
        let proof = keyring
            .csrf_proof(&self.holder())
            .map_err(|fault| Error::Fault(fault.into()))?;
        Ok(data_encoding::BASE64URL_NOPAD.encode(&proof.0))
    }

    /// The name of the transaction.
    pub(super) fn state(&self) -> Result<String, Error> {
        self.state_of(&self.holder())
    }

    fn state_of(&self, holder: &str) -> Result<String, Error> {
        let keyring = self.web.mfa.keyring();
        let name = keyring
            .transaction_name(holder)
            .map_err(|fault| Error::Fault(fault.into()))?;
        Ok(data_encoding::BASE64URL_NOPAD.encode(&name))
    }

    /// The address of a page: a screen's names the transaction.
    pub(super) fn address(&self, path: &str) -> Result<String, PageError> {
        self.address_for(path, &self.holder())
    }

    fn address_for(&self, path: &str, holder: &str) -> Result<String, PageError> {
        if !path.starts_with(SCREENS) {
            return Ok(path.to_owned());
        }
        let state = self
            .state_of(holder)
            .map_err(|error| PageError::of(self, error))?;
        Ok(format!("{path}?state={state}"))
    }

    /// See the next page: a reload or the back button repeats nothing.
    pub(super) fn go_to(&self, path: &str) -> Result<Response<Body>, PageError> {
        let mut response = Redirect::to(&self.address(path)?).into_response();
        self.dress(&mut response);
        Ok(response)
    }

    /// On the way in from here on.
    pub(super) fn go_on_by_challenge(
        &self,
        path: &str,
        token: &Token,
    ) -> Result<Response<Body>, PageError> {
        let mut response = Redirect::to(&self.address_for(path, token.reveal())?).into_response();
        self.set(&mut response, CHALLENGE, token.reveal());
        self.clear(&mut response, SESSION);
        Ok(response)
    }

    /// In from here on.
    pub(super) fn go_on_by_session(
        &self,
        path: &str,
        token: &Token,
    ) -> Result<Response<Body>, PageError> {
        let mut response = Redirect::to(&self.address_for(path, token.reveal())?).into_response();
        self.set(&mut response, SESSION, token.reveal());
        self.clear(&mut response, CHALLENGE);
        Ok(response)
    }

    /// Notes that somebody who has just come in reads this language. What they came in by is spent
    /// already, so nothing hangs on it.
    pub(super) async fn note_language(&self, account: &AccountId) {
        let noted = self.web.mfa.note_language(account, self.texts().lang());
        if let Err(error) = noted.await {
            tracing::error!(error = %error, "a language was not noted");
        }
    }

    /// Sets the form cookie that was drawn for this answer, if one was.
    pub(super) fn dress(&self, response: &mut Response<Body>) {
        if let Some(token) = &self.fresh {
            self.set(response, FORM, token.reveal());
        }
    }

    /// By what this browser is known, if it is remembered.
    pub(super) fn browser(&self) -> Option<Token> {
        self.value(BROWSER).map(|value| Token::presented(&value))
    }

    /// What the browser calls itself.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Remembered from here on.
    pub(super) fn remember_browser(&self, response: &mut Response<Body>, given: &TrustGiven) {
        let cookie = self.cookie(BROWSER, given.token.reveal().to_owned());
        let left = given.expires_at.since(self.web.mfa.now()).ceil_seconds();
        if let Ok(value) = HeaderValue::from_str(&format!("{cookie}; Max-Age={left}")) {
            response.headers_mut().append(SET_COOKIE, value);
        }
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
        Cookie::build((self.web.settings.cookie_name(name), value))
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

impl Visitor {
    /// Who sent this, whatever they ask for.
    pub(super) fn behind(parts: &Parts, web: &Web) -> Result<Self, PageError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let ip = ClientIp::of(&parts.extensions);
        let mut visitor = Self {
            web: web.clone(),
            jar,
            fresh: None,
            ip,
            named: false,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            posted: parts.method == Method::POST,
            label: browsers::label(&parts.headers),
            language: language_of(&parts.headers),
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

    /// Whether a name of a transaction is this visitor's.
    fn is_in(&self, state: &str) -> Result<bool, PageError> {
        let own = self.state().map_err(|error| PageError::of(self, error))?;
        Ok(own == state)
    }
}

/// The parameter `state` of an address.
#[derive(Deserialize)]
struct Named {
    state: Option<String>,
}

/// The transaction that an address names; one that is named twice is nobody's.
fn named_by(uri: &Uri) -> Option<String> {
    Query::<Named>::try_from_uri(uri)
        .map_or_else(|_| Some(String::new()), |Query(Named { state })| state)
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let mut visitor = Self::behind(parts, web)?;
        let path = parts.uri.path();
        let may_be_unnamed = match named_by(&parts.uri) {
            Some(state) => {
                visitor.named = visitor.is_in(&state)?;
                !path.starts_with(SCREENS)
            }
            None => path == DOOR || !path.starts_with(SCREENS),
        };
        if visitor.named || may_be_unnamed {
            Ok(visitor)
        } else {
            Err(PageError::transaction_not_found(&visitor))
        }
    }
}

/// A form that came from our page, from this browser.
pub(super) struct Posted<T> {
    pub(super) visitor: Visitor,
    pub(super) form: T,
}

/// A form's proof and transaction, whatever else it holds.
pub(super) trait Proven {
    /// The value of its field `csrf`.
    fn csrf(&self) -> &str;

    /// The value of its field `state`.
    fn state(&self) -> &str;
}

impl<T: DeserializeOwned + Proven + Send> FromRequest<Web> for Posted<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, web: &Web) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let mut visitor = Visitor::behind(&parts, web)?;
        let site = fetch_site(&parts.headers);
        if !matches!(site, None | Some("same-origin" | "none")) {
            return Err(PageError::forbidden(&visitor));
        }
        let ours = site == Some("same-origin");
        let screen = parts.uri.path().starts_with(SCREENS);
        let named = named_by(&parts.uri);
        let request = Request::from_parts(parts, body);
        let Form(form) = Form::<T>::from_request(request, web)
            .await
            .map_err(|rejection| PageError::malformed(&visitor, rejection.status()))?;
        let expected = visitor
            .csrf()
            .map_err(|error| PageError::of(&visitor, error))?;
        let proven = bool::from(expected.as_bytes().ct_eq(form.csrf().as_bytes()));
        if !proven && !ours {
            return Err(PageError::forbidden(&visitor));
        }
        visitor.named =
            visitor.is_in(form.state())? && named.is_none_or(|named| named == form.state());
        match (proven, screen) {
            (true, false) => Ok(Self { visitor, form }),
            (true, true) if visitor.named => Ok(Self { visitor, form }),
            (_, true) => Err(PageError::transaction_not_found(&visitor)),
            (false, false) => Err(PageError::out_of_date(&visitor)),
        }
    }
}

/// What the browser itself says of the request's origin (Fetch Metadata); old ones say nothing.
fn fetch_site(headers: &HeaderMap) -> Option<&str> {
    headers
        .get("sec-fetch-site")
        .map(|site| site.to_str().unwrap_or("unreadable"))
}
