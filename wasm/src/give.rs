//! What JavaScript gets: plain objects whose shape never changes with the state. A value that the
//! state has not is `undefined`.
//!
//! Everything goes through one [`Value`] and not through a derived `Serialize` a type: each of
//! those would be compiled into the module on its own.

use serde::{
    Serialize, Serializer,
    ser::{SerializeSeq, SerializeStruct},
};
use spare_key_core::{Code, Zeroizing, entry, prompt, sheet};
use wasm_bindgen::JsValue;

/// Borrowed throughout: building one allocates nothing, so nothing is left to be zeroed.
#[derive(Clone, Copy)]
enum Value<'a> {
    Absent,
    Flag(bool),
    /// 32 bits wide: serde's 64 bits come with error texts that outweigh the module.
    Number(u32),
    Symbol(char),
    Text(&'a str),
    List(&'a [Value<'a>]),
    Object(&'static [&'static str], &'a [Value<'a>]),
}

use Value::{Absent, Flag, List, Number, Object, Symbol, Text};

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Absent => to.serialize_none(),
            Flag(flag) => to.serialize_bool(*flag),
            Number(number) => to.serialize_u32(*number),
            Symbol(symbol) => to.serialize_str(symbol.encode_utf8(&mut [0; 4])),
            Text(text) => to.serialize_str(text),
            List(values) => {
                let mut list = to.serialize_seq(None)?;
                for value in *values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Object(names, values) => {
                let mut object = to.serialize_struct("", 0)?;
                for (name, value) in names.iter().zip(*values) {
                    object.serialize_field(name, value)?;
                }
                object.end()
            }
        }
    }
}

/// The JavaScript object. Nothing that is given can fail to be one.
fn object(names: &'static [&'static str], values: &[Value<'_>]) -> JsValue {
    serde_wasm_bindgen::to_value(&Object(names, values)).unwrap_or_default()
}

fn count(count: usize) -> Value<'static> {
    Number(count as u32)
}

fn secret(text: &Option<Zeroizing<String>>) -> Value<'_> {
    text.as_ref().map_or(Absent, |text| Text(text))
}

const PLACE: &[&str] = &["at", "offset", "kind", "symbol"];
const VERDICT: &[&str] = &[
    "state",
    "symbols",
    "missing",
    "extra",
    "at",
    "offset",
    "likely",
    "formatted",
    "canonical",
    "format",
];

pub(crate) fn verdict(text: &str, verdict: &entry::Verdict) -> JsValue {
    let offset = |at| entry::offset(text, at).map_or(Absent, count);
    let [mut missing, mut extra, mut at, mut start] = [Absent; 4];
    match verdict.state {
        entry::State::Incomplete { missing: symbols } => missing = count(symbols),
        entry::State::TooLong { extra: symbols } => extra = count(symbols),
        entry::State::Symbol { at: place } => (at, start) = (count(place), offset(place)),
        _ => {}
    }
    let place = |place: entry::Place| {
        let symbol = place.kind.symbol().map_or(Absent, Symbol);
        [
            count(place.at),
            offset(place.at),
            Text(place.kind.name()),
            symbol,
        ]
    };
    let places: Vec<_> = verdict.likely.iter().map(place).collect();
    let likely: Vec<_> = places.iter().map(|place| Object(PLACE, place)).collect();
    let code = verdict.code.as_ref();
    let formatted = code.map(Code::expose);
    let bare = |code: &Code| {
        code.canonical()
            .iter()
            .map(|symbol| char::from(*symbol))
            .collect()
    };
    let canonical = code.map(bare).map(Zeroizing::new);
    let values = [
        Text(verdict.state.name()),
        count(verdict.symbols),
        missing,
        extra,
        at,
        start,
        List(&likely),
        secret(&formatted),
        secret(&canonical),
        code.map_or(Absent, |code| Text(code.format().name())),
    ];
    object(VERDICT, &values)
}

pub(crate) fn edit(edit: &entry::Edit) -> JsValue {
    object(&["text", "caret"], &[Text(&edit.text), count(edit.caret)])
}

const EFFECT: &[&str] = &["type", "what", "generation"];
const STATE: &[&str] = &[
    "phase",
    "generation",
    "count",
    "savedBy",
    "ticked",
    "canContinue",
    "failure",
];

/// The state, and with it the effects of the step that led there.
pub(crate) fn state(state: &prompt::State, effects: Option<&prompt::Effects>) -> JsValue {
    let saved_by: Vec<_> = state.saved_by().map(|way| Text(way.name())).collect();
    let values = [
        Text(state.phase().name()),
        Number(state.generation()),
        Number(u32::from(state.count())),
        List(&saved_by),
        Flag(state.ticked()),
        Flag(state.can_continue()),
        state
            .failure()
            .map_or(Absent, |failure| Text(failure.name())),
    ];
    let Some(effects) = effects else {
        return object(STATE, &values);
    };
    let effects: Vec<_> = effects.iter().map(effect).collect();
    let effects: Vec<_> = effects
        .iter()
        .map(|effect| Object(EFFECT, effect))
        .collect();
    object(
        &["state", "effects"],
        &[Object(STATE, &values), List(&effects)],
    )
}

fn effect(effect: prompt::Effect) -> [Value<'static>; 3] {
    let (what, generation) = match effect {
        prompt::Effect::Announce(notice) => (Text(notice.name()), Absent),
        prompt::Effect::Activate { generation } => (Absent, Number(generation)),
        _ => (Absent, Absent),
    };
    [Text(effect.name()), what, generation]
}

pub(crate) fn sheet(sheet: &sheet::Sheet<'_>, model: &sheet::Model) -> JsValue {
    let (facts, notes) = (texts(&model.facts), texts(&model.notes));
    let codes: Vec<_> = model.codes.iter().map(|code| Text(code)).collect();
    let values = [Text(&model.title), List(&facts), List(&codes), List(&notes)];
    let printed = Object(&["title", "facts", "codes", "notes"], &values);
    let (text, name) = (model.text(), sheet.file_name());
    object(
        &["text", "filename", "model"],
        &[Text(&text), Text(&name), printed],
    )
}

fn texts(lines: &[String]) -> Vec<Value<'_>> {
    lines.iter().map(|line| Text(line)).collect()
}
