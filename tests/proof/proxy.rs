//! A way to the database that can be slow, and that can break in the middle of a commit.
//!
//! It speaks PostgreSQL's wire protocol no further than to see where a message ends and which one
//! commits (PostgreSQL 15, 55.7).

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What happens to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Commit {
    /// It passes.
    Passes = 0,
    /// The connection is cut and the commit never arrives.
    IsLost = 1,
    /// The commit arrives, and the connection is cut before its answer does.
    IsNotAnswered = 2,
}

#[derive(Default)]
struct Settings {
    commit: AtomicU8,
    delay: AtomicU64,
}

/// The way, open until the program ends.
pub(crate) struct Proxy {
    settings: Arc<Settings>,
    at: SocketAddr,
}

impl Proxy {
    /// A way to this port.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("an address");
        let settings = Arc::new(Settings::default());
        let shared = Arc::clone(&settings);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let settings = Arc::clone(&shared);
                thread::spawn(move || carry(&client, port, &settings));
            }
        });
        Self { settings, at }
    }

    /// The way's own port.
    pub(crate) fn port(&self) -> u16 {
        self.at.port()
    }

    /// What happens to the next commits.
    pub(crate) fn commit(&self, commit: Commit) {
        self.settings.commit.store(commit as u8, Ordering::SeqCst);
    }

    /// How long each answer is on its way.
    pub(crate) fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).expect("a short time");
        self.settings.delay.store(millis, Ordering::SeqCst);
    }
}

/// One connection. Whatever breaks ends both sides.
fn carry(client: &TcpStream, port: u16, settings: &Arc<Settings>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let both = (client.try_clone(), server.try_clone());
    let (Ok(mut to_client), Ok(mut from_server)) = both else {
        return;
    };
    let shared = Arc::clone(settings);
    let answers = thread::spawn(move || {
        // Ends when a side does.
        drop(back(&mut from_server, &mut to_client, &shared));
        shut(&from_server);
        shut(&to_client);
    });
    drop(forth(client, &server, settings));
    shut(client);
    shut(&server);
    drop(answers.join());
}

fn shut(stream: &TcpStream) {
    // It may be shut already.
    drop(stream.shutdown(Shutdown::Both));
}

/// Whether the answers are to be kept back: the commit went through, and nobody is to hear of it.
const KEPT_BACK: u8 = 3;

fn back(from: &mut TcpStream, to: &mut TcpStream, settings: &Settings) -> io::Result<()> {
    let mut piece = [0; 16 * 1024];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(settings.delay.load(Ordering::SeqCst)));
        if settings.commit.load(Ordering::SeqCst) == KEPT_BACK {
            // What has come is the answer to the commit.
            settings
                .commit
                .store(Commit::Passes as u8, Ordering::SeqCst);
            return Ok(());
        }
        to.write_all(piece.get(..read).unwrap_or_default())?;
    }
}

/// Message by message: the first has a length only, each other a letter and a length.
fn forth(mut from: &TcpStream, mut to: &TcpStream, settings: &Settings) -> io::Result<()> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let first = body(from, head)?;
    to.write_all(&[head.as_slice(), &first].concat())?;
    loop {
        let (mut kind, mut head) = ([0; 1], [0; 4]);
        from.read_exact(&mut kind)?;
        from.read_exact(&mut head)?;
        let body = body(from, head)?;
        if kind == *b"Q" && body.starts_with(b"COMMIT") {
            let commit = settings.commit.load(Ordering::SeqCst);
            if commit == Commit::IsLost as u8 {
                settings
                    .commit
                    .store(Commit::Passes as u8, Ordering::SeqCst);
                return Ok(());
            }
            if commit == Commit::IsNotAnswered as u8 {
                settings.commit.store(KEPT_BACK, Ordering::SeqCst);
            }
        }
        to.write_all(&[kind.as_slice(), &head, &body].concat())?;
    }
}

/// What follows a length, which counts itself.
fn body(mut from: &TcpStream, head: [u8; 4]) -> io::Result<Vec<u8>> {
    let length = u32::from_be_bytes(head).saturating_sub(4);
    let mut body = vec![0; length as usize];
    from.read_exact(&mut body)?;
    Ok(body)
}
