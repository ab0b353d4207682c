//! What is counted, for Prometheus. Never whose, never which code.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::hasher::{Hasher, Lane};

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RemainingLabel {
    remaining: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    route: String,
    status: u16,
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
    refused: Family<LaneLabel, Counter>,
    batches: Family<RemainingLabel, Gauge<u64, AtomicU64>>,
    requests: Family<RequestLabel, Histogram>,
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
            refused: Family::default(),
            batches: Family::default(),
            requests: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.001, 2.0, 14))
            }),
        };
        metrics.register();
        metrics
    }
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

    /// Live batches by codes left, as counted last.
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

    /// Everything in the text form of OpenMetrics, the pool's figures read now.
    ///
    /// # Errors
    /// The text could not be written.
    pub fn text(&self, hasher: &Hasher) -> Result<String, std::fmt::Error> {
        for lane in Lane::ALL {
            let figures = hasher.figures(lane);
            let lane = match lane {
                Lane::Codes => "codes",
                Lane::Passwords => "passwords",
            };
            let label = LaneLabel { lane };
            let hashes = self.hashes.get_or_create_owned(&label);
            hashes.inner().store(figures.run, Ordering::Relaxed);
            self.waiting
                .get_or_create(&label)
                .set(figures.waiting as u64);
            self.admitted
                .get_or_create(&label)
                .set(figures.admitted as u64);
            let refused = self.refused.get_or_create_owned(&label);
            refused.inner().store(figures.refused, Ordering::Relaxed);
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
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
            "Jobs admitted and not done",
            self.admitted.clone(),
        );
        registry.register("pool_refused", "Jobs refused as busy", self.refused.clone());
        registry.register(
            "batches_live",
            "Live batches by codes left",
            self.batches.clone(),
        );
        registry.register("request_seconds", "Time to answer", self.requests.clone());
    }
}
