//! What a story left behind, past every dialect, as lines that can be compared.
//!
//! Three things are mapped, so that one list of lines fits all dialects:
//! 1. How somebody came as far as the place where codes are is a dialect's own: passwords and
//!    one-time passwords that were accepted, keys, sessions and trusted devices are left out. So is
//!    who administers.
//! 2. A person who asks by themselves, through a program or through a host that vouches for them is
//!    `person`; a program that manages the tenant is `manager`.
//! 3. What a host vouches for stands in the detail where others have none; it is left out.

use rusqlite::{Connection, OpenFlags};
use spare_key_server::domain::{AccountState, Actor, Caller, Event};
use spare_key_server::model::EventKind;

use super::{Dialect, Hero};
use crate::HOST;

/// Whether an event is of how somebody came in, or of who administers.
fn is_of_the_door(kind: EventKind) -> bool {
    match kind {
        EventKind::FactorVerified
        | EventKind::FactorAsked
        | EventKind::KeyAdded
        | EventKind::KeyRemoved
        | EventKind::DeviceTrusted
        | EventKind::DeviceForgotten
        | EventKind::PasswordVerified
        | EventKind::PasswordRefused
        | EventKind::SignedOut
        | EventKind::AccountAdded
        | EventKind::AdministratorAdded
        | EventKind::AdministratorRemoved
        | EventKind::AddressAdded
        | EventKind::AddressRemoved
        | EventKind::NoticeGivenUp
        | EventKind::CodesSwitchedOn
        | EventKind::CodesSwitchedOff => true,
        EventKind::CodesStaged
        | EventKind::CodesShownAgain
        | EventKind::CodesActivated
        | EventKind::CodesGivenUp
        | EventKind::CodesRedeemed
        | EventKind::CodesRefused
        | EventKind::CodesThrottled
        | EventKind::CodesRevoked
        | EventKind::CodesKept
        | EventKind::CodesImported
        | EventKind::FactorEnrolled
        | EventKind::FactorReplaced
        | EventKind::FactorRemoved
        | EventKind::FactorRefused
        | EventKind::MfaReset => false,
    }
}

/// On whose doing, whichever way it came.
fn who(actor: &Actor) -> &'static str {
    match actor {
        Actor::Person | Actor::Through(_) => "person",
        Actor::Client(client) if client == HOST.0 => "person",
        Actor::Client(_) => "manager",
        Actor::Administrator | Actor::Appointed(_) => "administrator",
        Actor::Server => "server",
    }
}

/// The detail, but for what a host vouches for.
fn why(event: &Event) -> Option<&str> {
    let detail = event.detail.as_deref()?;
    let vouched = matches!(event.actor, Actor::Client(_)) && detail.starts_with("person, ");
    (!vouched).then_some(detail)
}

fn line(event: &Event) -> String {
    let mut line = format!("{} by {}", event.kind.name(), who(&event.actor));
    let numbers = [
        (
            "generation",
            event.generation.map(|generation| generation.0),
        ),
        ("number", event.number),
        ("left", event.remaining),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            line.push_str(&format!(", {name} {number}"));
        }
    }
    if let Some(why) = why(event) {
        line.push_str(&format!(": {why}"));
    }
    line
}

impl Hero {
    /// The audit trail since it was last read, oldest first, a line each; lines that repeat are
    /// counted.
    pub async fn trail(&mut self) -> Vec<String> {
        let account = self.person.account();
        let mut events = self
            .app
            .mfa()
            .events(&account, None, 1_000)
            .await
            .expect("events");
        events.reverse();
        events.retain(|event| event.id > self.read);
        self.read = events.last().map_or(self.read, |event| event.id);
        let mut lines: Vec<(String, u32)> = Vec::new();
        for event in events.iter().filter(|event| !is_of_the_door(event.kind)) {
            let line = line(event);
            match lines.last_mut() {
                Some((last, times)) if *last == line => *times += 1,
                _ => lines.push((line, 1)),
            }
        }
        lines
            .into_iter()
            .map(|(line, times)| match times {
                1 => line,
                times => format!("{line} ({times} times)"),
            })
            .collect()
    }

    /// How many authenticators are bound.
    pub async fn authenticators(&self) -> usize {
        let administrator = Caller::administrator(self.person.account());
        let devices = self.app.mfa().devices(&administrator).await;
        let bound = devices.expect("devices").into_iter();
        bound.filter(|device| device.confirmed_at.is_some()).count()
    }

    /// The status as one line. It agrees with the live batches of the database.
    pub async fn left(&self) -> String {
        let account = self.person.account();
        let status = self.app.mfa().status(&account).await.expect("a status");
        let state = match status.state {
            AccountState::None => "none",
            AccountState::Active => "active",
            AccountState::Revoked => "revoked",
        };
        let live = self.live_generations();
        let agrees = match status.state {
            AccountState::Active => live == [status.generation.0],
            _ => live.is_empty(),
        };
        assert!(agrees, "live: {live:?}, and {status:?}");
        assert_eq!(status.pending, None);
        format!(
            "generation {}, {state}, {} of {}, {} tries",
            status.generation.0, status.remaining, status.total, status.throttle.tries_left
        )
    }

    /// The live batches, as the database has them.
    pub fn live_generations(&self) -> Vec<u32> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(self.app.database(), flags);
        let database = database.expect("the database");
        let mut found = database
            .prepare(
                "SELECT generation FROM batch JOIN account ON account.n = batch.account_n
                 WHERE account.id = ?1 AND batch.state = 1",
            )
            .expect("a statement");
        let rows = found.query_map([&self.person.id], |row| row.get(0));
        let rows: Result<_, _> = rows.expect("rows").collect();
        rows.expect("numbers")
    }
}

/// What a story leaves behind, whoever tells it, and where a dialect differs and why.
#[derive(Debug)]
pub struct Told {
    /// The audit trail.
    pub trail: &'static [&'static str],
    /// The line of [`Hero::left`].
    pub left: &'static str,
    /// How many authenticators are left, where the dialect binds any.
    pub authenticators: usize,
    /// Where a dialect's contract makes a difference.
    pub but: &'static [But],
}

/// What one dialect leaves behind instead.
#[derive(Debug)]
pub struct But {
    /// Which.
    pub of: Dialect,
    /// Why.
    pub because: &'static str,
    /// The audit trail.
    pub trail: &'static [&'static str],
    /// The line of [`Hero::left`].
    pub left: &'static str,
}

impl Told {
    /// That this is what the hero's story left behind since this was last asked.
    pub async fn check(&self, hero: &mut Hero) {
        let dialect = hero.dialect;
        let but = self.but.iter().find(|but| but.of == dialect);
        let (trail, left, because) = match but {
            Some(but) => (but.trail, but.left, but.because),
            None => (self.trail, self.left, "as everywhere"),
        };
        assert_eq!(hero.trail().await, trail, "{dialect:?}, {because}");
        assert_eq!(hero.left().await, left, "{dialect:?}, {because}");
        let expected = match dialect.binds_authenticators() {
            true => self.authenticators,
            false => 0,
        };
        assert_eq!(hero.authenticators().await, expected, "{dialect:?}");
    }
}
