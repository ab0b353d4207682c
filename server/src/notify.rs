//! The courier: carries what people are told of out of the product, by mail to themselves and by a
//! webhook to the operator's own program.
//!
//! What is told, to whom and how often is the domain's; here it is put into words and sent. Several
//! servers carry side by side. A notice may arrive twice and is not lost: it waits in the database.

mod mail;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::sync::oneshot::{self, error::TryRecvError};

pub use self::mail::{MailServer, MailSettings, Mailer, UnfitMail};
pub use self::webhook::{UnfitWebhook, Webhook, WebhookSecret, WebhookUrl};
use crate::domain::{Error, Mfa, Notice, Sending, Way};

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many are sent at a time.
const AT_ONCE: usize = 8;

/// How long one may take. With [`AT_ONCE`], what is taken is settled long before another server
/// takes it for left behind.
const PATIENCE: Duration = Duration::from_secs(20);

/// By which ways people are told.
#[derive(Debug, Clone, Default)]
pub struct Courier {
    /// By mail.
    pub mail: Option<Arc<Mailer>>,
    /// To a program.
    pub webhook: Option<Arc<Webhook>>,
}

/// What travels together: one mail tells of all that happened to somebody meanwhile.
struct Parcel {
    notices: Vec<Notice>,
}

impl Courier {
    /// Carries until `stop` says so or is dropped; what is being sent then is sent first.
    pub async fn run(self, mfa: Mfa, mut stop: oneshot::Receiver<()>) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _stopped = &mut stop => return,
                _tick = every.tick() => {}
            }
            while matches!(stop.try_recv(), Err(TryRecvError::Empty)) {
                match self.round(&mfa).await {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(error = %error, "people could not be told of what happened");
                        break;
                    }
                }
            }
        }
    }

    /// Sends what is due now; says how many notices that were.
    ///
    /// # Errors
    /// The store failed.
    pub async fn round(&self, mfa: &Mfa) -> Result<usize, Error> {
        let (mail, webhook) = (self.mail.is_some(), self.webhook.is_some());
        let due = mfa.due_notices(mail, webhook).await?;
        let taken = due.len();
        let sendings: Vec<_> = stream::iter(parcels(due))
            .map(|parcel| self.send(mfa, parcel))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        if taken > 0 {
            mfa.settle(sendings.into_iter().flatten().collect()).await?;
        }
        Ok(taken)
    }

    async fn send(&self, mfa: &Mfa, parcel: Parcel) -> Vec<(Notice, Sending)> {
        let Parcel { notices } = parcel;
        let sent = tokio::time::timeout(PATIENCE, self.carry(mfa, &notices));
        let sending = sent.await.unwrap_or_else(|_| {
            tracing::warn!("whoever was to tell somebody of something did not answer in time");
            Sending::Failed
        });
        notices
            .into_iter()
            .map(|notice| (notice, sending))
            .collect()
    }

    async fn carry(&self, mfa: &Mfa, notices: &[Notice]) -> Sending {
        let Some(first) = notices.first() else {
            return Sending::Sent;
        };
        match (first.way, &self.mail, &self.webhook) {
            (Way::Mail, Some(mailer), _) => mailer.send(notices, &mfa.policy().product).await,
            (Way::Webhook, _, Some(webhook)) => webhook.send(first, mfa.now()).await,
            // Addressed by a server that has this way; one that has it too will come.
            (Way::Mail, None, _) | (Way::Webhook, _, None) => Sending::Failed,
        }
    }
}

/// What goes to one address about one account goes in one mail; a program is told one by one.
fn parcels(due: Vec<Notice>) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    for notice in due {
        let together = |parcel: &&mut Parcel| {
            parcel.notices.first().is_some_and(|first| {
                first.way == Way::Mail
                    && notice.way == Way::Mail
                    && first.address == notice.address
                    && first.account == notice.account
            })
        };
        match parcels.iter_mut().find(together) {
            Some(parcel) => parcel.notices.push(notice),
            None => parcels.push(Parcel {
                notices: vec![notice],
            }),
        }
    }
    parcels
}
