//! The Canopy dialect's part of the story: tokens, cookies, a secret and codes, each shown in one
//! answer, and then offered in places where they do not belong.

use serde_json::{Value, json};
use spare_key_server::http::CanopySettings;
use spare_key_tests::process::Reply;
use spare_key_tests::search::Needle;

use super::{Browser, PASSWORD, STRANGER, one_time_password_in};

const AUTH: &str = "/v1/identity/auth";

/// Asks with what is carried and with the cookies; `place` is the path as it may be known.
fn ask(
    browser: &mut Browser,
    (access, step_up): (&str, &str),
    (method, path, place): (&str, &str, &str),
    body: &Value,
) -> Reply {
    let cookies: Vec<_> = browser
        .jar
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let (cookies, bearer) = (cookies.join("; "), format!("Bearer {access}"));
    let headers = [
        ("cookie", cookies.as_str()),
        ("authorization", bearer.as_str()),
        ("x-mfa-step-up-token", step_up),
        ("content-type", "application/json"),
    ];
    let reply = browser.http.send(method, path, &headers, &body.to_string());
    let reply = reply.expect("an answer");
    browser.keep(place, &reply);
    for cookie in reply.headers("set-cookie") {
        let (name, rest) = cookie.split_once('=').expect("a cookie");
        let value = rest.split(';').next().unwrap_or_default();
        if !value.is_empty() {
            browser.needles.push(Needle::cookie(value));
            browser.jar.insert(name.to_owned(), value.to_owned());
        }
    }
    reply
}

/// A text in an answer that nobody else may know.
fn secret(browser: &mut Browser, reply: &Reply, name: &str) -> String {
    let json = reply.json();
    let challenge = &json["mfa_challenge"][name];
    let value = json[name].as_str().or(challenge.as_str());
    let value = value.unwrap_or_else(|| panic!("no {name}")).to_owned();
    // Behind the word that says what it is.
    let bare = value
        .split_once('_')
        .map_or(value.as_str(), |(_, bare)| bare);
    let needle = Needle::new(name, &[bare.to_owned()], None);
    browser.needles.push(needle);
    value
}

/// The whole of it, for somebody who has a factor and this code.
pub(super) fn story(browser: &mut Browser, code: &str) {
    let post = |browser: &mut Browser, carried: (&str, &str), name: &str, body: Value| {
        let path = format!("{AUTH}/{name}");
        ask(browser, carried, ("POST", &path, &path), &body)
    };
    let nobody = ("", "");
    let account = CanopySettings::default().account;
    let login =
        json!({ "account_slug": account, "email": "carol@example.com", "password": PASSWORD });
    let reply = post(browser, nobody, "login", login.clone()).expect(200);
    let challenge = secret(browser, &reply, "challenge_token");
    let recover = "mfa/challenge/recovery-code";
    for (typed, status) in [(STRANGER, 401), (&code[..17], 401), (code, 200)] {
        let body = json!({ "challenge_token": challenge, "code": typed });
        let reply = post(browser, nobody, recover, body).expect(status);
        if status == 200 {
            let access = secret(browser, &reply, "access_token");
            // It is no word with a word before it.
            browser
                .needles
                .push(Needle::new("access token", &[access], None));
        }
    }
    let reply = post(browser, nobody, "refresh", json!({})).expect(200);
    let access = reply.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    browser.needles.push(Needle::new(
        "access token",
        std::slice::from_ref(&access),
        None,
    ));
    let carried = (access.as_str(), "");
    let reply = post(browser, carried, "mfa/totp/enroll/start", json!({})).expect(200);
    let enrollment = secret(browser, &reply, "enrollment_token");
    let key = reply.json()["manual_entry_key"]
        .as_str()
        .expect("a key")
        .to_owned();
    browser.needles.push(Needle::secret(&key));
    // Three proofs without waiting: the steps before, at and after now.
    let otp = one_time_password_in(&key, -30);
    let body = json!({ "enrollment_token": enrollment, "code": otp, "label": "Phone" });
    post(browser, carried, "mfa/totp/enroll/verify", body).expect(200);
    let otp = one_time_password_in(&key, 0);
    let body = json!({ "factor": "totp", "code": otp });
    let reply = post(browser, carried, "mfa/step-up", body).expect(200);
    let step_up = secret(browser, &reply, "step_up_token");
    let regenerate = "mfa/recovery-codes/regenerate";
    let reply = post(browser, (&access, &step_up), regenerate, json!({})).expect(200);
    let codes: Vec<String> =
        serde_json::from_value(reply.json()["recovery_codes"].clone()).expect("codes");
    browser
        .needles
        .extend(codes.iter().map(|code| Needle::code(code)));
    post(browser, (&access, &step_up), regenerate, json!({})).expect(401);
    let reply = post(browser, nobody, "login", login).expect(200);
    let challenge = secret(browser, &reply, "challenge_token");
    let otp = one_time_password_in(&key, 30);
    let body = json!({ "challenge_token": challenge, "code": otp, "remember_device": true });
    post(browser, nobody, "mfa/challenge/totp", body).expect(200);

    // In places where none belongs.
    let device = browser.jar.values().next_back().expect("a cookie").clone();
    for stray in [&challenge, &step_up, &codes[0], &device, &key] {
        for (path, known) in [
            (format!("{AUTH}/{stray}"), AUTH),
            (format!("{AUTH}/mfa/factors/{stray}"), AUTH),
            (
                format!("{AUTH}/mfa/trusted-devices/{stray}?code={stray}"),
                AUTH,
            ),
            (
                format!("/portal/v1/accounts/{stray}/identities/{stray}/mfa"),
                "/portal",
            ),
        ] {
            for method in ["GET", "DELETE"] {
                let carried = (access.as_str(), stray.as_str());
                let reply = ask(browser, carried, (method, &path, known), &json!({}));
                assert!(reply.status >= 400, "{method} {known}");
            }
        }
        let body = json!({ "challenge_token": [stray], "code": [stray], "label": [stray], "factor": stray });
        for name in [
            recover,
            "mfa/challenge/totp",
            "mfa/step-up",
            "mfa/totp/enroll/verify",
            "login",
        ] {
            let reply = post(browser, (&access, stray), name, body.clone());
            assert!(reply.status >= 400, "{name}");
        }
        let reply = post(browser, (stray, stray), regenerate, json!({}));
        assert_eq!(reply.status, 401);
    }
}
