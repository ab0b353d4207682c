//! What is counted, for Prometheus. Never whose, never which code.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::hasher::{Hasher, Lane};
use crate::model::{Millis, Timestamp};
use crate::store::{Access, Settlement, Waiting, Way};

/// How an attempt at redeeming ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A code was spent.
    Accepted,
    /// Wrong, used, superseded, none.
    Refused,
    /// Cannot be a code; no hash, no attempt charged.
    Malformed,
    /// Too many before it.
    Throttled,
    /// No place in the pool.
    Busy,
    /// Something broke.
    Fault,
}

impl Outcome {
    const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Refused,
        Self::Malformed,
        Self::Throttled,
        Self::Busy,
        Self::Fault,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Throttled => "throttled",
            Self::Busy => "busy",
            Self::Fault => "fault",
        }
    }
}

/// How a step of signing in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignIn {
    /// The password was right.
    PasswordAccepted,
    /// It was not.
    PasswordRefused,
    /// Too many before it.
    PasswordThrottled,
    /// The one-time password was right.
    OtpAccepted,
    /// It was not.
    OtpRefused,
    /// Too many before it.
    OtpThrottled,
}

impl SignIn {
    const ALL: [Self; 6] = [
        Self::PasswordAccepted,
        Self::PasswordRefused,
        Self::PasswordThrottled,
        Self::OtpAccepted,
        Self::OtpRefused,
        Self::OtpThrottled,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::PasswordAccepted => "password_accepted",
            Self::PasswordRefused => "password_refused",
            Self::PasswordThrottled => "password_throttled",
            Self::OtpAccepted => "otp_accepted",
            Self::OtpRefused => "otp_refused",
            Self::OtpThrottled => "otp_throttled",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

impl LaneLabel {
    const fn of(lane: Lane) -> Self {
        Self {
            lane: match lane {
                Lane::Codes => "codes",
                Lane::Passwords => "passwords",
            },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabel {
    lane: &'static str,
    why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccessLabel {
    access: &'static str,
}

impl AccessLabel {
    const fn of(access: Access) -> Self {
        Self {
            access: match access {
                Access::Read => "read",
                Access::Write => "write",
            },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoticeLabel {
    way: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RemainingLabel {
    remaining: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    route: String,
    status: u16,
}

const fn name_of(way: Way) -> &'static str {
    match way {
        Way::Mail => "mail",
        Way::Webhook => "webhook",
    }
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    redemptions: Family<OutcomeLabel, Counter>,
    sign_ins: Family<OutcomeLabel, Counter>,
    issued: Counter,
    hashes: Family<LaneLabel, Counter>,
    waiting: Family<LaneLabel, Gauge<u64, AtomicU64>>,
    admitted: Family<LaneLabel, Gauge<u64, AtomicU64>>,
    workers: Gauge<u64, AtomicU64>,
    places: Gauge<u64, AtomicU64>,
    refused: Family<RefusalLabel, Counter>,
    waits: Family<LaneLabel, Histogram>,
    runs: Family<LaneLabel, Histogram>,
    store: Family<AccessLabel, Histogram>,
    batches: Family<RemainingLabel, Gauge<u64, AtomicU64>>,
    requests: Family<RequestLabel, Histogram>,
    notices: Family<NoticeLabel, Counter>,
    notices_waiting: Gauge<u64, AtomicU64>,
    notices_age: Gauge<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("spare_key"),
            redemptions: Family::default(),
            sign_ins: Family::default(),
            issued: Counter::default(),
            hashes: Family::default(),
            waiting: Family::default(),
            admitted: Family::default(),
            workers: Gauge::default(),
            places: Gauge::default(),
            refused: Family::default(),
            waits: Family::new_with_constructor(|| Histogram::new(from(0.001))),
            runs: Family::new_with_constructor(|| Histogram::new(from(0.001))),
            store: Family::new_with_constructor(|| Histogram::new(from(0.000_1))),
            batches: Family::default(),
            requests: Family::new_with_constructor(|| Histogram::new(from(0.001))),
            notices: Family::default(),
            notices_waiting: Gauge::default(),
            notices_age: Gauge::default(),
        };
        metrics.begin();
        metrics.register();
        metrics
    }
}

/// Bounds of a histogram: 14, each twice the one before.
fn from(seconds: f64) -> impl Iterator<Item = f64> {
    exponential_buckets(seconds, 2.0, 14)
}

impl Metrics {
    /// An attempt at redeeming has ended.
    pub fn redemption(&self, outcome: Outcome) {
        self.redemptions
            .get_or_create(&OutcomeLabel {
                outcome: outcome.label(),
            })
            .inc();
    }

    /// A step of signing in has ended.
    pub fn sign_in(&self, outcome: SignIn) {
        self.sign_ins
            .get_or_create(&OutcomeLabel {
                outcome: outcome.label(),
            })
            .inc();
    }

    /// A batch was issued.
    pub fn issued(&self) {
        self.issued.inc();
    }

    /// A request was answered; `route` is the pattern, never the path with its values.
    pub fn request(&self, route: &str, status: u16, seconds: f64) {
        let label = RequestLabel {
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&label).observe(seconds);
    }

    /// A hash waited for a worker and was run.
    pub fn hashed(&self, lane: Lane, waited: Duration, ran: Duration) {
        let label = LaneLabel::of(lane);
        self.waits
            .get_or_create(&label)
            .observe(waited.as_secs_f64());
        self.runs.get_or_create(&label).observe(ran.as_secs_f64());
    }

    /// The store was asked, and so long it took until its answer.
    pub fn stored(&self, access: Access, took: Duration) {
        self.store
            .get_or_create(&AccessLabel::of(access))
            .observe(took.as_secs_f64());
    }

    /// Live lists by codes left, as counted last.
    pub fn batches(&self, census: &[(u32, u64)]) {
        self.batches.clear();
        for (remaining, batches) in census {
            self.batches
                .get_or_create(&RemainingLabel {
                    remaining: *remaining,
                })
                .set(*batches);
        }
    }

    /// A notice was taken over, or was not.
    pub fn notice(&self, way: Way, settlement: &Settlement) {
        let outcome = match settlement {
            Settlement::Sent => "sent",
            Settlement::Later(_) => "failed",
            Settlement::GivenUp(_) => "given_up",
        };
        let way = name_of(way);
        self.notices
            .get_or_create(&NoticeLabel { way, outcome })
            .inc();
    }

    /// What has not arrived yet, as counted last.
    pub fn notices_waiting(&self, waiting: Waiting, now: Timestamp) {
        let age = waiting.oldest.map(|oldest| now.since(oldest));
        self.notices_waiting.set(waiting.notices);
        self.notices_age.set(age.map_or(0, Millis::ceil_seconds));
    }

    /// Everything in the text form of OpenMetrics, the pool's figures read now.
    ///
    /// # Errors
    /// The text could not be written.
    pub fn text(&self, hasher: &Hasher) -> Result<String, std::fmt::Error> {
        for lane in Lane::ALL {
            let figures = hasher.figures(lane);
            let label = LaneLabel::of(lane);
            let hashes = self.hashes.get_or_create_owned(&label);
            hashes.inner().store(figures.run, Ordering::Relaxed);
            self.waiting
                .get_or_create(&label)
                .set(figures.waiting as u64);
            self.admitted
                .get_or_create(&label)
                .set(figures.admitted as u64);
            for (why, refused) in [
                ("full", figures.refused_full),
                ("share", figures.refused_share),
            ] {
                let lane = label.lane;
                let counter = self
                    .refused
                    .get_or_create_owned(&RefusalLabel { lane, why });
                counter.inner().store(refused, Ordering::Relaxed);
            }
        }
        self.workers.set(hasher.workers() as u64);
        self.places.set(hasher.places() as u64);
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// What never happened is counted as 0, so that the first time shows as a rise.
    fn begin(&self) {
        for outcome in Outcome::ALL.map(Outcome::label) {
            drop(self.redemptions.get_or_create(&OutcomeLabel { outcome }));
        }
        for outcome in SignIn::ALL.map(SignIn::label) {
            drop(self.sign_ins.get_or_create(&OutcomeLabel { outcome }));
        }
        for lane in Lane::ALL.map(LaneLabel::of) {
            drop(self.waits.get_or_create(&lane));
            drop(self.runs.get_or_create(&lane));
        }
        for access in Access::ALL.map(AccessLabel::of) {
            drop(self.store.get_or_create(&access));
        }
        for way in Way::ALL.map(name_of) {
            for outcome in ["sent", "failed", "given_up"] {
                drop(self.notices.get_or_create(&NoticeLabel { way, outcome }));
            }
        }
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "redemptions",
            "Attempts at redeeming",
            self.redemptions.clone(),
        );
        registry.register(
            "sign_in_steps",
            "Steps of signing in",
            self.sign_ins.clone(),
        );
        registry.register("batches_issued", "Batches issued", self.issued.clone());
        registry.register("slow_hashes", "Slow hashes run", self.hashes.clone());
        registry.register(
            "pool_waiting",
            "Hashes waiting for a worker",
            self.waiting.clone(),
        );
        registry.register(
            "pool_admitted",
            "Hashes admitted and not done",
            self.admitted.clone(),
        );
        registry.register("pool_workers", "Workers", self.workers.clone());
        registry.register(
            "pool_places",
            "Hashes that each lane admits",
            self.places.clone(),
        );
        registry.register(
            "pool_refused",
            "Jobs refused as busy: the lane was full, or somebody held their share of it",
            self.refused.clone(),
        );
        registry.register(
            "hash_wait_seconds",
            "Time that a hash waited for a worker",
            self.waits.clone(),
        );
        registry.register(
            "hash_run_seconds",
            "Time that a hash took on its worker",
            self.runs.clone(),
        );
        registry.register(
            "store_seconds",
            "Time that a read or a transaction of the store took, waiting included",
            self.store.clone(),
        );
        registry.register(
            "batches_live",
            "Live lists by codes left; a single code is none",
            self.batches.clone(),
        );
        registry.register("request_seconds", "Time to answer", self.requests.clone());
        registry.register(
            "notices",
            "Tries to tell people of what happened, by way and outcome",
            self.notices.clone(),
        );
        registry.register(
            "notices_waiting",
            "What people have not been told of yet",
            self.notices_waiting.clone(),
        );
        registry.register(
            "notices_oldest_seconds",
            "How long ago the oldest of it happened",
            self.notices_age.clone(),
        );
    }
}
