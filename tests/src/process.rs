//! The binary as a process: started in a folder of its own, spoken to over TCP, killed.
//!
//! `cargo test` builds no binary of another package: `tests/run` builds it first. The client is a
//! plain one over `std`, one connection a request, so that what came over the wire can be searched.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use spare_key_server::clock::{Clock as _, Stopwatch, SystemClock, rfc3339};
use tempfile::TempDir;

use crate::HOST;

/// Longer than any step takes; what hangs fails after it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary: `SPARE_KEY_BIN`, or the one beside this test.
///
/// # Panics
/// It was not built.
pub fn spare_key_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("SPARE_KEY_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("this test's own path");
    let built = test
        .ancestors()
        .nth(2)
        .map(|profile| profile.join("spare-key"))
        .filter(|path| path.is_file());
    built.expect("no binary beside the tests; build it: cargo build -p spare-key-server")
}

/// Waits until `done` gives something.
///
/// # Panics
/// It never does.
#[track_caller]
pub fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(watch.elapsed() < PATIENCE, "waited in vain for: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A folder to start the binary in.
#[derive(Debug)]
pub struct Place(TempDir);

impl Default for Place {
    fn default() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
}

impl Place {
    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where `dev` has its data.
    pub fn data(&self) -> PathBuf {
        self.path("spare-key-data")
    }

    /// The database of `dev`.
    pub fn database(&self) -> PathBuf {
        self.data().join("spare-key.db")
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end; what it printed on stdout.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> String {
        let output = self
            .command(spare_key_binary())
            .args(args)
            .output()
            .expect("a run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// `dev` on a free port.
    pub fn dev(&self) -> Server {
        self.start(&["dev", "--listen", "127.0.0.1:0"])
    }

    /// Any listening command.
    pub fn start(&self, args: &[&str]) -> Server {
        let mut command = self.command(spare_key_binary());
        command.args(args);
        Server::start(command)
    }

    /// `dev` where no file can grow over so many KiB: a full disk.
    pub fn dev_with_room_for(&self, kib: u64) -> Server {
        let mut command = self.command("bash");
        // Without the trap a write that goes too far would end the process.
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
        command
            .args(["-c", &script, "bash"])
            .arg(spare_key_binary())
            .args(["dev", "--listen", "127.0.0.1:0"]);
        Server::start(command)
    }
}

/// A listening process; killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    out: Lines,
    err: Lines,
    address: SocketAddr,
}

/// What it wrote to one of its streams.
#[derive(Debug)]
struct Lines {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let mut kept = kept.lock().expect("the text");
                kept.push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        self.text.lock().expect("the text").clone()
    }

    /// All of it, once the process has ended.
    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("a reader");
        }
        self.text()
    }
}

/// A process that has ended, and all it wrote.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// Its results.
    pub stdout: String,
    /// Its log.
    pub stderr: String,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let out = Lines::of(child.stdout.take().expect("stdout"));
        let err = Lines::of(child.stderr.take().expect("stderr"));
        let address = until("the printed address", || {
            let ended = child.try_wait().expect("its state");
            let said = (out.text(), err.text());
            assert!(ended.is_none(), "it has ended: {said:?}");
            printed_address(&said.0).or_else(|| logged_address(&said.1))
        });
        Self {
            child,
            out,
            err,
            address,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A browser or a program that talks to it.
    pub fn http(&self) -> Http {
        Http(self.address)
    }

    /// The demo tenant's host.
    pub fn host(&self) -> Host {
        Host(self.http())
    }

    /// What it has logged by now.
    pub fn log(&self) -> String {
        self.err.text()
    }

    /// Asks it to stop (SIGTERM).
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill").success());
    }

    /// Ends it where it stands (SIGKILL).
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("a kill");
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let status = until("its end", || self.child.try_wait().expect("its state"));
        Ended {
            status,
            stdout: self.out.finish(),
            stderr: self.err.finish(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn printed_address(text: &str) -> Option<SocketAddr> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Listening on http://"))?;
    line.trim().parse().ok()
}

fn logged_address(text: &str) -> Option<SocketAddr> {
    let ready = text.lines().find(|line| line.contains("ready listen="))?;
    let (_, rest) = ready.split_once("listen=")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// An answer as it came over the wire.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Everything before the body.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let reply = Self {
            status: head.split(' ').nth(1)?.parse().ok()?,
            body: bytes[end + 4..].to_vec(),
            head,
        };
        // Cut off by a kill, it is no answer.
        let length: usize = reply.header("content-length").unwrap_or("0").parse().ok()?;
        (reply.body.len() == length).then_some(reply)
    }

    /// Every value of a field of the header.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.lines().filter_map(move |line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// One field of the header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// This answer, if it has this status; the test ends otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.head, self.text());
        self
    }

    /// The codes in it, by number.
    pub fn codes(&self) -> Vec<String> {
        let json = self.json();
        let codes = json["codes"].as_array().cloned().unwrap_or_default();
        codes
            .iter()
            .filter_map(|code| code["code"].as_str().map(str::to_owned))
            .collect()
    }

    /// The generation in it.
    #[track_caller]
    pub fn generation(&self) -> u64 {
        self.json()["generation"].as_u64().expect("a generation")
    }
}

/// One connection a request.
#[derive(Debug, Clone, Copy)]
pub struct Http(SocketAddr);

impl Http {
    /// Sends a request and reads the answer to its end. The error is a lost answer.
    ///
    /// # Errors
    /// The connection was refused or broke off.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Reply> {
        let mut stream = TcpStream::connect(self.0)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.0);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = body.len();
        text.push_str(&format!(
            "content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ));
        stream.write_all(text.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Reply::read(&bytes).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// A page or a document.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").expect("an answer")
    }

    /// One figure of `/metrics`.
    #[track_caller]
    pub fn figure(&self, name: &str) -> Option<u64> {
        let text = self.get("/metrics").expect(200).text();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}

/// The demo tenant's host, over the native dialect. An error is a lost answer.
#[derive(Debug, Clone, Copy)]
pub struct Host(Http);

impl Host {
    /// Any request to an account; `account` in unreserved characters.
    ///
    /// # Errors
    /// The answer was lost.
    pub fn ask(
        &self,
        method: &str,
        account: &str,
        rest: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Reply> {
        let (id, secret) = HOST;
        let credentials = BASE64.encode(format!("{id}:{secret}").as_bytes());
        let authorization = format!("Basic {credentials}");
        let mut all = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        all.extend(headers);
        let path = format!("/recovery/v1/accounts/{account}{rest}");
        self.0.send(method, &path, &all, body)
    }

    /// Status.
    #[track_caller]
    pub fn status(&self, account: &str) -> Reply {
        let answer = self.ask("GET", account, "", &[], "");
        answer.expect("an answer").expect(200)
    }

    /// Stages a batch.
    ///
    /// # Errors
    /// The answer was lost.
    pub fn stage(&self, account: &str) -> io::Result<Reply> {
        let body = json!({ "proof": proof() }).to_string();
        self.ask("POST", account, "/batches", &[], &body)
    }

    /// Shows the pending batch.
    ///
    /// # Errors
    /// The answer was lost.
    pub fn show(&self, account: &str) -> io::Result<Reply> {
        self.ask("GET", account, "/batches/pending", &[], "")
    }

    /// Activates a batch.
    ///
    /// # Errors
    /// The answer was lost.
    pub fn activate(&self, account: &str, generation: u64) -> io::Result<Reply> {
        let rest = format!("/batches/{generation}/activate");
        self.ask("POST", account, &rest, &[], r#"{"saved":true}"#)
    }

    /// Makes new codes live at once, under an idempotency key.
    ///
    /// # Errors
    /// The answer was lost.
    pub fn regenerate(&self, account: &str, key: &str, body: &str) -> io::Result<Reply> {
        let headers = [("idempotency-key", key)];
        self.ask("POST", account, "/batches", &headers, body)
    }

    /// Ten live codes: their generation and the codes.
    #[track_caller]
    pub fn issue(&self, account: &str) -> (u64, Vec<String>) {
        let answer = self.ask("POST", account, "/batches", &[], &at_once());
        let answer = answer.expect("an answer").expect(201);
        (answer.generation(), answer.codes())
    }

    /// Spends a code.
    ///
    /// # Errors
    /// The answer was lost.
    pub fn redeem(&self, account: &str, code: &str) -> io::Result<Reply> {
        let body = json!({ "code": code, "proof": proof() }).to_string();
        self.ask("POST", account, "/redeem", &[], &body)
    }
}

fn proof() -> Value {
    json!({ "amr": ["pwd"], "at": rfc3339(SystemClock.now()) })
}

/// The body that asks for ten codes, live at once.
pub fn at_once() -> String {
    json!({ "activate": "at_once", "proof": proof() }).to_string()
}
