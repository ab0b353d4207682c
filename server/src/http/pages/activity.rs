//! What happened on an account lately, in words, a page at a time.

use serde::Deserialize;

use super::view::{EventView, TrailView};
use super::visitor::Visitor;
use crate::domain::Error;
use crate::model::AccountId;
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
    })
}
