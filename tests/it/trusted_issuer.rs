//! People whose accounts live at another identity provider: here, a second Spare Key.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use spare_key_server::clock::{Clock as _, SystemClock};
use spare_key_server::dev::PASSWORD;
use spare_key_tests::process::{Http, Place, Reply, Server};
use totp_rs::{Builder, Secret};

const SCOPES: &str = "openid create:me:authentication_methods read:me:authentication_methods";

/// The six digits of now, or of a step beside it: each is accepted once, and none after a later.
fn digits(base32: &str, steps_on: i64) -> String {
    let raw = Secret::try_from_base32(base32).expect("a secret");
    let totp = Builder::new()
        .with_secret(raw)
        .build()
        .expect("a generator");
    let seconds = SystemClock.now().0.div_euclid(1_000) + 30 * steps_on;
    totp.generate(u64::try_from(seconds).expect("a time"))
        .to_string()
}

/// The provider: alice signs in there to a shop that calls the other server.
struct Provider {
    place: Place,
    server: Server,
    secret: String,
}

impl Provider {
    fn start() -> Self {
        let place = Place::default();
        let server = place.dev();
        Self {
            place,
            server,
            secret: String::new(),
        }
    }

    fn name(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// Lets the shop ask for tokens that are for `audience`.
    fn add_shop(&self, audience: &str) -> String {
        let grants = "password,mfa-otp";
        let added = self.place.run(&[
            "client",
            "add",
            "shop",
            "--grant",
            grants,
            "--audience",
            audience,
            "--json",
        ]);
        let added: Value = serde_json::from_str(&added).expect("a client");
        added["secret"].as_str().expect("a secret").to_owned()
    }

    fn token(&self, form: &[(&str, &str)]) -> Value {
        let body = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let reply = self
            .server
            .http()
            .send("POST", "/oauth/token", &headers, &body);
        reply.expect("an answer").json()
    }

    /// Signs alice in there with both factors; the access token.
    fn sign_in(&mut self, shop: &str, audience: &str, scope: &str, steps_on: i64) -> String {
        let client = [("client_id", "shop"), ("client_secret", shop)];
        let mut login = vec![
            ("grant_type", "password"),
            ("username", "alice@example.com"),
            ("password", PASSWORD),
            ("audience", audience),
            ("scope", scope),
        ];
        login.extend(client);
        let asked = self.token(&login);
        let mfa_token = asked["mfa_token"].as_str().expect("mfa_required");
        if self.secret.is_empty() {
            let bearer = format!("Bearer {mfa_token}");
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
            ];
            let body = r#"{"authenticator_types":["otp"]}"#;
            let reply = self
                .server
                .http()
                .send("POST", "/mfa/associate", &headers, body);
            let reply = reply.expect("an answer").expect(200).json();
            self.secret = reply["secret"].as_str().expect("a secret").to_owned();
        }
        let otp = digits(&self.secret, steps_on);
        let mut proof = vec![
            ("grant_type", "http://auth0.com/oauth/grant-type/mfa-otp"),
            ("mfa_token", mfa_token),
            ("otp", otp.as_str()),
        ];
        proof.extend(client);
        let granted = self.token(&proof);
        let token = granted["access_token"].as_str();
        token.unwrap_or_else(|| panic!("{granted}")).to_owned()
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// A browser: cookies, and where it is.
struct Browser {
    http: Http,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let cookie = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ");
        let mut all = vec![("accept", "text/html"), ("cookie", cookie.as_str())];
        all.extend(headers);
        let reply = self.http.send(method, path, &all, body).expect("an answer");
        let set: Vec<String> = reply.headers("set-cookie").map(str::to_owned).collect();
        for cookie in set {
            let (pair, _) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
            self.cookies.retain(|_, value| !value.is_empty());
        }
        reply
    }

    fn post(&mut self, path: &str, origin: &str, fields: &[(&str, &str)]) -> Reply {
        let body = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", origin),
        ];
        self.send("POST", path, &headers, &body)
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(after).map_or("", |(found, _)| found)
}

fn location(reply: &Reply) -> String {
    reply.header("location").expect("a way on").to_owned()
}

/// What the account API says to a token.
fn methods(http: Http, token: &str, method: &str, path: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    http.send(method, path, &headers, body).expect("an answer")
}

const METHODS: &str = "/me/v1/authentication-methods";

#[test]
fn people_of_a_trusted_issuer_keep_their_factors_and_codes_here() {
    let mut provider = Provider::start();
    let place = Place::default();
    let trusting = provider.name();
    let here = place.start(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--trust-issuer",
        &trusting,
    ]);
    let origin = format!("http://{}", here.address());
    let audience = format!("{origin}/me/");
    let shop = provider.add_shop(&audience);
    let token = provider.sign_in(&shop, &audience, SCOPES, 0);

    // The account appears with its first use, has nothing yet, and is nobody's of this server.
    let listed = methods(here.http(), &token, "GET", METHODS, "").expect(200);
    assert_eq!(listed.json(), json!({ "authentication_methods": [] }));
    let name = format!("http://{}|auth0|alice", provider.server.address());
    let accounts = place.run(&["account", "list", "--json"]);
    assert!(accounts.contains(&name), "{accounts}");
    assert!(accounts.contains("\"auth0|alice\""), "{accounts}");

    // Codes are never the only factor.
    let body = r#"{"type":"recovery-code"}"#;
    methods(here.http(), &token, "POST", METHODS, body).expect(409);

    // The provider's page sends the person here, where a factor is bound and codes are saved.
    let mut browser = Browser {
        http: here.http(),
        cookies: BTreeMap::new(),
    };
    let home = trusting.trim_end_matches('/');
    let entered = browser.post("/account/enter", home, &[("access_token", &token)]);
    let screen = location(&entered.expect(303));
    assert!(
        screen.starts_with("/u/mfa-otp-enrollment-qr?state="),
        "{screen}"
    );
    let page = browser.send("GET", &screen, &[], "").expect(200).text();
    let secret: String = between(&page, "<code class=\"secret\" translate=\"no\">", "</code>")
        .split(['<', '>'])
        .filter(|part| part.len() == 4 && *part != "span")
        .collect();
    let state = screen.rsplit('=').next().unwrap_or_default().to_owned();
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    let code = digits(&secret, 0);
    let fields = [("csrf", csrf.as_str()), ("state", &state), ("code", &code)];
    let screen = location(&browser.post(&screen, &origin, &fields).expect(303));
    assert!(
        screen.starts_with("/u/mfa-recovery-code-enrollment?"),
        "{screen}"
    );
    let page = browser.send("GET", &screen, &[], "").expect(200).text();
    let generation = between(&page, "name=\"generation\" value=\"", "\"").to_owned();
    let csrf = between(&page, "name=\"csrf\" value=\"", "\"").to_owned();
    let state = screen.rsplit('=').next().unwrap_or_default().to_owned();
    let fields = [
        ("csrf", csrf.as_str()),
        ("state", &state),
        ("generation", &generation),
        ("saved", "on"),
    ];
    let then = location(&browser.post(&screen, &origin, &fields).expect(303));
    assert_eq!(then, "/account");
    let account = browser.send("GET", "/account", &[], "").expect(200).text();
    assert!(account.contains(&name), "{account}");

    // By the API alone: a code in two steps, as the provider vouches for two factors just now.
    let staged = methods(here.http(), &token, "POST", METHODS, body).expect(202);
    let answer = staged.json();
    let session = json!({ "auth_session": answer["auth_session"] }).to_string();
    let at = location(&staged);
    let path = format!(
        "{}/verify",
        at.strip_prefix(&origin).expect("an absolute address")
    );
    methods(here.http(), &token, "POST", &path, &session).expect(201);
    let listed = methods(here.http(), &token, "GET", METHODS, "")
        .expect(200)
        .json();
    let kinds: Vec<_> = listed["authentication_methods"]
        .as_array()
        .expect("methods")
        .iter()
        .map(|method| method["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kinds, ["totp", "recovery-code"]);
}

#[test]
fn nothing_but_a_trusted_issuers_token_for_this_server_is_accepted() {
    let mut provider = Provider::start();
    let mut stranger = Provider::start();
    let place = Place::default();
    let trusting = provider.name();
    let here = place.start(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--trust-issuer",
        &trusting,
    ]);
    let audience = format!("http://{}/me/", here.address());
    let shop = provider.add_shop(&audience);
    let shop_secret = shop.clone();

    // One that is for this server and without the scope; one that is for the provider itself.
    let narrow = provider.sign_in(&shop, &audience, "openid", -1);
    methods(here.http(), &narrow, "GET", METHODS, "").expect(403);
    let own = format!("{trusting}userinfo");
    let other = provider.sign_in(&shop, &own, SCOPES, 0);
    methods(here.http(), &other, "GET", METHODS, "").expect(401);

    // Another Spare Key of the same name and people, which nobody trusts.
    let shop = stranger.add_shop(&audience);
    let foreign = stranger.sign_in(&shop, &audience, SCOPES, 0);
    methods(here.http(), &foreign, "GET", METHODS, "").expect(401);

    // Its words under the trusted name, and the trusted name's words under its signature.
    let parts: Vec<&str> = narrow.split('.').collect();
    let strange: Vec<&str> = foreign.split('.').collect();
    for forged in [
        format!("{}.{}.{}", parts[0], parts[1], strange[2]),
        format!("{}.{}.{}", strange[0], parts[1], strange[2]),
        format!("{}.{}.", parts[0], parts[1]),
    ] {
        methods(here.http(), &forged, "GET", METHODS, "").expect(401);
    }

    // Nor do strangers' pages sign a visitor in, nor the token of nobody.
    let mut browser = Browser {
        http: here.http(),
        cookies: BTreeMap::new(),
    };
    let good = provider.sign_in(&shop_secret, &audience, SCOPES, 1);
    for origin in ["https://evil.example", "null", "http://127.0.0.1"] {
        let refused = browser.post("/account/enter", origin, &[("access_token", &good)]);
        refused.expect(403);
    }
    let home = trusting.trim_end_matches('/').to_owned();
    for token in [foreign.as_str(), "nonsense", ""] {
        let refused = browser.post("/account/enter", &home, &[("access_token", token)]);
        refused.expect(403);
    }
    assert!(!browser.cookies.contains_key("spare-key-sign-in"));
}

#[test]
fn an_issuer_that_does_not_answer_lets_nobody_in_and_breaks_nothing() {
    let mut provider = Provider::start();
    let place = Place::default();
    let trusting = provider.name();
    let here = place.start(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--trust-issuer",
        &trusting,
    ]);
    let audience = format!("http://{}/me/", here.address());
    let shop = provider.add_shop(&audience);
    let token = provider.sign_in(&shop, &audience, SCOPES, 0);
    provider.server.kill();
    let reply = methods(here.http(), &token, "GET", METHODS, "").expect(503);
    assert_eq!(reply.header("retry-after"), Some("30"));
    here.http().get("/healthz").expect(200);
}
