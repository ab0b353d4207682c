//! Tokens that were changed, come from elsewhere, or arrive in other ways than one.

use axum::body::Body;
use axum::http::{Method, Request};
use data_encoding::{BASE64_MIME, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use spare_key_server::domain::Overlap;
use spare_key_server::model::Millis;
use spare_key_tests::auth0::part;
use spare_key_tests::{Answer, App};

/// Row A-83.
#[tokio::test]
async fn a_token_that_says_other_than_was_signed_is_nobodys() {
    let app = App::start().await;
    let manager = app.manager().await;
    let token = manager.token.clone();
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let signature = token.rsplit('.').next().unwrap();
    let published = Request::get("/.well-known/jwks.json").body(Body::empty());
    let published = app.send(published.unwrap()).await.expect(200).json;
    let modulus = published["keys"][0]["n"].as_str().unwrap();
    let text = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        header
    };
    let mut tried = Vec::new();
    for header in [
        with("alg", json!("none")),
        with("alg", json!("None")),
        with("alg", json!("RS512")),
        with("alg", json!("PS256")),
        with("typ", json!("JWT")),
        with("typ", json!("AT+JWT")),
        with("kid", json!("' OR 1=1 --")),
        with("kid", json!("../../../../dev/null")),
        with("kid", json!(null)),
        with("crit", json!(["exp"])),
        with("jku", json!("https://evil.example/jwks.json")),
        with("x5u", json!("https://evil.example/")),
        with("jwk", published["keys"][0].clone()),
    ] {
        tried.push(format!("{}.{}.{signature}", text(&header), text(&claims)));
        tried.push(format!("{}.{}.", text(&header), text(&claims)));
    }
    let mut other = claims.clone();
    other["scope"] = json!("read:users update:users everything");
    tried.push(format!("{}.{}.{signature}", text(&header), text(&other)));
    // The public key as the secret of a password's algorithm, in the forms one finds it in.
    for secret in [
        modulus.as_bytes().to_vec(),
        BASE64URL_NOPAD.decode(modulus.as_bytes()).unwrap(),
    ] {
        let mut forged = Header::new(Algorithm::HS256);
        forged.kid = header["kid"].as_str().map(str::to_owned);
        forged.typ = Some("at+jwt".to_owned());
        let key = EncodingKey::from_secret(&secret);
        tried.push(jsonwebtoken::encode(&forged, &claims, &key).unwrap());
    }
    tried.push(format!("{token}."));
    tried.push(format!("{token}A"));
    tried.push(token[..token.len() - 4].to_owned());
    tried.push("..".to_owned());
    tried.push("a.b.c".to_owned());
    tried.push(format!(
        "{}.{}.{signature}",
        text(&header),
        "A".repeat(9_000)
    ));
    for token in &tried {
        let answer = app.bearer(token).get("/api/v2/users").await;
        assert_eq!(answer.status, 401, "{token}");
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_token\""
        );
        answer.expect_management(401, None, "Invalid token");
    }
    manager.get("/api/v2/users").await.expect(200);
}

#[tokio::test]
async fn a_token_of_another_server_or_of_a_withdrawn_key_is_nobodys() {
    let app = App::start().await;
    let manager = app.manager().await;
    let stranger = App::start().await;
    stranger
        .bearer(&manager.token)
        .get("/api/v2/users")
        .await
        .expect_management(401, None, "Invalid token");
    let known = app.mfa().rotate_signing_key(Overlap::None).await;
    known.expect("a key");
    app.clock.advance(Millis::minutes(1));
    manager
        .get("/api/v2/users")
        .await
        .expect_management(401, None, "Invalid token");
    app.manager().await.get("/api/v2/users").await.expect(200);
}

/// Rows.
#[tokio::test]
async fn a_token_is_sent_once_and_in_the_header() {
    let app = App::start().await;
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let me = app
        .program()
        .access(&dora, "me/", "openid read:me:authentication_methods")
        .await;
    let check = |answer: Answer| {
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_request\""
        );
        assert_eq!(answer.status, 400, "{}", answer.text());
    };
    for (bearer, path) in [
        (&manager, "/api/v2/users"),
        (&me, "/me/v1/authentication-methods"),
        (&me, "/mfa/authenticators"),
        (&me, "/userinfo"),
    ] {
        let token = &bearer.token;
        for query in [
            format!("?access_token={token}"),
            format!("?page=0&access_token={token}"),
        ] {
            check(bearer.get(&format!("{path}{query}")).await);
            let bare = Request::get(format!("{path}{query}")).body(Body::empty());
            check(app.send(bare.unwrap()).await);
        }
        let twice = bearer
            .request(Method::GET, path)
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty());
        check(app.send(twice.unwrap()).await);
        for value in ["Bearer", "Bearer ", "Token abc", "abc", "Bearer\t"] {
            let request = Request::get(path).header("authorization", value);
            check(app.send(request.body(Body::empty()).unwrap()).await);
        }
    }
}

/// Whoever got hold of the key could sign; what is told apart by type, issuer, audience and time is
/// told apart all the same, as our own ID tokens are signed with it too.
/// Row A-84.
#[tokio::test]
async fn a_right_signature_is_not_enough() {
    let app = App::start().await;
    let manager = app.manager().await;
    let claims = part(&manager.token, 1);
    let keys = app.mfa().signing_keys().await.expect("keys");
    let text = BASE64_MIME.encode(&keys[0].pkcs8);
    let pem = format!("-----BEGIN PRIVATE KEY-----\r\n{text}-----END PRIVATE KEY-----\r\n");
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a key");
    let signed = |kind: Option<&str>, claims: &Value| {
        let mut header = Header::new(Algorithm::RS256);
        header.typ = kind.map(str::to_owned);
        header.kid = Some(keys[0].id.clone());
        app.bearer(&jsonwebtoken::encode(&header, claims, &key).expect("a token"))
    };
    const KIND: Option<&str> = Some("at+jwt");
    let path = "/api/v2/users";
    signed(KIND, &claims).get(path).await.expect(200);
    for kind in [None, Some("JWT"), Some("jwt"), Some("AT+JWT"), Some("")] {
        let answer = signed(kind, &claims).get(path).await;
        answer.expect_management(401, None, "Invalid token");
    }
    let now = app.now().0 / 1_000;
    for (claim, value, message) in [
        ("iss", json!("http://127.0.0.1:8080"), "Invalid token"),
        ("iss", json!("https://evil.example/"), "Invalid token"),
        ("iss", json!(null), "Invalid token"),
        ("sub", json!(""), "Invalid token"),
        ("sub", json!(null), "Invalid token"),
        ("azp", json!("nobody"), "Invalid token"),
        ("azp", json!(null), "Invalid token"),
        ("gty", json!("password"), "Invalid token"),
        ("gty", json!(null), "Invalid token"),
        ("iat", json!(now + 60), "Invalid token"),
        ("exp", json!("never"), "Invalid token"),
        ("exp", json!(null), "Invalid token"),
        (
            "exp",
            json!(now - 60),
            "Expired token received for JSON Web Token validation",
        ),
        ("aud", json!([]), "Bad audience"),
        ("aud", json!("http://127.0.0.1:8080/api/v2"), "Bad audience"),
        ("aud", json!(["http://127.0.0.1:8080/me/"]), "Bad audience"),
        ("aud", json!(null), "Invalid token"),
    ] {
        let mut claims = claims.clone();
        claims[claim] = value.clone();
        let answer = signed(KIND, &claims).get(path).await;
        assert_eq!(answer.json["message"], message, "{claim} {value}");
        answer.expect_management(401, None, message);
    }
    // A session is of one account and one program, whatever a token says.
    let dora = app.enrolled("dora").await;
    let scope = "openid read:me:authentication_methods";
    let me = app.program().access(&dora, "me/", scope).await;
    let own = part(&me.token, 1);
    let methods = "/me/v1/authentication-methods";
    signed(KIND, &own).get(methods).await.expect(200);
    for (claim, value) in [
        ("sub", json!("auth0|erik")),
        ("azp", json!("dev-spa")),
        ("sid", json!("A".repeat(43))),
        ("sid", json!("x")),
        ("sid", json!(null)),
    ] {
        let mut claims = own.clone();
        claims[claim] = value;
        let answer = signed(KIND, &claims).get(methods).await;
        answer.expect_account(401, "A0E-401-0003");
    }
    // A scope that the client does not have is not had by saying so.
    let mut claims = claims.clone();
    claims["azp"] = json!(spare_key_server::dev::READONLY.0);
    claims["scope"] = json!("read:users update:users");
    let claimed = signed(KIND, &claims);
    claimed.get(path).await.expect(200);
    let path = "/api/v2/users/auth0%7Cdora/recovery-code-regeneration";
    claimed.post(path, json!({})).await.expect(403);
}
