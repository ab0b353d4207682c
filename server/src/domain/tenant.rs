//! The tenant's switches: whether there are recovery codes, and who must prove a second factor.
//!
//! Each is fixed by a setting of the server, or set while it runs; then the store has the last
//! word, and it is asked every time, as several servers may share it.

use super::{Mfa, Refusal, Result};
use crate::store::Setting;

/// How a switch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toggle {
    /// By a setting of the server; nobody switches it while it runs.
    Fixed(bool),
    /// As somebody set it, and like this until then.
    Settable {
        /// Until somebody sets it.
        at_first: bool,
    },
}

/// Who must prove a second factor to a program that signs people in. Our own pages always ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    /// Everybody: who has none enrolls one.
    Everybody,
    /// Who has one.
    WhoHasOne,
}

impl SecondFactor {
    const fn stored(self) -> &'static str {
        match self {
            Self::Everybody => "all",
            Self::WhoHasOne => "enrolled",
        }
    }
}

impl Mfa {
    /// Whether there are recovery codes.
    ///
    /// # Errors
    /// A fault.
    pub async fn recovery_codes(&self) -> Result<bool> {
        Ok(match self.policy.recovery_codes {
            Toggle::Fixed(on) => on,
            Toggle::Settable { at_first } => self
                .store
                .setting(Setting::RecoveryCodes)
                .await?
                .map_or(at_first, |value| value == "on"),
        })
    }

    /// Switches recovery codes on or off. Off: none issued and none accepted; those that are live
    /// are kept for when it is on again.
    ///
    /// # Errors
    /// [`Refusal::SwitchFixed`] unless it stands so already; a fault.
    pub async fn switch_recovery_codes(&self, on: bool) -> Result<()> {
        match self.policy.recovery_codes {
            Toggle::Fixed(fixed) if fixed == on => Ok(()),
            Toggle::Fixed(_) => Err(Refusal::SwitchFixed.into()),
            Toggle::Settable { .. } => {
                let value = if on { "on" } else { "off" };
                Ok(self.store.set(Setting::RecoveryCodes, value).await?)
            }
        }
    }

    /// Switches recovery codes on where nobody has said anything of them: local development.
    ///
    /// # Errors
    /// A fault.
    pub async fn offer_recovery_codes(&self) -> Result<()> {
        let settable = matches!(self.policy.recovery_codes, Toggle::Settable { .. });
        if settable && self.store.setting(Setting::RecoveryCodes).await?.is_none() {
            self.store.set(Setting::RecoveryCodes, "on").await?;
        }
        Ok(())
    }

    /// Who must prove a second factor to programs. Until somebody says otherwise, everybody.
    ///
    /// # Errors
    /// A fault.
    pub async fn second_factor(&self) -> Result<SecondFactor> {
        let set = self.store.setting(Setting::SecondFactor).await?;
        let enrolled = set.is_some_and(|value| value == SecondFactor::WhoHasOne.stored());
        Ok(if enrolled {
            SecondFactor::WhoHasOne
        } else {
            SecondFactor::Everybody
        })
    }

    /// Says who must prove a second factor to programs.
    ///
    /// # Errors
    /// A fault.
    pub async fn demand_second_factor(&self, of: SecondFactor) -> Result<()> {
        Ok(self.store.set(Setting::SecondFactor, of.stored()).await?)
    }
}
