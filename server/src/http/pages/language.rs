//! Which language a page is in: as chosen by the switch, else as the browser asks, else English.
//!
//! The choice is remembered in a cookie of its own that holds a language tag and nothing else. It
//! comes by the parameter `ui_locales`, as in OpenID Connect (Core 1.0, 3.1.2.1): the one thing
//! that a GET changes here, because it changes how the page is read and nothing that is done.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, Response, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use crate::http::Web;
use crate::texts::Language;

/// What these headers ask for.
pub(in crate::http) fn language_of(headers: &HeaderMap) -> Language {
    let jar = CookieJar::from_headers(headers);
    let chosen = [COOKIE, HOST_COOKIE].iter().find_map(|name| {
        jar.get(name)
            .and_then(|cookie| Language::named(cookie.value()))
    });
    chosen
        .or_else(|| accepted(headers))
        .unwrap_or(Language::English)
}

const COOKIE: &str = "spare-key-language";
const HOST_COOKIE: &str = "__Host-spare-key-language";
/// In seconds.
const A_YEAR: u32 = 31_536_000;
const PARAMETER: &str = "ui_locales";

/// The first language that we have of those the browser would rather read (RFC 9110, 12.5.4).
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let mut wanted: Vec<(f32, Language)> = headers
        .get_all(ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|part| {
            let (tag, weight) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |q| {
                q.trim().parse().ok().filter(|q| (0.0..=1.0).contains(q))
            })?;
            Some((weight, Language::named(tag)?))
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    // Stable: of equal weight, the first that was named.
    wanted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    wanted.first().map(|(_, language)| *language)
}

/// What the address asks for, and the address without it.
fn asked(uri: &Uri) -> Option<(Option<Language>, String)> {
    let mut rest = Vec::new();
    let mut found = None;
    for pair in uri.query()?.split('&') {
        match pair.split_once('=') {
            Some((PARAMETER, tags)) => {
                let mut tags = tags.split(['+', ' ']).flat_map(|tags| tags.split("%20"));
                found = Some(tags.find_map(Language::named));
            }
            _ => rest.push(pair),
        }
    }
    let address = match rest.as_slice() {
        [] => uri.path().to_owned(),
        rest => format!("{}?{}", uri.path(), rest.join("&")),
    };
    found.map(|language| (language, address))
}

/// Remembers the language that an address asks for, and shows the same page without asking.
pub(super) async fn remember(
    State(web): State<Web>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some((language, address)) = asked(request.uri()).filter(|_| reads) else {
        return next.run(request).await;
    };
    // A path that begins with two slashes would name another host.
    let address = format!("/{}", address.trim_start_matches('/'));
    let mut response = Redirect::to(&address).into_response();
    if let Some(cookie) = language.and_then(|language| cookie(&web, language)) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn cookie(web: &Web, language: Language) -> Option<HeaderValue> {
    let secure = web.settings.secure();
    let name = if secure { HOST_COOKIE } else { COOKIE };
    let cookie = Cookie::build((name, language.tag()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .build();
    HeaderValue::from_str(&format!("{cookie}; Max-Age={A_YEAR}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(accept: &'static str, cookie: &'static str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
        headers.insert("cookie", HeaderValue::from_static(cookie));
        language_of(&headers)
    }

    #[test]
    fn the_browser_is_taken_at_its_word_and_the_switch_before_it() {
        assert_eq!(asking("de-AT,de;q=0.9,en;q=0.8", ""), Language::German);
        assert_eq!(asking("sv, fr;q=0.4, ja;q=0.7", ""), Language::Japanese);
        assert_eq!(asking("ar;q=0, es;q=0.1", ""), Language::Spanish);
        assert_eq!(asking("sv, *;q=0.5", ""), Language::English);
        assert_eq!(asking("de;q=much", ""), Language::English);
        assert_eq!(asking("de", "spare-key-language=ar"), Language::Arabic);
        assert_eq!(
            asking("de", "__Host-spare-key-language=fr"),
            Language::French
        );
        assert_eq!(asking("de", "spare-key-language=klingon"), Language::German);
    }

    #[test]
    fn an_address_asks_once_and_keeps_what_else_it_says() {
        let asked = |address: &'static str| asked(&Uri::from_static(address));
        assert_eq!(asked("/u/login?state=x"), None);
        assert_eq!(asked("/u/login"), None);
        assert_eq!(
            asked("/u/login?state=x&ui_locales=ja"),
            Some((Some(Language::Japanese), "/u/login?state=x".to_owned()))
        );
        assert_eq!(
            asked("/account?ui_locales=sv+fr-CA%20de"),
            Some((Some(Language::French), "/account".to_owned()))
        );
        assert_eq!(
            asked("/account?ui_locales=sv"),
            Some((None, "/account".to_owned()))
        );
    }
}
