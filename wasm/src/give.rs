//! What JavaScript gets: plain objects whose shape never changes with the state. A value that the
//! state has not is `undefined`.
//!
//! Everything goes through one [`Value`] and not through a derived `Serialize` a type: each of
//! those would be compiled into the module on its own and double its size.

use serde::{
    Serialize, Serializer,
    ser::{SerializeSeq, SerializeStruct},
};
use spare_key_core::{Code, Zeroizing, entry, prompt, sheet};
use wasm_bindgen::JsValue;

enum Value<'a> {
    Absent,
    Flag(bool),
    /// 32 bits wide: serde's 64 bits come with error texts that outweigh the module.
    Number(u32),
    Symbol(char),
    Text(&'a str),
    List(Vec<Value<'a>>),
    Object(Vec<(&'static str, Value<'a>)>),
}

use Value::{Absent, Flag, List, Object, Symbol, Text};

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Absent => to.serialize_none(),
            Flag(flag) => to.serialize_bool(*flag),
            Value::Number(number) => to.serialize_u32(*number),
            Symbol(symbol) => to.serialize_str(symbol.encode_utf8(&mut [0; 4])),
            Text(text) => to.serialize_str(text),
            List(values) => {
                let mut list = to.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Object(fields) => {
                let mut object = to.serialize_struct("", fields.len())?;
                for (name, value) in fields {
                    object.serialize_field(name, value)?;
                }
                object.end()
            }
        }
    }
}

/// The JavaScript value. Nothing that is given can fail to be one.
fn out(value: &Value<'_>) -> JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or_default()
}

fn number(count: usize) -> Value<'static> {
    Value::Number(count as u32)
}

fn perhaps<T>(value: Option<T>, wrap: impl Fn(T) -> Value<'static>) -> Value<'static> {
    value.map_or(Absent, wrap)
}

fn secret(text: Option<&Zeroizing<String>>) -> Value<'_> {
    text.map_or(Absent, |text| Text(text))
}

pub(crate) fn verdict(text: &str, verdict: &entry::Verdict) -> JsValue {
    use entry::State;
    let (missing, extra, at) = match verdict.state {
        State::Incomplete { missing } => (Some(missing), None, None),
        State::TooLong { extra } => (None, Some(extra), None),
        State::Symbol { at } => (None, None, Some(at)),
        State::Empty | State::Ambiguous | State::Check | State::Complete => (None, None, None),
    };
    let bare = |code: &Code| {
        code.canonical()
            .iter()
            .map(|symbol| char::from(*symbol))
            .collect()
    };
    let code = verdict.code.as_ref();
    let formatted = code.map(Code::expose);
    let canonical = code.map(bare).map(Zeroizing::new);
    out(&Object(vec![
        ("state", Text(verdict.state.name())),
        ("symbols", number(verdict.symbols)),
        ("missing", perhaps(missing, number)),
        ("extra", perhaps(extra, number)),
        ("at", perhaps(at, number)),
        (
            "offset",
            perhaps(at.and_then(|at| entry::offset(text, at)), number),
        ),
        (
            "likely",
            List(
                verdict
                    .likely
                    .iter()
                    .map(|likely| place(text, likely))
                    .collect(),
            ),
        ),
        ("formatted", secret(formatted.as_ref())),
        ("canonical", secret(canonical.as_ref())),
        ("format", perhaps(code, |code| Text(code.format().name()))),
    ]))
}

fn place(text: &str, place: entry::Place) -> Value<'static> {
    Object(vec![
        ("at", number(place.at)),
        ("offset", perhaps(entry::offset(text, place.at), number)),
        ("kind", Text(place.kind.name())),
        ("symbol", perhaps(place.kind.symbol(), Symbol)),
    ])
}

pub(crate) fn edit(edit: &entry::Edit) -> JsValue {
    out(&Object(vec![
        ("text", Text(&edit.text)),
        ("caret", number(edit.caret)),
    ]))
}

pub(crate) fn state(state: &prompt::State) -> JsValue {
    out(&state_value(state))
}

fn state_value(state: &prompt::State) -> Value<'static> {
    Object(vec![
        ("phase", Text(state.phase().name())),
        ("generation", Value::Number(state.generation())),
        ("count", Value::Number(u32::from(state.count()))),
        (
            "savedBy",
            List(state.saved_by().map(|way| Text(way.name())).collect()),
        ),
        ("ticked", Flag(state.ticked())),
        ("canContinue", Flag(state.can_continue())),
        (
            "failure",
            perhaps(state.failure(), |failure| Text(failure.name())),
        ),
    ])
}

pub(crate) fn step(state: &prompt::State, effects: &prompt::Effects) -> JsValue {
    out(&Object(vec![
        ("state", state_value(state)),
        ("effects", List(effects.iter().map(effect).collect())),
    ]))
}

fn effect(effect: prompt::Effect) -> Value<'static> {
    let (what, generation) = match effect {
        prompt::Effect::Announce(notice) => (Text(notice.name()), Absent),
        prompt::Effect::Activate { generation } => (Absent, Value::Number(generation)),
        _ => (Absent, Absent),
    };
    Object(vec![
        ("type", Text(effect.name())),
        ("what", what),
        ("generation", generation),
    ])
}

pub(crate) fn sheet(sheet: &sheet::Sheet<'_>, model: &sheet::Model) -> JsValue {
    let (text, filename) = (model.text(), sheet.file_name());
    let model = Object(vec![
        ("title", Text(&model.title)),
        ("facts", list(&model.facts)),
        ("codes", list(&model.codes)),
        ("notes", list(&model.notes)),
    ]);
    out(&Object(vec![
        ("text", Text(&text)),
        ("filename", Text(&filename)),
        ("model", model),
    ]))
}

fn list(texts: &[impl AsRef<str>]) -> Value<'_> {
    List(texts.iter().map(|text| Text(text.as_ref())).collect())
}
