//! What happened on an account lately, in words, a page at a time.

use serde::Deserialize;

use super::texts::Texts;
use super::view::{EventView, TrailView};
use super::visitor::Visitor;
use crate::domain::{Actor, BY_BROWSER, Error, Event};
use crate::model::{AccountId, EventKind};

/// Audit rows read for a page, and lines shown of them: what would tell nothing is left out.
const READ: u32 = 80;
const SHOWN: usize = 20;

/// From where on to show: the number of an audit row.
#[derive(Deserialize)]
pub(super) struct Older {
    before: Option<String>,
}

impl Older {
    /// What is no number asks for the newest.
    pub(super) fn before(&self) -> Option<i64> {
        self.before.as_deref().and_then(|text| text.parse().ok())
    }
}

/// The account's latest events before this one.
pub(super) async fn trail(
    visitor: &Visitor,
    account: &AccountId,
    before: Option<i64>,
) -> Result<TrailView, Error> {
    let t = visitor.texts();
    let rows = visitor.web.mfa.events(account, before, READ).await?;
    let mut last = None;
    let mut lines = Vec::new();
    let mut older = rows.len() == usize::try_from(READ).unwrap_or(usize::MAX);
    for row in &rows {
        let Some(line) = in_words(t, row) else {
            last = Some(row.id);
            continue;
        };
        if lines.len() == SHOWN {
            older = true;
            break;
        }
        lines.push(line);
        last = Some(row.id);
    }
    Ok(TrailView {
        lines,
        older: last.filter(|_| older),
        newest: before.is_none(),
    })
}

/// An audit row in the person's words; `None` for what would tell them nothing.
fn in_words(t: Texts, event: &Event) -> Option<EventView> {
    let helped = matches!(event.actor, Actor::Administrator | Actor::Appointed(_));
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
    let text = t.fill(key, &[("generation", generation), ("number", number)]);
    Some(EventView {
        at: t.moment(event.at),
        text,
    })
}
