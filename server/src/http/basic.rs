//! HTTP Basic credentials (RFC 7617), as machine clients send them in every dialect.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use data_encoding::BASE64;
use zeroize::Zeroizing;

use crate::model::Token;

/// `Basic base64(id:secret)` in UTF-8, the first colon dividing (RFC 7617, 2). Sent twice, it is
/// nobody's.
pub(super) fn credentials(headers: &HeaderMap) -> Option<(String, Token)> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (sent.next()?, sent.next()) else {
        return None;
    };
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = Zeroizing::new(BASE64.decode(encoded.trim().as_bytes()).ok()?);
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((id.to_owned(), Token::presented(secret)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        let value = HeaderValue::from_str(value).unwrap();
        credentials(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
            .map(|(id, secret)| (id, secret.reveal().to_owned()))
    }

    #[test]
    fn credentials_are_read_as_rfc_7617_says() {
        let aladdin = Some(("Aladdin".to_owned(), "open sesame".to_owned()));
        assert_eq!(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), aladdin);
        assert_eq!(read("bAsIc QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), aladdin);
        let test = Some(("test".to_owned(), "123\u{a3}".to_owned()));
        assert_eq!(read("Basic dGVzdDoxMjPCow=="), test);
        let colons = Some(("a".to_owned(), "b:c".to_owned()));
        assert_eq!(read("Basic YTpiOmM="), colons);
    }

    #[test]
    fn what_is_no_credential_is_nobody() {
        for text in [
            "Basic",
            "Basic !",
            "Basic YWJj",
            "Bearer YTpi",
            "Basic /zo=",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn two_credentials_are_none() {
        let one = HeaderValue::from_static("Basic YTpi");
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, one.clone());
        headers.append(AUTHORIZATION, one);
        assert!(credentials(&headers).is_none());
    }
}
