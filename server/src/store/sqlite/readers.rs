//! Reading connections: a few, shared, unable to write.
//!
//! Each read begins its own transaction, so it sees every commit that was answered before, of this
//! process or another, and one state of the database throughout. Nothing is cached here.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
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
            let lent = Lent::take(&idle).ok_or("no reading connection is idle")?;
            lent.in_transaction(work)
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
    fn take(idle: &'a Mutex<Vec<Connection>>) -> Option<Self> {
        let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Self {
            idle,
            connection: Some(connection),
        })
    }

    fn in_transaction<T>(&self, work: impl FnOnce(&Connection) -> Work<T>) -> Work<T> {
        let connection = self
            .connection
            .as_ref()
            .ok_or("the connection was given back")?;
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Deferred)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }
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
