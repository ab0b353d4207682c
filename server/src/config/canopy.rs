//! How the Canopy dialect is spoken: names that its clients send, and the form of its answers.

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::http::{CanopySettings, Envelope};

/// How single objects are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(try_from = "String")]
pub enum EnvelopeName {
    /// As they are.
    Bare,
    /// Behind `data`.
    Data,
}

impl TryFrom<String> for EnvelopeName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_str(&text, false).map_err(|_| "it is \"bare\" or \"data\"")
    }
}

/// What was given, by flags and environment or by the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanopyGiven {
    /// The tenant's name, as Canopy's clients send it [default: dev in dev, otherwise main]
    #[arg(
        long = "canopy-account",
        global = true,
        value_name = "SLUG",
        env = "SPARE_KEY_CANOPY_ACCOUNT",
        hide_env_values = true
    )]
    pub account: Option<String>,

    /// Its application's, as they send it [default: dev-app in dev, otherwise app]
    #[arg(
        long = "canopy-application",
        global = true,
        value_name = "SLUG",
        env = "SPARE_KEY_CANOPY_APPLICATION",
        hide_env_values = true
    )]
    pub application: Option<String>,

    /// Whether single objects are answered as they are (bare) or behind data [default: bare]
    #[arg(
        long = "canopy-envelope",
        global = true,
        value_name = "bare|data",
        env = "SPARE_KEY_CANOPY_ENVELOPE",
        hide_env_values = true,
        hide_possible_values = true
    )]
    pub envelope: Option<EnvelopeName>,
}

impl CanopyGiven {
    /// This, and where it says nothing, that.
    #[must_use]
    pub(super) fn over(self, file: Self) -> Self {
        Self {
            account: self.account.or(file.account),
            application: self.application.or(file.application),
            envelope: self.envelope.or(file.envelope),
        }
    }

    /// Whether the names can stand in an address.
    pub(super) fn is_sound(&self) -> bool {
        [&self.account, &self.application]
            .into_iter()
            .flatten()
            .all(|name| {
                let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
                (1..=64).contains(&name.len()) && name.bytes().all(fits)
            })
    }

    /// With what holds where nothing was said.
    pub fn or(&self, unsaid: CanopySettings) -> CanopySettings {
        CanopySettings {
            account: self.account.clone().unwrap_or(unsaid.account),
            application: self.application.clone().unwrap_or(unsaid.application),
            envelope: match self.envelope {
                Some(EnvelopeName::Data) => Envelope::Data,
                Some(EnvelopeName::Bare) => Envelope::Bare,
                None => unsaid.envelope,
            },
        }
    }
}
