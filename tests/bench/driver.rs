//! The load: closed (so many connections, each waits for its answer) and open (so many requests a
//! second, whatever the answers do, each latency taken from when the request was meant to start).
//!
//! It is our own, small, on hyper and HdrHistogram: a redemption is a path and a body that belong
//! together and are good once, and none of the known drivers (oha, wrk2, autocannon, k6) takes
//! such pairs from a list at an open rate. Connections are kept and used again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use data_encoding::BASE64;
use hdrhistogram::Histogram;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use spare_key_server::clock::{Clock as _, Stopwatch, SystemClock, rfc3339};
use spare_key_tests::HOST;
use tokio::net::TcpStream;

use crate::figures::rate;

/// One request, from the demo tenant's host.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    body: Option<String>,
}

/// That a person has proven a password just now.
fn proof() -> Value {
    json!({ "amr": ["pwd"], "at": rfc3339(SystemClock.now()) })
}

impl Ask {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
        }
    }

    fn post(account: &str, rest: &str, body: &Value) -> Self {
        Self {
            method: Method::POST,
            path: format!("/recovery/v1/accounts/{account}{rest}"),
            body: Some(body.to_string()),
        }
    }

    pub(crate) fn status(account: &str) -> Self {
        Self::get(format!("/recovery/v1/accounts/{account}"))
    }

    pub(crate) fn redeem(account: &str, code: &str) -> Self {
        Self::post(
            account,
            "/redeem",
            &json!({ "code": code, "proof": proof() }),
        )
    }

    /// A new list of so many, live at once.
    pub(crate) fn issue(account: &str, count: usize) -> Self {
        let body = json!({ "activate": "at_once", "count": count, "proof": proof() });
        Self::post(account, "/batches", &body)
    }

    fn request(&self) -> Request<Body> {
        let (id, secret) = HOST;
        let credentials = BASE64.encode(format!("{id}:{secret}").as_bytes());
        let request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header("host", "localhost")
            .header("authorization", format!("Basic {credentials}"));
        let request = match &self.body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.clone())),
            None => request.body(Body::empty()),
        };
        request.expect("a request")
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    pub(crate) json: Value,
}

/// One connection: requests on it follow one another.
pub(crate) struct Connection(SendRequest<Body>);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(Self(sender))
    }

    /// `None`: the answer was lost.
    pub(crate) async fn ask(&mut self, ask: &Ask) -> Option<Answer> {
        self.0.ready().await.ok()?;
        let response = self.0.send_request(ask.request()).await.ok()?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Answer {
            status: parts.status.as_u16(),
            retry_after: parts.headers.contains_key("retry-after"),
            json: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    /// How long it takes and what comes; the run ends when it is not this status.
    pub(crate) async fn timed(&mut self, ask: &Ask, status: u16) -> (Duration, Answer) {
        let watch = Stopwatch::start();
        let answer = self.ask(ask).await.expect("an answer");
        let span = watch.elapsed();
        assert_eq!(answer.status, status, "{ask:?}: {}", answer.json);
        (span, answer)
    }
}

/// What came of a load. Latencies by status, in microseconds.
pub(crate) struct Seen {
    latencies: BTreeMap<u16, Histogram<u64>>,
    pub(crate) lost: u64,
    pub(crate) without_retry_after: u64,
    pub(crate) span: Duration,
}

impl Seen {
    fn new() -> Self {
        Self {
            latencies: BTreeMap::new(),
            lost: 0,
            without_retry_after: 0,
            span: Duration::ZERO,
        }
    }

    fn note(&mut self, answer: Option<&Answer>, latency: Duration) {
        let Some(answer) = answer else {
            self.lost += 1;
            return;
        };
        if matches!(answer.status, 429 | 503) && !answer.retry_after {
            self.without_retry_after += 1;
        }
        let histogram = self.latencies.entry(answer.status).or_insert_with(|| {
            Histogram::new_with_bounds(1, 600_000_000, 3).expect("sound bounds")
        });
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        histogram.saturating_record(micros);
    }

    pub(crate) fn count(&self, status: u16) -> u64 {
        self.latencies.get(&status).map_or(0, Histogram::len)
    }

    pub(crate) fn total(&self) -> u64 {
        self.lost + self.latencies.values().map(Histogram::len).sum::<u64>()
    }

    /// Answers of this status a second.
    pub(crate) fn a_second(&self, status: u16) -> f64 {
        rate(self.count(status), self.span)
    }

    /// The latency that this share of a status' answers did not exceed, in milliseconds.
    pub(crate) fn millis(&self, status: u16, share: f64) -> f64 {
        self.latencies.get(&status).map_or(f64::NAN, |found| {
            found.value_at_quantile(share) as f64 / 1e3
        })
    }

    /// How many answers there were of which status.
    pub(crate) fn words(&self) -> String {
        let each = self.latencies.iter();
        let mut words: Vec<_> = each
            .map(|(status, found)| format!("{} × {status}", found.len()))
            .collect();
        if self.lost > 0 {
            words.push(format!("{} lost", self.lost));
        }
        words.join(", ")
    }
}

/// What is asked by number; `None` ends the load.
pub(crate) type Asks<'a> = &'a (dyn Fn(usize) -> Option<Ask> + Sync);

/// Closed load: so many connections, for so long or until there is nothing more to ask. Counts
/// what was answered inside the window.
pub(crate) async fn closed(
    addresses: &[SocketAddr],
    connections: usize,
    window: Duration,
    asks: Asks<'_>,
) -> Seen {
    let (next, inside) = (AtomicUsize::new(0), AtomicU64::new(0));
    let seen = Mutex::new(Seen::new());
    let watch = Stopwatch::start();
    let callers = (0..connections).map(|number| {
        let (next, inside, seen, watch) = (&next, &inside, &seen, &watch);
        async move {
            let address = addresses[number % addresses.len()];
            let mut connection = Connection::open(address).await.expect("a connection");
            while watch.elapsed() < window {
                let Some(ask) = asks(next.fetch_add(1, Ordering::Relaxed)) else {
                    return;
                };
                let begun = watch.elapsed();
                let answer = connection.ask(&ask).await;
                let ended = watch.elapsed();
                inside.fetch_max(ended.as_micros() as u64, Ordering::Relaxed);
                let lost = answer.is_none();
                seen.lock()
                    .expect("the figures")
                    .note(answer.as_ref(), ended - begun);
                if lost {
                    connection = Connection::open(address).await.expect("a connection");
                }
            }
        }
    });
    futures_util::future::join_all(callers).await;
    let mut seen = seen.into_inner().expect("the figures");
    // Until the last answer: those under way at the end of the window count, and so does their time.
    seen.span = Duration::from_micros(inside.into_inner().max(1));
    seen
}

/// Open load: so many requests a second for so long, whatever becomes of them.
pub(crate) async fn open(
    address: SocketAddr,
    a_second: f64,
    window: Duration,
    asks: Arc<dyn Fn(usize) -> Ask + Send + Sync>,
) -> Seen {
    let seen = Arc::new(Mutex::new(Seen::new()));
    let idle: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let watch = Arc::new(Stopwatch::start());
    let mut under_way = tokio::task::JoinSet::new();
    let count = (a_second * window.as_secs_f64()) as usize;
    for number in 0..count {
        let meant = Duration::from_secs_f64(number as f64 / a_second);
        let ahead = meant.saturating_sub(watch.elapsed());
        if !ahead.is_zero() {
            tokio::time::sleep(ahead).await;
        }
        let (seen, idle) = (Arc::clone(&seen), Arc::clone(&idle));
        let (watch, asks) = (Arc::clone(&watch), Arc::clone(&asks));
        under_way.spawn(async move {
            let kept = idle.lock().expect("connections").pop();
            let connection = match kept {
                Some(connection) => Some(connection),
                None => Connection::open(address).await,
            };
            let mut answer = None;
            if let Some(mut connection) = connection {
                answer = connection.ask(&asks(number)).await;
                if answer.is_some() {
                    idle.lock().expect("connections").push(connection);
                }
            }
            let latency = watch.elapsed().saturating_sub(meant);
            seen.lock()
                .expect("the figures")
                .note(answer.as_ref(), latency);
        });
    }
    while let Some(ended) = under_way.join_next().await {
        ended.expect("no panic");
    }
    let seen = Arc::into_inner(seen).expect("everything has ended");
    let mut seen = seen.into_inner().expect("the figures");
    seen.span = watch.elapsed().max(window);
    seen
}
