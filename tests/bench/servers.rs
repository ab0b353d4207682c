//! Servers to measure: the product's own binary, and this program as a server whose hash is cheap.
//!
//! The binary takes no cheaper hash than OWASP's floor, rightly. What is behind the hash is
//! measured on a server that this program puts together from the same parts, so no way to a cheap
//! hash is in the product. Figures from it are marked "cheap".

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use spare_key_server::app::{App, Ingredients, StoreUrl};
use spare_key_server::clock::{Clock as _, Stopwatch, SystemClock};
use spare_key_server::dev;
use spare_key_server::domain::Policy;
use spare_key_server::entropy::SystemEntropy;
use spare_key_server::front::Front;
use spare_key_server::hasher::PoolSize;
use spare_key_server::http::{self, CanopySettings};
use spare_key_server::keyring::Keyring;
use spare_key_server::model::HashParams;
use spare_key_tests::process::{spare_key_binary, until};
use tempfile::TempDir;

/// The first argument of such a process.
pub(crate) const ROLE: &str = "--as-cheap-server";

/// Enough to be Argon2id.
pub(crate) const CHEAP: HashParams = HashParams {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

/// How many processors there are; the server has as many workers unless told otherwise.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From its start until it said that it was ready.
    pub(crate) ready_after: Duration,
    _folder: TempDir,
}

impl Server {
    /// `spare-key dev` on this store, with so many workers.
    pub(crate) fn real(store: &str, workers: usize) -> Self {
        let workers = workers.to_string();
        Self::start(|command| {
            command.args(["dev", "--store", store, "--workers", &workers]);
        })
    }

    /// The binary with these arguments, in a folder of its own.
    pub(crate) fn start(arguments: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = free.expect("a port");
        let mut command = Command::new(spare_key_binary());
        arguments(&mut command);
        command
            .args(["--listen", &address.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let watch = Stopwatch::start();
        let child = command.spawn().expect("a process");
        let ready_after = until("readiness", || {
            // The connection is refused until it listens.
            let answer = http_get(address, "/readyz")?;
            answer.starts_with("HTTP/1.1 200").then(|| watch.elapsed())
        });
        Self {
            child,
            address,
            ready_after,
            _folder: folder,
        }
    }

    /// This program as a server whose hash is cheap, with the same keyring for all of a store.
    pub(crate) fn cheap(store: &str, keyring: &Path, workers: usize) -> Self {
        let watch = Stopwatch::start();
        let mut child = Command::new(std::env::current_exe().expect("this program's own path"))
            .args([ROLE, store])
            .arg(keyring)
            .arg(workers.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let out = child.stdout.take().expect("its standard output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        Self {
            child,
            address: line.trim().parse().expect("an address"),
            ready_after: watch.elapsed(),
            _folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// One figure of `/metrics`.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let text = http_get(self.address, "/metrics").unwrap_or_default();
        let mut lines = text.lines();
        lines
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
            .unwrap_or(0)
    }

    pub(crate) fn slow_hashes(&self) -> u64 {
        self.figure(r#"spare_key_slow_hashes_total{lane="codes"}"#)
    }

    /// Memory in MiB: what it has now (`VmRSS`), the most it had (`VmHWM`).
    pub(crate) fn memory(&self, field: &str) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        kib(&path, field) / 1_024.0
    }

    /// Its own share of memory in MiB: pages that others map too count in part.
    pub(crate) fn proportional(&self) -> f64 {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        kib(&path, "Pss") / 1_024.0
    }
}

/// The whole answer; `None` when nobody answers.
fn http_get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

fn kib(path: &str, field: &str) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(f64::NAN)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A keyring file in this folder.
pub(crate) fn keyring(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("keyring.toml");
    let keyring = Keyring::draw(&SystemEntropy, SystemClock.now()).expect("a keyring");
    keyring.create(&path).expect("a file");
    path
}

/// The product over a store, with a cheap hash and the demo tenant's clients.
pub(crate) async fn assembled(store: &str, keyring: &Path, workers: usize) -> App {
    let store = StoreUrl::parse(store).expect("an address");
    let mut policy = Policy::standard(true);
    policy.hash = CHEAP;
    let app = App::assemble(Ingredients {
        store: store.open().expect("the store opens"),
        keyring: Arc::new(Keyring::load(keyring).expect("the keyring")),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        policy,
        pool: PoolSize {
            workers,
            admitted: 1_024,
        },
        http: http::Settings {
            issuer: "http://127.0.0.1:8080".to_owned(),
            pages: true,
            dev: false,
            trusted_proxies: Vec::new(),
            trusted_issuers: Vec::new(),
            theme: None,
            canopy: CanopySettings::default(),
        },
        courier: spare_key_server::notify::Courier::default(),
    })
    .expect("threads");
    for client in dev::clients() {
        // Another server on this store may have been first.
        let _there = app.mfa().add_client(client).await;
    }
    app
}

/// What a process does that was started by [`Server::cheap`].
pub(crate) fn cheap(store: &str, keyring: &str, workers: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let workers = workers.parse().expect("a number");
        let app = assembled(store, keyring.as_ref(), workers).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        crate::say(&listener.local_addr().expect("its address").to_string());
        let served = app.serve(Front::default(), listener, std::future::pending());
        served.await.expect("it is served");
    });
}
