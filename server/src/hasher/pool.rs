//! The threads, their two lanes, and who is let in.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::admission::{Asker, Places, Refused};
use super::{
    Busy, Counter, ForeignCode, HashFault, Job, Lane, LaneFigures, Memory, PoolSize, Recipe, Reply,
    Watcher,
};
use crate::clock::Stopwatch;

type Answer<T> = oneshot::Sender<Result<Zeroizing<T>, HashFault>>;

/// One hash to run, and who waits for it.
enum Task {
    Ours(Job, Answer<[u8; 32]>),
    Foreign(Recipe, ForeignCode, Answer<Vec<u8>>),
}

impl Task {
    /// Nobody waits for it any more.
    fn is_in_vain(&self) -> bool {
        match self {
            Self::Ours(_, answer) => answer.is_closed(),
            Self::Foreign(_, _, answer) => answer.is_closed(),
        }
    }

    /// Runs it; what is handed back tells whoever waits.
    fn run(self, memory: &mut Memory) -> Box<dyn FnOnce() + Send> {
        // The caller may have gone meanwhile; then the digest is dropped and zeroed.
        match self {
            Self::Ours(job, answer) => {
                let digest = guarded(|| super::run(&job, memory));
                Box::new(move || drop(answer.send(digest)))
            }
            Self::Foreign(recipe, code, answer) => {
                let digest = guarded(|| recipe.run(&code, memory));
                Box::new(move || drop(answer.send(digest)))
            }
        }
    }
}

fn guarded<T>(hash: impl FnOnce() -> Result<T, HashFault>) -> Result<T, HashFault> {
    catch_unwind(AssertUnwindSafe(hash)).unwrap_or(Err(HashFault))
}

/// A task in its queue, and since when.
struct Waiting(Task, Stopwatch);

#[derive(Default)]
struct Queues {
    waiting: [VecDeque<Waiting>; 2],
    places: [Places; 2],
    next: usize,
    /// What no hash is using, the last used on top: it is the likeliest to be in the processor's
    /// caches, and where one hash at a time is run only one is ever made.
    idle: Vec<Memory>,
    /// How long a hash has taken lately, in nanoseconds.
    lately: u64,
    stopped: bool,
}

impl Queues {
    /// The next job, lanes in turn, and memory for it.
    fn take(&mut self) -> Option<(Lane, Waiting, Memory)> {
        for lane in [self.next, 1 - self.next] {
            if let Some(waiting) = self.waiting[lane].pop_front() {
                self.next = 1 - lane;
                let memory = self.idle.pop().unwrap_or_else(Memory::new);
                return Some((Lane::ALL[lane], waiting, memory));
            }
        }
        None
    }

    /// A hash took so long: a moving mean, an eighth of it the newest.
    fn took(&mut self, time: Duration) {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.lately = match self.lately {
            0 => time,
            before => before - before / 8 + time / 8,
        };
    }
}

struct Shared {
    queues: Mutex<Queues>,
    work: Condvar,
    run: [Counter; 2],
    refused_full: [Counter; 2],
    refused_share: [Counter; 2],
    watcher: Watcher,
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
    pub(super) fn start(size: PoolSize, watcher: Watcher) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queues: Mutex::default(),
            work: Condvar::default(),
            run: Default::default(),
            refused_full: Default::default(),
            refused_share: Default::default(),
            watcher,
        });
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

    pub(super) fn places(&self) -> usize {
        self.size.admitted.max(1)
    }

    /// Whether every thread is there: each holds a handle on what is shared.
    pub(super) fn is_whole(&self) -> bool {
        Arc::strong_count(&self.shared) > self.workers()
    }

    pub(super) fn admit(&self, lane: Lane, hashes: usize, asker: &Asker) -> Result<(), Busy> {
        let mut queues = self.shared.lock();
        let places = &mut queues.places[lane.index()];
        let ahead = places.taken();
        let taken = places.take(hashes, asker, self.places());
        let lately = Duration::from_nanos(queues.lately);
        drop(queues);
        let refused = match taken {
            Ok(()) => return Ok(()),
            Err(Refused::Full) => &self.shared.refused_full,
            Err(Refused::Share) => &self.shared.refused_share,
        };
        refused[lane.index()].add_one();
        // When what is ahead is done; whole seconds are all that `Retry-After` can say.
        let rounds = u32::try_from(ahead / self.workers()).unwrap_or(u32::MAX);
        let wait = lately.saturating_mul(rounds);
        Err(Busy {
            retry_after: Duration::from_secs(1 + wait.as_secs()),
        })
    }

    pub(super) fn give_back(&self, lane: Lane, hashes: usize, asker: &Asker) {
        let mut queues = self.shared.lock();
        queues.places[lane.index()].give_back(hashes, asker);
    }

    pub(super) fn run(&self, lane: Lane, job: Job) -> Reply<[u8; 32]> {
        let (answer, reply) = oneshot::channel();
        self.line_up(lane, Task::Ours(job, answer));
        reply
    }

    pub(super) fn run_foreign(
        &self,
        lane: Lane,
        recipe: Recipe,
        code: ForeignCode,
    ) -> Reply<Vec<u8>> {
        let (answer, reply) = oneshot::channel();
        self.line_up(lane, Task::Foreign(recipe, code, answer));
        reply
    }

    fn line_up(&self, lane: Lane, task: Task) {
        let waiting = Waiting(task, Stopwatch::start());
        self.shared.lock().waiting[lane.index()].push_back(waiting);
        self.shared.work.notify_one();
    }

    pub(super) fn figures(&self, lane: Lane) -> LaneFigures {
        let queues = self.shared.lock();
        LaneFigures {
            run: self.shared.run[lane.index()].get(),
            admitted: queues.places[lane.index()].taken(),
            waiting: queues.waiting[lane.index()].len(),
            refused_full: self.shared.refused_full[lane.index()].get(),
            refused_share: self.shared.refused_share[lane.index()].get(),
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
    loop {
        let mut queues = shared.lock();
        let (lane, Waiting(task, since), mut memory) = loop {
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
        // The request was cut off, so the work is not done.
        if task.is_in_vain() {
            shared.lock().idle.push(memory);
            continue;
        }
        let waited = since.elapsed();
        let running = Stopwatch::start();
        let tell = task.run(&mut memory);
        let took = running.elapsed();
        shared.run[lane.index()].add_one();
        (shared.watcher)(lane, waited, took);
        let mut queues = shared.lock();
        queues.idle.push(memory);
        queues.took(took);
        drop(queues);
        tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HashParams;

    fn pool(workers: usize) -> Pool {
        let size = PoolSize {
            workers,
            admitted: 4,
        };
        Pool::start(size, Arc::new(|_, _, _| {})).unwrap()
    }

    fn job() -> Job {
        Job {
            secret: Zeroizing::new(vec![1]),
            salt: [2; 16],
            pepper: Zeroizing::new([3; 32]),
            bound_to: [4; 32],
            params: HashParams {
                memory_kib: 8,
                passes: 1,
                lanes: 1,
            },
        }
    }

    #[tokio::test]
    async fn one_hash_at_a_time_takes_one_memory_whoever_runs_it() {
        let pool = pool(4);
        for _ in 0..50 {
            pool.run(Lane::Codes, job()).await.unwrap().unwrap();
        }
        assert_eq!(pool.shared.lock().idle.len(), 1);
    }

    #[test]
    fn who_is_told_to_come_back_is_told_when_what_is_ahead_will_be_done() {
        let pool = pool(2);
        let full = |pool: &Pool| pool.admit(Lane::Codes, 100, &Asker::anyone());
        full(&pool).unwrap();
        assert_eq!(full(&pool).unwrap_err().retry_after.as_secs(), 1);
        pool.shared.lock().took(Duration::from_millis(400));
        assert_eq!(full(&pool).unwrap_err().retry_after.as_secs(), 21);
        for _ in 0..100 {
            pool.shared.lock().took(Duration::from_millis(10));
        }
        assert_eq!(full(&pool).unwrap_err().retry_after.as_secs(), 1);
    }
}
