//! The known answers of `core/vectors` through the JavaScript names, in Node and in a browser.
//!
//! In the crate and not beside it: with only a cdylib to link to, integration tests can't reach
//! it, and an rlib would cost the module its link-time optimisation.

use js_sys::{Function, JSON, JsString, Reflect};
use serde_json::{Value, json};
use spare_key_core::Zeroizing;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{SavePrompt, check, edit, format, sheet, take};

fn codes(section: &str) -> Vec<Value> {
    let mut codes: Value = serde_json::from_str(include_str!("../../core/vectors/codes.json"))
        .expect("vectors are JSON");
    serde_json::from_value(codes[section].take()).expect("a section is a list")
}

/// What JavaScript sees, without the properties that are undefined.
fn seen(value: &JsValue) -> Value {
    let text = String::from(JSON::stringify(value).expect("plain objects"));
    serde_json::from_str(&text).expect("JSON")
}

fn given<T: JsCast>(value: &Value) -> T {
    JSON::parse(&value.to_string())
        .expect("JSON")
        .unchecked_into()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().expect("a text")
}

/// What the case has under the key: a text, or nothing.
fn option(case: &Value, key: &str) -> take::Given {
    let text = case[key].as_str().map(JsValue::from_str);
    text.unwrap_or_default().unchecked_into()
}

fn nothing() -> take::Given {
    JsValue::UNDEFINED.unchecked_into()
}

#[wasm_bindgen_test]
fn what_the_server_reads_is_complete_in_the_field() {
    let cases = codes("parse");
    for case in &cases {
        let verdict = seen(&check(text(case, "text"), &nothing()));
        if case["canonical"].is_string() {
            assert_eq!(verdict["state"], "complete", "{case}");
            assert_eq!(verdict["canonical"], case["canonical"], "{case}");
            assert_eq!(verdict["formatted"], case["formatted"], "{case}");
        } else if case["error"] == "empty" || case["error"] == "check" {
            assert_eq!(verdict["state"], case["error"], "{case}");
        }
    }
    assert!(cases.len() > 30);
}

#[wasm_bindgen_test]
fn a_half_typed_code_is_judged_as_the_known_answers_say() {
    for case in codes("entry") {
        let verdict = seen(&check(text(&case, "text"), &option(&case, "format")));
        for key in ["state", "symbols", "missing", "extra", "at", "offset"] {
            assert_eq!(verdict[key], case[key], "{key} of {case}");
        }
        assert_eq!(verdict["formatted"], case["code"], "{case}");
        // Offsets of places are the wasm layer's own; the places are the core's.
        let mut likely = verdict["likely"].clone();
        for place in likely.as_array_mut().unwrap() {
            assert!(place.as_object_mut().unwrap().remove("offset").is_some());
        }
        match case.get("includes") {
            Some(place) => assert!(likely.as_array().unwrap().contains(place), "{case}"),
            None => assert_eq!(likely, case.get("likely").cloned().unwrap_or(json!([]))),
        }
    }
}

#[wasm_bindgen_test]
fn the_field_is_edited_as_the_known_answers_say() {
    for case in codes("edit") {
        let caret = case["caret"].as_u64().unwrap() as u32;
        let (format, before) = (option(&case, "format"), option(&case, "before"));
        let edit = edit(text(&case, "text"), caret, &format, &before);
        assert_eq!(
            seen(&edit),
            json!({ "text": case["result"], "caret": case["moved"] })
        );
    }
    assert_eq!(format("kz3mq", &nothing()).as_string().unwrap(), "KZ3M-Q");
}

#[wasm_bindgen_test]
fn the_prompt_goes_the_known_ways() {
    let ways: Vec<Value> =
        serde_json::from_str(include_str!("../../core/vectors/prompt.json")).unwrap();
    for way in ways {
        let mut prompt = SavePrompt::new(&given(&json!({ "generation": 3, "count": 10 })));
        let mut effects = Vec::new();
        for event in way["events"].as_array().unwrap() {
            let step = seen(&prompt.step(&given(event)).unwrap());
            assert_eq!(step["state"], seen(&prompt.state()));
            effects.push(
                step["effects"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(said)
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(json!(effects), way["effects"], "{}", way["name"]);
        let state = seen(&prompt.state());
        for key in ["phase", "savedBy", "ticked", "canContinue", "failure"] {
            assert_eq!(state[key], way[key], "{key}, {}", way["name"]);
        }
        assert_eq!(
            (&state["generation"], &state["count"]),
            (&json!(3), &json!(10))
        );
    }
}

fn said(effect: &Value) -> String {
    let kind = effect["type"].as_str().expect("a type");
    match (&effect["what"], &effect["generation"]) {
        (Value::String(what), _) => format!("{kind} {what}"),
        (_, Value::Number(generation)) => format!("{kind} {generation}"),
        _ => kind.to_string(),
    }
}

#[wasm_bindgen_test]
fn an_unknown_event_is_an_error_and_changes_nothing() {
    let mut prompt = SavePrompt::new(&given(&json!({ "generation": 1, "codes": ["a", "b"] })));
    assert!(
        prompt
            .step(&given(&json!("nonsense")))
            .unwrap_err()
            .is_instance_of::<js_sys::Error>()
    );
    assert!(prompt.step(&given(&json!({}))).is_err());
    let event: take::Given = given(&json!({ "type": "ticked" }));
    assert_eq!(seen(&prompt.step(&event).unwrap())["state"]["count"], 2);
}

#[wasm_bindgen_test]
fn the_sheet_has_the_codes_as_shown() {
    let batch = json!({ "generation": 3, "codes": ["KZ3M-Q7TB-WJ5R-HXYN", "AAAA-AAAA-AAAA-AAA3"] });
    let options = json!({
        "product": "Example", "account": "a@b.c", "date": "heute", "url": "https://b.c/",
        "texts": {
            "title": "Codes für {product}", "account": "Konto: {account}",
            "batch": "Satz {generation} vom {date}", "place": "Hier: {url}", "alarm": "{count} da?",
        },
    });
    let given_out = seen(&sheet(&given(&batch), &given(&options)));
    assert_eq!(
        given_out["text"].as_str().unwrap(),
        "Codes für Example\r\nKonto: a@b.c\r\nSatz 3 vom heute\r\n\r\n\
         1. KZ3M-Q7TB-WJ5R-HXYN\r\n2. AAAA-AAAA-AAAA-AAA3\r\n\r\n\
         Hier: https://b.c/\r\n\r\n2 da?\r\n"
    );
    assert_eq!(given_out["filename"], "example-recovery-codes-a-b-c-g3.txt");
    assert_eq!(given_out["model"]["codes"], batch["codes"]);
    assert_eq!(given_out["model"]["title"], "Codes für Example");
    assert_eq!(
        given_out["model"]["notes"],
        json!(["Hier: https://b.c/", "2 da?"])
    );
    // Without sentences, and without anything at all.
    let bare = json!({ "product": "Example", "date": "today" });
    let model = &seen(&sheet(&given(&batch), &given(&bare)))["model"];
    assert_eq!((&model["title"], &model["facts"]), (&json!(""), &json!([])));
}

#[expect(
    clippy::disallowed_methods,
    reason = "proof that the browser's randomness will do"
)]
fn draw(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("entropy");
}

/// A code of random symbols, drafted as the server does.
fn draw_code() -> String {
    let batch = spare_key_core::Batch::draft(spare_key_core::Spec::SINGLE, draw, |_| true);
    batch.expect("a batch").codes()[0].expose().to_string()
}

#[wasm_bindgen_test]
fn every_slip_in_random_codes_is_found_here_too() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let complete =
        |code: &[u8]| spare_key_core::Code::parse(str::from_utf8(code).expect("ASCII")).is_ok();
    for _ in 0..20 {
        let code = draw_code().into_bytes();
        assert!(complete(&code));
        for at in 0..code.len() {
            for wrong in ALPHABET.iter().filter(|wrong| **wrong != code[at]) {
                let mut mistyped = code.clone();
                mistyped[at] = *wrong;
                assert!(!complete(&mistyped));
            }
            for other in 0..at {
                let mut swapped = code.clone();
                swapped.swap(at, other);
                assert_eq!(complete(&swapped), code[at] == code[other]);
            }
        }
    }
}

#[wasm_bindgen_test]
fn one_in_thirty_two_random_texts_passes_here_too() {
    let mut bytes = vec![0; 16 * 20_000];
    draw(&mut bytes);
    bytes.iter_mut().for_each(|byte| *byte &= 31);
    let accepted = bytes
        .chunks(16)
        .filter(|values| spare_key_core::check::is_valid(values));
    // 625 expected, sigma 24.6; 6 sigma, because these are drawn anew on every run.
    let accepted = accepted.count();
    assert!((477..=773).contains(&accepted), "{accepted}");
}

#[wasm_bindgen_test]
fn no_code_stays_in_memory_when_the_call_is_over() {
    let left = Function::new_with_args(
        "memory, code",
        "return new TextDecoder('latin1').decode(new Uint8Array(memory.buffer)).split(code).length - 1",
    );
    // Known to JavaScript only, so that nothing but the calls brings it into memory.
    let code = JsString::from(draw_code().as_str());
    let verdict = check(&Zeroizing::new(String::from(&code)), &nothing());
    let edited = edit(
        &Zeroizing::new(String::from(&code)),
        3,
        &JsValue::from_str("single").unchecked_into(),
        &nothing(),
    );
    let batch: JsValue = given(&json!({ "generation": 1 }));
    let list = js_sys::Array::of1(&code);
    Reflect::set(&batch, &"codes".into(), &list).unwrap();
    let page = sheet(
        batch.unchecked_ref(),
        &given(&json!({ "product": "x", "date": "y" })),
    );
    let count = left
        .call2(&JsValue::NULL, &wasm_bindgen::memory(), &code)
        .unwrap();
    assert_eq!(count.as_f64(), Some(0.0));
    for (given_out, key) in [(verdict, "formatted"), (edited, "text")] {
        assert_eq!(
            Reflect::get(&given_out, &key.into()).unwrap(),
            JsValue::from(code.clone())
        );
    }
    drop(page);
}
