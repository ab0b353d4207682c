//! A person's browser, and an administrator's program, that use the Canopy dialect.
//!
//! It keeps cookies as a browser does. Every answer is held to the OpenAPI document, and where the
//! seed shows one, to that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{Method, Request};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use spare_key_server::dev;

use crate::auth0::{PASSWORD, Person};
use crate::openapi::{document, fits, misfits, operations};
use crate::{Answer, App};

/// The answer of the seed's one operation.
const SEED: &str = include_str!("canopy/seed.json");

/// Where everything of a person is.
pub const AUTH: &str = "/v1/identity/auth";

/// The operation of the seed.
pub const REGENERATE: &str = "/v1/identity/auth/mfa/recovery-codes/regenerate";

/// Of a list code's shape, valid by its check, and never issued.
pub const STRANGER: &str = "7777-7777-7777-777R";

/// A browser with its cookies, and with an access token or without.
#[derive(Debug, Clone)]
pub struct Canopy {
    app: App,
    /// The access token; empty: none.
    pub access: String,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
    document: Arc<Value>,
}

/// A factor that was enrolled.
#[derive(Debug, Clone)]
pub struct Enrolled {
    /// Its name.
    pub id: String,
    /// Its secret in base32.
    pub secret: String,
    /// The codes that came with it.
    pub codes: Vec<String>,
}

impl App {
    /// A browser that nobody is signed in with.
    pub async fn canopy(&self) -> Canopy {
        Canopy {
            app: self.clone(),
            access: String::new(),
            cookies: Arc::default(),
            document: document(self).await.into(),
        }
    }

    /// Somebody new, signed in by the password alone, with nothing enrolled yet.
    pub async fn canopy_person(&self, name: &str) -> (Person, Canopy) {
        let person = self.add_person(name).await;
        let mut browser = self.canopy().await;
        browser.sign_in(&person).await;
        (person, browser)
    }

    /// An administrator's program with every scope.
    pub async fn portal(&self) -> Canopy {
        let (id, secret) = dev::MANAGEMENT;
        let mut program = self.canopy().await;
        let body = json!({ "email": id, "password": secret });
        let answer = program.post("/v1/auth/login", body).await.expect(200);
        program.access = answer.text_of("access_token").to_owned();
        program
    }
}

impl Canopy {
    /// The same browser with this access token, or with none.
    pub fn with(&self, access: &str) -> Self {
        Self {
            access: access.to_owned(),
            ..self.clone()
        }
    }

    /// A cookie's value, if it is there.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.get(name).cloned()
    }

    /// Puts a cookie there.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Takes a cookie away, as somebody does who clears their browser.
    pub fn drop_cookie(&self, name: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.remove(name);
    }

    /// The beginning of a request, with the cookies and the access token.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("user-agent", "Mozilla/5.0 (a test)");
        {
            let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, value) in &*cookies {
                request = request.header(COOKIE, format!("{name}={value}"));
            }
        }
        if self.access.is_empty() {
            return request;
        }
        request.header("authorization", format!("Bearer {}", self.access))
    }

    /// Any request, with a JSON body or none.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.ask_with(method, path, &[], body).await
    }

    /// The same with more headers.
    pub async fn ask_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = self.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let request = request.expect("a request");
        self.send(&method, path, request).await
    }

    /// A request as it stands; cookies are kept, and the answer is held to what was promised of it.
    pub async fn send(&self, method: &Method, path: &str, request: Request<Body>) -> Answer {
        let answer = self.app.send(request).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("text");
            let (name, rest) = line.split_once('=').expect("a name");
            let value = rest.split(';').next().unwrap_or_default();
            for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
                assert!(rest.contains(part), "{line}");
            }
            match value {
                "" => self.drop_cookie(name),
                value => self.set_cookie(name, value),
            }
        }
        self.check(method, path, &answer);
        answer
    }

    #[track_caller]
    fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let said = format!("{method} {path}: {} {}", answer.status, answer.text());
        assert_eq!(answer.header("cache-control"), "no-store", "{said}");
        let path = path.split('?').next().unwrap_or_default();
        if answer.status.as_u16() >= 400 {
            let error = &answer.json["error"];
            assert_eq!(error["statusCode"], answer.status.as_u16(), "{said}");
            assert_eq!(error["method"], method.as_str(), "{said}");
            let told = error["path"].as_str().expect("a path");
            assert!(told == path || told.contains('…'), "{said}");
            assert!(
                error["code"]
                    .as_str()
                    .is_some_and(|code| code.contains('.'))
            );
        }
        if answer.status == 401 {
            assert!(
                answer.header("www-authenticate").starts_with("Bearer"),
                "{said}"
            );
        }
        if answer.status == 200 && path == REGENERATE {
            let seed: Value = serde_json::from_str(SEED).expect("JSON");
            assert_eq!(misfits(&seed, &seed, &answer.json, path), [""; 0]);
            let codes = answer.recovery_codes();
            assert_eq!(codes.len(), 10, "{said}");
            assert!(codes.iter().all(|code| is_formatted(code)), "{said}");
        }
        let all = operations(&self.document);
        let Some(one) = all.iter().find(|one| {
            let same = one.method == method.as_str().to_ascii_lowercase();
            same && fits(&one.path, path)
        }) else {
            return;
        };
        let response = &one.operation["responses"][answer.status.as_str()];
        assert!(response.is_object(), "not documented: {said}");
        if answer.status == 204 {
            assert!(answer.body.is_empty(), "{said}");
            return;
        }
        assert_eq!(answer.header("content-type"), "application/json", "{said}");
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "not documented: {said}");
        let misfits = misfits(&self.document, schema, &answer.json, path);
        assert_eq!(misfits, [""; 0], "{said}");
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Sends the password.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "account_slug": "dev", "email": email, "password": password });
        self.with("").post(&format!("{AUTH}/login"), body).await
    }

    /// Signs somebody in by the password alone.
    pub async fn sign_in(&mut self, person: &Person) -> Answer {
        let answer = self.login(&person.login, PASSWORD).await.expect(200);
        assert_eq!(answer.json["requires_mfa_challenge"], false);
        self.access = answer.text_of("access_token").to_owned();
        answer
    }

    /// Sends the password of somebody who has a factor: the challenge token.
    pub async fn challenged(&self, person: &Person) -> String {
        let answer = self.login(&person.login, PASSWORD).await.expect(200);
        assert_eq!(answer.json["requires_mfa_challenge"], true);
        let challenge = &answer.json["mfa_challenge"];
        challenge["challenge_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// Answers a challenge with a one-time password.
    pub async fn answer(&self, challenge: &str, otp: &str) -> Answer {
        let body = json!({ "challenge_token": challenge, "code": otp });
        let path = format!("{AUTH}/mfa/challenge/totp");
        self.with("").post(&path, body).await
    }

    /// The same, and the device is to be remembered.
    pub async fn answer_and_remember(&self, challenge: &str, otp: &str) -> Answer {
        let body = json!({ "challenge_token": challenge, "code": otp, "remember_device": true });
        let path = format!("{AUTH}/mfa/challenge/totp");
        self.with("").post(&path, body).await
    }

    /// Answers a challenge with a recovery code.
    pub async fn recover(&self, challenge: &str, code: &str) -> Answer {
        let body = json!({ "challenge_token": challenge, "code": code });
        let path = format!("{AUTH}/mfa/challenge/recovery-code");
        self.with("").post(&path, body).await
    }

    /// Whether a recovery code signs this person in; it is spent then.
    pub async fn takes(&self, person: &Person, code: &str) -> bool {
        let challenge = self.challenged(person).await;
        let answer = self.recover(&challenge, code).await;
        match answer.status.as_u16() {
            200 => true,
            _ => {
                answer.expect_canopy(401, "mfa.code_invalid");
                false
            }
        }
    }

    /// Signs somebody in by the password and the next one-time password.
    pub async fn sign_in_by_otp(&mut self, person: &Person, secret: &str) -> Answer {
        let challenge = self.challenged(person).await;
        let otp = self.app.next_otp(secret);
        let answer = self.answer(&challenge, &otp).await.expect(200);
        self.access = answer.text_of("access_token").to_owned();
        answer
    }

    /// Begins enrolling.
    pub async fn start(&self) -> Answer {
        let path = format!("{AUTH}/mfa/totp/enroll/start");
        self.ask(Method::POST, &path, None).await
    }

    /// Confirms what was begun.
    pub async fn verify(&self, token: &str, otp: &str, label: &str) -> Answer {
        self.verify_with(token, otp, label, &[]).await
    }

    /// The same with more headers.
    pub async fn verify_with(
        &self,
        token: &str,
        otp: &str,
        label: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = json!({ "enrollment_token": token, "code": otp, "label": label });
        let path = format!("{AUTH}/mfa/totp/enroll/verify");
        self.ask_with(Method::POST, &path, headers, Some(body))
            .await
    }

    /// Enrolls.
    pub async fn enroll(&self, label: &str) -> Enrolled {
        let begun = self.start().await.expect(200);
        let secret = begun.text_of("manual_entry_key").to_owned();
        let token = begun.text_of("enrollment_token");
        let otp = self.app.next_otp(&secret);
        let answer = self.verify(token, &otp, label).await.expect(200);
        Enrolled {
            id: answer.json["factor"]["id"]
                .as_str()
                .expect("an id")
                .to_owned(),
            secret,
            codes: answer.recovery_codes(),
        }
    }

    /// Proves a factor for one change.
    pub async fn step_up(&self, factor: &str, code: &str) -> Answer {
        let body = json!({ "factor": factor, "code": code });
        self.post(&format!("{AUTH}/mfa/step-up"), body).await
    }

    /// The token for one change, by the next one-time password.
    pub async fn stepped_up(&self, secret: &str) -> String {
        let otp = self.app.next_otp(secret);
        let answer = self.step_up("totp", &otp).await.expect(200);
        answer.text_of("step_up_token").to_owned()
    }

    /// Makes new codes by this step-up token.
    pub async fn regenerate(&self, step_up: &str) -> Answer {
        self.regenerate_with(&[("x-mfa-step-up-token", step_up)])
            .await
    }

    /// The same with these headers.
    pub async fn regenerate_with(&self, headers: &[(&str, &str)]) -> Answer {
        self.ask_with(Method::POST, REGENERATE, headers, None).await
    }

    /// Removes a factor by this step-up token.
    pub async fn remove(&self, factor: &str, step_up: &str) -> Answer {
        let path = format!("{AUTH}/mfa/factors/{factor}");
        let headers = [("X-MFA-Step-Up-Token", step_up)];
        self.ask_with(Method::DELETE, &path, &headers, None).await
    }

    /// The list of factors.
    pub async fn factors(&self) -> Answer {
        self.get(&format!("{AUTH}/mfa/factors")).await
    }

    /// Generation and codes left, as the list of factors has them.
    pub async fn left(&self) -> (u64, u64) {
        let answer = self.factors().await.expect(200);
        let codes = &answer.json["recovery_codes"];
        let number = |name: &str| codes[name].as_u64().expect("a number");
        (number("generation"), number("remaining"))
    }

    /// The trusted devices.
    pub async fn devices(&self) -> Vec<Value> {
        let answer = self.get(&format!("{AUTH}/mfa/trusted-devices")).await;
        answer.expect(200).json["items"]
            .as_array()
            .expect("items")
            .clone()
    }

    /// What the portal sees of a person's factors.
    pub async fn summary(&self, person: &Person) -> Answer {
        self.get(&portal_path(person, "")).await
    }

    /// Takes every factor from a person, through the portal.
    pub async fn reset(&self, person: &Person) -> Answer {
        self.ask(Method::POST, &portal_path(person, "/reset"), None)
            .await
    }

    /// Changes how people sign in, through the portal.
    pub async fn patch_environment(&self, body: Value) -> Answer {
        self.ask(Method::PATCH, ENVIRONMENT, Some(body)).await
    }

    /// What the access token says.
    pub fn claims(&self) -> Value {
        let payload = self.access.split('.').nth(1).expect("a payload");
        let bytes = BASE64URL_NOPAD.decode(payload.as_bytes()).expect("base64");
        serde_json::from_slice(&bytes).expect("JSON")
    }
}

/// The one environment of the demo tenant.
pub const ENVIRONMENT: &str =
    "/portal/v1/accounts/dev/applications/dev-app/environments/development";

/// Where the portal has a person's factors.
pub fn portal_path(person: &Person, rest: &str) -> String {
    let id = person.account().uuid();
    format!("/portal/v1/accounts/dev/identities/{id}/mfa{rest}")
}

impl Answer {
    /// This answer, if it is this error; the test ends otherwise.
    #[track_caller]
    pub fn expect_canopy(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.json["error"]["code"], code, "{}", answer.text());
        answer
    }

    /// The recovery codes in it; none where they are null.
    #[track_caller]
    pub fn recovery_codes(&self) -> Vec<String> {
        let codes = self.json["recovery_codes"].as_array().into_iter().flatten();
        codes
            .map(|code| code.as_str().expect("a code").to_owned())
            .collect()
    }

    /// Attempts left, as an error has them.
    #[track_caller]
    pub fn canopy_tries_left(&self) -> u64 {
        let left = &self.json["error"]["details"]["tries_left"];
        left.as_u64().expect("a number")
    }
}

/// `XXXX-XXXX-XXXX-XXXX`, as the seed shows codes.
fn is_formatted(code: &str) -> bool {
    let groups: Vec<_> = code.split('-').collect();
    let is_symbol = |c: u8| c.is_ascii_uppercase() || (b'2'..=b'7').contains(&c);
    groups.len() == 4
        && groups
            .iter()
            .all(|group| group.len() == 4 && group.bytes().all(is_symbol))
}
