//! What is allowed, how much of it and for how long.

use spare_key_core::Spec;

use super::{Environment, Toggle};
use crate::model::{HashParams, Millis};
use crate::store::ThrottlePolicy;

/// The settings that the use cases depend on.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether there are recovery codes at all. Off: none issued, none accepted.
    pub recovery_codes: Toggle,
    /// What a batch is unless the caller asks otherwise.
    pub batch: Spec,
    /// What one slow hash costs.
    pub hash: HashParams,
    /// How long a pending batch can be shown and activated.
    pub pending_for: Millis,
    /// How long an idempotency key and the answer under it are remembered.
    pub replay_for: Millis,
    /// How recent a factor must be for changing factors and codes.
    pub fresh_for: Millis,
    /// How long a challenge of our pages stays open.
    pub challenge_for: Millis,
    /// How long one of a program does (Auth0: 10 minutes).
    pub mfa_token_for: Millis,
    /// The longest session (NIST SP 800-63B-4, 2.2.3: at most 24 hours).
    pub session_for: Millis,
    /// The longest session that a person's own program carries.
    pub carried_for: Millis,
    /// How often a first password of a waiting authenticator may be wrong there, before it is gone.
    pub first_tries: u32,
    /// The longest pause in one (at most one hour).
    pub idle_for: Millis,
    /// The longest that a program's refresh token gives new tokens.
    pub refresh_for: Millis,
    /// How long a refresh token that was followed by the next still gives one, in case the answer
    /// was lost.
    pub refresh_lost_for: Millis,
    /// Guessing recovery codes.
    pub recovery_throttle: ThrottlePolicy,
    /// Guessing one-time passwords.
    pub totp_throttle: ThrottlePolicy,
    /// Guessing a password, by login and address.
    pub password_throttle: ThrottlePolicy,
    /// Sign-ins from one address, where a dialect promises such a limit; `None`: without.
    pub sign_in_throttle: Option<ThrottlePolicy>,
    /// How people sign in to access tokens, until somebody changes it.
    pub environment: Environment,
    /// At so many codes left, people are warned.
    pub low_at: u32,
    /// How long the audit trail is kept.
    pub keep_events: Millis,
    /// What people know the service as: on sheets and in authenticator apps.
    pub product: String,
}

/// A bucket of ten failures refilled ten an hour, then waits of 30 s to 1 h, dead at 100 in a row.
pub(super) const THROTTLE: ThrottlePolicy = ThrottlePolicy {
    capacity: 10,
    refill: Millis::minutes(6),
    first_wait: Millis::seconds(30),
    longest_wait: Millis::minutes(60),
    dead_at: 100,
};

/// Twenty at once, then one a minute or slower; never for good, and only from where it came.
pub(super) const PASSWORD_THROTTLE: ThrottlePolicy = ThrottlePolicy {
    capacity: 20,
    refill: Millis::minutes(1),
    first_wait: Millis::seconds(30),
    longest_wait: Millis::minutes(15),
    dead_at: u32::MAX,
};

/// Five in a quarter of an hour.
pub(super) const SIGN_IN_THROTTLE: ThrottlePolicy = ThrottlePolicy {
    capacity: 5,
    refill: Millis::minutes(3),
    first_wait: Millis::minutes(3),
    longest_wait: Millis::minutes(15),
    dead_at: u32::MAX,
};

/// Days that the audit trail is kept unless somebody says otherwise: a year and what it takes to look
/// back at it.
pub const KEEP_EVENTS_DAYS: u32 = 400;

/// OWASP's floors for Argon2id, all of one strength: memory in KiB for 1, 2, 3, … passes.
pub const FLOORS: [u32; 5] = [47_104, 19_456, 12_288, 9_216, 7_168];

/// OWASP's floor for Argon2id with two passes.
pub(super) const HASH: HashParams = HashParams {
    memory_kib: 19_456,
    passes: 2,
    lanes: 1,
};

impl Policy {
    /// The defaults of production, with recovery codes on or off until somebody switches them.
    pub fn standard(recovery_codes: bool) -> Self {
        Self {
            recovery_codes: Toggle::Settable {
                at_first: recovery_codes,
            },
            batch: Spec::LIST,
            hash: HASH,
            pending_for: Millis::minutes(10),
            replay_for: Millis::minutes(10),
            fresh_for: Millis::minutes(5),
            challenge_for: Millis::minutes(20),
            mfa_token_for: Millis::minutes(10),
            session_for: Millis::minutes(12 * 60),
            carried_for: Millis::minutes(24 * 60),
            first_tries: 5,
            idle_for: Millis::minutes(60),
            refresh_for: Millis::minutes(30 * 24 * 60),
            refresh_lost_for: Millis::minutes(1),
            recovery_throttle: THROTTLE,
            totp_throttle: THROTTLE,
            password_throttle: PASSWORD_THROTTLE,
            sign_in_throttle: Some(SIGN_IN_THROTTLE),
            environment: Environment::strict(),
            low_at: 3,
            keep_events: Millis::days(KEEP_EVENTS_DAYS),
            product: "Spare Key".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row A-75.
    #[test]
    fn the_standard_policy_keeps_to_its_sources() {
        let policy = Policy::standard(false);
        assert_eq!(policy.batch.count(), 10);
        assert!(policy.session_for <= Millis::minutes(24 * 60));
        assert!(policy.carried_for <= Millis::minutes(24 * 60));
        assert!(policy.idle_for <= Millis::minutes(60));
        assert!(policy.recovery_throttle.dead_at <= 100);
        assert!(policy.challenge_for > policy.pending_for);
        assert!(crate::hasher::params_are_sound(policy.hash));
    }

    /// Row A-57: Auth0's own limit, and A-50: NIST's.
    #[test]
    fn ten_wrong_codes_an_hour_and_a_hundred_in_all() {
        for throttle in [
            Policy::standard(true).recovery_throttle,
            Policy::standard(true).totp_throttle,
        ] {
            assert_eq!(throttle.capacity, 10);
            assert_eq!(throttle.refill.0 * 10, Millis::minutes(60).0);
            assert_eq!(throttle.first_wait, Millis::seconds(30));
            assert_eq!(throttle.longest_wait, Millis::minutes(60));
            assert_eq!(throttle.dead_at, 100);
        }
    }
}
