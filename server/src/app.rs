//! The composition root: settings in, running product out. Nobody imports it but `main`, the
//! command line and the tests.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::{Clock, Stopwatch};
use crate::domain::{Mfa, Parts, Policy};
use crate::entropy::Entropy;
use crate::front::Front;
use crate::hasher::{Hasher, PoolSize};
use crate::http;
use crate::keyring::Keyring;
use crate::metrics::Metrics;
use crate::notify::Courier;
use crate::store::postgres::{self, PostgresStore, PostgresUrl, UnfitUrl};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::{Past, Standing, Store};
use crate::token::TrustedIssuers;

/// Which database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A file; made when it is not there.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server; its schema is made when it is not there.
    Postgres(Box<PostgresUrl>),
}

/// Not a database's address. Repeats nothing of it: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum UnfitStore {
    /// Of no database that there is an adapter for.
    #[error("the store is not an address that Spare Key knows")]
    Unknown,
    /// Of PostgreSQL, and unsound.
    #[error(transparent)]
    Postgres(#[from] UnfitUrl),
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// A database on a server.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::RestoreError),
    /// A database on a server.
    #[error(transparent)]
    Postgres(#[from] postgres::RestoreError),
}

impl StoreUrl {
    /// Reads `sqlite:PATH` or `postgres://…` ([`PostgresUrl::parse`]).
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &str) -> Result<Self, UnfitStore> {
        if PostgresUrl::is_one(text) {
            return Ok(Self::Postgres(Box::new(PostgresUrl::parse(text)?)));
        }
        text.strip_prefix("sqlite:")
            .filter(|path| !path.is_empty())
            .map(|path| Self::Sqlite(PathBuf::from(path)))
            .ok_or(UnfitStore::Unknown)
    }

    /// What is there; changes nothing.
    ///
    /// # Errors
    /// Nobody can say: the database cannot be reached, is something else, or is a backup.
    pub fn look(&self) -> Result<Standing, OpenError> {
        match self {
            Self::Sqlite(path) => Ok(SqliteStore::look(path)?),
            Self::Postgres(url) => Ok(PostgresStore::look(url)?),
        }
    }

    /// What it knows of its codes, for a restore of an older backup; changes nothing.
    ///
    /// # Errors
    /// As the adapter says.
    pub fn past(&self) -> Result<Past, RestoreError> {
        match self {
            Self::Sqlite(path) => Ok(SqliteStore::past(path)?),
            Self::Postgres(url) => Ok(PostgresStore::past(url)?),
        }
    }

    /// Opens it, bringing its schema up to date.
    ///
    /// # Errors
    /// As the adapter says.
    pub fn open(&self) -> Result<Arc<dyn Store>, OpenError> {
        match self {
            Self::Sqlite(path) => Ok(Arc::new(SqliteStore::open(path)?)),
            Self::Postgres(url) => Ok(Arc::new(PostgresStore::open(url)?)),
        }
    }
}

/// For people, without a password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// What a product is assembled from.
pub struct Ingredients {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The server's secrets.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What is allowed.
    pub policy: Policy,
    /// How many hashes at once.
    pub pool: PoolSize,
    /// How it is reached.
    pub http: http::Settings,
    /// How people are told of what happens.
    pub courier: Courier,
}

impl fmt::Debug for Ingredients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingredients")
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

/// The assembled product.
#[derive(Debug, Clone)]
pub struct App {
    mfa: Mfa,
    http: Arc<http::Settings>,
    trusted: Arc<TrustedIssuers>,
    courier: Courier,
}

/// How often the keyring's file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How long a server that stops waits for what is being sent.
const LAST_SENDING: Duration = Duration::from_secs(5);

/// How often what has run out is erased.
const SWEEP_EVERY: Duration = Duration::from_secs(20);

impl App {
    /// Starts the hash pool and puts the parts together.
    ///
    /// # Errors
    /// The operating system gave no threads, or, where other issuers are trusted, no certificates.
    pub fn assemble(ingredients: Ingredients) -> io::Result<Self> {
        let Ingredients {
            store,
            keyring,
            clock,
            entropy,
            policy,
            pool,
            http,
            courier,
        } = ingredients;
        let trusted = TrustedIssuers::new(&http.trusted_issuers).map_err(io::Error::other)?;
        let metrics = Arc::new(Metrics::default());
        let hasher = Hasher::start_watched(pool, {
            let metrics = Arc::clone(&metrics);
            Arc::new(move |lane, waited, ran| metrics.hashed(lane, waited, ran))
        })?;
        store.watch({
            let metrics = Arc::clone(&metrics);
            Arc::new(move |access, took| metrics.stored(access, took))
        });
        let mfa = Mfa::new(Parts {
            store,
            hasher,
            keyring,
            clock,
            entropy,
            metrics,
            policy,
        });
        Ok(Self {
            mfa,
            http: Arc::new(http),
            trusted: Arc::new(trusted),
            courier,
        })
    }

    /// The use cases.
    pub fn mfa(&self) -> &Mfa {
        &self.mfa
    }

    /// Every route.
    pub fn router(&self) -> Router {
        http::router(http::Web::new(
            self.mfa.clone(),
            Arc::clone(&self.http),
            Arc::clone(&self.trusted),
        ))
    }

    /// Answers on `listener` until `stop` resolves, then lets open requests finish.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn serve(
        self,
        front: Front,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let sweeper = tokio::spawn(sweep_for_ever(self.mfa.clone()));
        let follower = tokio::spawn(follow_for_ever(self.mfa.clone()));
        let (carry_no_more, stopped) = watch::channel(());
        let courier = tokio::spawn(self.courier.clone().run(self.mfa.clone(), stopped));
        let result = front.serve(listener, self.router(), stop).await;
        sweeper.abort();
        follower.abort();
        drop(carry_no_more);
        // What it does not settle any more is sent again by the next server.
        let _carried = tokio::time::timeout(LAST_SENDING, courier).await;
        result
    }
}

/// A key that is added to the keyring's file is used without a restart.
async fn follow_for_ever(mfa: Mfa) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let mfa = mfa.clone();
        // The next look is made all the same.
        let _looked = tokio::task::spawn_blocking(move || mfa.keyring().look()).await;
    }
}

/// What part of the time the census may take: it reads every live batch, however many there are.
const CENSUS_SHARE: u32 = 50;

async fn sweep_for_ever(mfa: Mfa) {
    let (mut since, mut pause) = (Stopwatch::start(), Duration::ZERO);
    let mut every = tokio::time::interval(SWEEP_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        if let Err(error) = mfa.sweep().await {
            tracing::error!(error = %error, "what has run out could not be erased");
        }
        match mfa.waiting_notices().await {
            Ok(waiting) => mfa.metrics().notices_waiting(waiting, mfa.now()),
            Err(error) => tracing::error!(error = %error, "notices could not be counted"),
        }
        if since.elapsed() < pause {
            continue;
        }
        since = Stopwatch::start();
        match mfa.census().await {
            Ok(census) => mfa.metrics().batches(&census),
            Err(error) => tracing::error!(error = %error, "live lists could not be counted"),
        }
        pause = since.elapsed().saturating_mul(CENSUS_SHARE);
    }
}
