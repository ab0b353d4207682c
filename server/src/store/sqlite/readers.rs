//! Reading connections: a few, shared, unable to write.
//!
//! Each read begins its own transaction, so it sees every commit that was answered before, of this
//! process or another, and one state of the database throughout. Nothing is cached here.
//!
//! What an index finds is looked up where it is asked for: a few pages, nearly always in memory, that
//! take less time than another thread takes to wake up. What may be long is read on a thread that may
//! block.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::sql::Work;
use crate::store::watch::Watch;
use crate::store::{Access, StoreFault, StoreResult};

/// A pool of reading connections.
#[derive(Debug)]
pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
    pub(super) watch: Watch,
}

impl Readers {
    /// Shares these connections out.
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        let places = Arc::new(Semaphore::new(connections.len()));
        Self {
            idle: Arc::new(Mutex::new(connections)),
            places,
            watch: Watch::default(),
        }
    }

    /// Reads at once, on this thread: a few rows by an index. `context` names the port's method in a
    /// fault; a panic is one too.
    pub(super) async fn look_up<T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        F: FnOnce(&Connection) -> Work<T>,
    {
        let reading = async {
            let fault = |source| StoreFault { context, source };
            let _place = self.places.acquire().await.map_err(|e| fault(e.into()))?;
            let lent = Lent::take(&self.idle).map_err(fault)?;
            catch_unwind(AssertUnwindSafe(|| lent.in_transaction(work)))
                .unwrap_or_else(|_| Err("a panic".into()))
                .map_err(fault)
        };
        self.watch.time(Access::Read, reading).await
    }

    /// Reads on a thread that may block. `context` names the port's method in a fault.
    pub(super) async fn read<T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.watch
            .time(Access::Read, self.read_now(context, work))
            .await
    }

    async fn read_now<T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        let fault = |source| StoreFault { context, source };
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|e| fault(e.into()))?;
        let idle = Arc::clone(&self.idle);
        let reading = spawn_blocking(move || {
            // Back in this order, and also when the work panics: connection, then place.
            let _place = place;
            Lent::take(&idle)?.in_transaction(work)
        });
        reading.await.map_err(|e| fault(e.into()))?.map_err(fault)
    }
}

/// A connection on loan; goes back when dropped.
struct Lent<'a> {
    idle: &'a Mutex<Vec<Connection>>,
    connection: Option<Connection>,
}

impl<'a> Lent<'a> {
    fn take(idle: &'a Mutex<Vec<Connection>>) -> Work<Self> {
        let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        connection
            .map(|connection| Self {
                idle,
                connection: Some(connection),
            })
            .ok_or_else(|| "no reading connection is idle".into())
    }

    fn in_transaction<T>(&self, work: impl FnOnce(&Connection) -> Work<T>) -> Work<T> {
        let connection = self
            .connection
            .as_ref()
            .ok_or("the connection was given back")?;
        let reading = Reading::begin(connection)?;
        let value = work(connection)?;
        reading.end()?;
        Ok(value)
    }
}

/// A transaction of which nothing is left when it is dropped, also by a panic.
struct Reading<'a>(&'a Connection);

impl<'a> Reading<'a> {
    fn begin(connection: &'a Connection) -> rusqlite::Result<Self> {
        run(connection, "BEGIN").map(|()| Self(connection))
    }

    fn end(self) -> rusqlite::Result<()> {
        run(self.0, "COMMIT")
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit()
            && let Err(error) = run(self.0, "ROLLBACK")
        {
            tracing::error!(%error, "a reading transaction could not be ended");
        }
    }
}

fn run(connection: &Connection, word: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(word)?.execute([]).map(drop)
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}
