//! What everything is measured against: the slow hash by itself, as the server runs it, with as
//! many threads and their memory used again, and nothing around it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use spare_key_server::clock::Stopwatch;
use spare_key_server::domain::Policy;
use spare_key_server::hasher::{Hasher, Job, Lane, PoolSize};
use spare_key_server::model::HashParams;
use zeroize::Zeroizing;

use crate::figures::rate;

pub(crate) struct Bare {
    hasher: Hasher,
    params: HashParams,
}

impl Bare {
    /// With so many threads.
    pub(crate) fn new(workers: usize) -> Self {
        let size = PoolSize {
            workers,
            admitted: 1_024,
        };
        Self {
            hasher: Hasher::start(size).expect("threads"),
            params: Policy::standard(true).hash,
        }
    }

    fn job(&self) -> Job {
        Job {
            secret: Zeroizing::new(b"KZ3MQ7TBWJ5RHXY".to_vec()),
            salt: [7; 16],
            pepper: Zeroizing::new([9; 32]),
            bound_to: [5; 32],
            params: self.params,
        }
    }

    /// One after the other: how long one takes.
    pub(crate) async fn one(&self) -> Duration {
        let watch = Stopwatch::start();
        let permit = self.hasher.admit(Lane::Codes).expect("a place");
        permit.hash(self.job()).await.expect("a hash");
        watch.elapsed()
    }

    /// So many spread over the threads: how long all take.
    pub(crate) async fn spread(&self, count: usize) -> Duration {
        let watch = Stopwatch::start();
        let permit = self.hasher.admit(Lane::Codes).expect("a place");
        let jobs = (0..count).map(|_| self.job()).collect();
        permit.hash_all(jobs).await.expect("hashes");
        watch.elapsed()
    }

    /// How many a second with every thread busy for so long.
    pub(crate) async fn a_second(&self, window: Duration) -> f64 {
        let done = AtomicU64::new(0);
        let watch = Stopwatch::start();
        let callers = (0..self.hasher.workers() * 2).map(|_| async {
            while watch.elapsed() < window {
                let permit = self.hasher.admit(Lane::Codes).expect("a place");
                permit.hash(self.job()).await.expect("a hash");
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
        futures_util::future::join_all(callers).await;
        rate(done.into_inner(), watch.elapsed())
    }
}
