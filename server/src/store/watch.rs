//! How long a store takes, told to whoever counts it. What was read or written is not told.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::Stopwatch;

/// What was asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing is changed by it.
    Read,
    /// A transaction that may change something; its commit is included.
    Write,
}

impl Access {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];
}

/// Told, for each piece of work, how long its caller waited, faults included.
pub type Watcher = Arc<dyn Fn(Access, Duration) + Send + Sync>;

/// Where an adapter keeps who is told.
#[derive(Default)]
pub(super) struct Watch(OnceLock<Watcher>);

impl Watch {
    /// From now on this one is told; who was there first stays.
    pub(super) fn set(&self, watcher: Watcher) {
        let _first = self.0.set(watcher);
    }

    /// Does the work and tells how long it took. What is given up is not told.
    pub(super) async fn time<T>(&self, access: Access, work: impl Future<Output = T>) -> T {
        let took = Stopwatch::start();
        let done = work.await;
        if let Some(watcher) = self.0.get() {
            watcher(access, took.elapsed());
        }
        done
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch(…)")
    }
}
