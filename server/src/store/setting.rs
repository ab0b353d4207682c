//! The tenant's switches: what those who run it have set while it runs.

use async_trait::async_trait;

use super::StoreResult;

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// Whether there are recovery codes: `on` or `off`.
    RecoveryCodes,
    /// Who must prove a second factor to programs that sign people in: `all` or `enrolled`.
    SecondFactor,
    /// How people sign in who show access tokens, and whether devices are trusted; as the domain
    /// writes it.
    SignInPolicy,
}

impl Setting {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RecoveryCodes => "recovery_codes",
            Self::SecondFactor => "second_factor",
            Self::SignInPolicy => "sign_in_policy",
        }
    }
}

/// What the domain asks about switches.
#[async_trait]
pub trait Settings {
    /// How it stands; `None` when nobody has set it.
    async fn setting(&self, setting: Setting) -> StoreResult<Option<String>>;

    /// Sets it. The last word counts.
    async fn set(&self, setting: Setting, value: &str) -> StoreResult<()>;

    /// Sets it where it still stands at `from` (`None`: nobody has set it); `false`, and nothing
    /// changed, where it does not.
    async fn change(&self, setting: Setting, from: Option<&str>, to: &str) -> StoreResult<bool>;
}
