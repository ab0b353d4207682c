//! What happened on an account lately, in words, a page at a time.

use serde::Deserialize;

use super::view::{EventView, TrailView, TriedView};
use super::visitor::Visitor;
use crate::domain::{BY_BROWSER, Error, Event};
use crate::model::{AccountId, EventKind};
use crate::texts::in_words;

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
        let Some(text) = in_words(t, row) else {
            last = Some(row.id);
            continue;
        };
        if lines.len() == SHOWN {
            older = true;
            break;
        }
        lines.push(EventView {
            at: t.moment(row.at),
            text,
        });
        last = Some(row.id);
    }
    Ok(TrailView {
        lines,
        older: last.filter(|_| older),
        newest: before.is_none(),
        tried: tried(&rows)
            .filter(|_| before.is_none())
            .map(|(times, last)| TriedView {
                times,
                last: t.moment(last.at),
            }),
    })
}

/// From so many on the person is told at the next sign-in (OWASP ASVS 6.3.5): fewer are typing errors.
const TOLD_FROM: u32 = 3;

/// How often a second factor was refused between the latest sign-in and the one before, and the last
/// of them. Whoever was asked for it knew the password.
fn tried(rows: &[Event]) -> Option<(u32, &Event)> {
    let behind_the_latest = rows.iter().skip_while(|row| !is_entry(row)).skip(1);
    let refused: Vec<&Event> = behind_the_latest
        .take_while(|row| !is_entry(row))
        .filter(|row| matches!(row.kind, EventKind::FactorRefused | EventKind::CodesRefused))
        .collect();
    let times = u32::try_from(refused.len()).unwrap_or(u32::MAX);
    refused
        .first()
        .filter(|_| times >= TOLD_FROM)
        .map(|last| (times, *last))
}

/// Whether somebody came in.
fn is_entry(row: &Event) -> bool {
    match row.kind {
        EventKind::FactorVerified | EventKind::CodesRedeemed => true,
        EventKind::PasswordVerified => row.detail.as_deref() == Some(BY_BROWSER),
        _ => false,
    }
}
