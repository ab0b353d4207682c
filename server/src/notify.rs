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
use tokio::sync::watch;

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
type Parcel = Vec<Notice>;

impl Courier {
    /// Carries until `stop` says so or is dropped; what is being sent then is sent first. A mail server
    /// that hangs holds up no webhook, nor the other way round.
    pub async fn run(self, mfa: Mfa, stop: watch::Receiver<()>) {
        let mail = self.carry_on(&mfa, Way::Mail, stop.clone());
        let webhook = self.carry_on(&mfa, Way::Webhook, stop);
        tokio::join!(mail, webhook);
    }

    async fn carry_on(&self, mfa: &Mfa, way: Way, mut stop: watch::Receiver<()>) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _stopped = stop.changed() => return,
                _tick = every.tick() => {}
            }
            while stop.has_changed().is_ok_and(|stopped| !stopped) {
                match self.round(mfa, way).await {
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

    /// Sends what is due now this way; says how many notices that were.
    ///
    /// # Errors
    /// The store failed.
    pub async fn round(&self, mfa: &Mfa, way: Way) -> Result<usize, Error> {
        let (mail, webhook) = (self.mail.is_some(), self.webhook.is_some());
        let due = mfa.address_notices(mail, webhook).await?;
        // What another server has addressed a way that there is none of here is left to it.
        let mine = match way {
            Way::Mail => mail && due.mail,
            Way::Webhook => webhook && due.webhook,
        };
        if !mine {
            return Ok(0);
        }
        let due = mfa.due_notices(way).await?;
        let taken = due.len();
        // To the end also where one of them could not be settled: what is half sent comes twice.
        let settled: Vec<Result<(), Error>> = stream::iter(parcels(due))
            .map(|parcel| self.deliver(mfa, parcel))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        settled.into_iter().collect::<Result<(), Error>>()?;
        Ok(taken)
    }

    async fn deliver(&self, mfa: &Mfa, notices: Parcel) -> Result<(), Error> {
        let sent = tokio::time::timeout(PATIENCE, self.send(mfa, &notices));
        let sending = sent.await.unwrap_or_else(|_| {
            tracing::warn!("whoever was to tell somebody of something did not answer in time");
            Sending::Failed
        });
        mfa.settle(&notices, sending).await
    }

    async fn send(&self, mfa: &Mfa, notices: &[Notice]) -> Sending {
        let Some(first) = notices.first() else {
            return Sending::Sent;
        };
        match (first.way, &self.mail, &self.webhook) {
            (Way::Mail, Some(mailer), _) => mailer.send(notices, &mfa.policy().product).await,
            (Way::Webhook, _, Some(webhook)) => webhook.send(first, mfa.now()).await,
            (Way::Mail, None, _) | (Way::Webhook, _, None) => Sending::Failed,
        }
    }
}

/// Packs what is due one way. What goes to one address about one account goes in one mail; a program
/// is told one by one.
fn parcels(due: Vec<Notice>) -> Vec<Parcel> {
    let mut parcels: Vec<Parcel> = Vec::new();
    for notice in due {
        let together = |parcel: &&mut Parcel| {
            parcel.first().is_some_and(|first| {
                first.way == Way::Mail
                    && first.address == notice.address
                    && first.account == notice.account
            })
        };
        match parcels.iter_mut().find(together) {
            Some(parcel) => parcel.push(notice),
            None => parcels.push(vec![notice]),
        }
    }
    parcels
}
