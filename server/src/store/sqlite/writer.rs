//! The one writing connection: a thread owns it, work comes over a bounded channel and is
//! committed in groups.
//!
//! A commit with `synchronous=FULL` waits for the disk; whatever else waits meanwhile shares the
//! next one. Each piece of work has a savepoint of its own, so that one that fails, panics or is
//! turned down by its guard leaves nothing and takes nobody with it. Answers go out only after the
//! commit: what was said to be done is on disk. Nothing is remembered from one piece of work to
//! the next, because other processes may write to the same file.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::sql::{Work, execute};
use crate::store::{StoreFault, StoreResult};

/// How much work may wait; further callers wait for a place.
const WAITING: usize = 1_024;

/// How much work shares one commit: bounds how long the first waits for the last.
const GROUP: usize = 256;

/// How a piece of work that did not break ends.
#[derive(Debug)]
pub(super) enum Verdict<T> {
    /// What it wrote stands.
    Keep(T),
    /// A guard said no: whatever it wrote before is undone.
    Undo(T),
}

/// Hands work to the thread. Dropping it lets the thread finish what waits and close the file.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::channel(WAITING);
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(&connection, waiting))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Does `work` in a transaction and answers once that is committed. `context` names the port's
    /// method in a fault. A caller that goes away does not stop work already handed over.
    pub(super) async fn run<T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<Verdict<T>> + Send + 'static,
    {
        self.hand_over(context, Setting::Grouped, work).await
    }

    /// Does `work` by itself and outside any transaction.
    pub(super) async fn run_alone<T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.hand_over(context, Setting::Alone, |db| work(db).map(Verdict::Keep))
            .await
    }

    async fn hand_over<T, F>(
        &self,
        context: &'static str,
        setting: Setting,
        work: F,
    ) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<Verdict<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let closed = || StoreFault {
            context,
            source: "the store is closed".into(),
        };
        let task = Task {
            context,
            setting,
            work: Some(work),
            outcome: None,
            answer,
        };
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        jobs.send(Box::new(task)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the SQLite writer ended in a panic");
        }
    }
}

/// Where work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    /// In a group's transaction.
    Grouped,
    /// Outside any.
    Alone,
}

/// Why a whole group came to nothing, shared by all of it.
type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Work with its types hidden.
trait Job: Send {
    fn setting(&self) -> Setting;
    /// Does the work; `true` when what it wrote is to stand.
    fn work(&mut self, db: &Connection) -> bool;
    /// Makes it a fault, unless it is one already.
    fn fail(&mut self, cause: Box<dyn std::error::Error + Send + Sync>);
    /// Lets the caller go on.
    fn answer(self: Box<Self>);
}

struct Task<T, F> {
    context: &'static str,
    setting: Setting,
    work: Option<F>,
    outcome: Option<StoreResult<T>>,
    answer: oneshot::Sender<StoreResult<T>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Work<Verdict<T>> + Send,
{
    fn setting(&self) -> Setting {
        self.setting
    }

    fn work(&mut self, db: &Connection) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let (outcome, stands) = match work(db) {
            Ok(Verdict::Keep(value)) => (Ok(value), true),
            Ok(Verdict::Undo(value)) => (Ok(value), false),
            Err(source) => (
                Err(StoreFault {
                    context: self.context,
                    source,
                }),
                false,
            ),
        };
        self.outcome = Some(outcome);
        stands
    }

    fn fail(&mut self, source: Box<dyn std::error::Error + Send + Sync>) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(StoreFault {
                context: self.context,
                source,
            }));
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // Nobody listens when the caller went away; the work is done all the same.
            drop(self.answer.send(outcome));
        }
    }
}

/// The thread: takes whatever waits, commits it as one, until every sender is gone.
fn serve(db: &Connection, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut rest = group.drain(..).peekable();
        while let Some(next) = rest.peek() {
            if next.setting() == Setting::Alone {
                rest.next().into_iter().for_each(|job| alone(db, job));
            } else {
                let jobs =
                    std::iter::from_fn(|| rest.next_if(|job| job.setting() == Setting::Grouped));
                together(db, jobs);
            }
        }
    }
    // The last connection of the last process removes the log; otherwise others still need it.
    if let Err(error) = checkpoint(db) {
        tracing::warn!(%error, "the write-ahead log stays until the next start");
    }
}

/// Moves the log into the file and empties it, so that what was erased is in neither. Gives up
/// quietly when a reader is in the way: the next one will do it.
pub(super) fn checkpoint(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

fn alone(db: &Connection, mut job: Box<dyn Job>) {
    guarded(&mut *job, db);
    job.answer();
}

/// One transaction. Takes jobs until there are no more or SQLite gave the transaction up, so that
/// those not yet begun have a transaction of their own.
fn together(db: &Connection, jobs: impl Iterator<Item = Box<dyn Job>>) {
    let begun = execute(db, "BEGIN IMMEDIATE", []);
    let whole = begun.is_ok();
    let mut done = Vec::new();
    let mut committed = begun.map_err(|error| Arc::new(error) as Cause).map(drop);
    for mut job in jobs {
        if whole {
            let sound = in_savepoint(&mut *job, db);
            done.push(job);
            if !sound {
                committed = Err(Arc::new(Lost));
                break;
            }
        } else {
            done.push(job);
        }
    }
    if committed.is_ok() {
        committed = execute(db, "COMMIT", [])
            .map(drop)
            .map_err(|error| Arc::new(error) as Cause);
    }
    if !db.is_autocommit()
        && let Err(error) = execute(db, "ROLLBACK", [])
    {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
    for mut job in done {
        if let Err(cause) = &committed {
            job.fail(Box::new(Shared(Arc::clone(cause))));
        }
        job.answer();
    }
}

/// Does a job between its own savepoints; `false` when the transaction around it is no longer to
/// be trusted.
fn in_savepoint(job: &mut dyn Job, db: &Connection) -> bool {
    if let Err(error) = execute(db, "SAVEPOINT job", []) {
        job.fail(Box::new(error));
        return !db.is_autocommit();
    }
    let stands = guarded(job, db);
    if db.is_autocommit() {
        // A full disk or a broken one: SQLite rolled everything back by itself.
        return false;
    }
    let closed = if stands {
        Ok(0)
    } else {
        execute(db, "ROLLBACK TO job", [])
    }
    .and_then(|_| execute(db, "RELEASE job", []));
    match closed {
        Ok(_) => true,
        Err(error) => {
            job.fail(Box::new(error));
            false
        }
    }
}

/// Does a job; a panic is a fault of that job and not the end of the thread.
fn guarded(job: &mut dyn Job, db: &Connection) -> bool {
    match catch_unwind(AssertUnwindSafe(|| job.work(db))) {
        Ok(stands) => stands,
        Err(panic) => {
            job.fail(format!("a panic: {}", words(&*panic)).into());
            false
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}

/// The cause of a group's end, as each of it is told.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Shared(Cause);

/// Another write of the group broke in a way that took the transaction with it.
#[derive(Debug, thiserror::Error)]
#[error("the transaction was rolled back by the database")]
struct Lost;
