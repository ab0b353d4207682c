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

/// A time of the calendar and the clock, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i16,
    /// The month, from 1.
    pub month: i8,
    /// The day of the month, from 1.
    pub day: i8,
    /// The hour, 0 to 23.
    pub hour: i8,
    /// The minute.
    pub minute: i8,
}

/// A time by the calendar, in UTC; `None` beyond the year 9999.
pub fn civil(at: Timestamp) -> Option<Civil> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    Some(Civil {
        year: at.year(),
        month: at.month(),
        day: at.day(),
        hour: at.hour(),
        minute: at.minute(),
    })
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
        let by_the_calendar = Civil {
            year: 2026,
            month: 11,
            day: 21,
            hour: 0,
            minute: 0,
        };
        assert_eq!(civil(at), Some(by_the_calendar));
        assert_eq!(civil(Timestamp(i64::MAX)), None);
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}
