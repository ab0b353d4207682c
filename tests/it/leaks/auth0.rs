//! The Auth0 dialect's part of the story: every kind of token, each shown in one answer, and then
//! offered in places where it does not belong.

use serde_json::{Value, json};
use spare_key_server::app::{App, Ingredients, StoreUrl};
use spare_key_server::clock::SystemClock;
use spare_key_server::domain::Policy;
use spare_key_server::entropy::SystemEntropy;
use spare_key_server::hasher::PoolSize;
use spare_key_server::http;
use spare_key_server::keyring::Keyring;
use spare_key_tests::auth0::{OTP_GRANT, RECOVERY_GRANT, form};
use spare_key_tests::process::{Place, Reply, Server};
use spare_key_tests::search::{Hay, Needle};

use super::{Browser, PASSWORD, one_time_password};

const APP: &str = "leak-app";
const MANAGER: &str = "leak-manager";
const USERS: &str = "/api/v2/users";
const METHODS: &str = "/me/v1/authentication-methods";

/// The programs, whose secrets nobody else knows, and how they prove themselves.
pub(super) fn add_programs(place: &Place) -> [(&'static str, String); 2] {
    let grants = "--grant=password,mfa-otp,mfa-recovery-code,refresh_token";
    let manages = "--scope=update:users,read:users,read:authentication_methods";
    let add = |id, more: &[&str]| {
        let store = "--store=sqlite:spare-key-data/spare-key.db";
        let keyring = "--keyring=spare-key-data/keyring.toml";
        let args = [&["client", "add", id, "--json", store, keyring], more].concat();
        let said: Value = serde_json::from_str(&place.run(&args)).expect("JSON");
        let secret = said["secret"].as_str().expect("a secret").to_owned();
        (id, secret)
    };
    [
        add(APP, &[grants]),
        add(MANAGER, &["--grant=client_credentials", manages]),
    ]
}

/// Somebody who walks through the dialect and remembers what nobody else may know.
struct Walk<'a> {
    browser: &'a mut Browser,
    programs: &'a [(&'static str, String); 2],
}

impl Walk<'_> {
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let reply = self.browser.http.send(method, path, headers, body);
        reply.expect("an answer")
    }

    /// An answer whose body is somebody's own: only its header is searched.
    fn own(&mut self, place: &str, reply: Reply) -> Reply {
        self.browser.keep(place, &reply);
        if reply.status >= 400 {
            self.browser.hay.pop();
        }
        reply
    }

    fn token(&mut self, program: usize, fields: &[(&str, &str)], status: u16) -> Reply {
        let (id, secret) = self.programs[program].clone();
        let mut all = vec![("client_id", id), ("client_secret", secret.as_str())];
        all.extend(fields);
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let reply = self.send("POST", "/oauth/token", &kind, &form(&all));
        let reply = reply.expect(status);
        if reply.text().contains("mfa_token\":") {
            self.own("/oauth/token", reply)
        } else {
            self.browser.keep("/oauth/token", &reply);
            reply
        }
    }

    /// With a bearer; `place` is the path as it may be known.
    fn bear(
        &mut self,
        token: &str,
        (method, path, place): (&str, &str, &str),
        body: &str,
    ) -> Reply {
        let authorization = format!("Bearer {token}");
        let mut headers = vec![("authorization", authorization.as_str())];
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let reply = self.send(method, path, &headers, body);
        self.browser.keep(place, &reply);
        reply
    }

    /// Remembers a member of an answer.
    fn note(&mut self, reply: &Reply, name: &str) -> String {
        let json = reply.json();
        let value = match &json[name] {
            Value::Array(values) => &values[0],
            value => value,
        };
        let value = value.as_str().unwrap_or_else(|| panic!("no {name}"));
        let needle = match name {
            "secret" => Needle::secret(value),
            "recovery_code" | "recovery_codes" => Needle::code(value),
            "access_token" | "id_token" => {
                let signature = value.rsplit('.').next().unwrap_or_default();
                let claims = value.split('.').nth(1).unwrap_or_default();
                let texts = [value, signature, claims].map(str::to_owned);
                Needle::new(name, &texts, None)
            }
            _ => Needle::new(name, &[value.to_owned()], None),
        };
        self.browser.needles.push(needle);
        value.to_owned()
    }

    fn sign_in(&mut self, more: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("grant_type", "password"),
            ("username", "bob@example.com"),
            ("password", PASSWORD),
        ];
        fields.extend(more);
        let reply = self.token(0, &fields, 403);
        self.note(&reply, "mfa_token")
    }

    fn prove(&mut self, mfa_token: &str, otp: &str, status: u16) -> Reply {
        let fields = [
            ("grant_type", OTP_GRANT),
            ("mfa_token", mfa_token),
            ("otp", otp),
        ];
        self.token(0, &fields, status)
    }

    fn recover(&mut self, mfa_token: &str, code: &str, status: u16) -> Reply {
        let fields = [
            ("grant_type", RECOVERY_GRANT),
            ("mfa_token", mfa_token),
            ("recovery_code", code),
        ];
        self.token(0, &fields, status)
    }
}

/// The whole of it, for an account that has nothing yet.
pub(super) fn story(
    server: &Server,
    browser: &mut Browser,
    programs: &[(&'static str, String); 2],
) {
    for (_, secret) in programs {
        let needle = Needle::new("client secret", std::slice::from_ref(secret), None);
        browser.needles.push(needle);
    }
    let mut walk = Walk { browser, programs };
    let issuer = "http://127.0.0.1:8080/";
    let me = format!("{issuer}me/");
    let scope = "openid profile email offline_access create:me:authentication_methods";
    let mfa_token = walk.sign_in(&[("audience", &me), ("scope", scope)]);
    let associate = ("POST", "/mfa/associate", "/mfa/associate");
    let body = json!({ "authenticator_types": ["otp"] }).to_string();
    let bound = walk.bear(&mfa_token, associate, &body).expect(200);
    let secret = walk.note(&bound, "secret");
    let first = walk.note(&bound, "recovery_codes");
    walk.prove(&mfa_token, "000000", 403);
    let otp = one_time_password(&secret);
    let reply = walk.prove(&mfa_token, &otp, 200);
    let access = walk.note(&reply, "access_token");
    let id = walk.note(&reply, "id_token");
    let refresh = walk.note(&reply, "refresh_token");
    let renew = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    let reply = walk.token(0, &renew, 200);
    walk.note(&reply, "access_token");

    let create = ("POST", METHODS, METHODS);
    let body = json!({ "type": "recovery-code" }).to_string();
    let begun = walk.bear(&access, create, &body).expect(202);
    let second = walk.note(&begun, "recovery_code");
    let session = walk.note(&begun, "auth_session");
    let id_of = begun.json()["id"]
        .as_str()
        .expect("a name")
        .replace('|', "%7C");
    let path = format!("{METHODS}/{id_of}/verify");
    let body = json!({ "auth_session": session }).to_string();
    walk.bear(&access, ("POST", &path, METHODS), &body)
        .expect(201);

    let again = walk.sign_in(&[]);
    walk.recover(&again, &first, 403);
    walk.recover(&again, &second[..23], 403);
    let reply = walk.recover(&again, &second, 200);
    let third = walk.note(&reply, "recovery_code");
    walk.note(&reply, "access_token");

    let audience = format!("{issuer}api/v2/");
    let fields = [
        ("grant_type", "client_credentials"),
        ("audience", &audience),
    ];
    let reply = walk.token(1, &fields, 200);
    let machine = walk.note(&reply, "access_token");
    let path = format!("{USERS}/auth0%7Cbob/recovery-code-regeneration");
    let reply = walk.bear(&machine, ("POST", &path, USERS), "").expect(200);
    let fourth = walk.note(&reply, "recovery_code");
    let path = format!("{USERS}/auth0%7Cbob/authentication-methods");
    walk.bear(&machine, ("GET", &path, USERS), "").expect(200);

    // In places where none belongs.
    let mut strays = vec![
        mfa_token.clone(),
        again,
        access,
        id,
        refresh,
        session,
        machine.clone(),
    ];
    strays.extend([third, fourth, programs[0].1.clone()]);
    for stray in &strays {
        let query = format!("?access_token={stray}&state={stray}");
        for (path, known) in [
            (format!("/userinfo{query}"), "/userinfo"),
            (format!("{USERS}{query}"), USERS),
            (format!("{METHODS}/{stray}/verify"), METHODS),
            (
                format!("/mfa/authenticators/{stray}"),
                "/mfa/authenticators",
            ),
            (format!("/nothing/{stray}"), "/nothing"),
        ] {
            let reply = walk.bear(stray, ("GET", &path, known), "");
            assert!(reply.status >= 400, "{known}");
        }
        let path = format!("{USERS}/{stray}");
        let reply = walk.bear(&machine, ("GET", &path, USERS), "");
        assert!(reply.status >= 400);
        for name in [
            "grant_type",
            "client_id",
            "mfa_token",
            "refresh_token",
            "scope",
        ] {
            let fields = [(name, stray.as_str()), ("grant_type", "refresh_token")];
            let kind = [("content-type", "application/x-www-form-urlencoded")];
            let reply = walk.send("POST", "/oauth/token", &kind, &form(&fields));
            assert!(reply.status >= 400);
            walk.browser.keep("/oauth/token", &reply);
        }
        let body = json!({ "authenticator_types": stray, "type": stray, "mfa_token": stray });
        for path in ["/mfa/associate", "/mfa/challenge", "/oauth/token", METHODS] {
            let reply = walk.bear(&mfa_token, ("POST", path, path), &body.to_string());
            assert!(reply.status >= 400, "{path}");
        }
    }
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ] {
        let text = server.http().get(path).expect(200).text();
        walk.browser.hay.push(Hay::new(path, text));
    }
}

/// The private part of every signing key, read with the keyring from the database that was left.
pub(super) fn signing_keys(place: &Place) -> Vec<Needle> {
    let keyring = Keyring::load(&place.data().join("keyring.toml")).expect("the keyring");
    let app = App::assemble(Ingredients {
        store: StoreUrl::Sqlite(place.database())
            .open()
            .expect("the database"),
        keyring: keyring.into(),
        clock: std::sync::Arc::new(SystemClock),
        entropy: std::sync::Arc::new(SystemEntropy),
        policy: Policy::standard(true),
        pool: PoolSize {
            workers: 1,
            admitted: 1,
        },
        http: http::Settings {
            issuer: "http://127.0.0.1:8080".to_owned(),
            pages: false,
            dev: false,
            trusted_proxies: Vec::new(),
            trusted_issuers: Vec::new(),
            theme: None,
            canopy: http::CanopySettings::default(),
        },
        courier: spare_key_server::notify::Courier::default(),
    })
    .expect("threads");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let keys = runtime.block_on(app.mfa().signing_keys()).expect("keys");
    keys.iter()
        .map(|key| {
            // Behind the modulus, which is public, comes what is not; where text is broken into
            // lines of 76, this part is within one.
            let private = key.pkcs8[399..444].to_vec();
            let text = data_encoding::BASE64.encode(&private);
            Needle::new("signing key", &[text], Some(private))
        })
        .collect()
}
