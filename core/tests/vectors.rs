//! The known answers of `core/vectors`, natively. The wasm tests give the same files to the
//! browser module, and the README shows the same cases: three readers, one truth.

use serde_json::Value;
use spare_key_core::{Code, Format, ParseError, code, entry, prompt, read};

fn codes() -> Value {
    serde_json::from_str(include_str!("../vectors/codes.json")).expect("vectors are JSON")
}

fn cases(section: &str) -> Vec<Value> {
    codes()[section]
        .as_array()
        .expect("a section is a list")
        .clone()
}

fn number(case: &Value, key: &str) -> usize {
    case[key].as_u64().expect("a number") as usize
}

fn format_of(case: &Value) -> Option<Format> {
    case["format"]
        .as_str()
        .map(|name| Format::named(name).expect("a format"))
}

fn error_of(case: &Value) -> Option<ParseError> {
    Some(match case["error"].as_str()? {
        "empty" => ParseError::Empty,
        "length" => ParseError::Length {
            got: number(case, "got"),
            want: number(case, "want"),
        },
        "symbol" => ParseError::Symbol {
            at: number(case, "at"),
        },
        "check" => ParseError::Check,
        other => panic!("unknown error {other}"),
    })
}

#[test]
fn the_check_symbol_agrees_with_the_known_answers() {
    for case in cases("check") {
        let code = case["code"].as_str().unwrap();
        assert_eq!(
            read(code).unwrap().check_ok,
            case["valid"].as_bool().unwrap(),
            "{code}"
        );
    }
}

#[test]
fn every_text_is_read_as_the_known_answers_say() {
    for case in cases("parse") {
        let text = case["text"].as_str().unwrap();
        match (Code::parse(text), error_of(&case)) {
            (Err(error), Some(wanted)) => assert_eq!(error, wanted, "{text:?}"),
            (Ok(code), None) => {
                assert_eq!(
                    code.canonical(),
                    case["canonical"].as_str().unwrap().as_bytes()
                );
                assert_eq!(code.expose().as_str(), case["formatted"].as_str().unwrap());
            }
            (parsed, wanted) => panic!("{text:?}: {parsed:?} instead of {wanted:?}"),
        }
    }
}

/// Row S13.
#[test]
fn a_text_too_long_is_refused_unread() {
    let text = "!".repeat(code::MAX_INPUT + 1);
    let refused = ParseError::Length { got: 257, want: 24 };
    assert_eq!(Code::parse(&text).unwrap_err(), refused);
    let padded = format!("{:>256}", "KZ3M-Q7TB-WJ5R-HXYN");
    assert!(Code::parse(&padded).is_ok());
    assert!(Code::parse(&format!(" {padded}")).is_err());
}

#[test]
fn an_imported_code_is_read_without_a_check_symbol() {
    let reading = read("abcd 2345 ef").unwrap();
    assert_eq!(reading.symbols.as_slice(), b"ABCD2345EF");
    assert!(!reading.check_ok);
}

/// Row E2.
#[test]
fn a_half_typed_code_is_judged_as_the_known_answers_say() {
    for case in cases("entry") {
        let text = case["text"].as_str().unwrap();
        let verdict = entry::check(text, format_of(&case));
        assert_eq!(
            verdict.state.name(),
            case["state"].as_str().unwrap(),
            "{text:?}"
        );
        assert_eq!(verdict.symbols, number(&case, "symbols"), "{text:?}");
        match verdict.state {
            entry::State::Incomplete { missing } => assert_eq!(missing, number(&case, "missing")),
            entry::State::TooLong { extra } => assert_eq!(extra, number(&case, "extra")),
            entry::State::Symbol { at } => {
                assert_eq!(at, number(&case, "at"));
                assert_eq!(entry::offset(text, at), Some(number(&case, "offset")));
            }
            _ => {}
        }
        let code = verdict.code.map(|code| code.expose().to_string());
        assert_eq!(code.as_deref(), case["code"].as_str(), "{text:?}");
        let likely: Vec<Value> = verdict.likely.iter().map(place).collect();
        match case.get("includes") {
            Some(place) => assert!(likely.contains(place), "{text:?}: {likely:?}"),
            None => assert_eq!(&likely, case["likely"].as_array().unwrap_or(&Vec::new())),
        }
    }
}

fn place(place: entry::Place) -> Value {
    let mut value = serde_json::json!({ "at": place.at, "kind": place.kind.name() });
    if let Some(symbol) = place.kind.symbol() {
        value["symbol"] = Value::from(symbol.to_string());
    }
    value
}

#[test]
fn the_field_is_edited_as_the_known_answers_say() {
    for case in cases("edit") {
        let text = case["text"].as_str().unwrap();
        let (caret, format) = (number(&case, "caret"), format_of(&case));
        let edit = match case["before"].as_str() {
            Some(before) => entry::edit_from(before, text, caret, format),
            None => entry::edit(text, caret, format),
        };
        let wanted = (case["result"].as_str().unwrap(), number(&case, "moved"));
        assert_eq!((edit.text.as_str(), edit.caret), wanted, "{case}");
    }
}

#[test]
fn the_prompt_goes_the_known_ways() {
    let ways: Vec<Value> = serde_json::from_str(include_str!("../vectors/prompt.json")).unwrap();
    for way in ways {
        let mut state = prompt::State::new(3, 10);
        let mut effects = Vec::new();
        for event in way["events"].as_array().unwrap() {
            let name = event.as_str().or(event["type"].as_str()).unwrap();
            let reason = event["reason"].as_str().unwrap_or_default();
            let event = prompt::Event::named(name, reason).unwrap();
            let (next, said) = prompt::step(&state, event);
            effects.push(said.iter().map(written).collect::<Vec<_>>());
            state = next;
        }
        assert_eq!(
            serde_json::json!(effects),
            way["effects"],
            "{}",
            way["name"]
        );
        assert_eq!(state.phase().name(), way["phase"], "{}", way["name"]);
        let saved_by: Vec<_> = state.saved_by().map(prompt::Way::name).collect();
        assert_eq!(
            serde_json::json!(saved_by),
            way["savedBy"],
            "{}",
            way["name"]
        );
        assert_eq!(state.ticked(), way["ticked"], "{}", way["name"]);
        assert_eq!(state.can_continue(), way["canContinue"], "{}", way["name"]);
        assert_eq!(
            state.failure().map(prompt::Failure::name),
            way["failure"].as_str()
        );
        assert_eq!((state.generation(), state.count()), (3, 10));
    }
}

fn written(effect: prompt::Effect) -> String {
    match effect {
        prompt::Effect::Announce(notice) => format!("announce {}", notice.name()),
        prompt::Effect::Activate { generation } => format!("activate {generation}"),
        other => other.name().to_string(),
    }
}

#[test]
fn the_readme_shows_the_known_answers() {
    let mut table = String::from("| text | is read as |\n|---|---|\n");
    for case in cases("parse") {
        let text = case["text"].as_str().unwrap().escape_default().to_string();
        let answer = match error_of(&case) {
            None => format!("`{}`", case["formatted"].as_str().unwrap()),
            Some(error) => format!("{error:?}"),
        };
        table.push_str(&format!("| `\"{text}\"` | {answer} |\n"));
    }
    assert!(
        include_str!("../README.md").contains(&table),
        "paste into core/README.md:\n{table}"
    );
}
