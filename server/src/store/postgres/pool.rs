//! Connections: a bounded number of them, and the two ways to use one.
//!
//! Every wait has an end: for a connection to be free, for a new one to come about, for an answer.
//! Nothing is remembered from one piece of work to the next, as any number of servers share the
//! database.

use std::pin::Pin;
use std::time::Duration;

use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, RecyclingMethod, Runtime, Transaction,
};
use tokio::time::timeout;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{Broken, Work, stood_in_the_way, words};
use super::url::PostgresUrl;
use crate::store::watch::Watch;
use crate::store::{Access, StoreResult, failpoint};

/// What each connection is told. The limits are the server's own side of [`PATIENCE`]: what nobody
/// waits for any more is not to go on there. A lock is waited for less long than a statement, so
/// that the fault names the lock.
pub(super) const SET_UP: &str = "
    SET search_path TO spare_key, pg_temp;
    SET default_transaction_isolation TO 'read committed';
    SET statement_timeout TO '8s';
    SET lock_timeout TO '6s';
    SET idle_in_transaction_session_timeout TO '20s';
    SET client_min_messages TO 'warning';
    -- A commit that was answered is on disk (property C7), whatever the database's own setting.
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'";

/// How long a free connection is waited for.
const FREE: Duration = Duration::from_secs(5);

/// How long one try of a piece of work may take on this side, and then its commit.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a piece of work is begun.
const TRIES: u32 = 5;

/// How a piece of work that did not break ends.
#[derive(Debug)]
pub(super) enum Verdict<T> {
    /// What it wrote stands.
    Keep(T),
    /// A guard said no: whatever it wrote before is undone.
    Undo(T),
}

/// A piece of work under way; it lends what it works on.
pub(super) type Doing<'t, T> = Pin<Box<dyn Future<Output = Work<T>> + Send + 't>>;

/// Nothing at all: tells the compiler that what a piece of work has borrowed (`'env`) outlives each
/// time it is begun (`'t`).
pub(super) type Scope<'t, 'env> = [&'t &'env (); 0];

/// Connections that are shared out.
pub(super) struct Pool {
    connections: deadpool_postgres::Pool,
    pub(super) watch: Watch,
}

impl Pool {
    /// Connects to nothing yet.
    pub(super) fn new(url: &PostgresUrl, tls: MakeRustlsConnect) -> Self {
        // A connection that was closed meanwhile is noticed without asking; one that breaks while
        // it is used is told by the try after it.
        let recycling_method = RecyclingMethod::Fast;
        let manager =
            Manager::from_config(url.config.clone(), tls, ManagerConfig { recycling_method });
        let set_up = Hook::async_fn(|connection: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move {
                let told = connection.batch_execute(SET_UP).await;
                told.map_err(HookError::Backend)
            })
        });
        let built = deadpool_postgres::Pool::builder(manager)
            .max_size(url.connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(FREE))
            .create_timeout(Some(url.patience()))
            .recycle_timeout(Some(FREE))
            .post_create(set_up)
            .build();
        Self {
            connections: built.expect("a pool with limits has the runtime that keeps them"),
            watch: Watch::default(),
        }
    }

    /// Does `work` in a transaction and answers once that is committed. `context` names the port's
    /// method in a fault. Where two transactions stood in each other's way (40001, 40P01), or the
    /// connection was gone before the commit was sent, the whole of it is begun anew.
    pub(super) async fn run<'env, T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        F: for<'t> Fn(&'t Transaction<'t>, Scope<'t, 'env>) -> Doing<'t, Verdict<T>> + Sync + 'env,
    {
        let done = self.run_now(context, work);
        self.watch.time(Access::Write, done).await
    }

    async fn run_now<'env, T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        F: for<'t> Fn(&'t Transaction<'t>, Scope<'t, 'env>) -> Doing<'t, Verdict<T>> + Sync + 'env,
    {
        let mut left = TRIES;
        loop {
            left -= 1;
            match self.once(&work).await {
                Ok(done) => return Ok(done),
                Err(broken) if left > 0 && broken.is_worth_another_try() => {
                    tracing::debug!(context, "begun anew");
                }
                Err(broken) => return Err(broken.fault(context)),
            }
        }
    }

    async fn once<'env, T, F>(&self, work: &F) -> Work<T>
    where
        F: for<'t> Fn(&'t Transaction<'t>, Scope<'t, 'env>) -> Doing<'t, Verdict<T>> + Sync + 'env,
    {
        let mut connection = self.connections.get().await?;
        let done = in_transaction(&mut connection, work).await;
        discard_if_spoiled(connection, &done);
        done
    }

    /// Reads, in one statement or in several that need not see the same state.
    pub(super) async fn read<'env, T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        F: for<'t> Fn(&'t Client, Scope<'t, 'env>) -> Doing<'t, T> + Sync + 'env,
    {
        let found = self.read_now(context, work);
        self.watch.time(Access::Read, found).await
    }

    async fn read_now<'env, T, F>(&self, context: &'static str, work: F) -> StoreResult<T>
    where
        F: for<'t> Fn(&'t Client, Scope<'t, 'env>) -> Doing<'t, T> + Sync + 'env,
    {
        let mut left = TRIES;
        loop {
            left -= 1;
            match self.look(&work).await {
                Ok(found) => return Ok(found),
                Err(broken) if left > 0 && broken.is_worth_another_try() => {
                    tracing::debug!(context, "read anew");
                }
                Err(broken) => return Err(broken.fault(context)),
            }
        }
    }

    async fn look<'env, T, F>(&self, work: &F) -> Work<T>
    where
        F: for<'t> Fn(&'t Client, Scope<'t, 'env>) -> Doing<'t, T> + Sync + 'env,
    {
        let connection = self.connections.get().await?;
        let found = timeout(PATIENCE, work(&connection, [])).await;
        let found = found.unwrap_or(Err(Broken::Silent));
        discard_if_spoiled(connection, &found);
        found
    }
}

async fn in_transaction<'env, T, F>(connection: &mut Client, work: &F) -> Work<T>
where
    F: for<'t> Fn(&'t Transaction<'t>, Scope<'t, 'env>) -> Doing<'t, Verdict<T>> + Sync + 'env,
{
    let tried = timeout(PATIENCE, async {
        let transaction = connection.transaction().await?;
        let verdict = work(&transaction, []).await?;
        Ok::<_, Broken>((transaction, verdict))
    });
    let (transaction, verdict) = tried.await.unwrap_or(Err(Broken::Silent))?;
    let value = match verdict {
        Verdict::Undo(value) => {
            // What is not committed does not stand, even when this is not heard.
            drop(transaction);
            return Ok(value);
        }
        Verdict::Keep(value) => value,
    };
    failpoint::before("COMMIT");
    match timeout(PATIENCE, transaction.commit()).await {
        Ok(Ok(())) => {
            failpoint::after("COMMIT");
            Ok(value)
        }
        Ok(Err(error)) if stood_in_the_way(&error) => Err(Broken::Database(error)),
        Ok(Err(error)) => Err(Broken::Unknown(words(&error))),
        Err(_) => Err(Broken::Unknown("it was not answered in time".to_owned())),
    }
}

fn discard_if_spoiled<T>(connection: Client, done: &Work<T>) {
    if done.as_ref().is_err_and(Broken::spoils_the_connection) {
        drop(Client::take(connection));
    }
}
