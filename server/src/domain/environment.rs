//! How people sign in to access tokens: whether they need a second factor, how long they may put
//! it off, whether devices are trusted.
//!
//! One a tenant. It stands in the store as one text, so that two who change it at once do not undo
//! each other's change.

use super::{Error, Mfa, Refusal, Result};
use crate::domain::Fault;
use crate::model::{Millis, Timestamp};
use crate::store::Setting;

/// Tries at a change while others change it too.
const TRIES: u32 = 5;

/// What people can enroll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorKind {
    /// An authenticator app.
    Totp,
    /// A passkey or security key; none is bound here yet.
    WebAuthn,
}

impl FactorKind {
    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::WebAuthn => "webauthn",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Totp, Self::WebAuthn]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// How people sign in to access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// A name for people, without control characters.
    pub name: String,
    /// A name for addresses.
    pub slug: String,
    /// Whether who has a factor is asked for it, and who has none must enroll one.
    pub mfa_required: bool,
    /// How long the latter may be put off, in days from the first such sign-in.
    pub grace_days: u32,
    /// How long a device is trusted, in days; 0: none is.
    pub trusted_days: u32,
    /// What can be enrolled. What was enrolled before keeps working.
    pub factors: Vec<FactorKind>,
    /// How often it was changed, and once more.
    pub version: u32,
    /// When it was last changed; the beginning of time when never.
    pub updated_at: Timestamp,
}

impl Environment {
    /// The longest times, in days.
    pub const DAYS_MAX: u32 = 365;

    /// What holds until somebody changes it: a factor, at once, and no device trusted.
    pub fn strict() -> Self {
        Self {
            name: "Production".to_owned(),
            slug: "production".to_owned(),
            mfa_required: true,
            grace_days: 0,
            trusted_days: 0,
            factors: vec![FactorKind::Totp, FactorKind::WebAuthn],
            version: 1,
            updated_at: Timestamp(0),
        }
    }

    /// What holds in local development.
    pub fn of_development() -> Self {
        Self {
            name: "Development".to_owned(),
            slug: "development".to_owned(),
            grace_days: 7,
            trusted_days: 30,
            ..Self::strict()
        }
    }

    /// How long a device is trusted; `None`: not at all.
    pub fn trusted_for(&self) -> Option<Millis> {
        (self.trusted_days > 0).then(|| Millis::days(self.trusted_days))
    }

    /// Whether this can be enrolled.
    pub fn allows(&self, kind: FactorKind) -> bool {
        self.factors.contains(&kind)
    }

    /// As it stands in the store: a line a value.
    fn written(&self) -> String {
        let factors: Vec<_> = self.factors.iter().map(|kind| kind.name()).collect();
        format!(
            "version={}\nupdated={}\nrequired={}\ngrace={}\ntrusted={}\nfactors={}\nslug={}\nname={}",
            self.version,
            self.updated_at.0,
            self.mfa_required,
            self.grace_days,
            self.trusted_days,
            factors.join(","),
            self.slug,
            self.name,
        )
    }

    /// From the store.
    fn read(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find_map(|(name, value)| (name == key).then_some(value))
        };
        Some(Self {
            name: value("name")?.to_owned(),
            slug: value("slug")?.to_owned(),
            mfa_required: value("required")?.parse().ok()?,
            grace_days: value("grace")?.parse().ok()?,
            trusted_days: value("trusted")?.parse().ok()?,
            factors: value("factors")?
                .split(',')
                .map(FactorKind::named)
                .collect::<Option<_>>()?,
            version: value("version")?.parse().ok()?,
            updated_at: Timestamp(value("updated")?.parse().ok()?),
        })
    }
}

impl Mfa {
    /// How people sign in to access tokens.
    ///
    /// # Errors
    /// A fault.
    pub async fn environment(&self) -> Result<Environment> {
        match self.store.setting(Setting::SignInPolicy).await? {
            None => Ok(self.policy.environment.clone()),
            Some(text) => read(&text),
        }
    }

    /// Changes it, whatever others change at the same time.
    ///
    /// # Errors
    /// Busy, when others change it at every try; a fault.
    pub async fn change_environment(
        &self,
        change: impl Fn(&mut Environment),
    ) -> Result<Environment> {
        for _ in 0..TRIES {
            let stored = self.store.setting(Setting::SignInPolicy).await?;
            let mut environment = match &stored {
                None => self.policy.environment.clone(),
                Some(text) => read(text)?,
            };
            change(&mut environment);
            environment.version += 1;
            environment.updated_at = self.now();
            let changed = self
                .store
                .change(
                    Setting::SignInPolicy,
                    stored.as_deref(),
                    &environment.written(),
                )
                .await?;
            if changed {
                return Ok(environment);
            }
        }
        Err(Error::CONTENDED)
    }

    /// Whether this can be enrolled.
    pub(super) async fn may_enroll(&self, kind: FactorKind) -> Result<()> {
        if self.environment().await?.allows(kind) {
            Ok(())
        } else {
            Err(Refusal::FactorNotAllowed.into())
        }
    }
}

fn read(text: &str) -> Result<Environment> {
    Environment::read(text).ok_or_else(|| Fault::Corrupt("how people sign in").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written() {
        for environment in [
            Environment::strict(),
            Environment {
                name: "a = b".to_owned(),
                mfa_required: false,
                factors: vec![FactorKind::Totp],
                version: 9,
                updated_at: Timestamp(-5),
                ..Environment::of_development()
            },
        ] {
            assert_eq!(Environment::read(&environment.written()), Some(environment));
        }
        assert_eq!(Environment::read("version=1"), None);
    }
}
