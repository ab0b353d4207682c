//! What is asked about: the account and the generation in the path, the page in the query.
//!
//! An account's identifier is the caller's own and kept byte for byte. It is read from the raw
//! path: one segment, decoded once (RFC 3986, 2.1), so that `a%2Fb` is the account `a/b` and
//! nothing is taken for a neighbour.

use axum::extract::{FromRequestParts, OriginalUri, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use data_encoding::BASE64URL_NOPAD;

use super::problem::Problem;
use crate::http::Web;
use crate::model::{AccountId, Generation};

/// Segments before the account: an empty one, `recovery`, `v1`, `accounts`.
const BEFORE_ACCOUNT: usize = 4;

/// Segments before the generation: those, the account, `batches`.
const BEFORE_GENERATION: usize = BEFORE_ACCOUNT + 2;

const ACCOUNT_DETAIL: &str = "An account is 1 to 255 bytes of UTF-8, percent-encoded into one \
                              segment of the path, without control characters.";

/// The account in the path.
pub(super) struct Account(pub(super) AccountId);

impl FromRequestParts<Web> for Account {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        segment(&original(parts), BEFORE_ACCOUNT)
            .and_then(|raw| percent_decoded(&raw))
            .and_then(|text| AccountId::parse(&text))
            .map(Self)
            .ok_or_else(|| Problem::parameter("account", ACCOUNT_DETAIL))
    }
}

/// The generation in the path, in decimal. Whatever else stands there is the path of nothing.
pub(super) struct Numbered(pub(super) Generation);

impl FromRequestParts<Web> for Numbered {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        segment(&original(parts), BEFORE_GENERATION)
            .filter(|raw| raw.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|raw| raw.parse().ok())
            .map(|number| Self(Generation(number)))
            .ok_or(Problem::NotFound)
    }
}

/// An address without a query. A code or a secret that somebody put there is refused, not used.
pub(super) struct NoQuery;

impl FromRequestParts<Web> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(_) => Err(Problem::unreadable("A query is not understood here.")),
        }
    }
}

/// Rows a page has unless the caller asks otherwise, and the most it can ask for.
const LIMIT: u32 = 50;
const LIMIT_MAX: u32 = 200;

/// Which page of the list of accounts.
pub(super) struct AccountsPage {
    pub(super) remaining_at_most: Option<u32>,
    pub(super) after: Option<AccountId>,
    pub(super) limit: u32,
}

impl FromRequestParts<Web> for AccountsPage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let mut query = Pairs::read(&parts.uri)?;
        let page = Self {
            remaining_at_most: query
                .take("remaining_at_most")?
                .map(|text| number(&text, 0..=u32::MAX))
                .transpose()
                .map_err(|Wrong| Problem::parameter("remaining_at_most", "It is a number."))?,
            after: query
                .take("cursor")?
                .map(|text| opened(Cursor::ACCOUNT, &text).and_then(|id| AccountId::parse(&id)))
                .map(|id| id.ok_or_else(no_cursor))
                .transpose()?,
            limit: query.limit()?,
        };
        query.end().map(|()| page)
    }
}

/// Which page of an account's events.
pub(super) struct EventsPage {
    pub(super) before: Option<i64>,
    pub(super) limit: u32,
}

impl FromRequestParts<Web> for EventsPage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Problem> {
        let mut query = Pairs::read(&parts.uri)?;
        let page = Self {
            before: query
                .take("cursor")?
                .map(|text| opened(Cursor::EVENT, &text).and_then(|id| id.parse().ok()))
                .map(|id| id.ok_or_else(no_cursor))
                .transpose()?,
            limit: query.limit()?,
        };
        query.end().map(|()| page)
    }
}

fn no_cursor() -> Problem {
    Problem::parameter("cursor", "Give the cursor back as `next_cursor` had it.")
}

/// The members of a query, taken one by one; each once, and none may be left.
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn read(uri: &Uri) -> Result<Self, Problem> {
        Query::try_from_uri(uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|_| Problem::unreadable("The query is not understood."))
    }

    fn take(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        let Some(at) = self.0.iter().position(|(found, _)| found == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(at);
        if self.0.iter().any(|(found, _)| found == name) {
            return Err(Problem::parameter(name, "It is there twice."));
        }
        Ok(Some(value))
    }

    fn limit(&mut self) -> Result<u32, Problem> {
        self.take("limit")?.map_or(Ok(LIMIT), |text| {
            number(&text, 1..=LIMIT_MAX)
                .map_err(|Wrong| Problem::parameter("limit", "The limit is 1 to 200."))
        })
    }

    /// The unknown name is not repeated: it is the caller's text.
    fn end(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::unreadable("The query has an unknown member."))
        }
    }
}

struct Wrong;

fn number(text: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, Wrong> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|number| digits && range.contains(number))
        .ok_or(Wrong)
}

/// Where the next page begins, in a form that nobody takes apart.
pub(super) struct Cursor;

impl Cursor {
    const ACCOUNT: char = 'a';
    const EVENT: char = 'e';

    pub(super) fn after_account(id: &AccountId) -> String {
        BASE64URL_NOPAD.encode(format!("{}{}", Self::ACCOUNT, id.as_str()).as_bytes())
    }

    pub(super) fn before_event(id: i64) -> String {
        BASE64URL_NOPAD.encode(format!("{}{id}", Self::EVENT).as_bytes())
    }
}

fn opened(kind: char, cursor: &str) -> Option<String> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix(kind).map(str::to_owned)
}

/// The address as the caller sent it, whatever nesting has cut from it since.
fn original(parts: &Parts) -> String {
    let uri = parts.extensions.get::<OriginalUri>();
    uri.map_or(&parts.uri, |OriginalUri(uri)| uri)
        .path()
        .to_owned()
}

fn segment(path: &str, at: usize) -> Option<String> {
    path.split('/').nth(at).map(str::to_owned)
}

/// Decoded once and strictly: a `%` without two digits would otherwise be the same as `%25`.
fn percent_decoded(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let [value] = *data_encoding::HEXLOWER_PERMISSIVE.decode(&digits).ok()? else {
                    return None;
                };
                value
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// As one segment of a path: everything but the unreserved characters is encoded.
pub(super) fn percent_encoded(account: &AccountId) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(account.as_str().len());
    for byte in account.as_str().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            byte => {
                // Writing to a string does not fail.
                let _written = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_decoded_once_and_strictly() {
        for (raw, decoded) in [
            ("a%2Fb", Some("a/b")),
            ("a%2fb", Some("a/b")),
            ("%252F", Some("%2F")),
            ("%25", Some("%")),
            ("%2e%2e", Some("..")),
            ("a+b", Some("a+b")),
            ("%C3%BC", Some("ü")),
            ("ü", Some("ü")),
            ("%zz", None),
            ("%", None),
            ("%2", None),
            ("%ff", None),
            ("%C3", None),
        ] {
            assert_eq!(percent_decoded(raw).as_deref(), decoded, "{raw}");
        }
    }

    #[test]
    fn encoding_is_undone_by_decoding() {
        for text in ["auth0|alice", "a/b", "..", "100 %", "ü?#&", "a+b"] {
            let id = AccountId::parse(text).unwrap();
            assert_eq!(
                percent_decoded(&percent_encoded(&id)).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn a_cursor_opens_for_its_own_list_only() {
        let id = AccountId::parse("auth0|alice").unwrap();
        let cursor = Cursor::after_account(&id);
        assert_eq!(
            opened(Cursor::ACCOUNT, &cursor).as_deref(),
            Some("auth0|alice")
        );
        assert_eq!(opened(Cursor::EVENT, &cursor), None);
        assert_eq!(opened(Cursor::ACCOUNT, "not a cursor"), None);
    }
}
