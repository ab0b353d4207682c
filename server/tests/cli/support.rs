//! Starting the binary, reading what it says, and speaking HTTP to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use spare_key_server::clock::{Clock as _, SystemClock, rfc3339};
use tempfile::TempDir;

/// Longer than any step takes; a test that hangs fails after it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands before the address.
const LISTENING: &str = "Listening on http://";

/// A folder to start the binary in.
pub(crate) struct Place {
    folder: TempDir,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// In a folder of a name that begins with this.
    pub(crate) fn named(prefix: &str) -> Self {
        Self {
            folder: tempfile::Builder::new().prefix(prefix).tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spare-key"));
        command
            .args(args)
            .env_clear()
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        ended(self.command(args).output().unwrap())
    }

    pub(crate) fn run_in(&self, environment: &[(&str, &str)], args: &[&str]) -> Ended {
        let mut command = self.command(args);
        command.envs(environment.iter().copied());
        ended(command.output().unwrap())
    }

    pub(crate) fn run_reading(&self, stdin: &str, args: &[&str]) -> Ended {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(stdin.as_bytes()).unwrap();
        drop(pipe);
        ended(child.wait_with_output().unwrap())
    }

    /// A keyring and the arguments that name it and a database.
    pub(crate) fn with_keyring(&self) -> [&'static str; 4] {
        self.run(&["keyring", "init", "--keyring", "keyring.toml"])
            .done();
        ["--keyring", "keyring.toml", "--store", "sqlite:test.db"]
    }

    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut child = self
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Running {
            stdin: None,
            child,
            stdout,
            stderr,
        }
    }

    /// Starts a command that is told more and more on standard input.
    pub(crate) fn start_reading(&self, args: &[&str]) -> Running {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Running {
            stdin: child.stdin.take(),
            child,
            stdout,
            stderr,
        }
    }

    /// Now, as the API has it.
    pub(crate) fn time(&self) -> String {
        rfc3339(SystemClock.now())
    }

    /// `dev` on a free port, and where it listens.
    pub(crate) fn dev(&self) -> (Running, String) {
        let running = self.start(&["dev", "--listen", "127.0.0.1:0"]);
        let address = running.says(LISTENING).replace(LISTENING, "");
        (running, address)
    }

    /// `dev`, which logs each request, and whose output nobody reads once it has said where it
    /// listens.
    pub(crate) fn dev_unheard(&self) -> (Running, String) {
        let mut child = self
            .command(&["dev", "--listen", "127.0.0.1:0", "--log", "info"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stderr.take());
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = stdout.lines().map(Result::unwrap);
        let said = lines.find(|line| line.contains(LISTENING)).unwrap();
        let running = Running {
            stdin: None,
            child,
            stdout: channel().1,
            stderr: channel().1,
        };
        (running, said.replace(LISTENING, ""))
    }
}

fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    pub(crate) fn refused(self) -> Self {
        assert_eq!(self.code, Some(1), "{self:?}");
        self.explained()
    }

    pub(crate) fn wrong_usage(self) -> Self {
        assert_eq!(self.code, Some(2), "{self:?}");
        self.explained()
    }

    fn explained(self) -> Self {
        assert!(self.stderr.contains("error: "), "{self:?}");
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A command that goes on; killed when it is dropped.
pub(crate) struct Running {
    stdin: Option<ChildStdin>,
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn find(lines: &Receiver<String>, part: &str) -> String {
    loop {
        let line = lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("nothing with {part:?} was said"));
        if line.contains(part) {
            return line;
        }
    }
}

impl Running {
    /// The next line on stdout with this in it.
    pub(crate) fn says(&self, part: &str) -> String {
        find(&self.stdout, part)
    }

    /// The next log line with this in it.
    pub(crate) fn logs(&self, part: &str) -> String {
        find(&self.stderr, part)
    }

    /// Tells it more.
    pub(crate) fn feed(&mut self, text: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(text).unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end; the rest of what was said.
    pub(crate) fn ends(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let rest = |lines: &Receiver<String>| lines.iter().collect::<Vec<_>>().join("\n");
        Ended {
            code: status.code(),
            stdout: rest(&self.stdout),
            stderr: rest(&self.stderr),
        }
    }

    pub(crate) fn stop(self) -> Ended {
        self.signal("-TERM");
        self.ends().done()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, most often.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// An HTTP request by hand; status and everything that came back.
pub(crate) fn http(address: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = connect(address);
    let length = body.len();
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic ZGV2LWhvc3Q6ZGV2LWhvc3Qtc2VjcmV0\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    answer(stream)
}

pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text)
}
