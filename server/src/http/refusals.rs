//! The table refusal × dialect → status and body, held as one text.
//!
//! Each dialect answers every refusal in its own words, by a match without a wildcard; here the
//! answers stand beside each other, so that a change of one is seen beside the others.

use std::fmt::Write as _;

use axum::http::StatusCode;

use super::{arklow, auth0, canopy, native};
use crate::domain::every_refusal;
use crate::model::Timestamp;

const NOW: Timestamp = Timestamp(1_795_219_200_000);
const LATER: Timestamp = Timestamp(1_795_219_230_000);

/// What a refusal becomes: on which surface of which dialect, the status, the body.
pub(super) type Answered = (&'static str, StatusCode, String);

/// The table in `refusals.snap`. When it differs on purpose, the test's message is the new table.
/// Row A-88.
#[test]
fn every_refusal_has_in_every_dialect_the_answer_that_the_table_says() {
    let mut table = String::new();
    for refusal in every_refusal(LATER) {
        writeln!(table, "{refusal:?}").unwrap();
        let answers = [
            native::refused,
            auth0::refused,
            arklow::refused,
            canopy::refused,
        ];
        for (surface, status, body) in answers.iter().flat_map(|refused| refused(refusal, NOW)) {
            assert!(status.is_client_error(), "{refusal:?}: no fault of ours");
            writeln!(table, "    {surface} {} {body}", status.as_u16()).unwrap();
        }
    }
    assert!(
        table == include_str!("refusals.snap"),
        "the table has changed:\n{table}"
    );
}
