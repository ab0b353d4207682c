//! Telling people what happened to their codes and factors, outside the pages (NIST SP 800-63B-4,
//! 4.6): what is due, what becomes of it, and where somebody is told.
//!
//! What happened is never undone because nobody could be told of it.

use super::{Caller, Mfa, Result, event};
use crate::model::{AccountId, EventKind, MailAddress, Millis, Timestamp};
use crate::store::{
    Actor, AddressAdded, Due, NewEvent, Notice, Settled, Settlement, Waiting, Way, Ways,
};

/// Addresses beside the one that a person signs in with.
pub const ADDRESSES_MAX: u32 = 4;

/// Events that leave the outbox in one transaction.
const ADDRESSED: u32 = 500;

/// Notices that are taken at once.
const SLICE: u32 = 32;

/// How long whoever has taken notices has them to itself. What it has not settled by then another
/// one sends.
const HELD_FOR: Millis = Millis::minutes(3);

/// For how long it is tried to tell somebody of something.
const TRIED_FOR: Millis = Millis::minutes(3 * 24 * 60);

/// How long after the first try the second one is made; twice as long after each further.
const FIRST_WAIT: Millis = Millis::seconds(30);

/// The longest wait between two tries.
const LONGEST_WAIT: Millis = Millis::minutes(6 * 60);

/// What came of sending a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// It was taken over.
    Sent,
    /// It was not, and may be later.
    Failed,
    /// It never will be.
    Hopeless,
}

impl Mfa {
    /// Makes notices of what waits in the outbox, for these ways. Where there is none, nobody is told.
    /// Returns what is due now.
    ///
    /// # Errors
    /// The store failed.
    pub async fn address_notices(&self, mail: bool, webhook: bool) -> Result<Due> {
        let now = self.now();
        let due = self.store.notices_due(now).await?;
        // Most of the time nothing waits, and reading so holds nobody up.
        if !due.outbox {
            return Ok(due);
        }
        let ways = Ways {
            mail,
            webhook,
            since: Timestamp(now.0.saturating_sub(TRIED_FOR.0)),
        };
        while self.store.address_notices(ways, now, ADDRESSED).await? == u64::from(ADDRESSED) {}
        Ok(self.store.notices_due(now).await?)
    }

    /// The next notices to send; an empty list: none is due. They are the caller's for three minutes,
    /// and are to be settled ([`Mfa::settle`]).
    ///
    /// # Errors
    /// The store failed.
    pub async fn due_notices(&self, way: Way) -> Result<Vec<Notice>> {
        let now = self.now();
        let until = now.plus(HELD_FOR);
        Ok(self.store.take_notices(way, now, until, SLICE).await?)
    }

    /// Says what came of notices. What cannot be sent is put on record, where the person and the
    /// administrators see it.
    ///
    /// # Errors
    /// The store failed: they are sent again.
    pub async fn settle(&self, notices: &[Notice], sending: Sending) -> Result<()> {
        let now = self.now();
        let settled = notices.iter().map(|notice| {
            let settlement = settlement(notice, sending, now);
            self.metrics.notice(notice.way, &settlement);
            Settled {
                id: notice.id,
                tries: notice.tries,
                settlement,
            }
        });
        self.store.settle_notices(settled.collect()).await?;
        Ok(())
    }

    /// What has not arrived yet.
    ///
    /// # Errors
    /// The store failed.
    pub async fn waiting_notices(&self) -> Result<Waiting> {
        Ok(self.store.waiting_notices().await?)
    }

    /// Where a person is told beside the address they sign in with.
    ///
    /// # Errors
    /// The store failed.
    pub async fn addresses(&self, account: &AccountId) -> Result<Vec<MailAddress>> {
        Ok(self.store.addresses(account).await?)
    }

    /// Tells a person at this address too; the person is told so. One that is there stays.
    ///
    /// # Errors
    /// The store failed.
    pub async fn add_address(&self, caller: &Caller, mail: &MailAddress) -> Result<AddressAdded> {
        let row = event::by(caller, EventKind::AddressAdded, self.now());
        let added = self
            .store
            .add_address(&caller.account, mail, ADDRESSES_MAX, row);
        Ok(added.await?)
    }

    /// Tells a person no more at this address; `false` where that was so before.
    ///
    /// # Errors
    /// The store failed.
    pub async fn remove_address(&self, caller: &Caller, mail: &MailAddress) -> Result<bool> {
        let row = event::by(caller, EventKind::AddressRemoved, self.now());
        let removed = self.store.remove_address(&caller.account, mail, row);
        Ok(removed.await?)
    }

    /// Notes the language (a BCP 47 tag) that the person reads the pages in: what they are told
    /// outside the pages is in it too.
    ///
    /// # Errors
    /// The store failed.
    pub async fn note_language(&self, account: &AccountId, language: &str) -> Result<()> {
        self.store.note_language(account, language).await?;
        Ok(())
    }
}

fn settlement(notice: &Notice, sending: Sending, now: Timestamp) -> Settlement {
    let next = now.plus(wait_after(notice.tries));
    match sending {
        Sending::Sent => Settlement::Sent,
        Sending::Failed if next.since(notice.event.at) <= TRIED_FOR => Settlement::Later(next),
        Sending::Failed | Sending::Hopeless => Settlement::GivenUp(given_up(notice, now)),
    }
}

/// How long to wait after so many tries.
fn wait_after(tries: u32) -> Millis {
    let doubled = tries.saturating_sub(1).min(16);
    Millis((FIRST_WAIT.0 << doubled).min(LONGEST_WAIT.0))
}

fn given_up(notice: &Notice, now: Timestamp) -> NewEvent {
    let way = match notice.way {
        Way::Mail => "mail",
        Way::Webhook => "webhook",
    };
    NewEvent {
        account: notice.account.clone(),
        kind: EventKind::NoticeGivenUp,
        at: now,
        actor: Actor::Server,
        generation: notice.event.generation,
        number: None,
        remaining: None,
        detail: Some(format!("{way}: {}", notice.event.kind.name())),
        ip: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_grow_rarer_up_to_four_a_day() {
        let waits: Vec<i64> = (1..=12).map(|tries| wait_after(tries).0 / 1_000).collect();
        assert_eq!(
            waits,
            [
                30, 60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 21_600, 21_600
            ]
        );
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }
}
