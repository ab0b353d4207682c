//! Time that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};

use spare_key_server::clock::Clock;
use spare_key_server::model::{Millis, Timestamp};

/// A clock that is moved by hand. It begins at 2026-11-21T00:00:00Z.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_795_219_200_000))
    }
}

impl TestClock {
    /// So much later.
    pub fn advance(&self, span: Millis) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
