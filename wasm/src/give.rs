//! What JavaScript gets: plain objects whose shape never changes with the state. A value that the
//! state has not is `undefined`.

use serde::{Serialize, Serializer, ser::SerializeSeq};
use spare_key_core::{Code, Zeroizing, entry, prompt, sheet};
use wasm_bindgen::JsValue;

/// The object for a value. Nothing that is given can fail to be one.
pub(crate) fn object(value: &impl Serialize) -> JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or_default()
}

#[derive(Serialize)]
pub(crate) struct Verdict {
    state: &'static str,
    symbols: u32,
    missing: Option<u32>,
    extra: Option<u32>,
    at: Option<u32>,
    offset: Option<u32>,
    likely: Vec<Place>,
    #[serde(serialize_with = "secret")]
    formatted: Option<Zeroizing<String>>,
    #[serde(serialize_with = "secret")]
    canonical: Option<Zeroizing<String>>,
    format: Option<&'static str>,
}

#[derive(Serialize)]
struct Place {
    at: u32,
    offset: u32,
    kind: &'static str,
    symbol: Option<String>,
}

impl Verdict {
    pub(crate) fn of(text: &str, verdict: &entry::Verdict) -> Verdict {
        use entry::State;
        let (missing, extra, at) = match verdict.state {
            State::Incomplete { missing } => (Some(count(missing)), None, None),
            State::TooLong { extra } => (None, Some(count(extra)), None),
            State::Symbol { at } => (None, None, Some(count(at))),
            State::Empty | State::Ambiguous | State::Check | State::Complete => (None, None, None),
        };
        let bare = |code: &Code| {
            code.canonical()
                .iter()
                .map(|symbol| char::from(*symbol))
                .collect()
        };
        let code = verdict.code.as_ref();
        Verdict {
            state: verdict.state.name(),
            symbols: count(verdict.symbols),
            missing,
            extra,
            at,
            offset: at.map(|at| offset(text, at)),
            likely: verdict
                .likely
                .iter()
                .map(|place| Place::of(text, place))
                .collect(),
            formatted: code.map(Code::expose),
            canonical: code.map(bare).map(Zeroizing::new),
            format: code.map(|code| code.format().name()),
        }
    }
}

impl Place {
    fn of(text: &str, place: entry::Place) -> Place {
        Place {
            at: count(place.at),
            offset: offset(text, count(place.at)),
            kind: place.kind.name(),
            symbol: place.kind.symbol().map(String::from),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Edit<'a> {
    text: &'a str,
    caret: u32,
}

impl Edit<'_> {
    pub(crate) fn of(edit: &entry::Edit) -> Edit<'_> {
        Edit {
            text: &edit.text,
            caret: count(edit.caret),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    phase: &'static str,
    generation: u32,
    count: u8,
    saved_by: Vec<&'static str>,
    ticked: bool,
    can_continue: bool,
    failure: Option<&'static str>,
}

impl State {
    pub(crate) fn of(state: &prompt::State) -> State {
        State {
            phase: state.phase().name(),
            generation: state.generation(),
            count: state.count(),
            saved_by: state.saved_by().map(prompt::Way::name).collect(),
            ticked: state.ticked(),
            can_continue: state.can_continue(),
            failure: state.failure().map(prompt::Failure::name),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Step {
    state: State,
    effects: Vec<Effect>,
}

#[derive(Serialize)]
struct Effect {
    r#type: &'static str,
    what: Option<&'static str>,
    generation: Option<u32>,
}

impl Step {
    pub(crate) fn of(state: &prompt::State, effects: &prompt::Effects) -> Step {
        Step {
            state: State::of(state),
            effects: effects.iter().map(Effect::of).collect(),
        }
    }
}

impl Effect {
    fn of(effect: prompt::Effect) -> Effect {
        let (what, generation) = match effect {
            prompt::Effect::Announce(notice) => (Some(notice.name()), None),
            prompt::Effect::Activate { generation } => (None, Some(generation)),
            _ => (None, None),
        };
        Effect {
            r#type: effect.name(),
            what,
            generation,
        }
    }
}

#[derive(Serialize)]
pub(crate) struct Sheet<'a> {
    text: &'a str,
    filename: String,
    model: Model<'a>,
}

#[derive(Serialize)]
struct Model<'a> {
    title: &'a str,
    facts: &'a [String],
    #[serde(serialize_with = "secrets")]
    codes: &'a [Zeroizing<String>],
    notes: &'a [String],
}

impl<'a> Sheet<'a> {
    pub(crate) fn of(sheet: &sheet::Sheet<'_>, model: &'a sheet::Model, text: &'a str) -> Self {
        let sheet::Model {
            title,
            facts,
            codes,
            notes,
        } = model;
        Sheet {
            text,
            filename: sheet.file_name(),
            model: Model {
                title,
                facts,
                codes,
                notes,
            },
        }
    }
}

/// Counts are 32 bits wide: serde's 64 bits come with error texts that outweigh the module.
fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn offset(text: &str, at: u32) -> u32 {
    entry::offset(text, at as usize).map_or(0, count)
}

fn secret<S: Serializer>(text: &Option<Zeroizing<String>>, to: S) -> Result<S::Ok, S::Error> {
    text.as_ref().map(|text| text.as_str()).serialize(to)
}

fn secrets<S: Serializer>(codes: &&[Zeroizing<String>], to: S) -> Result<S::Ok, S::Error> {
    let mut list = to.serialize_seq(Some(codes.len()))?;
    for code in *codes {
        list.serialize_element(code.as_str())?;
    }
    list.end()
}
