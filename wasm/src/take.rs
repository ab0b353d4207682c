//! What JavaScript hands in: plain objects, read property by property.
//!
//! Not through serde: reading would cost more than all the rest of the module.

use js_sys::Array;
use spare_key_core::{Zeroizing, prompt, sheet};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A batch as the server gives it.
    #[wasm_bindgen(typescript_type = "Batch")]
    pub type Batch;
    #[wasm_bindgen(method, getter, structural)]
    pub fn generation(this: &Batch) -> u32;
    #[wasm_bindgen(method, getter, structural)]
    pub fn codes(this: &Batch) -> Option<Array>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn count(this: &Batch) -> Option<u32>;

    /// An event: its name, or an object with `type`.
    #[wasm_bindgen(typescript_type = "SaveEvent")]
    pub type Event;
    #[wasm_bindgen(method, getter, structural, js_name = type)]
    pub fn kind(this: &Event) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn reason(this: &Event) -> Option<String>;

    /// What a sheet says beside the codes.
    #[wasm_bindgen(typescript_type = "SheetOptions")]
    pub type SheetOptions;
    #[wasm_bindgen(method, getter, structural)]
    pub fn product(this: &SheetOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn account(this: &SheetOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn date(this: &SheetOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn url(this: &SheetOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn texts(this: &SheetOptions) -> Option<Texts>;

    /// The sentences of a sheet in the reader's language.
    pub type Texts;
    #[wasm_bindgen(method, getter, structural)]
    pub fn title(this: &Texts) -> Option<String>;
    #[wasm_bindgen(method, getter, structural, js_name = account)]
    pub fn account_line(this: &Texts) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn batch(this: &Texts) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn usage(this: &Texts) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn place(this: &Texts) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn protection(this: &Texts) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn replacement(this: &Texts) -> Option<String>;
    #[wasm_bindgen(method, getter, structural)]
    pub fn alarm(this: &Texts) -> Option<String>;
}

/// The event meant, if there is one of that name.
pub(crate) fn event(event: &Event) -> Option<prompt::Event> {
    match event.as_string() {
        Some(name) => prompt::Event::named(&name, None),
        None => prompt::Event::named(&event.kind()?, event.reason().as_deref()),
    }
}

/// The codes as shown. What is no string is empty.
pub(crate) fn codes(batch: &Batch) -> Vec<Zeroizing<String>> {
    let codes = batch.codes().unwrap_or_default();
    codes
        .iter()
        .map(|code| Zeroizing::new(code.as_string().unwrap_or_default()))
        .collect()
}

/// The words of a sheet, held while it is made.
pub(crate) struct Words {
    generation: u32,
    facts: [String; 4],
    texts: [Option<String>; 8],
}

impl Words {
    pub(crate) fn of(batch: &Batch, options: &SheetOptions) -> Words {
        let facts = [
            options.product(),
            options.account(),
            options.date(),
            options.url(),
        ];
        let texts = options.texts();
        let text = |read: fn(&Texts) -> Option<String>| texts.as_ref().and_then(read);
        Words {
            generation: batch.generation(),
            facts: facts.map(Option::unwrap_or_default),
            texts: [
                text(Texts::title),
                text(Texts::account_line),
                text(Texts::batch),
                text(Texts::usage),
                text(Texts::place),
                text(Texts::protection),
                text(Texts::replacement),
                text(Texts::alarm),
            ],
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
        let english = sheet::Texts::ENGLISH;
        let [
            title,
            account,
            batch,
            usage,
            place,
            protection,
            replacement,
            alarm,
        ] = &self.texts;
        sheet::Texts {
            title: title.as_deref().unwrap_or(english.title),
            account: account.as_deref().unwrap_or(english.account),
            batch: batch.as_deref().unwrap_or(english.batch),
            usage: usage.as_deref().unwrap_or(english.usage),
            place: place.as_deref().unwrap_or(english.place),
            protection: protection.as_deref().unwrap_or(english.protection),
            replacement: replacement.as_deref().unwrap_or(english.replacement),
            alarm: alarm.as_deref().unwrap_or(english.alarm),
        }
    }
}
