//! Spare Key as its callers see it: the whole product over a real database, with a clock that is
//! moved by hand, and one client type a dialect.

pub mod arklow;
pub mod auth0;
pub mod canopy;
pub mod clock;
pub mod entropy;
pub mod foreign;
pub mod native;
pub mod openapi;
pub mod process;
pub mod scenario;
pub mod search;

use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use rusqlite::Connection;
use serde_json::Value;
use spare_key_server::app::{self, Ingredients, StoreUrl};
use spare_key_server::clock::{Clock as _, rfc3339};
use spare_key_server::config::TrustedIssuer;
use spare_key_server::dev;
use spare_key_server::domain::{Environment, Mfa, NewClient, Policy, Scope, Secrecy};
use spare_key_server::front::Front;
use spare_key_server::hasher::PoolSize;
use spare_key_server::http::{self, CanopySettings};
use spare_key_server::keyring::Keyring;
use spare_key_server::model::{HashParams, Millis, Timestamp, Token};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::clock::TestClock;
use crate::entropy::TestEntropy;
use crate::native::Native;

/// Enough to be Argon2id, and little enough to run thousands.
const CHEAP: HashParams = HashParams {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

/// The client of the demo tenant that has every scope.
pub const HOST: (&str, &str) = ("dev-host", "dev-host-secret");

/// What a test wants otherwise than usual.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is allowed; the usual hash is a cheap one.
    pub policy: Policy,
    /// How many hashes at once.
    pub pool: PoolSize,
    /// Identity providers whose people are let in.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// How the dialect of that name is spoken.
    pub canopy: CanopySettings,
    /// Proxies whose word on the caller's address is taken.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Options {
    fn default() -> Self {
        let mut policy = Policy::standard(true);
        policy.hash = CHEAP;
        policy.environment = Environment::of_development();
        policy.sign_in_throttle = None;
        let pool = PoolSize {
            workers: 2,
            admitted: 4096,
        };
        Self {
            policy,
            pool,
            trusted_issuers: Vec::new(),
            canopy: CanopySettings::of_development(),
            trusted_proxies: Vec::new(),
        }
    }
}

/// The running product. Clones are the same one.
#[derive(Debug, Clone)]
pub struct App {
    app: app::App,
    router: axum::Router,
    /// The time.
    pub clock: Arc<TestClock>,
    /// The randomness.
    pub entropy: Arc<TestEntropy>,
    keyring: Arc<Keyring>,
    options: Options,
    folder: Arc<TempDir>,
}

impl App {
    /// A new one on a new database, with the demo tenant's host.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// The same, with what a test wants otherwise.
    pub async fn start_with(options: Options) -> Self {
        let clock = Arc::new(TestClock::default());
        let entropy = Arc::new(TestEntropy::default());
        let keyring = Keyring::draw(&*entropy, clock.now()).expect("a keyring");
        let folder = tempfile::tempdir().expect("a folder");
        let app = Self::assemble(clock, entropy, keyring.into(), options, folder.into());
        for client in dev::clients() {
            app.mfa().add_client(client).await.expect("a client");
        }
        app
    }

    fn assemble(
        clock: Arc<TestClock>,
        entropy: Arc<TestEntropy>,
        keyring: Arc<Keyring>,
        options: Options,
        folder: Arc<TempDir>,
    ) -> Self {
        let database = folder.path().join("spare-key.db");
        let app = app::App::assemble(Ingredients {
            store: StoreUrl::Sqlite(database).open().expect("a database"),
            keyring: Arc::clone(&keyring),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::clone(&entropy) as _,
            policy: options.policy.clone(),
            pool: options.pool,
            http: http::Settings {
                issuer: "http://127.0.0.1:8080".to_owned(),
                pages: true,
                dev: false,
                trusted_proxies: options.trusted_proxies.clone(),
                trusted_issuers: options.trusted_issuers.clone(),
                theme: None,
                canopy: options.canopy.clone(),
            },
            courier: spare_key_server::notify::Courier::default(),
        })
        .expect("threads");
        Self {
            router: app.router(),
            app,
            clock,
            entropy,
            keyring,
            options,
            folder,
        }
    }

    /// Another process on the same database with the same keyring, at the same time.
    pub fn another(&self) -> Self {
        Self::assemble(
            Arc::clone(&self.clock),
            Arc::clone(&self.entropy),
            Arc::clone(&self.keyring),
            self.options.clone(),
            Arc::clone(&self.folder),
        )
    }

    /// The same, with other options: as after a restart with other settings.
    pub fn another_with(&self, options: Options) -> Self {
        Self {
            options,
            ..self.clone()
        }
        .another()
    }

    /// The same database in the hands of somebody who has not its keyring.
    pub fn with_another_keyring(&self) -> Self {
        let keyring = Keyring::draw(&*self.entropy, self.now()).expect("a keyring");
        Self {
            keyring: keyring.into(),
            ..self.clone()
        }
        .another()
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("spare-key.db")
    }

    /// Every row of the database as text, in order, without when a session was last seen.
    pub fn rows(&self) -> Vec<String> {
        const TABLES: &str =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
        let db = Connection::open(self.database()).expect("the database");
        let mut tables = db.prepare(TABLES).expect("the schema");
        let names = tables.query_map([], |row| row.get(0));
        let names: Vec<String> = names.and_then(Iterator::collect).expect("names");
        let mut all = Vec::new();
        for name in names {
            let table = db.prepare(&format!("SELECT * FROM \"{name}\""));
            let mut table = table.expect("a table");
            let columns: Vec<String> = table.column_names().map(str::to_owned).collect();
            let mut rows = table.query([]).expect("its rows");
            while let Some(row) = rows.next().expect("a row") {
                let columns = columns.iter().filter(|column| *column != "seen_at");
                let values = columns.map(|column| row.get::<_, rusqlite::types::Value>(&**column));
                let values: Vec<_> = values.map(|value| format!("{value:?}")).collect();
                all.push(format!("{name}: {}", values.join(", ")));
            }
        }
        all.sort();
        all
    }

    /// The use cases, for what no dialect reaches.
    pub fn mfa(&self) -> &Mfa {
        self.app.mfa()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A time so much later than now (or earlier), as the APIs write it.
    pub fn time(&self, later: Millis) -> String {
        rfc3339(self.now().plus(later))
    }

    /// Adds a machine client.
    pub async fn add_client(&self, (id, secret): (&str, &str), scopes: &[Scope]) {
        let client = NewClient {
            id: id.to_owned(),
            name: id.to_owned(),
            scopes: scopes.to_vec(),
            secrecy: Secrecy::Given(Token::presented(secret)),
            ..NewClient::default()
        };
        self.mfa().add_client(client).await.expect("a client");
    }

    /// The demo tenant's host.
    pub fn host(&self) -> Native {
        Native::new(self.clone(), Some(HOST))
    }

    /// A caller of the native dialect with these credentials, or with none.
    pub fn host_with(&self, credentials: Option<(&str, &str)>) -> Native {
        Native::new(self.clone(), credentials)
    }

    /// Any request, answered by the router itself.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await;
        Answer::read(response.expect("a router has no errors")).await
    }

    /// Answers on a port of its own until the test ends.
    pub async fn listen(&self) -> SocketAddr {
        self.listen_with(Front::default()).await
    }

    /// The same, with connections taken otherwise than usual.
    pub async fn listen_with(&self, front: Front) -> SocketAddr {
        self.listen_until(front, pending()).await.0
    }

    /// The same until it is told to stop; how that ended.
    pub async fn listen_until(
        &self,
        front: Front,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> (SocketAddr, JoinHandle<io::Result<()>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let serving = tokio::spawn(self.app.clone().serve(front, listener, stop));
        (address, serving)
    }

    /// One figure of `/metrics`, such as `spare_key_slow_hashes_total{lane="codes"}`; 0 when it is
    /// not there yet.
    pub async fn figure(&self, name: &str) -> u64 {
        let request = Request::get("/metrics").body(Body::empty());
        let answer = self.send(request.expect("a request")).await;
        answer
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
            .unwrap_or(0)
    }

    /// Slow hashes of codes so far.
    pub async fn hashes(&self) -> u64 {
        self.figure(r#"spare_key_slow_hashes_total{lane="codes"}"#)
            .await
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX)
            .await
            .expect("a body");
        Self::of(parts.status, parts.headers, body)
    }

    pub(crate) fn of(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            json: serde_json::from_slice(&body).unwrap_or_default(),
            body,
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// One field of the header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// This answer, if it has this status; the test ends otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// This answer, if it is this problem; the test ends otherwise.
    #[track_caller]
    pub fn expect_problem(self, status: u16, name: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json["status"], status);
        assert_eq!(answer.json["type"], format!("/problems/{name}"));
        answer
    }

    /// The codes in it, by number.
    #[track_caller]
    pub fn codes(&self) -> Vec<String> {
        let codes = self.json["codes"].as_array().expect("codes");
        codes
            .iter()
            .map(|code| code["code"].as_str().expect("a code").to_owned())
            .collect()
    }
}
