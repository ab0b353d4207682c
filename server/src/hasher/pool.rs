//! The threads, their two lanes, and who is let in.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{Busy, Counter, HashFault, Job, Lane, LaneFigures, PoolSize, Reply};

type Answer = oneshot::Sender<Result<Zeroizing<[u8; 32]>, HashFault>>;

#[derive(Default)]
struct Queues {
    waiting: [VecDeque<(Job, Answer)>; 2],
    admitted: [usize; 2],
    next: usize,
    stopped: bool,
}

impl Queues {
    /// The next job, lanes in turn.
    fn take(&mut self) -> Option<(usize, Job, Answer)> {
        for lane in [self.next, 1 - self.next] {
            if let Some((job, answer)) = self.waiting[lane].pop_front() {
                self.next = 1 - lane;
                return Some((lane, job, answer));
            }
        }
        None
    }
}

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    work: Condvar,
    run: [Counter; 2],
    refused: [Counter; 2],
}

impl Shared {
    // A panic while the lock is held leaves queues that are still whole: nothing in there can fail
    // half way.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running pool.
pub(super) struct Pool {
    shared: Arc<Shared>,
    size: PoolSize,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn start(size: PoolSize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let pool = Self { shared, size };
        for number in 0..size.workers.max(1) {
            let shared = Arc::clone(&pool.shared);
            thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || work(&shared))?;
        }
        Ok(pool)
    }

    pub(super) fn workers(&self) -> usize {
        self.size.workers.max(1)
    }

    /// Whether every thread is there: each holds a handle on what is shared.
    pub(super) fn is_whole(&self) -> bool {
        Arc::strong_count(&self.shared) > self.workers()
    }

    pub(super) fn admit(&self, lane: Lane) -> Result<(), Busy> {
        let mut queues = self.shared.lock();
        let admitted = &mut queues.admitted[lane.index()];
        if *admitted >= self.size.admitted.max(1) {
            let ahead = *admitted;
            drop(queues);
            self.shared.refused[lane.index()].add_one();
            // A hash takes some 50 ms; whole seconds are all that `Retry-After` can say.
            let seconds = 1 + ahead / (self.workers() * 20);
            return Err(Busy {
                retry_after: Duration::from_secs(seconds as u64),
            });
        }
        *admitted += 1;
        Ok(())
    }

    pub(super) fn give_back(&self, lane: Lane) {
        let mut queues = self.shared.lock();
        let admitted = &mut queues.admitted[lane.index()];
        *admitted = admitted.saturating_sub(1);
    }

    pub(super) fn run(&self, lane: Lane, job: Job) -> Reply {
        let (answer, reply) = oneshot::channel();
        self.shared.lock().waiting[lane.index()].push_back((job, answer));
        self.shared.work.notify_one();
        reply
    }

    pub(super) fn figures(&self, lane: Lane) -> LaneFigures {
        let queues = self.shared.lock();
        LaneFigures {
            run: self.shared.run[lane.index()].get(),
            admitted: queues.admitted[lane.index()],
            waiting: queues.waiting[lane.index()].len(),
            refused: self.shared.refused[lane.index()].get(),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.work.notify_all();
    }
}

fn work(shared: &Shared) {
    let mut memory = Vec::new();
    loop {
        let mut queues = shared.lock();
        let (lane, job, answer) = loop {
            if let Some(next) = queues.take() {
                break next;
            }
            if queues.stopped {
                return;
            }
            queues = shared
                .work
                .wait(queues)
                .unwrap_or_else(PoisonError::into_inner);
        };
        drop(queues);
        // Nobody waits for it any more: the request was cut off, so the work is not done.
        if answer.is_closed() {
            continue;
        }
        let digest = catch_unwind(AssertUnwindSafe(|| super::run(&job, &mut memory)))
            .unwrap_or(Err(HashFault));
        shared.run[lane].add_one();
        // The caller may have gone meanwhile; then the digest is dropped and zeroed.
        let _unclaimed = answer.send(digest);
    }
}
