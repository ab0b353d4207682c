use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::keys::Keys;
use super::*;
use crate::domain::SigningKey;
use crate::entropy::draw_rsa_key;

const ISSUER: &str = "https://login.example.com/";
const API: &str = "https://login.example.com/mfa/";
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const HOUR: Millis = Millis::minutes(60);

/// Keys in the order of their names; drawn once, as drawing is slow.
static KEYS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| {
    ["first", "second", "stranger"].map(|id| SigningKey {
        id: id.to_owned(),
        pkcs8: draw_rsa_key().expect("a key can be drawn"),
        signs_from: NOW,
        verifies_until: None,
        created_at: NOW,
    })
});

fn first() -> SigningKey {
    KEYS[0].clone()
}

/// The second key, which follows the first in an hour.
fn second() -> SigningKey {
    SigningKey {
        signs_from: NOW.plus(HOUR),
        ..KEYS[1].clone()
    }
}

fn keys() -> Keys {
    Keys::of(&[first()], NOW).unwrap()
}

fn claims() -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "auth0|alice".to_owned(),
        aud: Audience::One(API.to_owned()),
        azp: "app".to_owned(),
        client_id: "app".to_owned(),
        iat: NOW.0 / 1_000,
        exp: NOW.0 / 1_000 + 3_600,
        jti: "1".to_owned(),
        scope: "enroll".to_owned(),
        gty: None,
        auth_time: Some(NOW.0 / 1_000),
        acr: None,
        amr: None,
        sid: Some("session".to_owned()),
        principal: None,
        account: None,
        application: None,
        environment: None,
    }
}

fn signed(claims: &AccessClaims) -> String {
    keys().sign_access(claims).unwrap()
}

fn read_at(token: &str, now: Timestamp) -> std::result::Result<AccessClaims, TokenError> {
    keys().read_access(token, (ISSUER, API), now)
}

fn read(token: &str) -> std::result::Result<AccessClaims, TokenError> {
    read_at(token, NOW)
}

fn private(key: &SigningKey) -> EncodingKey {
    EncodingKey::from_rsa_pem(super::keys::pem(&key.pkcs8).as_bytes()).unwrap()
}

fn header() -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("first".to_owned());
    header
}

/// The right claims under this header, signed with this key.
fn under(header: &Header, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, &claims(), key).unwrap()
}

/// The right claims under this header and with this signature, whatever both are.
fn put_together(header: &Value, signature: &[u8]) -> String {
    let part = |value: &[u8]| BASE64URL_NOPAD.encode(value);
    let claims = serde_json::to_vec(&claims()).unwrap();
    [
        part(header.to_string().as_bytes()),
        part(&claims),
        part(signature),
    ]
    .join(".")
}

#[test]
fn a_token_is_read_as_it_was_signed() {
    let all = AccessClaims {
        aud: Audience::Many(vec![
            "https://elsewhere.example.com/".to_owned(),
            API.to_owned(),
        ]),
        acr: Some("aal2".to_owned()),
        amr: Some(vec!["pwd".to_owned(), "otp".to_owned()]),
        gty: Some("client-credentials".to_owned()),
        ..claims()
    };
    for claims in [claims(), all] {
        assert_eq!(read(&signed(&claims)), Ok(claims));
    }
    // What the other tests put together is what is accepted, but for what they change.
    assert_eq!(read(&under(&header(), &private(&first()))), Ok(claims()));
}

/// Row A-83.
#[test]
fn an_algorithm_of_the_tokens_own_choice_is_refused() {
    let public = serde_json::to_vec(keys().published()).unwrap();
    let own = serde_json::to_value(keys().published()).unwrap();
    let modulus = own["keys"][0]["n"].as_str().unwrap();
    let modulus = BASE64URL_NOPAD.decode(modulus.as_bytes()).unwrap();
    // What can be known of the key is no shared secret, in whichever form it is taken.
    for secret in [public.as_slice(), modulus.as_slice(), b"", b"secret"] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let mut header = header();
            header.alg = algorithm;
            let forged = under(&header, &EncodingKey::from_secret(secret));
            assert_eq!(read(&forged), Err(TokenError::Invalid), "{algorithm:?}");
        }
    }
    // The right key, and not the one algorithm that it is for.
    for algorithm in [
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS512,
    ] {
        let mut header = header();
        header.alg = algorithm;
        let other = under(&header, &private(&first()));
        assert_eq!(read(&other), Err(TokenError::Invalid), "{algorithm:?}");
    }
    let right = signed(&claims());
    let signature = right.rsplit('.').next().unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    for algorithm in ["none", "None", "NONE", "nOnE", "", "rs256", "RS256 "] {
        let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": "first"});
        for signature in [b"".as_slice(), &signature] {
            let forged = put_together(&header, signature);
            assert_eq!(read(&forged), Err(TokenError::Invalid), "{algorithm}");
        }
    }
    let silent = json!({"typ": "at+jwt", "kid": "first"});
    assert_eq!(
        read(&put_together(&silent, &signature)),
        Err(TokenError::Invalid)
    );
}

/// Row A-85.
#[test]
fn a_token_of_another_kind_is_refused() {
    for kind in [Some("JWT"), Some("jwt"), Some("mfa+jwt"), Some(""), None] {
        let mut header = header();
        header.typ = kind.map(str::to_owned);
        let other = under(&header, &private(&first()));
        assert_eq!(read(&other), Err(TokenError::Invalid), "{kind:?}");
    }
}

#[test]
fn an_id_token_is_no_access_token() {
    let id = IdClaims {
        iss: ISSUER.to_owned(),
        sub: "auth0|alice".to_owned(),
        aud: API.to_owned(),
        iat: NOW.0 / 1_000,
        exp: NOW.0 / 1_000 + 3_600,
        auth_time: NOW.0 / 1_000,
        acr: None,
        amr: vec!["pwd".to_owned()],
        sid: "session".to_owned(),
        email: None,
        email_verified: None,
        name: None,
        nickname: None,
    };
    let id = keys().sign_id(&id).unwrap();
    assert_eq!(read(&id), Err(TokenError::Invalid));
    // Nor with all the claims of the other.
    let mut header = header();
    header.typ = Some("JWT".to_owned());
    let both = under(&header, &private(&first()));
    assert_eq!(read(&both), Err(TokenError::Invalid));
}

#[test]
fn a_key_that_is_not_published_is_unknown_whatever_its_name() {
    let names = [
        "second",
        "FIRST",
        "first ",
        "",
        "' OR 1=1",
        "' OR '1'='1' --",
        "../../../../dev/null",
        "first\0",
        "https://evil.example.com/jwks.json",
        "| sleep 9",
    ];
    for name in names {
        for key in [first(), KEYS[2].clone()] {
            let mut header = header();
            header.kid = Some(name.to_owned());
            let token = under(&header, &private(&key));
            assert_eq!(read(&token), Err(TokenError::UnknownKey), "{name:?}");
        }
    }
    let mut nameless = header();
    nameless.kid = None;
    let token = under(&nameless, &private(&first()));
    assert_eq!(read(&token), Err(TokenError::Invalid));
    let listed = json!({"alg": "RS256", "typ": "at+jwt", "kid": ["first"]});
    assert_eq!(read(&put_together(&listed, b"x")), Err(TokenError::Invalid));
}

/// Row A-84.
#[test]
fn a_key_that_a_token_brings_along_is_never_used() {
    let stranger = private(&KEYS[2]);
    let mut own = Jwk::from_encoding_key(&stranger, Algorithm::RS256).unwrap();
    own.common.key_id = Some("first".to_owned());
    let somewhere = Some("https://evil.example.com/keys".to_owned());
    let with_jwk = Header {
        jwk: Some(own.clone()),
        ..header()
    };
    let with_jku = Header {
        jku: somewhere.clone(),
        ..header()
    };
    let with_x5u = Header {
        x5u: somewhere,
        x5c: Some(vec!["MIIB".to_owned()]),
        ..header()
    };
    for header in [header(), with_jwk, with_jku, with_x5u] {
        let forged = under(&header, &stranger);
        assert_eq!(read(&forged), Err(TokenError::Invalid), "{header:?}");
        // Not used is not looked at: the same words above our own signature change nothing.
        let ours = under(&header, &private(&first()));
        assert_eq!(read(&ours), Ok(claims()), "{header:?}");
    }
}

#[test]
fn what_a_token_calls_critical_is_not_passed_over() {
    for critical in [json!(["exp"]), json!(["b64"]), json!([])] {
        let header: Header = serde_json::from_value(json!({
            "alg": "RS256", "typ": "at+jwt", "kid": "first", "crit": critical,
        }))
        .unwrap();
        let token = under(&header, &private(&first()));
        assert_eq!(read(&token), Err(TokenError::Invalid), "{critical}");
    }
}

#[test]
fn a_token_of_another_issuer_is_refused() {
    for issuer in [
        "https://evil.example.com/",
        "https://login.example.com",
        "https://LOGIN.example.com/",
        "",
    ] {
        let other = AccessClaims {
            iss: issuer.to_owned(),
            ..claims()
        };
        assert_eq!(read(&signed(&other)), Err(TokenError::Invalid), "{issuer}");
    }
}

#[test]
fn a_token_of_nobody_is_refused() {
    let nobody = AccessClaims {
        sub: String::new(),
        ..claims()
    };
    assert_eq!(read(&signed(&nobody)), Err(TokenError::Invalid));
}

/// Row A-82.
#[test]
fn a_token_for_somebody_else_is_refused() {
    let elsewhere = "https://elsewhere.example.com/".to_owned();
    for audience in [
        Audience::One(elsewhere.clone()),
        Audience::Many(vec![elsewhere, ISSUER.to_owned()]),
        Audience::Many(Vec::new()),
        Audience::One(String::new()),
        Audience::One(API.trim_end_matches('/').to_owned()),
    ] {
        let other = AccessClaims {
            aud: audience.clone(),
            ..claims()
        };
        let refused = Err(TokenError::WrongAudience);
        assert_eq!(read(&signed(&other)), refused, "{audience:?}");
    }
    let mut without = serde_json::to_value(claims()).unwrap();
    without.as_object_mut().unwrap().remove("aud");
    let token = jsonwebtoken::encode(&header(), &without, &private(&first())).unwrap();
    assert_eq!(read(&token), Err(TokenError::Invalid));
}

/// Row A-86.
#[test]
fn a_token_is_good_from_when_it_was_issued_until_it_runs_out() {
    let token = signed(&claims());
    let end = NOW.plus(HOUR);
    // Clocks may be five seconds apart.
    for (at, expected) in [
        (NOW.plus(Millis::seconds(-6)), Err(TokenError::Invalid)),
        (NOW.plus(Millis::seconds(-5)), Ok(claims())),
        (NOW, Ok(claims())),
        (end.plus(Millis(4_999)), Ok(claims())),
        (end.plus(Millis::seconds(5)), Err(TokenError::Expired)),
        (end.plus(HOUR), Err(TokenError::Expired)),
    ] {
        assert_eq!(read_at(&token, at), expected, "{at:?}");
    }
    for missing in ["exp", "iat"] {
        let mut without = serde_json::to_value(claims()).unwrap();
        without.as_object_mut().unwrap().remove(missing);
        let token = jsonwebtoken::encode(&header(), &without, &private(&first())).unwrap();
        assert_eq!(read(&token), Err(TokenError::Invalid), "{missing}");
    }
}

/// Row A-86.
#[test]
fn the_signature_is_looked_at_before_what_is_said() {
    let late = AccessClaims {
        exp: 0,
        aud: Audience::One(String::new()),
        ..claims()
    };
    let forged = jsonwebtoken::encode(&header(), &late, &private(&KEYS[2])).unwrap();
    assert_eq!(
        read(&forged),
        Err(TokenError::Invalid),
        "nobody learns more by a forged one"
    );
}

#[test]
fn a_token_that_was_changed_is_refused() {
    let token = signed(&claims());
    for garbage in ["", ".", "..", "...", "a.b.c", "\u{e9}.\u{e9}.\u{e9}"] {
        assert_eq!(read(garbage), Err(TokenError::Invalid), "{garbage:?}");
    }
    for more in [".", ".e30", "A", "=", "==", " ", "\n", "\0"] {
        let longer = format!("{token}{more}");
        assert_eq!(read(&longer), Err(TokenError::Invalid), "{more:?} behind");
        let longer = format!("{more}{token}");
        assert_eq!(read(&longer), Err(TokenError::Invalid), "{more:?} before");
    }
    // Every place of it: none is without meaning, the unused bits of the last included.
    for place in 0..token.len() {
        let (before, rest) = token.split_at(place);
        let (old, behind) = rest.split_at(1);
        let new = if old == "A" { "B" } else { "A" };
        let changed = format!("{before}{new}{behind}");
        assert!(read(&changed).is_err(), "place {place}");
        assert!(read(before).is_err(), "cut at {place}");
    }
    let (start, last) = token.split_at(token.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in alphabet.chars().filter(|&symbol| !last.contains(symbol)) {
        let changed = format!("{start}{other}");
        assert_eq!(
            read(&changed),
            Err(TokenError::Invalid),
            "{other} at the end"
        );
    }
}

#[test]
fn a_token_that_is_too_long_is_refused() {
    let with_scope = |length: usize| {
        signed(&AccessClaims {
            scope: "a".repeat(length),
            ..claims()
        })
    };
    let room = 4_096 - with_scope(0).len();
    // Four symbols stand for three bytes.
    assert!(read(&with_scope(room / 4 * 3 - 3)).is_ok());
    let long = with_scope(room / 4 * 3 + 3);
    assert!(long.len() > 4_096);
    assert_eq!(read(&long), Err(TokenError::Invalid));
}

#[test]
fn a_key_is_published_before_it_signs_and_after_it_has() {
    let kid = |keys: &Keys| {
        let token = keys.sign_access(&claims()).unwrap();
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        (kid, token)
    };
    let read = |keys: &Keys, token: &str| keys.read_access(token, (ISSUER, API), NOW);
    let end = NOW.plus(HOUR);
    let followed = SigningKey {
        verifies_until: Some(end.plus(HOUR)),
        ..first()
    };
    // As the store lists them, and the other way round.
    for listed in [[second(), followed.clone()], [followed, second()]] {
        let before = Keys::of(&listed, end.plus(Millis(-1))).unwrap();
        let after = Keys::of(&listed, end).unwrap();
        let (name, old) = kid(&before);
        assert_eq!(name, "first", "the next signs from its time and not before");
        let (name, new) = kid(&after);
        assert_eq!(name, "second");
        for keys in [&before, &after] {
            assert_eq!(read(keys, &old), Ok(claims()));
            assert_eq!(read(keys, &new), Ok(claims()));
            assert_eq!(keys.published().keys.len(), 2);
        }
        let alone = Keys::of(&[second()], end).unwrap();
        assert_eq!(read(&alone, &old), Err(TokenError::UnknownKey));
        assert_eq!(read(&alone, &new), Ok(claims()));
    }
    // A server whose clock is behind has a key to sign with all the same.
    let behind = Keys::of(&[second()], NOW).unwrap();
    assert_eq!(kid(&behind).0, "second");
    assert!(Keys::of(&[], NOW).is_none());
    let broken = SigningKey {
        pkcs8: b"no key".to_vec().into(),
        ..first()
    };
    assert!(Keys::of(&[first(), broken], NOW).is_none());
}

#[test]
fn nothing_private_is_published() {
    let published = serde_json::to_value(keys().published()).unwrap();
    let key = published["keys"][0].as_object().unwrap();
    let mut members: Vec<_> = key.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!(key["kid"], "first");
    assert_eq!(key["alg"], "RS256");
    assert_eq!(key["use"], "sig");
    assert_eq!(format!("{:?}", keys()), "Keys { signer: \"first\", .. }");
}
