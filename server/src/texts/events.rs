//! What happened on an account, in words.

use super::Texts;
use crate::domain::{BY_BROWSER, Event};
use crate::model::EventKind;

/// An audit row in the person's words; `None` for what would tell them nothing.
pub(crate) fn in_words(t: Texts, event: &Event) -> Option<String> {
    let helped = event.actor.administers();
    let key = match event.kind {
        EventKind::CodesStaged => "event.codes_generated",
        EventKind::CodesActivated => "event.codes_activated",
        EventKind::CodesRedeemed => "event.code_redeemed",
        EventKind::CodesRefused => "event.code_refused",
        EventKind::CodesThrottled => "event.code_throttled",
        EventKind::CodesRevoked if helped => "event.codes_revoked_by_administrator",
        EventKind::CodesRevoked => "event.codes_revoked",
        EventKind::CodesImported => "event.codes_imported",
        EventKind::FactorEnrolled => "event.authenticator_added",
        EventKind::FactorReplaced => "event.authenticator_replaced",
        EventKind::MfaReset if helped => "event.mfa_reset",
        EventKind::FactorRemoved | EventKind::MfaReset => "event.authenticator_removed",
        EventKind::KeyAdded => "event.api_key_added",
        EventKind::KeyRemoved => "event.api_key_removed",
        EventKind::DeviceTrusted => "event.device_trusted",
        EventKind::DeviceForgotten => "event.device_forgotten",
        EventKind::FactorVerified => "event.login",
        EventKind::PasswordVerified if event.detail.as_deref() == Some(BY_BROWSER) => {
            "event.login_remembered"
        }
        EventKind::FactorRefused | EventKind::PasswordRefused => "event.login_failed",
        EventKind::AdministratorAdded => "event.administrator_added",
        EventKind::AdministratorRemoved => "event.administrator_removed",
        EventKind::AddressAdded => "event.address_added",
        EventKind::AddressRemoved => "event.address_removed",
        EventKind::NoticeGivenUp => "event.notice_given_up",
        EventKind::CodesKept => "event.codes_kept",
        EventKind::CodesSwitchedOn => "event.codes_switched_on",
        EventKind::CodesSwitchedOff => "event.codes_switched_off",
        EventKind::CodesShownAgain
        | EventKind::CodesGivenUp
        | EventKind::FactorAsked
        | EventKind::PasswordVerified
        | EventKind::SignedOut
        | EventKind::AccountAdded => return None,
    };
    let generation = event
        .generation
        .map_or(0, |generation| generation.0)
        .to_string();
    let number = event.number.unwrap_or(0).to_string();
    Some(t.fill(key, &[("generation", generation), ("number", number)]))
}
