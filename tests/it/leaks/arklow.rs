//! The Arklow dialect's part of the story: keys, sessions, devices and codes, each shown in one
//! answer, and then offered in places where it does not belong.

use serde_json::{Value, json};
use spare_key_server::dev::TOTP_SECRET;
use spare_key_tests::process::Reply;
use spare_key_tests::search::Needle;

use super::{Browser, PASSWORD, STRANGER, one_time_password};

const SELF: &str = "/v1/self";

/// Asks with what is carried; `place` is the path as it may be known.
fn ask(
    browser: &mut Browser,
    carried: &str,
    (method, path, place): (&str, &str, &str),
    body: &Value,
) -> Reply {
    let headers = [
        ("x-arklow-auth", carried),
        ("content-type", "application/json"),
    ];
    let reply = browser.http.send(method, path, &headers, &body.to_string());
    let reply = reply.expect("an answer");
    browser.keep(place, &reply);
    reply
}

fn text(reply: &Reply, name: &str) -> String {
    let json = reply.json();
    let value = json["data"][name].as_str();
    value.unwrap_or_else(|| panic!("no {name}")).to_owned()
}

/// The codes in an answer, remembered.
fn codes(browser: &mut Browser, reply: &Reply) -> Vec<String> {
    let json = reply.json();
    let codes = json["data"]["backup_codes"].as_array().expect("codes");
    let codes: Vec<_> = codes
        .iter()
        .map(|code| code.as_str().expect("a code").to_owned())
        .collect();
    let needles = codes.iter().map(|code| Needle::code(code));
    browser.needles.extend(needles);
    codes
}

/// The whole of it, for the demo account that has a device and no codes.
/// Gives back a code that is still good.
pub(super) fn story(browser: &mut Browser) -> String {
    let post = |name: &str| format!("{SELF}/{name}");
    let at = |path: &str| ("POST", path.to_owned());
    let say = |browser: &mut Browser, carried: &str, (method, path): (&str, String), body| {
        ask(browser, carried, (method, &path, &path), &body)
    };
    let login = json!({ "email": "carol@example.com", "password": PASSWORD });
    let reply = say(browser, "", at(&post("login")), login).expect(200);
    let session = text(&reply, "session_token");
    let device = reply.json()["data"]["devices"][0]["id"].clone();
    browser
        .needles
        .push(Needle::new("session", &[session[4..].to_owned()], None));

    let otp = one_time_password(TOTP_SECRET);
    let proof = json!({ "device_id": device, "code": otp });
    let reply = say(browser, &session, at(&post("mfa/verify/totp")), proof).expect(200);
    assert_eq!(reply.json()["data"]["valid"], true);
    let which = json!({ "device_id": device });
    let regenerate = post("mfa/regenerate/totp");
    let reply = say(browser, &session, at(&regenerate), which.clone()).expect(200);
    let old = codes(browser, &reply);
    let reply = say(browser, &session, at(&regenerate), which).expect(200);
    let new = codes(browser, &reply);
    let backup = post("mfa/verify/totp/backup");
    for (code, valid) in [
        (new[0].as_str(), true),
        (&new[0], false),
        (&old[0], false),
        (STRANGER, false),
        (&new[1][..17], false),
    ] {
        let body = json!({ "device_id": device, "code": code });
        let reply = say(browser, &session, at(&backup), body).expect(200);
        assert_eq!(reply.json()["data"]["valid"], valid);
    }
    let keys = "/v1/orgs/1/keys/".to_owned();
    let reply = say(browser, &session, ("PUT", keys), json!({})).expect(200);
    let key = text(&reply, "material");
    browser
        .needles
        .push(Needle::new("API key", &[key[3..].to_owned()], None));
    let body = json!({ "name": "Phone" });
    let reply = say(browser, &session, at(&post("mfa/enroll/start")), body).expect(200);
    let uri = text(&reply, "provisioning_uri");
    let secret = super::between(&uri, "secret=", "&");
    browser.needles.push(Needle::secret(secret));

    // In places where none belongs.
    for stray in [&session, &key, &new[2], &old[1]] {
        for (path, known) in [
            (format!("{SELF}/{stray}"), SELF),
            (format!("{SELF}/mfa/?take={stray}"), SELF),
            (format!("/v1/orgs/{stray}/keys/{stray}"), "/v1/orgs"),
            (format!("/v1/orgs/1/keys/{stray}"), "/v1/orgs"),
        ] {
            for method in ["GET", "DELETE"] {
                let reply = ask(browser, &session, (method, &path, known), &json!({}));
                assert!(reply.status >= 400, "{method} {known}");
            }
        }
        let body = json!({ "device_id": stray, "code": [stray], "name": [stray] });
        for name in [
            "mfa/enroll/start",
            "mfa/enroll/confirm",
            "mfa/regenerate/totp",
        ] {
            let reply = say(browser, &session, at(&post(name)), body.clone());
            assert!(reply.status >= 400, "{name}");
        }
        let reply = ask(browser, &format!("{stray}x"), ("GET", SELF, SELF), &body);
        assert_eq!(reply.status, 401);
    }
    new[9].clone()
}
