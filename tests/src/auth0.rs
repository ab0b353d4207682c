//! A program that uses the Auth0 dialect, and the people who sign in to it: a method a grant and an
//! endpoint, over the real router.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use serde_json::{Map, Value, json};
use spare_key_server::dev;
use spare_key_server::domain::{Caller, Grant, NewClient, NewPerson, Secrecy};
use spare_key_server::model::{AccountId, Millis, Token};
use totp_rs::{Builder, Secret};

use crate::native::encoded;
use crate::{Answer, App};

/// The issuer's name in tokens.
pub const ISSUER: &str = "http://127.0.0.1:8080/";

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// The grant that takes a one-time password.
pub const OTP_GRANT: &str = "http://auth0.com/oauth/grant-type/mfa-otp";

/// The grant that takes a recovery code.
pub const RECOVERY_GRANT: &str = "http://auth0.com/oauth/grant-type/mfa-recovery-code";

/// Of a single code's shape, valid by its check, and never issued.
pub const STRANGER: &str = "KZ3MQ7TBWJ5RHXYNABCDEFGW";

/// Names an API of this server as an audience.
pub fn api(path: &str) -> String {
    format!("{ISSUER}{path}")
}

/// Somebody with a password, and perhaps more.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub id: String,
    /// What they sign in with.
    pub login: String,
    /// The authenticator's secret in base32; empty without one.
    pub secret: String,
    /// The recovery code; empty without one.
    pub code: String,
}

impl Person {
    /// Where the management API has the account, and what follows it.
    pub fn at(&self, rest: &str) -> String {
        format!("/api/v2/users/{}{rest}", encoded(&self.id))
    }

    /// The account for the use cases.
    pub fn account(&self) -> AccountId {
        AccountId::parse(&self.id).expect("an identifier")
    }
}

impl App {
    /// The demo tenant's application, which keeps a secret.
    pub fn program(&self) -> Program {
        let (id, secret) = dev::APP;
        self.program_named(id, Some(secret))
    }

    /// The demo tenant's application in a browser, which keeps none.
    pub fn page_program(&self) -> Program {
        self.program_named(dev::SPA, None)
    }

    /// A program with these credentials.
    pub fn program_named(&self, id: &str, secret: Option<&str>) -> Program {
        Program {
            app: self.clone(),
            id: id.to_owned(),
            secret: secret.map(str::to_owned),
        }
    }

    /// Adds a program that people sign in to; its secret is its name.
    pub async fn add_program(&self, id: &str, audiences: &[&str], origins: &[&str]) -> Program {
        let client = NewClient {
            id: id.to_owned(),
            name: id.to_owned(),
            grants: Grant::PEOPLE.to_vec(),
            audiences: audiences.iter().map(|&name| name.to_owned()).collect(),
            origins: origins.iter().map(|&name| name.to_owned()).collect(),
            secrecy: Secrecy::Given(Token::presented(id)),
            ..NewClient::default()
        };
        self.mfa().add_client(client).await.expect("a client");
        self.program_named(id, Some(id))
    }

    /// Somebody who bears this token.
    pub fn bearer(&self, token: &str) -> Bearer {
        Bearer {
            app: self.clone(),
            token: token.to_owned(),
        }
    }

    /// The demo tenant's manager, with every scope.
    pub async fn manager(&self) -> Bearer {
        let (id, secret) = dev::MANAGEMENT;
        let program = self.program_named(id, Some(secret));
        let answer = program.machine().await.expect(200);
        self.bearer(answer.text_of("access_token"))
    }

    /// Adds somebody with a password and nothing else.
    pub async fn add_person(&self, name: &str) -> Person {
        let person = Person {
            id: format!("auth0|{name}"),
            login: format!("{name}@example.com"),
            secret: String::new(),
            code: String::new(),
        };
        let new = NewPerson {
            id: person.account(),
            login: person.login.clone(),
            password: PASSWORD.to_owned().into(),
        };
        let administrator = Caller::administrator(person.account());
        let added = self.mfa().add_person(&administrator, new).await;
        added.expect("a person");
        person
    }

    /// Adds somebody who has an authenticator and a recovery code, as a program enrolls people.
    pub async fn enrolled(&self, name: &str) -> Person {
        let person = self.add_person(name).await;
        let program = self.program();
        let mfa_token = program.mfa_token(&person, &[]).await;
        let answer = self.bearer(&mfa_token).associate().await.expect(200);
        let enrolled = Person {
            secret: answer.text_of("secret").to_owned(),
            code: answer.json["recovery_codes"][0]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            ..person
        };
        let otp = self.next_otp(&enrolled.secret);
        program.otp(&mfa_token, &otp).await.expect(200);
        enrolled
    }

    /// The next one-time password of this secret: time goes on until there is a new one.
    pub fn next_otp(&self, secret: &str) -> String {
        self.clock.advance(Millis::seconds(30));
        self.otp(secret)
    }

    /// The one-time password of now.
    pub fn otp(&self, secret: &str) -> String {
        let raw = BASE32_NOPAD.decode(secret.as_bytes()).expect("base32");
        let totp = Builder::new().with_secret(Secret::new(raw.into())).build();
        let seconds = u64::try_from(self.now().0 / 1_000).expect("a time");
        totp.expect("a generator").generate(seconds).to_string()
    }

    /// Switches recovery codes.
    pub async fn switch_codes(&self, on: bool) {
        let manager = self.manager().await;
        let path = "/api/v2/guardian/factors/recovery-code";
        let answer = manager.put(path, json!({ "enabled": on })).await;
        assert_eq!(answer.expect(200).json, json!({ "enabled": on }));
    }

    /// Says who must prove a second factor.
    pub async fn set_policies(&self, policies: Value) {
        let manager = self.manager().await;
        let path = "/api/v2/guardian/policies";
        manager.put(path, policies).await.expect(200);
    }
}

/// A program that asks for tokens.
#[derive(Debug, Clone)]
pub struct Program {
    app: App,
    /// Its identifier.
    pub id: String,
    secret: Option<String>,
}

impl Program {
    /// Asks for tokens by a form, with the program's own credentials before the fields.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("client_id", self.id.as_str())];
        all.extend(
            self.secret
                .iter()
                .map(|one| ("client_secret", one.as_str())),
        );
        all.extend(fields);
        self.send("application/x-www-form-urlencoded", form(&all))
            .await
    }

    /// The same as JSON.
    pub async fn token_json(&self, mut body: Value) -> Answer {
        body["client_id"] = json!(self.id);
        if let Some(secret) = &self.secret {
            body["client_secret"] = json!(secret);
        }
        self.send("application/json", body.to_string()).await
    }

    async fn send(&self, kind: &str, body: String) -> Answer {
        let request = Request::post("/oauth/token")
            .header(CONTENT_TYPE, kind)
            .body(Body::from(body));
        self.app.send(request.expect("a request")).await
    }

    /// The program's own token for managing.
    pub async fn machine(&self) -> Answer {
        let audience = api("api/v2/");
        self.token(&[
            ("grant_type", "client_credentials"),
            ("audience", &audience),
        ])
        .await
    }

    /// Signs somebody in by the password, with what else is asked.
    pub async fn sign_in(&self, person: &Person, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("grant_type", "password"),
            ("username", &person.login),
            ("password", PASSWORD),
        ];
        fields.extend(more);
        self.token(&fields).await
    }

    /// The `mfa_token` of a sign-in.
    pub async fn mfa_token(&self, person: &Person, more: &[(&str, &str)]) -> String {
        let answer = self.sign_in(person, more).await;
        let answer =
            answer.expect_oauth(403, "mfa_required", "Multifactor authentication required");
        answer.text_of("mfa_token").to_owned()
    }

    /// Goes on with a one-time password.
    pub async fn otp(&self, mfa_token: &str, otp: &str) -> Answer {
        self.token(&[
            ("grant_type", OTP_GRANT),
            ("mfa_token", mfa_token),
            ("otp", otp),
        ])
        .await
    }

    /// Goes on with a recovery code.
    pub async fn recover(&self, mfa_token: &str, code: &str) -> Answer {
        self.token(&[
            ("grant_type", RECOVERY_GRANT),
            ("mfa_token", mfa_token),
            ("recovery_code", code),
        ])
        .await
    }

    /// A whole sign-in with a recovery code.
    pub async fn sign_in_by_code(&self, person: &Person, code: &str) -> Answer {
        let mfa_token = self.mfa_token(person, &[]).await;
        self.recover(&mfa_token, code).await
    }

    /// A whole sign-in with a one-time password, with what else is asked.
    pub async fn sign_in_by_otp(&self, person: &Person, more: &[(&str, &str)]) -> Answer {
        let mfa_token = self.mfa_token(person, more).await;
        let otp = self.app.next_otp(&person.secret);
        self.otp(&mfa_token, &otp).await
    }

    /// An access token of somebody for an API here, by a one-time password.
    pub async fn access(&self, person: &Person, path: &str, scope: &str) -> Bearer {
        let audience = api(path);
        let more = [("audience", audience.as_str()), ("scope", scope)];
        let answer = self.sign_in_by_otp(person, &more).await.expect(200);
        self.app.bearer(answer.text_of("access_token"))
    }

    /// New tokens for a refresh token, with what else is asked.
    pub async fn refresh(&self, token: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        fields.extend(more);
        self.token(&fields).await
    }

    /// Asks for a challenge.
    pub async fn challenge(&self, mfa_token: &str, kinds: &str) -> Answer {
        let mut body = Map::new();
        body.insert("mfa_token".to_owned(), json!(mfa_token));
        body.insert("client_id".to_owned(), json!(self.id));
        body.insert("challenge_type".to_owned(), json!(kinds));
        if let Some(secret) = &self.secret {
            body.insert("client_secret".to_owned(), json!(secret));
        }
        let request = Request::post("/mfa/challenge")
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(Value::Object(body).to_string()));
        self.app.send(request.expect("a request")).await
    }
}

/// Somebody who bears a token: a person, or a program that manages.
#[derive(Debug, Clone)]
pub struct Bearer {
    app: App,
    /// The token.
    pub token: String,
}

impl Bearer {
    /// Any request, with a JSON body or none.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.app.send(request.expect("a request")).await
    }

    /// The beginning of a request, with the token.
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Puts JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    /// Begins binding an authenticator.
    pub async fn associate(&self) -> Answer {
        let body = json!({ "authenticator_types": ["otp"] });
        self.post("/mfa/associate", body).await
    }

    /// The authenticators, each as its type and whether it is active.
    pub async fn authenticators(&self) -> Vec<(String, bool)> {
        let answer = self.get("/mfa/authenticators").await.expect(200);
        let lines = answer.json.as_array().expect("a list").clone();
        let mut all: Vec<_> = lines
            .iter()
            .map(|line| {
                let kind = line["authenticator_type"].as_str().expect("a type");
                assert_eq!(line["type"], kind);
                (kind.to_owned(), line["active"].as_bool().expect("a word"))
            })
            .collect();
        all.sort();
        all
    }

    /// Makes a new recovery code for somebody.
    pub async fn regenerate(&self, person: &Person) -> Answer {
        let path = person.at("/recovery-code-regeneration");
        self.ask(Method::POST, &path, None).await
    }

    /// The same under an idempotency key.
    pub async fn regenerate_under(&self, key: &str, person: &Person) -> Answer {
        let request = self
            .request(Method::POST, &person.at("/recovery-code-regeneration"))
            .header("idempotency-key", key)
            .body(Body::empty());
        self.app.send(request.expect("a request")).await
    }
}

impl Answer {
    /// A text in it, by its name; the test ends where there is none.
    #[track_caller]
    pub fn text_of(&self, name: &str) -> &str {
        let Some(text) = self.json[name].as_str() else {
            panic!("no {name} in {}", self.text());
        };
        text
    }

    /// This answer, if it is this error of the token endpoint or of the MFA API.
    #[track_caller]
    pub fn expect_oauth(self, status: u16, error: &str, description: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/json");
        let said = (&answer.json["error"], &answer.json["error_description"]);
        assert_eq!(said, (&json!(error), &json!(description)));
        answer
    }

    /// This answer, if it is this error of the management API.
    #[track_caller]
    pub fn expect_management(self, status: u16, code: Option<&str>, message: &str) -> Self {
        let answer = self.expect(status);
        let kind = answer.header("content-type");
        assert_eq!(kind, "application/json; charset=utf-8");
        assert_eq!(answer.json["statusCode"], status);
        let reason = answer.status.canonical_reason().unwrap_or_default();
        assert_eq!(answer.json["error"], reason);
        assert_eq!(answer.json["errorCode"].as_str(), code);
        assert_eq!(answer.json["message"], message);
        answer
    }

    /// This answer, if it is this error of the account API.
    #[track_caller]
    pub fn expect_account(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json["status"], status);
        let kind = answer.text_of("type");
        assert_eq!(kind, format!("https://auth0.com/api-errors#{code}"));
        answer
    }

    /// The claims of a token in it, unchecked.
    #[track_caller]
    pub fn claims(&self, name: &str) -> Value {
        part(self.text_of(name), 1)
    }
}

/// A part of a signed token as JSON: 0 its header, 1 its claims.
#[track_caller]
pub fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("a part");
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// Fields as a form.
pub fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}
