//! Trusted devices: recognizing them at a sign-in, listing them, trusting them no more.
//!
//! A trusted device is not a factor but a reason not to ask for one: it proves nothing, so no
//! factor and no code is changed on its word.

use uuid::Uuid;

use super::bearer::TrustGiven;
use super::{Caller, Environment, Mfa, Result, event};
use crate::entropy::{draw_bytes, draw_token};
use crate::keyring::token_digest;
use crate::model::{EventKind, Millis, Timestamp, Token};
use crate::store::{NewDevice, TrustedDevice};

/// The longest label, in characters.
const LABEL_MAX: usize = 120;

impl Mfa {
    /// The account's trusted devices, last seen first.
    ///
    /// # Errors
    /// A fault.
    pub async fn trusted_devices(&self, caller: &Caller) -> Result<Vec<TrustedDevice>> {
        let now = self.now();
        let Some(trusted_for) = self.environment().await?.trusted_for() else {
            return Ok(Vec::new());
        };
        let since = Timestamp(now.0.saturating_sub(trusted_for.0));
        let found = self.store.trusted_devices(&caller.account, since, now);
        Ok(found.await?)
    }

    /// Trusts one of the caller's devices no more; `false` when it is not among them.
    ///
    /// # Errors
    /// A fault.
    pub async fn forget_device(&self, caller: &Caller, id: Uuid) -> Result<bool> {
        let row = event::by(caller, EventKind::DeviceForgotten, self.now());
        Ok(self.store.forget_device(&caller.account, id, row).await?)
    }

    /// Trusts none of the caller's devices any more; says how many there were.
    ///
    /// # Errors
    /// A fault.
    pub async fn forget_devices(&self, caller: &Caller) -> Result<u64> {
        let row = event::by(caller, EventKind::DeviceForgotten, self.now()).because("all of them");
        Ok(self.store.forget_devices(&caller.account, row).await?)
    }

    /// Whether this value is that of a device that the account trusts.
    pub(super) async fn recognizes(
        &self,
        caller: &Caller,
        environment: &Environment,
        device: &Token,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(trusted_for) = environment.trusted_for() else {
            return Ok(false);
        };
        let since = Timestamp(now.0.saturating_sub(trusted_for.0));
        let digest = token_digest(device);
        let known = self
            .store
            .recognize(&caller.account, &digest, since, now)
            .await?;
        Ok(known)
    }

    /// A device to trust, and what it is recognized by.
    pub(super) fn new_device(
        &self,
        caller: &Caller,
        label: &str,
        trusted_for: Millis,
        now: Timestamp,
    ) -> Result<(NewDevice, TrustGiven)> {
        let token = draw_token(&*self.entropy)?;
        let id = draw_bytes::<16>(&*self.entropy)?;
        let expires_at = now.plus(trusted_for);
        let label = label.chars().filter(|c| !c.is_control()).take(LABEL_MAX);
        let device = NewDevice {
            id: uuid::Builder::from_random_bytes(*id).into_uuid(),
            digest: token_digest(&token),
            label: label.collect(),
            ip: caller.ip.map(|ip| ip.to_string()),
            expires_at,
            event: event::by(caller, EventKind::DeviceTrusted, now),
        };
        Ok((device, TrustGiven { token, expires_at }))
    }
}
