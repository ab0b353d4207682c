//! Spare Key's core under JavaScript names: one expression an export, and no logic.
//!
//! Text comes in as strings and plain objects and goes out as strings and plain objects. Carets
//! and offsets are UTF-16 units, as browsers count. What a text held is zeroed when the call is
//! over: see `wiping` for the memory that nobody here owns. There is no randomness in here and no
//! DOM; the elements in `web` carry the effects out.

use js_sys::Error;
use spare_key_core::{Zeroizing, entry, prompt};
use wasm_bindgen::prelude::*;

mod give;
mod take;
#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests;
#[cfg(target_arch = "wasm32")]
mod wiping;

use take::Given;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// The symbols of a text, grouped for people as a half-typed code is.
#[wasm_bindgen(skip_typescript)]
pub fn format(text: &str, format: &Given) -> JsValue {
    JsValue::from_str(&entry::format(text, take::format(format)))
}

/// The verdict on a half-typed code.
#[wasm_bindgen(skip_typescript)]
pub fn check(text: &str, format: &Given) -> JsValue {
    give::verdict(text, &entry::check(text, take::format(format)))
}

/// The text that should stand in the field, and the caret. `before` is what stood there before
/// the keystroke: with it, a deleted dash is told from a paste for certain.
#[wasm_bindgen(skip_typescript)]
pub fn edit(text: &str, caret: u32, format: &Given, before: &Given) -> JsValue {
    let (caret, format, before) = (caret as usize, take::format(format), before.as_string());
    give::edit(&match before.map(Zeroizing::new) {
        Some(before) => entry::edit_from(&before, text, caret, format),
        None => entry::edit(text, caret, format),
    })
}

/// The text of the file, its name, and the sheet laid out for printing.
#[wasm_bindgen(skip_typescript)]
pub fn sheet(batch: &Given, options: &Given) -> JsValue {
    let words = take::Words::of(batch, options);
    let model = words.sheet().model(&take::codes(batch), &words.texts());
    give::sheet(&words.sheet(), &model)
}

/// The "save your codes" machine for one batch. It remembers the generation and the count, and
/// no code.
#[wasm_bindgen(skip_typescript)]
#[derive(Debug)]
pub struct SavePrompt(prompt::State);

#[wasm_bindgen]
impl SavePrompt {
    /// A prompt that shows this batch.
    #[wasm_bindgen(constructor, skip_typescript)]
    pub fn new(batch: &Given) -> SavePrompt {
        let (generation, count) = take::batch(batch);
        SavePrompt(prompt::State::new(generation, count))
    }

    /// Where the prompt stands.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn state(&self) -> JsValue {
        give::state(&self.0)
    }

    /// Takes an event, by name or as an object with `type`; gives the state and the effects.
    #[wasm_bindgen(skip_typescript)]
    pub fn step(&mut self, event: &Given) -> Result<JsValue, JsValue> {
        let event = take::event(event).ok_or_else(|| Error::new("spare-key: unknown event"))?;
        let (state, effects) = prompt::step(&self.0, event);
        self.0 = state;
        Ok(give::step(&state, &effects))
    }
}
