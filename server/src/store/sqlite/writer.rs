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

use super::place::Place;
use super::sql::{Work, execute};
use crate::store::watch::Watch;
use crate::store::{Access, StoreFault, StoreResult};

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
    pub(super) watch: Watch,
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
            watch: Watch::default(),
        })
    }

    /// Does `work` in a transaction and answers once that is committed. `context` names the port's
    /// method in a fault. A caller that goes away does not stop work already handed over.
    pub(super) async fn run<T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<Verdict<T>> + Send + 'static,
    {
        let done = self.hand_over(context, Setting::Grouped, work);
        self.watch.time(Access::Write, done).await
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
    let place = Place::of(db);
    let place = place.as_ref();
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut rest = group.drain(..).peekable();
        while let Some(next) = rest.peek() {
            if next.setting() == Setting::Alone {
                rest.next()
                    .into_iter()
                    .for_each(|job| alone(db, place, job));
            } else {
                let jobs =
                    std::iter::from_fn(|| rest.next_if(|job| job.setting() == Setting::Grouped));
                together(db, place, jobs);
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

/// Whether the file is still there; always where there is none.
fn look(place: Option<&Place>) -> Result<(), Cause> {
    let seen = place.map_or(Ok(()), Place::look);
    seen.map_err(|moved| Arc::new(moved) as Cause)
}

fn alone(db: &Connection, place: Option<&Place>, mut job: Box<dyn Job>) {
    match look(place) {
        Ok(()) => drop(guarded(&mut *job, db)),
        Err(cause) => job.fail(Box::new(Shared(cause))),
    }
    job.answer();
}

/// One transaction. Takes jobs until there are no more or SQLite gave the transaction up, so that
/// those not yet begun have a transaction of their own.
fn together(db: &Connection, place: Option<&Place>, jobs: impl Iterator<Item = Box<dyn Job>>) {
    let mut committed = look(place).and_then(|()| {
        let begun = execute(db, "BEGIN IMMEDIATE", []);
        begun.map_err(|error| Arc::new(error) as Cause).map(drop)
    });
    let whole = committed.is_ok();
    let mut done = Vec::new();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::sql::first;
    use Verdict::{Keep, Undo};

    fn writer() -> Writer {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE mark (n INTEGER PRIMARY KEY, padding BLOB);
             CREATE TABLE pointer (n INTEGER REFERENCES mark (n) DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
        Writer::start(db).unwrap()
    }

    fn mark(db: &Connection, n: i64) -> rusqlite::Result<usize> {
        execute(db, "INSERT INTO mark (n) VALUES (?1)", [n])
    }

    async fn marks(writer: &Writer) -> i64 {
        let count = |db: &Connection| first(db, "SELECT count(*) FROM mark", [], |r| r.get(0));
        let counted = writer
            .run_alone("counting", move |db| Ok(count(db)?))
            .await
            .unwrap();
        counted.unwrap()
    }

    /// Hands three over as one group, the second of them `odd`, and says how each ended.
    async fn group_of_three(
        writer: &Writer,
        odd: impl FnOnce(&Connection) -> Work<Verdict<()>> + Send + 'static,
    ) -> [StoreResult<()>; 3] {
        let gate = Arc::new(std::sync::Barrier::new(2));
        let shut = Arc::clone(&gate);
        // The thread is kept busy until all three wait, so that they share a transaction.
        let busy = writer.run_alone("waiting", move |_| {
            shut.wait();
            Ok(())
        });
        let one = writer.run("one", |db| Ok(Keep(mark(db, 1).map(drop)?)));
        let two = writer.run("two", odd);
        let three = writer.run("three", |db| Ok(Keep(mark(db, 3).map(drop)?)));
        let open = async {
            // Polled last, when the others have been handed over.
            gate.wait();
        };
        let (_, one, two, three, ()) = tokio::join!(biased; busy, one, two, three, open);
        [one, two, three]
    }

    /// Row A-106.
    #[tokio::test]
    async fn a_panic_is_a_fault_of_its_own_work_only() {
        let writer = writer();
        let [one, two, three] = group_of_three(&writer, |db| {
            mark(db, 2)?;
            panic!("on purpose")
        })
        .await;
        let fault = two.unwrap_err();
        assert_eq!(fault.context, "two");
        assert_eq!(fault.source.to_string(), "a panic: on purpose");
        assert!(one.is_ok() && three.is_ok());
        assert_eq!(marks(&writer).await, 2);
    }

    #[tokio::test]
    async fn work_that_is_turned_down_or_fails_leaves_nothing() {
        let writer = writer();
        let [one, two, three] = group_of_three(&writer, |db| {
            mark(db, 2)?;
            Ok(Undo(()))
        })
        .await;
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert_eq!(marks(&writer).await, 2);
        let failed = writer.run("failing", |db| {
            mark(db, 4)?;
            mark(db, 1)?;
            Ok(Keep(()))
        });
        assert_eq!(failed.await.unwrap_err().context, "failing");
        assert_eq!(marks(&writer).await, 2);
    }

    /// Row C7.
    #[tokio::test]
    async fn when_the_commit_fails_nobody_is_told_done() {
        let writer = writer();
        let answers = group_of_three(&writer, |db| {
            // Allowed now, found out at the commit.
            execute(db, "INSERT INTO pointer (n) VALUES (4711)", [])?;
            Ok(Keep(()))
        })
        .await;
        assert!(answers.iter().all(Result::is_err));
        assert_eq!(marks(&writer).await, 0);
        writer
            .run("again", |db| Ok(Keep(mark(db, 1)?)))
            .await
            .unwrap();
        assert_eq!(marks(&writer).await, 1);
    }

    #[tokio::test]
    async fn when_the_transaction_is_lost_those_in_it_are_told_and_the_rest_begins_anew() {
        let writer = writer();
        let [one, two, three] = group_of_three(&writer, |db| {
            execute(db, "ROLLBACK", [])?;
            Err("the disk is gone".into())
        })
        .await;
        assert_eq!(one.unwrap_err().context, "one");
        assert_eq!(two.unwrap_err().source.to_string(), "the disk is gone");
        assert!(three.is_ok());
        assert_eq!(marks(&writer).await, 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_a_fault_and_the_next_write_finds_room() {
        let writer = writer();
        let pages = |n: i64| {
            writer.run_alone("setting the room", move |db| {
                Ok(db.query_row(&format!("PRAGMA max_page_count = {n}"), [], |_| Ok(()))?)
            })
        };
        pages(1).await.unwrap();
        let fill = || {
            writer.run("filling", |db| {
                let sql = "INSERT INTO mark (padding) VALUES (zeroblob(1000000))";
                Ok(Keep(execute(db, sql, [])?))
            })
        };
        assert!(fill().await.is_err());
        assert_eq!(marks(&writer).await, 0);
        pages(1_000_000).await.unwrap();
        fill().await.unwrap();
        assert_eq!(marks(&writer).await, 1);
    }
}
