//! The real router over a real store: a [`crate::script`] a time, each on a tenant of its own.
//!
//! E3, S12, S13, S16, A-28, A-88, A-92: whatever is sent is answered, cleanly, in the dialect's words, and
//! no secret is in an error or in the log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::OnceLock;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};
use serde_json::Value;
use spare_key_tests::native::encoded;
use spare_key_tests::search::{Hay, Needle, search};
use spare_key_tests::{Answer, App, HOST};
use tokio::runtime::Runtime;

use crate::checks;
use crate::fixture::{Fixture, PROXY};
use crate::script::{self, Asked};

static EVERYTHING: OnceLock<(Runtime, Fixture)> = OnceLock::new();

fn everything() -> &'static (Runtime, Fixture) {
    EVERYTHING.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let fixture = runtime.block_on(Fixture::build());
        (runtime, fixture)
    })
}

/// Sends what the text says, and holds every answer and the log to what is promised.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (runtime, fixture) = everything();
    runtime.block_on(tell(fixture, &text));
}

/// Who speaks, and what they have been told so far.
struct Story<'a> {
    app: App,
    fixture: &'a Fixture,
    /// What the text itself says: no secret, even if it looks like one.
    text: &'a str,
    told: BTreeMap<String, String>,
    jar: BTreeMap<String, String>,
    needles: Vec<Needle>,
}

async fn tell(fixture: &Fixture, text: &str) {
    let mut story = Story {
        app: fixture.begin(),
        fixture,
        text,
        told: BTreeMap::new(),
        jar: BTreeMap::new(),
        needles: Vec::new(),
    };
    for name in &fixture.secrets {
        story.keep_secret(name, &fixture.named[*name]);
    }
    for asked in script::read(text) {
        story.go_on(&asked).await;
    }
    let log = Hay::new("the log", fixture.log.take());
    story.search(&[log]);
}

impl Story<'_> {
    async fn go_on(&mut self, asked: &Asked) {
        let Some(request) = self.request(asked) else {
            return;
        };
        let method = request.method().as_str().to_owned();
        let path = request.uri().path().to_owned();
        let redeems = path.ends_with("/redeem");
        let before = if redeems { self.app.hashes().await } else { 0 };
        let answer = self.app.send(request).await;
        checks::hold(&method, &path, &answer);
        if redeems {
            // Whatever is typed, one slow hash at most (S13).
            assert!(self.app.hashes().await - before <= 1, "{method} {path}");
        }
        if answer.status.as_u16() >= 400 {
            // A form that was not ticked comes again with the codes that it is about.
            let again = answer.status == 422 && answer.header("content-type").starts_with("text/");
            if !again {
                let head = format!("{:?}", answer.headers);
                let place = format!("the error of {method} {path}");
                self.search(&[
                    Hay::new(&place, without_name(&answer.text())),
                    Hay::new(&place, head),
                ]);
            }
        }
        self.listen(&answer);
    }

    /// A request as HTTP could carry it; `None`: it could not.
    fn request(&self, asked: &Asked) -> Option<Request<Body>> {
        let mut request = Request::builder()
            .method(Method::from_bytes(asked.method.as_bytes()).ok()?)
            .uri(self.address(&asked.target).parse::<Uri>().ok()?);
        let who = asked.who();
        for (name, value) in self.credentials(who) {
            request = request.header(name, value);
        }
        for (name, value) in asked.headers.iter().filter(|(name, _)| name != "as") {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(self.filled_in(value).as_bytes()).ok()?;
            request = request.header(name, value);
        }
        let mut request = request.body(Body::from(self.filled_in(&asked.body))).ok()?;
        let from = SocketAddr::new(PROXY, 40_000);
        request.extensions_mut().insert(ConnectInfo(from));
        Some(request)
    }

    fn credentials(&self, who: &str) -> Vec<(&'static str, String)> {
        let bearer = |token: String| vec![("authorization", format!("Bearer {token}"))];
        match who {
            "host" => vec![("authorization", basic(HOST))],
            "key" | "session" => vec![("x-arklow-auth", self.value(who))],
            "me" | "mfa" | "userinfo" | "machine" | "portal" | "identity" => {
                bearer(self.value(who))
            }
            // Whoever the last answer made us.
            "bearer" => bearer(self.value("access_token")),
            "mfa_token" => bearer(self.value("mfa_token")),
            "session_token" => vec![("x-arklow-auth", self.value("session_token"))],
            "browser" => {
                let pairs = self.jar.iter();
                let pairs: Vec<_> = pairs
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                vec![("cookie", pairs.join("; "))]
            }
            _ => Vec::new(),
        }
    }

    fn value(&self, name: &str) -> String {
        if let Some(of) = name.strip_prefix("otp:") {
            return self.one_time_password(&self.value(of));
        }
        let told = self.told.get(name).or_else(|| self.fixture.named.get(name));
        told.cloned().unwrap_or_default()
    }

    fn one_time_password(&self, secret: &str) -> String {
        let base32 = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
        match secret.len() == 32 && secret.bytes().all(base32) {
            true => self.app.otp(secret),
            false => "000000".to_owned(),
        }
    }

    /// Names stand in addresses, and secrets never do.
    fn address(&self, target: &str) -> String {
        const NAMES: [&str; 5] = ["id", "state", "generation", "next_cursor", "next"];
        let mut target = target.to_owned();
        for name in NAMES {
            let braces = format!("{{{{{name}}}}}");
            if target.contains(&braces) {
                target = target.replace(&braces, &encoded(&self.value(name)));
            }
        }
        target
    }

    fn filled_in(&self, text: &str) -> String {
        let mut parts = text.split("{{");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.split_once("}}") {
                Some((name, rest)) => {
                    filled.push_str(&self.value(name));
                    filled.push_str(rest);
                }
                None => filled.push_str(part),
            }
        }
        filled
    }

    /// Remembers what an answer says: every member by its name, cookies, and what a page's form has.
    fn listen(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap_or_default();
            let pair = line.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                if value.is_empty() {
                    self.jar.remove(name);
                } else {
                    self.keep_secret("cookie", value);
                    self.jar.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        let place = answer.headers.get(LOCATION);
        let place = place
            .and_then(|place| place.to_str().ok())
            .unwrap_or_default();
        if let Some((_, state)) = place.split_once("state=") {
            self.told.insert("state".to_owned(), state.to_owned());
        }
        if answer.header("content-type").starts_with("text/html") {
            let page = answer.text();
            for name in ["csrf", "generation"] {
                let start = format!("name=\"{name}\" value=\"");
                let found = page
                    .split_once(&start)
                    .and_then(|(_, rest)| rest.split_once('"'));
                if let Some((value, _)) = found {
                    self.told.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        self.learn("", &answer.json, answer.status.is_success());
    }

    /// What an error calls a code is none.
    fn learn(&mut self, name: &str, value: &Value, given: bool) {
        const SECRET: [&str; 5] = ["token", "secret", "code", "entry_key", "barcode"];
        match value {
            Value::String(text) => {
                let long = given && text.len() >= 16 && !text.contains(' ');
                if long && SECRET.iter().any(|part| name.contains(part)) {
                    self.keep_secret(name, text);
                }
                self.told.insert(name.to_owned(), text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn(name, item, given)),
            Value::Object(members) => {
                for (name, value) in members {
                    self.learn(name, value, given);
                }
            }
            Value::Number(number) => {
                self.told.insert(name.to_owned(), number.to_string());
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn keep_secret(&mut self, what: &str, value: &str) {
        // A token's last part is what makes it one; the first says only what kind of token it is.
        let value = match value.rsplit_once('.') {
            Some((_, signature)) if value.starts_with("eyJ") => signature,
            _ => value,
        };
        if self.text.contains(value) || value.len() < 8 {
            return;
        }
        self.needles
            .push(Needle::new(what, &[value.to_owned()], None));
    }

    fn search(&self, hay: &[Hay]) {
        let found = search(&self.needles, hay);
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// The credentials of HTTP Basic, as a client writes them.
fn basic((id, secret): (&str, &str)) -> String {
    let encoded = data_encoding::BASE64.encode(format!("{id}:{secret}").as_bytes());
    format!("Basic {encoded}")
}

/// A page without what the visitor typed as their name: that comes back to them, whatever it was.
fn without_name(page: &str) -> String {
    match page.split_once("name=\"username\"") {
        Some((before, rest)) => {
            let behind = rest.split_once('>').map_or("", |(_, behind)| behind);
            format!("{before}{behind}")
        }
        None => page.to_owned(),
    }
}
