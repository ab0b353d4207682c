//! The only place that runs a slow hash: Argon2id (RFC 9106) on a bounded pool of threads.
//!
//! Each worker owns one block of memory and uses it again, so memory is workers × m and nothing
//! else. Whoever wants a hash asks for admission first and is told "busy" while nothing has been
//! charged. Codes and passwords have a lane each and the workers serve the lanes in turn, so that
//! neither starves the other; in a lane no account and no address takes the places of all others.
//! It never compares or stores anything; all it parses is how verifiers that were imported were
//! made.

mod admission;
mod foreign;
mod ours;
mod pool;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use zeroize::Zeroizing;

pub use self::admission::Asker;
pub use self::foreign::{Recipe, Unfit, WORK_MAX, argon2_work};
pub use self::ours::params_are_sound;
use self::ours::{Memory, run};
use self::pool::Pool;
use crate::model::{ForeignCode, HashParams, SecretDigest};

/// Who waits beside whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Recovery codes: verifying one, digesting a batch.
    Codes,
    /// Passwords.
    Passwords,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Codes, Self::Passwords];

    const fn index(self) -> usize {
        match self {
            Self::Codes => 0,
            Self::Passwords => 1,
        }
    }
}

/// How large the pool is.
#[derive(Debug, Clone, Copy)]
pub struct PoolSize {
    /// Threads; each uses the parameters' memory.
    pub workers: usize,
    /// Admitted hashes a lane, running and waiting; who comes then is refused. A quarter of them
    /// is the most that one account or one address may hold.
    pub admitted: usize,
}

/// One hash to run.
pub struct Job {
    /// The secret.
    pub secret: Zeroizing<Vec<u8>>,
    /// Its salt.
    pub salt: [u8; 16],
    /// Argon2's secret input, from the keyring.
    pub pepper: Zeroizing<[u8; 32]>,
    /// Argon2's associated data: what the hash is bound to.
    pub bound_to: [u8; 32],
    /// What it may cost.
    pub params: HashParams,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job(…)")
    }
}

/// The lane is full, or whoever asks holds their share of it; nothing was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// When it is worth asking again.
    pub retry_after: Duration,
}

/// A hash could not be run: parameters out of bounds or the pool has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the slow hash could not be run")]
pub struct HashFault;

/// What the pool did and does, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneFigures {
    /// Hashes run so far.
    pub run: u64,
    /// Hashes admitted and not yet done.
    pub admitted: usize,
    /// Hashes waiting for a worker.
    pub waiting: usize,
    /// Admissions refused so far because the lane was full.
    pub refused_full: u64,
    /// Admissions refused so far because the account or the address held its share.
    pub refused_share: u64,
}

/// Told, for each hash, how long it waited for a worker and then ran.
pub type Watcher = Arc<dyn Fn(Lane, Duration, Duration) + Send + Sync>;

/// The pool. Cloning it gives another handle; the last one to go stops the threads.
#[derive(Debug, Clone)]
pub struct Hasher {
    pool: Arc<Pool>,
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// The operating system gave no thread.
    pub fn start(size: PoolSize) -> std::io::Result<Self> {
        Self::start_watched(size, Arc::new(|_, _, _| {}))
    }

    /// The same, telling how long each hash took.
    ///
    /// # Errors
    /// As [`Hasher::start`].
    pub fn start_watched(size: PoolSize, watcher: Watcher) -> std::io::Result<Self> {
        Ok(Self {
            pool: Arc::new(Pool::start(size, watcher)?),
        })
    }

    /// A place in the lane for one hash of nobody in particular, or `Busy`.
    ///
    /// # Errors
    /// As [`Hasher::admit_for`].
    pub fn admit(&self, lane: Lane) -> Result<Permit, Busy> {
        self.admit_for(lane, 1, Asker::anyone())
    }

    /// Places in the lane for so many hashes of this asker, or `Busy`.
    ///
    /// # Errors
    /// The lane holds as many as it may, or the asker does.
    pub fn admit_for(&self, lane: Lane, hashes: usize, asker: Asker) -> Result<Permit, Busy> {
        self.pool.admit(lane, hashes, &asker)?;
        Ok(Permit {
            pool: Arc::clone(&self.pool),
            lane,
            hashes,
            asker,
        })
    }

    /// What a lane did and does.
    pub fn figures(&self, lane: Lane) -> LaneFigures {
        self.pool.figures(lane)
    }

    /// Whether every thread is still there.
    pub fn is_whole(&self) -> bool {
        self.pool.is_whole()
    }

    /// How many hashes each lane admits.
    pub fn places(&self) -> usize {
        self.pool.places()
    }

    /// What the processor's vector code is called that hashes here; `None` is the portable code.
    pub fn vector_code() -> Option<&'static str> {
        ours::code()
    }

    /// How many threads there are.
    pub fn workers(&self) -> usize {
        self.pool.workers()
    }
}

/// Places in a lane; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    pool: Arc<Pool>,
    lane: Lane,
    hashes: usize,
    asker: Asker,
}

impl Permit {
    /// Runs one hash.
    ///
    /// # Errors
    /// Parameters out of Argon2's bounds, or the pool has stopped.
    pub async fn hash(&self, job: Job) -> Result<Zeroizing<[u8; 32]>, HashFault> {
        self.pool.run(self.lane, job).await.map_err(|_| HashFault)?
    }

    /// Digests a text as its origin did; on a worker, like a hash of our own.
    ///
    /// # Errors
    /// As [`Permit::hash`].
    pub async fn digest_as(
        &self,
        recipe: Recipe,
        code: ForeignCode,
    ) -> Result<Zeroizing<Vec<u8>>, HashFault> {
        let reply = self.pool.run_foreign(self.lane, recipe, code);
        reply.await.map_err(|_| HashFault)?
    }

    /// Digests several secrets as one job spread over the workers, in their order.
    ///
    /// # Errors
    /// As [`Permit::hash`]; none is returned unless all succeeded.
    pub async fn hash_all(&self, jobs: Vec<Job>) -> Result<Vec<SecretDigest>, HashFault> {
        let running: Vec<_> = jobs
            .into_iter()
            .map(|job| (job.salt, self.pool.run(self.lane, job)))
            .collect();
        let mut digests = Vec::with_capacity(running.len());
        for (salt, reply) in running {
            let digest = reply.await.map_err(|_| HashFault)??;
            digests.push(SecretDigest {
                salt,
                digest: *digest,
            });
        }
        Ok(digests)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pool.give_back(self.lane, self.hashes, &self.asker);
    }
}

type Reply<T> = oneshot::Receiver<Result<Zeroizing<T>, HashFault>>;

#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Counter {
    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
