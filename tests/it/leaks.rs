//! No code, secret, cookie or password is where it should not be: the whole story is told to a
//! production server that logs everything, and then everything it left behind is searched.
//!
//! The search is shown to find what is there, in every form that it looks for.

mod arklow;
mod auth0;
mod canopy;

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::{BASE32_NOPAD, BASE64};
use serde_json::json;
use spare_key_server::clock::{Clock as _, SystemClock};
use spare_key_tests::HOST;
use spare_key_tests::process::{Http, Place, Reply, Server, at_once};
use spare_key_tests::search::{Hay, Needle, code_shapes, search};
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "correct horse battery staple";
const WRONG_PASSWORD: &str = "a wrong password, typed by mistake";

/// Valid by its check and never issued; typed all the same.
const STRANGER: &str = "QRST-UVWX-YZ23-4567";

/// Every file of a folder but the keyring.
fn files(folder: &Path, when: &str) -> Vec<Hay> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| !path.ends_with("keyring.toml"))
        .map(|path| {
            let bytes = std::fs::read(&path).expect("a file");
            Hay::new(&format!("{} {when}", path.display()), bytes)
        })
        .collect()
}

/// Somebody with a browser that runs no scripts, who remembers what nobody else may know.
struct Browser {
    http: Http,
    jar: BTreeMap<String, String>,
    /// The name of the transaction it is in.
    state: String,
    needles: Vec<Needle>,
    hay: Vec<Hay>,
}

impl Browser {
    fn new(http: Http) -> Self {
        Self {
            http,
            jar: BTreeMap::new(),
            state: String::new(),
            needles: Vec::new(),
            hay: Vec::new(),
        }
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let cookies: Vec<_> = self.jar.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let cookies = cookies.join("; ");
        let headers = [
            ("cookie", cookies.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let reply = self.http.send(method, path, &headers, body);
        let reply = reply.expect("an answer");
        self.keep(path, &reply);
        for cookie in reply.headers("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').expect("a cookie");
            let (name, value) = pair.split_once('=').expect("a cookie");
            if value.is_empty() || attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.needles.push(Needle::cookie(value));
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// Addresses, header fields and errors hold nothing, whoever may see the answer itself.
    fn keep(&mut self, path: &str, reply: &Reply) {
        let head: Vec<_> = reply
            .head
            .lines()
            .filter(|line| !line.to_lowercase().starts_with("set-cookie:"))
            .collect();
        let head = format!("{path}\n{}", head.join("\n"));
        self.hay
            .push(Hay::new(&format!("the header of {path}"), head));
        if reply.status >= 400 {
            let place = format!("the error of {path}");
            self.hay.push(Hay::new(&place, reply.body.clone()));
        }
    }

    /// A page: a screen of this transaction, and the first screen begins one.
    fn get(&mut self, path: &str) -> String {
        if path == "/u/login" {
            self.state.clear();
            let reply = self.send("GET", path, "").expect(303);
            self.follow(&reply);
        }
        let address = self.address(path);
        self.send("GET", &address, "").expect(200).text()
    }

    /// A path; a screen's with the name of its transaction.
    fn address(&self, path: &str) -> String {
        if path.starts_with("/u/") {
            format!("{path}?state={}", self.state)
        } else {
            path.to_owned()
        }
    }

    /// Where an answer leads, whose transaction is this one from here on.
    fn follow(&mut self, reply: &Reply) -> String {
        let location = reply.header("location").expect("a way on");
        let (path, state) = location
            .split_once("?state=")
            .unwrap_or((location, &self.state));
        let path = path.to_owned();
        self.state = state.to_owned();
        path
    }

    /// Fills in the form of the page at `on` and sends it to `to`.
    fn post(&mut self, on: &str, to: &str, fields: &[(&str, &str)]) -> Reply {
        let page = self.get(on);
        let csrf = between(&page, "name=\"csrf\" value=\"", "\"");
        let mut body = format!("csrf={csrf}&state={}", self.state);
        for (name, value) in fields {
            let value = value
                .replace('@', "%40")
                .replace(' ', "+")
                .replace(',', "%2C");
            body.push_str(&format!("&{name}={value}"));
        }
        let address = self.address(to);
        self.send("POST", &address, &body)
    }

    /// The same, where it leads on to `then`.
    fn pass(&mut self, on: &str, to: &str, fields: &[(&str, &str)], then: &str) {
        let reply = self.post(on, to, fields).expect(303);
        assert_eq!(self.follow(&reply), then);
    }

    fn sign_in(&mut self, then: &str) {
        let fields = [("username", "alice@example.com"), ("password", PASSWORD)];
        self.pass("/u/login", "/u/login", &fields, then);
    }

    fn sign_out(&mut self) {
        self.post("/account", "/account/sign-out", &[]).expect(200);
        assert!(!self.jar.contains_key("spare-key"));
    }

    /// Binds the authenticator that the page offers.
    fn bind(&mut self, then: &str) {
        const PAGE: &str = "/u/mfa-otp-enrollment-qr";
        let page = self.get(PAGE);
        let secret = between(&page, "<code class=\"secret\" translate=\"no\">", "</code>");
        let secret: String = secret
            .split(['<', '>'])
            .filter(|part| part.len() == 4 && *part != "span")
            .collect();
        self.needles.push(Needle::secret(&secret));
        let code = one_time_password(&secret);
        self.pass(PAGE, PAGE, &[("code", &code)], then);
    }

    /// Saves the codes that the page shows: downloads them and says so.
    fn save(&mut self, on: &str) -> Vec<String> {
        let page = self.get(on);
        let list = between(&page, "<ol", "</ol>");
        let codes: Vec<String> = list
            .split("<code>")
            .skip(1)
            .filter_map(|rest| rest.get(..19).map(str::to_owned))
            .collect();
        assert_eq!(codes.len(), 10, "{page}");
        self.needles
            .extend(codes.iter().map(|code| Needle::code(code)));
        let file = self.post(on, &format!("{on}/download"), &[]).expect(200);
        assert!(codes.iter().all(|code| file.text().contains(code)));
        let generation = between(&page, "name=\"generation\" value=\"", "\"").to_owned();
        // Without the tick the page comes again, codes and all, to the same person.
        self.post(on, on, &[("generation", &generation)])
            .expect(422);
        self.hay.pop();
        let fields = [("generation", generation.as_str()), ("saved", "on")];
        self.pass(on, on, &fields, "/account");
        codes
    }

    /// The whole life of a person's codes.
    fn story(&mut self) {
        const OTP: &str = "/u/mfa-otp-challenge";
        const CODE: &str = "/u/mfa-recovery-code-challenge";
        let fields = [
            ("username", "alice@example.com"),
            ("password", WRONG_PASSWORD),
        ];
        let wrong = self.post("/u/login", "/u/login", &fields);
        assert!(wrong.status >= 400);
        self.sign_in("/u/mfa-otp-enrollment-qr");
        self.bind("/u/mfa-recovery-code-enrollment");
        let codes = self.save("/u/mfa-recovery-code-enrollment");
        self.sign_out();

        self.sign_in(OTP);
        for wrong in [STRANGER, &STRANGER[..12], &codes[2][..17]] {
            assert!(self.post(CODE, CODE, &[("code", wrong)]).status >= 400);
        }
        self.pass(CODE, CODE, &[("code", &codes[0])], "/u/after-recovery");
        let fields = [("action", "replace-authenticator")];
        let after = "/u/after-recovery";
        self.pass(after, after, &fields, "/u/mfa-otp-enrollment-qr");
        self.bind("/account");
        self.pass(
            "/account/regenerate",
            "/account/regenerate",
            &[],
            "/account/codes",
        );
        self.save("/account/codes");
        self.get("/account");
        self.sign_out();

        self.sign_in(OTP);
        // Of the sheet before: superseded.
        assert!(self.post(CODE, CODE, &[("code", &codes[1])]).status >= 400);
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect(start);
    rest.split_once(end).expect(end).0
}

fn one_time_password(secret: &str) -> String {
    one_time_password_in(secret, 0)
}

/// That of so many seconds later, or earlier.
fn one_time_password_in(secret: &str, later: i64) -> String {
    let raw = BASE32_NOPAD.decode(secret.as_bytes()).expect("base32");
    let totp = Builder::new().with_secret(Secret::new(raw.into()));
    let seconds = SystemClock.now().0 / 1_000 + later;
    let totp = totp.build().expect("a generator");
    totp.generate(u64::try_from(seconds).expect("a time"))
        .to_string()
}

/// The native dialect's part: every way in which it hands codes out and takes them.
fn host_story(server: &Server, browser: &mut Browser) {
    const WHO: &str = "a-host-s-account";
    let host = server.host();
    let mut keep = |answer: std::io::Result<Reply>, status| {
        let answer = answer.expect("an answer").expect(status);
        let codes = answer.codes();
        browser
            .needles
            .extend(codes.iter().map(|code| Needle::code(code)));
        browser.keep("/recovery/v1", &answer);
        answer
    };
    let codes = keep(host.stage(WHO), 201).codes();
    assert_eq!(keep(host.show(WHO), 200).codes(), codes);
    keep(host.activate(WHO, 1), 200);
    keep(host.redeem(WHO, &codes[0]), 200);
    keep(host.redeem(WHO, &codes[0]), 403);
    keep(host.redeem(WHO, STRANGER), 403);
    keep(host.redeem(WHO, &codes[1][..10]), 422);
    let body = at_once();
    let first = keep(host.regenerate(WHO, "key", &body), 201).codes();
    assert_eq!(keep(host.regenerate(WHO, "key", &body), 201).codes(), first);
    // In places where no code belongs.
    let body = json!({ "code": first[1], "proof": {}, "unknown": first[2] }).to_string();
    keep(host.ask("POST", WHO, "/redeem", &[], &body), 400);
    keep(host.ask("POST", WHO, "/redeem", &[], &first[3]), 400);
    keep(host.ask("GET", WHO, "/events", &[], ""), 200);
    keep(host.ask("DELETE", WHO, "/batches", &[], ""), 204);
}

/// Rows S16, S22, A-10, A-13, A-20, A-28.
#[test]
fn nothing_secret_is_in_database_log_metrics_description_headers_or_errors() {
    let place = Place::default();
    // The demo tenant, and then a server for production on its data: it prints no credentials.
    place.dev().kill();
    let programs = auth0::add_programs(&place);
    let server = place.start(&[
        "serve",
        "--listen=127.0.0.1:0",
        "--issuer=http://127.0.0.1:8080",
        "--store=sqlite:spare-key-data/spare-key.db",
        "--keyring=spare-key-data/keyring.toml",
        "--recovery-codes=on",
        "--log=trace",
    ]);
    let mut browser = Browser::new(server.http());
    browser.story();
    host_story(&server, &mut browser);
    auth0::story(&server, &mut browser, &programs);
    let code = arklow::story(&mut browser);
    canopy::story(&mut browser, &code);
    let request = server.http().get("/healthz");
    let request = request.header("x-request-id").expect("a number").to_owned();

    let Browser {
        mut needles,
        mut hay,
        ..
    } = browser;
    needles.extend([PASSWORD, WRONG_PASSWORD, HOST.1].map(Needle::password));
    needles.push(Needle::code(STRANGER));
    let keyring = std::fs::read_to_string(place.data().join("keyring.toml")).expect("a keyring");
    let key = between(&keyring, "secret = \"", "\"");
    let raw = BASE64.decode(key.as_bytes()).expect("base64");
    needles.push(Needle::new("keyring key", &[key.to_owned()], Some(raw)));

    for path in ["/metrics", "/openapi.json", "/swagger/ui/json"] {
        let text = server.http().get(path).expect(200).text();
        hay.push(Hay::new(path, text));
    }
    hay.extend(files(&place.data(), "while it runs"));
    let busy = hay.len();
    server.terminate();
    let ended = server.wait();
    hay.extend(files(&place.data(), "after its end"));
    hay.push(Hay::new("stdout", ended.stdout.clone()));
    hay.push(Hay::new("stderr", ended.stderr.clone()));

    let signing = auth0::signing_keys(&place);
    assert_eq!(signing.len(), 1);
    needles.extend(signing);

    // What was told is enough, and what is there is found.
    let codes = needles
        .iter()
        .filter(|needle| needle.what.starts_with("code"));
    assert!(codes.count() >= 40);
    assert_eq!(
        needles.iter().filter(|n| n.what == "TOTP secret").count(),
        5
    );
    assert!(ended.stderr.contains("TRACE"), "{}", ended.stderr);
    let there = |what: &str, form: &str, hay: &[Hay]| {
        let needle = Needle::new(what, &[form.to_owned()], None);
        assert!(!search(&[needle], hay).is_empty(), "{what} is not found");
    };
    there("an account's name", "auth0|alice", &hay[..busy]);
    there("an account's name", "a-host-s-account", &hay[busy..]);
    there("a request's number", &request, &hay[busy..]);

    let found = search(&needles, &hay);
    assert!(found.is_empty(), "{found:#?}");
    for text in [&ended.stdout, &ended.stderr] {
        assert_eq!(code_shapes(text), Vec::<&str>::new());
    }
}

/// Row S16.
#[test]
fn the_search_finds_every_form_it_looks_for() {
    let code = "KZ3M-Q7TB-WJ5R-HXYN";
    for needle in [
        Needle::code(code),
        Needle::secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        Needle::cookie("LRpAu_KZkwhlxVZaNZhG4qWa0Sx4E7JdqDA2qcyjYDM"),
        Needle::password(PASSWORD),
    ] {
        assert!(needle.forms.len() > 8);
        for form in &needle.forms {
            let mut bytes = b"before ".to_vec();
            bytes.extend(form);
            bytes.extend(b" behind");
            let found = search(std::slice::from_ref(&needle), &[Hay::new("here", bytes)]);
            assert!(!found.is_empty(), "{form:?}");
        }
    }
    for text in [
        "code=KZ3MQ7TBWJ5RHXYN",
        "kz3m-q7tb-wj5r-hxyn",
        r#"{"code":"KZ3M-Q7TB"}"#,
        "[75, 90, 51, 77, 81, 55, 84, 66, 87, 74, 53, 82, 72, 88, 89, 78]",
    ] {
        let found = search(&[Needle::code(code)], &[Hay::new("here", text)]);
        assert!(!found.is_empty(), "{text}");
    }
    let other = Hay::new("here", "AAAA-AAAA-AAAA-AAA3");
    assert!(search(&[Needle::code(code)], &[other]).is_empty());
    assert_eq!(code_shapes("a KZ3M-Q7TB-WJ5R-HXYN b"), [code]);
}

/// Rows S1, A-24.
#[test]
fn a_stolen_database_redeems_nothing_without_its_keyring() {
    const WHO: &str = "victim";
    let place = Place::default();
    let server = place.dev();
    let (_, codes) = server.host().issue(WHO);
    server.terminate();
    server.wait();

    // A thief's own keyring beside it: everything else is as it was.
    let stolen = place.path("stolen.db");
    std::fs::copy(place.database(), &stolen).expect("a copy");
    place.run(&["keyring", "init", "--keyring", "other.toml"]);
    let thief = place.start(&[
        "serve",
        "--listen=127.0.0.1:0",
        "--issuer=http://127.0.0.1:8080",
        "--store=sqlite:stolen.db",
        "--keyring=other.toml",
        "--recovery-codes=on",
        "--log=info",
    ]);
    for code in &codes[..3] {
        let answer = thief.host().redeem(WHO, code).expect("an answer");
        assert!(answer.status >= 400, "{}", answer.text());
    }
    assert_eq!(thief.host().status(WHO).json()["remaining"], 10);
    thief.kill();

    // With its own keyring it is a backup, and the codes are good.
    let server = place.dev();
    server
        .host()
        .redeem(WHO, &codes[0])
        .expect("an answer")
        .expect(200);
}
