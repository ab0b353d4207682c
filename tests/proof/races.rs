//! Several processes at one account at the same moment, against a model of what may be answered.
//!
//! Rows C1 to C5, C8, S7 to S9, L7, L8. Each racer is a process with a store of its own; they begin
//! at the same millisecond. What they were told, and what is left, must be what some order of their
//! deeds one after the other gives.

use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use spare_key_server::clock::{Clock as _, SystemClock};
use spare_key_server::model::{AccountId, EventKind, Millis};
use spare_key_server::store::{AcceptTotp, LiveBatch, Progress, Stage, Store};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::child::Process;
use crate::ground::{Ground, Kind, open};
use crate::sample::{self, T0, event, id, token};
use crate::table::Line;
use crate::{outages, runtime, say, walk};

macro_rules! race {
    (
        $name:literal,
        prepare |$s:ident, $a:ident| $prepare:expr,
        run |$s2:ident, $a2:ident, $n:ident| $run:expr,
        judge |$s3:ident, $a3:ident, $told:ident| $judge:expr $(,)?
    ) => {
        Race {
            name: $name,
            prepare: |$s, $a| Box::pin(async move { $prepare }),
            run: |$s2, $a2, $n| {
                Box::pin(async move {
                    let outcome = $run;
                    match outcome {
                        Ok(value) => Ok(format!("{value:?}")),
                        Err(fault) => Err(format!("{fault}: {}", fault.source)),
                    }
                })
            },
            judge: |$s3, $a3, $told| Box::pin(async move { $judge }),
        }
    };
}

mod codes;
mod others;

type Wait<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a racer was told, in words.
pub(crate) type Told = Result<String, String>;

/// Says what is wrong, if anything is.
type Judge = fn(Arc<dyn Store>, AccountId, Vec<Told>) -> Wait<Result<(), String>>;

/// One kind of race.
pub(crate) struct Race {
    pub(crate) name: &'static str,
    /// What is there before.
    pub(crate) prepare: fn(Arc<dyn Store>, AccountId) -> Wait<()>,
    /// What the racer of this number does.
    pub(crate) run: fn(Arc<dyn Store>, AccountId, usize) -> Wait<Told>,
    /// What may have been told, and what must be left.
    pub(crate) judge: Judge,
}

/// How many processes race.
pub(crate) const RACERS: usize = 4;

/// All of them.
pub(crate) fn all() -> Vec<Race> {
    let mut races = codes::all();
    races.extend(others::all());
    races
}

/// Words that are told as they are.
struct Plain(String);

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The racers, each a process.
pub(crate) struct Racers(Vec<Process>);

impl Racers {
    pub(crate) fn start(address: &str, wrapper: &[&str], without: Option<&str>) -> Self {
        let racer = |number: usize| {
            let args = ["racer", address, &number.to_string()];
            Process::start(wrapper, &args, without)
        };
        let mut racers = Self((0..RACERS).map(racer).collect());
        for racer in &mut racers.0 {
            assert_eq!(racer.line().as_deref(), Some("ready"), "a racer starts");
        }
        racers
    }

    /// Has them all run this race on this account.
    pub(crate) fn run(&mut self, race: &str, account: &str) -> Vec<Told> {
        let start = SystemClock.now().plus(Millis(3)).0;
        for racer in &mut self.0 {
            racer.tell(&format!("{start} {account} {race}"));
        }
        let told = self.0.iter_mut().map(|racer| {
            let line = racer.line().unwrap_or_else(|| "broken it ended".to_owned());
            match line.split_once(' ') {
                Some(("well", outcome)) => Ok(outcome.to_owned()),
                _ => Err(line),
            }
        });
        told.collect()
    }

    /// Their process numbers.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.0.iter().map(Process::id).collect()
    }

    pub(crate) fn end(self) {
        self.0.into_iter().for_each(Process::wait);
    }
}

/// Runs every race so often.
pub(crate) fn raced(
    kind: Kind,
    rounds: usize,
    without: Option<&str>,
    only: Option<&str>,
) -> Vec<Line> {
    let ground = Ground::new(kind);
    raced_on(&ground, &ground.address(), kind, rounds, without, only)
}

/// The same on this database, whose racers come by way of `address`.
pub(crate) fn raced_on(
    ground: &Ground,
    address: &str,
    kind: Kind,
    rounds: usize,
    without: Option<&str>,
    only: Option<&str>,
) -> Vec<Line> {
    let store = ground.open();
    let mut racers = Racers::start(address, &[], without);
    let mut lines = Vec::new();
    let chosen = |race: &Race| only.is_none_or(|only| race.name == only);
    for race in all().into_iter().filter(chosen) {
        let mut line = Line::new(race.name, kind);
        for round in 0..rounds {
            let account = format!(
                "{}-{round}",
                token(race.name).0[0..4]
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            );
            let told = runtime().block_on(async {
                (race.prepare)(Arc::clone(&store), id(&account)).await;
                racers.run(race.name, &account)
            });
            line.runs += 1;
            line.faults += RACERS as u64;
            let judged = (race.judge)(Arc::clone(&store), id(&account), told.clone());
            if let Err(why) = runtime().block_on(judged) {
                line.broken(format!(
                    "{}, round {round}: {why}; told {told:?}",
                    race.name
                ));
            }
        }
        for broken in ground.violations() {
            line.broken(format!("{}: {broken}", race.name));
        }
        lines.push(line);
    }
    racers.end();
    lines
}

/// What a racer does: it waits for a line, for its moment, runs, tells.
pub(crate) async fn racer(address: &str, number: &str) {
    let store = open(address);
    let number: usize = number.parse().expect("a number");
    let races = all();
    say("ready");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.expect("text") {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (start, account, name) = (word(), word(), word());
        let start: i64 = start.parse().expect("a time");
        while SystemClock.now().0 < start {
            thread::sleep(Duration::from_micros(50));
        }
        let store = Arc::clone(&store);
        let told = match races.iter().find(|race| race.name == name) {
            Some(race) => (race.run)(store, id(account), number).await,
            None if name == "load" => outages::load(store, id(account), number).await,
            None => walk::steps(store, id(account), number).await,
        };
        match told {
            Ok(outcome) => say(&format!("well {outcome}")),
            Err(why) => say(&format!("broken {why}")),
        }
    }
}

fn number(racer: usize) -> u32 {
    u32::try_from(racer).expect("few") + 1
}

/// A list at once whose digests are those of this racer and of no other.
fn of_racer(account: &AccountId, generation: u32, racer: usize) -> Stage {
    let mut stage = sample::at_once(account, generation);
    let owner = id(&format!("{} of {racer}", account.as_str()));
    for code in &mut stage.batch.codes {
        code.digest = sample::secret(&owner, generation, code.number);
    }
    stage
}

fn accept(account: &AccountId, racer: usize, progress: Progress) -> AcceptTotp {
    AcceptTotp {
        account: account.clone(),
        id: sample::totp_id(account, "phone"),
        step: 200 + i64::from(number(racer)),
        progress,
        at: T0,
        event: event(account, EventKind::FactorVerified),
    }
}

async fn has_both(store: &Arc<dyn Store>, account: &AccountId) {
    sample::has_account(&**store, account.as_str()).await;
    sample::has_totp(&**store, account, "phone").await;
    sample::has_live(&**store, account, 1).await;
}

async fn live(store: &Arc<dyn Store>, account: &AccountId) -> Result<LiveBatch, String> {
    let live = store
        .live_batch(account)
        .await
        .map_err(|fault| fault.to_string())?;
    live.ok_or_else(|| "no batch is live".to_owned())
}

/// This generation is the live one, whole, with so many used.
async fn lives(
    store: &Arc<dyn Store>,
    account: &AccountId,
    generation: u32,
    used: usize,
) -> Result<(), String> {
    let live = live(store, account).await?;
    equal(
        "the live generation",
        live.generation.0 as usize,
        generation as usize,
    )?;
    equal(
        "used codes",
        live.codes.iter().filter(|code| code.used()).count(),
        used,
    )
}

async fn has_nothing(store: &Arc<dyn Store>, account: &AccountId) -> Result<(), String> {
    let codes = store
        .live_batch(account)
        .await
        .map_err(|fault| fault.to_string())?;
    let bound = store
        .authenticators(account)
        .await
        .map_err(|fault| fault.to_string())?;
    equal("live batches", usize::from(codes.is_some()), 0)?;
    equal("authenticators", bound.len(), 0)
}

fn equal(what: &str, is: usize, wanted: usize) -> Result<(), String> {
    (is == wanted)
        .then_some(())
        .ok_or_else(|| format!("{what}: {is} and not {wanted}"))
}

type Range = std::ops::RangeInclusive<usize>;

/// How many were told what begins like this.
fn counts(told: &[Told], wanted: &[(&str, Range)]) -> Result<(), String> {
    wanted
        .iter()
        .try_for_each(|(word, range)| counts_any(told, &[word], range.clone()))
}

fn counts_any(told: &[Told], words: &[&str], range: Range) -> Result<(), String> {
    let said = |told: &&Told| {
        let told = told.as_ref().map_or("", String::as_str);
        words
            .iter()
            .any(|word| told.split([' ', '(']).next() == Some(*word))
    };
    let found = told.iter().filter(said).count();
    let broken = told.iter().any(Result::is_err);
    (range.contains(&found) && !broken)
        .then_some(())
        .ok_or_else(|| format!("{found} were told {words:?}, and not {range:?}"))
}
