//! A person's own program that uses the Arklow dialect, by an API key or a session.
//!
//! Every answer is held to the envelope, to the document that the dialect gives of itself, and
//! where the seed has a schema, to that.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spare_key_server::domain::{Caller, NewKey};

use crate::auth0::{PASSWORD, Person};
use crate::openapi::{fits, misfits, operations};
use crate::{Answer, App};

/// The answer of the seed's one operation.
const SEED: &str = include_str!("arklow/seed.json");

/// The operation of the seed.
pub const REGENERATE: &str = "/v1/self/mfa/regenerate/totp";

/// Of a list code's shape, valid by its check, and never issued.
pub const STRANGER: &str = "7777-7777-7777-777R";

/// A program with a credential, or without one.
#[derive(Debug, Clone)]
pub struct Arklow {
    app: App,
    /// What it carries; empty: nothing.
    pub credential: String,
    document: Arc<Value>,
}

/// A device that was enrolled or begun.
#[derive(Debug, Clone)]
pub struct Phone {
    /// Its number.
    pub id: String,
    /// Its secret in base32.
    pub secret: String,
    /// The codes that came with it.
    pub codes: Vec<String>,
}

impl App {
    /// A program with this credential.
    pub async fn arklow_with(&self, credential: &str) -> Arklow {
        let request = Request::get("/swagger/ui/json").body(Body::empty());
        let document = self.send(request.expect("a request")).await.expect(200);
        Arklow {
            app: self.clone(),
            credential: credential.to_owned(),
            document: document.json.into(),
        }
    }

    /// A program of this person, with an API key that was just made.
    pub async fn arklow(&self, person: &Person) -> Arklow {
        let administrator = Caller::administrator(person.account());
        let added = self.mfa().add_api_key(&administrator, NewKey::default());
        let (_, key) = added.await.expect("a key");
        self.arklow_with(key.reveal()).await
    }

    /// Somebody new, and a program of theirs.
    pub async fn arklow_person(&self, name: &str) -> (Person, Arklow) {
        let person = self.add_person(name).await;
        let program = self.arklow(&person).await;
        (person, program)
    }

    /// A program of this person, with a session that was just opened.
    pub async fn arklow_session(&self, person: &Person) -> Arklow {
        let mut program = self.arklow_with("").await;
        let answer = program.login(&person.login, PASSWORD).await.expect(200);
        program.credential = answer.data()["session_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        program
    }
}

impl Arklow {
    /// The beginning of a request, with the credential.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        if self.credential.is_empty() {
            return request;
        }
        request.header("x-arklow-auth", &self.credential)
    }

    /// Any request, with a JSON body or none.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method.clone(), path);
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json;charset=utf-8")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let request = request.expect("a request");
        self.send(&method, path, request).await
    }

    /// A request as it stands; the answer is held to what was promised of it.
    pub async fn send(&self, method: &Method, path: &str, request: Request<Body>) -> Answer {
        let answer = self.app.send(request).await;
        self.check(method, path, &answer);
        answer
    }

    #[track_caller]
    fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let said = format!("{method} {path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json", "{said}");
        assert_eq!(answer.header("cache-control"), "no-store", "{said}");
        let members = answer.json.as_object().expect("an envelope");
        assert_eq!(members.keys().collect::<Vec<_>>(), ["data", "errors"]);
        let (data, errors) = (&members["data"], &members["errors"]);
        if answer.status == 200 {
            assert!(data.is_object() && errors.is_null(), "{said}");
        } else {
            assert!(answer.status.as_u16() >= 400, "{said}");
            assert!(data.is_null(), "{said}");
            assert!(!errors.as_array().expect("errors").is_empty(), "{said}");
        }
        let seed: Value = serde_json::from_str(SEED).expect("JSON");
        let schema = match path {
            REGENERATE => &seed,
            _ => &json!({}),
        };
        assert_eq!(misfits(&seed, schema, &answer.json, path), [""; 0]);
        if let Some(device) = data.get("device") {
            let schema = seed.pointer("/properties/data/anyOf/0/properties/device");
            let misfits = misfits(&seed, schema.expect("a device"), device, "device");
            assert_eq!(misfits, [""; 0]);
        }
        let path = path.split('?').next().unwrap_or_default();
        let all = operations(&self.document);
        let Some(one) = all.iter().find(|one| {
            let same = one.method == method.as_str().to_ascii_lowercase();
            same && fits(&one.path, path)
        }) else {
            return;
        };
        let response = &one.operation["responses"][answer.status.as_str()];
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

    /// Signs somebody in.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.post("/v1/self/login", body).await
    }

    /// Begins with a device.
    pub async fn start(&self, name: &str) -> Answer {
        let body = json!({ "name": name, "device_type": "totp" });
        self.post("/v1/self/mfa/enroll/start", body).await
    }

    /// Begins with a device, and reads what the app and the person are shown.
    pub async fn begin(&self, name: &str) -> Phone {
        self.start(name).await.expect(200).phone()
    }

    /// Confirms a device.
    pub async fn confirm(&self, device: &str, otp: &str) -> Answer {
        let body = json!({ "device_id": device, "code": otp });
        self.post("/v1/self/mfa/enroll/confirm", body).await
    }

    /// Begins with a device and confirms it.
    pub async fn enroll(&self, name: &str) -> Phone {
        let phone = self.begin(name).await;
        let otp = self.app.next_otp(&phone.secret);
        self.confirm(&phone.id, &otp).await.expect(200);
        phone
    }

    /// Proves a device by these digits.
    pub async fn verify(&self, device: &str, otp: &str) -> Answer {
        let body = json!({ "device_id": device, "code": otp });
        self.post("/v1/self/mfa/verify/totp", body).await
    }

    /// Proves a device by its next one-time password.
    pub async fn prove(&self, phone: &Phone) {
        let otp = self.app.next_otp(&phone.secret);
        let answer = self.verify(&phone.id, &otp).await.expect(200);
        assert_eq!(answer.data()["valid"], true, "{}", answer.text());
    }

    /// Proves a backup code.
    pub async fn backup(&self, device: &str, code: &str) -> Answer {
        let body = json!({ "device_id": device, "code": code });
        self.post("/v1/self/mfa/verify/totp/backup", body).await
    }

    /// Whether a backup code is right; it is spent then.
    pub async fn takes(&self, device: &str, code: &str) -> bool {
        let answer = self.backup(device, code).await.expect(200);
        answer.data()["valid"].as_bool().expect("a word")
    }

    /// Makes new codes.
    pub async fn regenerate(&self, device: &str) -> Answer {
        self.post(REGENERATE, json!({ "device_id": device })).await
    }

    /// The same under an idempotency key.
    pub async fn regenerate_under(&self, key: &str, device: &str) -> Answer {
        let request = self
            .request(Method::POST, REGENERATE)
            .header("idempotency-key", key)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(json!({ "device_id": device }).to_string()));
        let request = request.expect("a request");
        self.send(&Method::POST, REGENERATE, request).await
    }

    /// Removes a device by this proof.
    pub async fn remove(&self, device: &str, code: &str) -> Answer {
        let body = json!({ "device_id": device, "verification_type": "totp", "code": code });
        self.ask(Method::DELETE, "/v1/self/mfa/remove", Some(body))
            .await
    }

    /// The list of devices; `query` with its question mark, or nothing.
    pub async fn devices(&self, query: &str) -> Answer {
        self.get(&format!("/v1/self/mfa/{query}")).await
    }

    /// Generation and codes left, as the list of devices has them.
    pub async fn left(&self) -> (u64, u64) {
        let answer = self.devices("").await.expect(200);
        let codes = &answer.data()["backup_codes"];
        let number = |name: &str| codes[name].as_u64().expect("a number");
        (number("generation"), number("remaining"))
    }
}

impl Answer {
    /// The data of the envelope.
    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// This answer, if it is this error; the test ends otherwise.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.json["errors"][0]["code"], code, "{}", answer.text());
        answer
    }

    /// The backup codes in it.
    #[track_caller]
    pub fn backup_codes(&self) -> Vec<String> {
        let codes = self.data()["backup_codes"].as_array().expect("codes");
        let codes = codes.iter().map(|code| code.as_str().expect("a code"));
        codes.map(str::to_owned).collect()
    }

    /// The device that was begun.
    #[track_caller]
    fn phone(&self) -> Phone {
        let data = self.data();
        let uri = data["provisioning_uri"].as_str().expect("an address");
        let (_, rest) = uri.split_once("secret=").expect("a secret");
        Phone {
            id: data["device"]["id"].as_str().expect("an id").to_owned(),
            secret: rest.split('&').next().unwrap_or_default().to_owned(),
            codes: self.backup_codes(),
        }
    }
}
