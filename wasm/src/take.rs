//! What JavaScript hands in: plain objects, read property by property.
//!
//! Not through serde: reading would cost more than all the rest of the module.

use js_sys::Array;
use spare_key_core::{Zeroizing, prompt, sheet};
use wasm_bindgen::{JsCast, prelude::*};

#[wasm_bindgen]
extern "C" {
    /// An object from outside, of the shape that `types.d.ts` says.
    #[derive(Debug)]
    pub type Given;
    #[wasm_bindgen(method, structural, indexing_getter)]
    fn property(this: &Given, name: &str) -> JsValue;
}

impl Given {
    fn text(&self, name: &str) -> Option<String> {
        self.property(name).as_string()
    }

    fn number(&self, name: &str) -> u32 {
        self.property(name).as_f64().unwrap_or_default() as u32
    }

    fn list(&self, name: &str) -> Option<Array> {
        self.property(name).dyn_into().ok()
    }
}

/// Generation and count of a batch. A batch without codes at hand has a `count`.
pub(crate) fn batch(batch: &Given) -> (u32, u8) {
    let count = batch
        .list("codes")
        .map_or_else(|| batch.number("count"), |codes| codes.length());
    (batch.number("generation"), count as u8)
}

/// The event meant, if there is one of that name.
pub(crate) fn event(event: &Given) -> Option<prompt::Event> {
    match event.as_string() {
        Some(name) => prompt::Event::named(&name, None),
        None => prompt::Event::named(&event.text("type")?, event.text("reason").as_deref()),
    }
}

/// The codes as shown. What is no string is empty.
pub(crate) fn codes(batch: &Given) -> Vec<Zeroizing<String>> {
    let codes = batch.list("codes").unwrap_or_default();
    codes
        .iter()
        .map(|code| Zeroizing::new(code.as_string().unwrap_or_default()))
        .collect()
}

/// The words of a sheet, held while it is made.
pub(crate) struct Words {
    generation: u32,
    product: String,
    account: String,
    date: String,
    url: String,
    texts: Vec<Option<String>>,
}

impl Words {
    pub(crate) fn of(batch: &Given, options: &Given) -> Words {
        let texts = options.property("texts");
        let texts = texts.is_object().then(|| texts.unchecked_ref::<Given>());
        let fact = |name| options.text(name).unwrap_or_default();
        Words {
            generation: batch.number("generation"),
            product: fact("product"),
            account: fact("account"),
            date: fact("date"),
            url: fact("url"),
            texts: sheet::Texts::NAMES
                .iter()
                .map(|name| texts?.text(name))
                .collect(),
        }
    }

    pub(crate) fn sheet(&self) -> sheet::Sheet<'_> {
        let Words {
            generation,
            product,
            account,
            date,
            url,
            ..
        } = self;
        sheet::Sheet {
            product,
            account,
            generation: *generation,
            date,
            url,
        }
    }

    pub(crate) fn texts(&self) -> sheet::Texts<'_> {
        sheet::Texts::ENGLISH.with(&self.texts)
    }
}
