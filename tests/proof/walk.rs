//! Clocks that step back and forth, and differ between the processes.
//!
//! Each racer walks through deeds drawn from its number, with a clock that jumps by up to three
//! hours between them, while the sweep of one erases what the clock of another has not reached yet.
//! Whatever they do: once an account has codes it has codes, no code and no number is used twice,
//! and afterwards nobody is locked out. Rows C1, C2, S11, L9, L10.

use std::sync::Arc;

use spare_key_server::model::{AccountId, EventKind, Generation, Millis, Timestamp};
use spare_key_server::store::{Lane, NewEvent, Reserved, Store, StoreFault};

use crate::deeds::POLICY;
use crate::ground::{Ground, Kind};
use crate::races::{RACERS, Racers, Told};
use crate::runtime;
use crate::sample::{self, T0, after, event, id};
use crate::table::Line;

/// How many deeds each racer does in a round.
const STEPS: usize = 12;

/// A row of numbers, the same for the same beginning (xorshift64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from(self.0 % u64::from(end)).expect("below 2^32")
    }

    /// A time up to three hours before or after the beginning.
    fn clock(&mut self) -> Timestamp {
        let hours = Millis::minutes(180);
        T0.plus(Millis(i64::from(self.below(6 * 3_600)) * 1_000 - hours.0))
    }
}

/// Runs so many rounds.
pub(crate) fn walked(kind: Kind, rounds: usize) -> Line {
    let ground = Ground::new(kind);
    let store = ground.open();
    let mut racers = Racers::start(&ground.address(), &[], None);
    let mut line = Line::new("clocks that step back and forth", kind);
    for round in 0..rounds {
        let account = id(&format!("walker-{round}"));
        let told = runtime().block_on(async {
            sample::has_live(&*store, &account, 1).await;
            racers.run("walk", account.as_str())
        });
        line.runs += 1;
        line.faults += (RACERS * STEPS) as u64;
        for told in told.iter().filter_map(|told| told.as_ref().err()) {
            line.broken(format!("round {round}: {told}"));
        }
        if let Err(why) = runtime().block_on(afterwards(&*store, &account)) {
            line.broken(format!("round {round}: {why}"));
        }
    }
    for broken in ground.violations() {
        line.broken(broken);
    }
    racers.end();
    line
}

/// What one racer does on the account.
pub(crate) async fn steps(store: Arc<dyn Store>, account: AccountId, racer: usize) -> Told {
    let name: u64 = account
        .as_str()
        .bytes()
        .map(u64::from)
        .fold(7, |sum, byte| sum * 31 + byte);
    let mut draws = Draws(
        name.wrapping_mul(0x9E37_79B9)
            .wrapping_add(racer as u64 + 1)
            | 1,
    );
    for _ in 0..STEPS {
        let at = draws.clock();
        let which = draws.below(8);
        if let Err(fault) = step(&*store, &account, which, at, &mut draws).await {
            return Err(format!("{fault}: {}", fault.source));
        }
    }
    Ok("done".to_owned())
}

async fn step(
    store: &dyn Store,
    account: &AccountId,
    which: u32,
    at: Timestamp,
    draws: &mut Draws,
) -> Result<(), StoreFault> {
    let latest = store
        .account(account)
        .await?
        .map_or(0, |found| found.last_generation.0);
    match which {
        0 | 1 => {
            let mut stage = if which == 0 {
                sample::stage(account, latest + 1)
            } else {
                sample::at_once(account, latest + 1)
            };
            stage.batch.issued_at = at;
            stage.batch.seed_until = at.plus(Millis::minutes(10));
            stage.events = vec![about(account, EventKind::CodesStaged, at, latest + 1, None)];
            store.stage(stage).await.map(drop)
        }
        2 => {
            let pending = store.status(account, at).await?.pending;
            let generation = pending.map_or(latest, |(generation, _)| generation.0);
            let mut activate = sample::activate(account, generation);
            activate.at = at;
            activate.event = about(account, EventKind::CodesActivated, at, generation, None);
            store.activate(activate).await.map(drop)
        }
        3..=5 => {
            let generation = store
                .live_batch(account)
                .await?
                .map_or(1, |live| live.generation.0);
            let number = draws.below(10) + 1;
            let mut redeem = sample::redeem(account, generation, number);
            redeem.at = at;
            redeem.event = about(
                account,
                EventKind::CodesRedeemed,
                at,
                generation,
                Some(number),
            );
            store.redeem(redeem).await.map(drop)
        }
        6 => store
            .reserve_attempt(account, Lane::Recovery, POLICY, at)
            .await
            .map(drop),
        _ => store.sweep(at).await.map(drop),
    }
}

fn about(
    account: &AccountId,
    kind: EventKind,
    at: Timestamp,
    generation: u32,
    number: Option<u32>,
) -> NewEvent {
    NewEvent {
        at,
        generation: Some(Generation(generation)),
        number,
        ..event(account, kind)
    }
}

/// There are codes, a new list can be made and one of it redeemed, and a guess is possible.
async fn afterwards(store: &dyn Store, account: &AccountId) -> Result<(), String> {
    let said = |fault: StoreFault| format!("{fault}: {}", fault.source);
    if store.live_batch(account).await.map_err(said)?.is_none() {
        return Err("no batch is live".to_owned());
    }
    let later = after(Millis::days(2));
    let guess = store
        .reserve_attempt(account, Lane::Recovery, POLICY, later)
        .await
        .map_err(said)?;
    if !matches!(guess, Reserved::Granted { .. }) {
        return Err(format!("two days later a guess is {guess:?}"));
    }
    let found = store.account(account).await.map_err(said)?;
    let next = found.map_or(1, |found| found.last_generation.0 + 1);
    let staged = store
        .stage(sample::at_once(account, next))
        .await
        .map_err(said)?;
    let spent = store
        .redeem(sample::redeem(account, next, 7))
        .await
        .map_err(said)?;
    let words = format!("{staged:?} {spent:?}");
    words
        .starts_with("Done Done")
        .then_some(())
        .ok_or_else(|| format!("a new list: {words}"))
}
