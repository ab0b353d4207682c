//! What the pages' forms post, in Auth0's names where it has them. Every field may be missing: the
//! page then says so in its own words. Fields that nobody knows are left alone.

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::visitor::Proven;
use crate::domain::Saved;
use crate::model::Generation;

macro_rules! forms {
    ($($(#[$doc:meta])* $name:ident { $($field:ident : $kind:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize)]
        pub(super) struct $name {
            #[serde(default)]
            csrf: String,
            #[serde(default)]
            state: String,
            $(
                #[serde(default, deserialize_with = "read")]
                pub(super) $field: $kind,
            )*
        }

        impl Proven for $name {
            fn csrf(&self) -> &str {
                &self.csrf
            }

            fn state(&self) -> &str {
                &self.state
            }
        }
    )*};
}

forms! {
    /// Only proves where it came from.
    BareForm {}

    /// Identifier and password.
    LoginForm { username: String, password: Zeroizing<String> }

    /// A one-time password or a recovery code, as typed; or the wish for another method.
    CodeForm { code: Zeroizing<String>, action: String, remember: String }

    /// "I have saved these codes."
    SaveForm { generation: String, saved: String }

    /// No more of how few codes are left of this generation.
    ReminderForm { generation: String }

    /// What an administrator wants to do, to whom, with a one-time password where one is asked for.
    AdminForm { id: String, code: Zeroizing<String> }

    /// One of the remembered browsers.
    BrowserForm { id: String }

    /// More time; a script is answered in JSON.
    TimeForm { answer: String }

    /// What to do after a recovery.
    AfterForm { action: String }
}

/// Reads a field into a text, one that is zeroed when it is dropped where the form says so.
fn read<'de, D: Deserializer<'de>, T: From<String>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer).map(T::from)
}

/// Which of a form's buttons was pressed.
pub(super) enum Pressed {
    /// Continue.
    Default,
    /// "Try another method".
    PickAuthenticator,
    /// None that we have.
    Unknown,
}

impl CodeForm {
    /// A form that names no button was sent by its only one.
    pub(super) fn pressed(&self) -> Pressed {
        match self.action.as_str() {
            "" | "default" => Pressed::Default,
            "pick-authenticator" => Pressed::PickAuthenticator,
            _ => Pressed::Unknown,
        }
    }
}

impl SaveForm {
    pub(super) fn saved(&self) -> Saved {
        if self.saved == "on" {
            Saved::Confirmed
        } else {
            Saved::Unconfirmed
        }
    }

    pub(super) fn generation(&self) -> Generation {
        numbered(&self.generation)
    }
}

impl ReminderForm {
    pub(super) fn generation(&self) -> Generation {
        numbered(&self.generation)
    }
}

/// A number that is none is nobody's generation.
fn numbered(text: &str) -> Generation {
    Generation(text.parse().unwrap_or(0))
}
