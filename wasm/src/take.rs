//! What JavaScript hands in: plain objects, read property by property.
//!
//! Not through serde: reading would cost more than all the rest of the module.

use spare_key_core::{Format, Zeroizing, prompt, sheet};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object from outside, of the shape that `types.d.ts` says.
    #[derive(Debug)]
    pub type Given;
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn property(this: &Given, name: &str) -> Given;
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn at(this: &Given, place: u32) -> Given;
}

impl Given {
    /// A text; what is none is empty.
    fn text(&self, name: &str) -> String {
        self.property(name).as_string().unwrap_or_default()
    }

    fn number(&self, name: &str) -> u32 {
        self.property(name).as_f64().unwrap_or_default() as u32
    }

    /// An object of this name, if there is one.
    fn object(&self, name: &str) -> Option<Given> {
        Some(self.property(name)).filter(|given| given.is_object())
    }
}

/// The format asked for, if one is.
pub(crate) fn format(format: &Given) -> Option<Format> {
    Format::named(&format.as_string()?)
}

/// Generation and count of a batch. A batch without codes at hand has a `count`.
pub(crate) fn batch(batch: &Given) -> (u32, u8) {
    let count = match batch.object("codes") {
        Some(codes) => codes.number("length"),
        None => batch.number("count"),
    };
    (batch.number("generation"), count as u8)
}

/// The event meant, if there is one of that name.
pub(crate) fn event(event: &Given) -> Option<prompt::Event> {
    match event.as_string() {
        Some(name) => prompt::Event::named(&name, ""),
        None => prompt::Event::named(&event.text("type"), &event.text("reason")),
    }
}

/// The codes as shown. What is no string is empty.
pub(crate) fn codes(batch: &Given) -> Zeroizing<Vec<String>> {
    let mut taken = Zeroizing::new(Vec::new());
    if let Some(codes) = batch.object("codes") {
        for place in 0..codes.number("length") {
            taken.push(codes.at(place).as_string().unwrap_or_default());
        }
    }
    taken
}

/// The words of a sheet, held while it is made.
pub(crate) struct Words {
    generation: u32,
    facts: [String; 4],
    texts: [String; 8],
}

impl Words {
    pub(crate) fn of(batch: &Given, options: &Given) -> Words {
        let texts = options.object("texts");
        let sentence = |name| texts.as_ref().map(|texts| texts.text(name));
        Words {
            generation: batch.number("generation"),
            facts: ["product", "account", "date", "url"].map(|name| options.text(name)),
            texts: sheet::Texts::NAMES.map(|name| sentence(name).unwrap_or_default()),
        }
    }

    pub(crate) fn sheet(&self) -> sheet::Sheet<'_> {
        let [product, account, date, url] = &self.facts;
        sheet::Sheet {
            product,
            account,
            generation: self.generation,
            date,
            url,
        }
    }

    pub(crate) fn texts(&self) -> sheet::Texts<'_> {
        sheet::Texts::in_order(&self.texts)
    }
}
