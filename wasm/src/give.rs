//! What JavaScript gets: plain objects whose shape never changes with the state. A value that the
//! state has not is `undefined`.
//!
//! serde makes the values; the names are set one by one. Through serde's structs they would cost a
//! hash table and its panics, which together outweigh the rest of this file.

use js_sys::{Array, Object};
use serde::Serialize;
use spare_key_core::{Code, Zeroizing, entry, prompt, sheet};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    /// A plain object that is being filled.
    type Given;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn set(this: &Given, name: &str, value: &JsValue);
}

fn object() -> Given {
    Object::new().unchecked_into()
}

impl Given {
    fn text(&self, name: &str, text: Option<&str>) {
        self.set(name, &value(&text));
    }

    fn number(&self, name: &str, number: Option<u32>) {
        self.set(name, &value(&number));
    }

    fn flag(&self, name: &str, flag: bool) {
        self.set(name, &value(&flag));
    }

    fn count(&self, name: &str, count: Option<usize>) {
        self.number(name, count.map(|count| count as u32));
    }
}

/// Text, a number, a flag, a list of texts, or nothing: none of them can fail to be a value.
fn value(given: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(given).unwrap_or_default()
}

pub(crate) fn verdict(text: &str, verdict: &entry::Verdict) -> JsValue {
    let offset = |at| entry::offset(text, at);
    let [mut missing, mut extra, mut at] = [None; 3];
    match verdict.state {
        entry::State::Incomplete { missing: symbols } => missing = Some(symbols),
        entry::State::TooLong { extra: symbols } => extra = Some(symbols),
        entry::State::Symbol { at: place } => at = Some(place),
        _ => {}
    }
    let likely = Array::new();
    for place in verdict.likely.iter() {
        let given = object();
        given.count("at", Some(place.at));
        given.count("offset", offset(place.at));
        given.text("kind", Some(place.kind.name()));
        let mut buffer = [0; 4];
        // A symbol is ASCII, and the compiler is told so: encoding the rest would weigh as much as
        // all of this function.
        let symbol = place.kind.symbol().map(|symbol| char::from(symbol as u8));
        given.text(
            "symbol",
            symbol.map(|symbol| &*symbol.encode_utf8(&mut buffer)),
        );
        likely.push(&given);
    }
    let code = verdict.code.as_ref();
    let given = object();
    given.text("state", Some(verdict.state.name()));
    given.count("symbols", Some(verdict.symbols));
    given.count("missing", missing);
    given.count("extra", extra);
    given.count("at", at);
    given.count("offset", at.and_then(offset));
    given.set("likely", &likely);
    given.text("formatted", secret(&code.map(Code::expose)));
    given.text("canonical", secret(&code.map(Code::bare)));
    given.text("format", code.map(|code| code.format().name()));
    given.into()
}

fn secret(text: &Option<Zeroizing<String>>) -> Option<&str> {
    text.as_ref().map(|text| text.as_str())
}

pub(crate) fn edit(edit: &entry::Edit) -> JsValue {
    let given = object();
    given.text("text", Some(&edit.text));
    given.count("caret", Some(edit.caret));
    given.into()
}

pub(crate) fn state(state: &prompt::State) -> JsValue {
    let given = object();
    given.text("phase", Some(state.phase().name()));
    given.number("generation", Some(state.generation()));
    given.number("count", Some(u32::from(state.count())));
    let ways = Array::new();
    for way in state.saved_by() {
        ways.push(&way.name().into());
    }
    given.set("savedBy", &ways);
    given.flag("ticked", state.ticked());
    given.flag("canContinue", state.can_continue());
    given.text("failure", state.failure().map(prompt::Failure::name));
    given.into()
}

/// The state, and with it the effects of the step that led there.
pub(crate) fn step(after: &prompt::State, effects: &prompt::Effects) -> JsValue {
    let list = Array::new();
    for effect in effects.iter() {
        let (mut what, mut generation) = (None, None);
        match effect {
            prompt::Effect::Announce(notice) => what = Some(notice.name()),
            prompt::Effect::Activate { generation: number } => generation = Some(number),
            _ => {}
        }
        let given = object();
        given.text("type", Some(effect.name()));
        given.text("what", what);
        given.number("generation", generation);
        list.push(&given);
    }
    let given = object();
    given.set("state", &state(after));
    given.set("effects", &list);
    given.into()
}

pub(crate) fn sheet(sheet: &sheet::Sheet<'_>, model: &sheet::Model) -> JsValue {
    let printed = object();
    printed.text("title", Some(&model.title));
    printed.set("facts", &texts(&model.facts));
    printed.set("codes", &texts(&model.codes));
    printed.set("notes", &texts(&model.notes));
    let given = object();
    given.text("text", Some(&model.text()));
    given.text("filename", Some(&sheet.file_name()));
    given.set("model", &printed);
    given.into()
}

fn texts(lines: &[String]) -> JsValue {
    value(&lines)
}
