//! The only place that reads the time.
//!
//! Everything else takes it as an argument, so that tests move it by hand.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::Timestamp;

/// Tells the time of day.
pub trait Clock: Send + Sync + 'static {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time is read")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as 1970; `spare-key check` says so.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Measures how long something took; says nothing about the time of day.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "this is where the time is read")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A time as RFC 3339 in UTC, to the millisecond.
pub fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| format!("{at:.3}"))
        .unwrap_or_else(|_| "9999-12-31T23:59:59.999Z".to_owned())
}

/// Reads an RFC 3339 time; `None` when it is none.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(|at| Timestamp(at.as_millisecond()))
}

/// The UTC date of a time, as `2026-11-21`: what sheets and pages name.
pub fn date(at: Timestamp) -> String {
    rfc3339(at).chars().take_while(|c| *c != 'T').collect()
}

/// The UTC date of a time in English, as `21 November 2026`.
pub fn long_date(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| {
            at.to_zoned(jiff::tz::TimeZone::UTC)
                .strftime("%-d %B %Y")
                .to_string()
        })
        .unwrap_or_else(|_| date(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_being_written_and_read() {
        let at = Timestamp(1_795_219_200_123);
        assert_eq!(rfc3339(at), "2026-11-21T00:00:00.123Z");
        assert_eq!(parse_rfc3339(&rfc3339(at)), Some(at));
        assert_eq!(date(at), "2026-11-21");
        assert_eq!(long_date(at), "21 November 2026");
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}
