//! The field while a person types: at every caret, against a model that knows only symbols.

use proptest::prelude::*;
use spare_key_core::{
    Format, code,
    entry::{self, Edit},
};

const FULL: &str = "KZ3MQ7TBWJ5RHXYN";

/// Groups of four, the naive way.
fn formatted(symbols: &str) -> String {
    let chars: Vec<char> = symbols.chars().collect();
    chars
        .chunks(4)
        .map(String::from_iter)
        .collect::<Vec<_>>()
        .join("-")
}

/// How many symbols stand left of the caret.
fn left_of(text: &str, caret: usize) -> usize {
    text[..caret].chars().filter(|c| *c != '-').count()
}

fn shown(edit: &Edit) -> (&str, usize) {
    (edit.text.as_str(), edit.caret)
}

/// Row B-26.
#[test]
fn a_symbol_typed_at_any_place_stands_there() {
    for length in 0..=15 {
        let before = formatted(&FULL[..length]);
        for caret in 0..=before.len() {
            let at = left_of(&before, caret);
            let mut symbols = FULL[..length].to_string();
            symbols.insert(at, 'X');
            let mut typed = before.clone();
            typed.insert(caret, 'x');
            let edit = entry::edit_from(&before, &typed, caret + 1, None);
            assert_eq!(
                edit.text.as_str(),
                formatted(&symbols),
                "{typed} at {caret}"
            );
            assert_eq!(
                left_of(&edit.text, edit.caret),
                at + 1,
                "{typed} at {caret}"
            );
        }
    }
}

#[test]
fn backspace_at_any_place_removes_the_symbol_before_the_caret() {
    for length in 1..=16 {
        let before = formatted(&FULL[..length]);
        for caret in 1..=before.len() {
            let at = left_of(&before, caret);
            let mut symbols = FULL[..length].to_string();
            symbols.remove(at - 1);
            let mut typed = before.clone();
            typed.remove(caret - 1);
            let edit = entry::edit_from(&before, &typed, caret - 1, None);
            assert_eq!(
                edit.text.as_str(),
                formatted(&symbols),
                "{typed} at {caret}"
            );
            assert_eq!(
                left_of(&edit.text, edit.caret),
                at - 1,
                "{typed} at {caret}"
            );
        }
    }
}

#[test]
fn the_delete_key_keeps_its_side_of_a_dash() {
    let edit = entry::edit_from("KZ3M-Q7TB", "KZ3M-7TB", 5, None);
    assert_eq!(shown(&edit), ("KZ3M-7TB", 5));
    let edit = entry::edit_from("KZ3M-7TB", "KZ3M-TB", 5, None);
    assert_eq!(shown(&edit), ("KZ3M-TB", 5));
}

#[test]
fn a_paste_at_any_place_lands_there_whatever_was_selected() {
    for pasted in ["KZ3M", "3", "q7tb-wj5r", " ab\t", "-"] {
        let symbols: String = pasted.chars().filter(char::is_ascii_alphanumeric).collect();
        for (from, to) in (0..=9).flat_map(|to| (0..=to).map(move |from| (from, to))) {
            let before = "QRST-UVWX";
            let mut typed = before.to_string();
            typed.replace_range(from..to, pasted);
            let (start, end) = (left_of(before, from), left_of(before, to));
            let mut wanted = String::from("QRSTUVWX");
            wanted.replace_range(start..end, &symbols.to_ascii_uppercase());
            let edit = entry::edit_from(before, &typed, from + pasted.len(), None);
            assert_eq!(edit.text.as_str(), formatted(&wanted), "{typed}");
            assert_eq!(
                left_of(&edit.text, edit.caret),
                start + symbols.len(),
                "{typed}"
            );
        }
    }
}

/// Row B-26.
#[test]
fn the_example_of_the_standard_holds() {
    // Backspace at 7 of KZ3M-Q7TB-WJ5R-HXYN.
    let edit = entry::edit("KZ3M-QTB-WJ5R-HXYN", 6, None);
    assert_eq!(shown(&edit), ("KZ3M-QTBW-J5RH-XYN", 6));
}

#[test]
fn a_text_over_the_limit_comes_back_as_it_is() {
    let text = "a".repeat(code::MAX_INPUT + 1);
    let edit = entry::edit(&text, 9999, None);
    assert_eq!(shown(&edit), (text.as_str(), text.len()));
    let verdict = entry::check(&text, None);
    assert_eq!(verdict.state, entry::State::TooLong { extra: 1 });
}

fn formats() -> impl Strategy<Value = Option<Format>> {
    prop_oneof![
        Just(None),
        Just(Some(Format::List)),
        Just(Some(Format::Single))
    ]
}

/// Texts as they come: half codes, list numbers, separators, and anything at all.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z2-7 _0-9.)-]{0,30}",
        "[A-Z2-7]{0,4}(-[A-Z2-7]{0,4}){0,5}",
        any::<String>(),
        "[ａ-ｚ０-９🔑ßıA-Z -]{0,12}",
    ]
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn editing_the_result_of_an_edit_changes_nothing(text in texts(), caret in 0usize..40, format in formats()) {
        let once = entry::edit(&text, caret, format);
        prop_assert!(once.caret <= units(&once.text));
        let twice = entry::edit(&once.text, once.caret, format);
        prop_assert_eq!(shown(&once), shown(&twice));
    }

    #[test]
    fn an_edit_loses_and_adds_no_symbol(text in texts(), format in formats()) {
        // A caret at the start can't be behind a deleted dash.
        let edit = entry::edit(&text, 0, format);
        let count = |text: &str| entry::check(text, format).symbols;
        prop_assert_eq!(count(&edit.text), count(&text));
        prop_assert_eq!(entry::check(&edit.text, format).state, entry::check(&text, format).state);
        prop_assert_eq!(edit.text.contains("--") || edit.text.ends_with('-'), text.len() > code::MAX_INPUT && (text.contains("--") || text.ends_with('-')));
    }
}
