//! The texts of a language, as the templates ask for them: templates hand over references.
//!
//! The screens of a sign-in are under prompt and screen, as in Auth0's custom-text documents, so
//! that such a document can be pasted; every other text stands under its own name.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::http::assets;

type Table = HashMap<String, String>;

/// What a file of texts holds under a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    /// A text.
    Text(String),
    /// A prompt: its screens, each with its texts.
    Prompt(HashMap<String, Table>),
}

/// Every text by its name, a screen's by `screen.key`.
fn flat(entries: HashMap<String, Entry>) -> Table {
    let mut table = Table::new();
    for (name, entry) in entries {
        match entry {
            Entry::Text(text) => {
                table.insert(name, text);
            }
            Entry::Prompt(screens) => {
                for (screen, texts) in screens {
                    let named = texts
                        .into_iter()
                        .map(|(key, text)| (format!("{screen}.{key}"), text));
                    table.extend(named);
                }
            }
        }
    }
    table
}

static ENGLISH: LazyLock<Table> = LazyLock::new(|| {
    assets::locale("en")
        .and_then(|json| serde_json::from_slice(json).ok())
        .map(flat)
        .unwrap_or_default()
});

/// One language's texts. English is the only one so far.
#[derive(Clone, Copy)]
pub(super) struct Texts {
    table: &'static Table,
}

impl Texts {
    /// English.
    pub(super) fn english() -> Self {
        Self { table: &ENGLISH }
    }

    pub(super) fn lang(&self) -> &'static str {
        "en"
    }

    pub(super) fn dir(&self) -> &'static str {
        "ltr"
    }

    /// The text of a key; a missing one shows its key, which the tests look for.
    pub(super) fn get(&self, key: &str) -> String {
        self.table
            .get(key)
            .cloned()
            .unwrap_or_else(|| key.to_owned())
    }

    /// Whether there is such a text.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The text of a screen's key, with the name of the service where Auth0's texts have it.
    pub(super) fn of(&self, screen: &str, key: &str, product: &str) -> String {
        let mut text = self.get(&format!("{screen}.{key}"));
        for name in ["${companyName}", "${clientName}"] {
            if text.contains(name) {
                text = text.replace(name, product);
            }
        }
        text
    }

    /// The text with its values filled in, each once: a value is never searched for names.
    pub(super) fn fill(&self, key: &str, values: &[(&str, String)]) -> String {
        let text = self.get(key);
        let mut filled = String::with_capacity(text.len() + 32);
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => filled.push_str(value),
                None => filled.extend(["{", name, "}"]),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// A screen's text with its values filled in.
    pub(super) fn fill_of(&self, screen: &str, key: &str, values: &[(&str, String)]) -> String {
        self.fill(&format!("{screen}.{key}"), values)
    }

    /// The text for so many, by English's plural rule.
    pub(super) fn count(&self, key: &str, n: &u32) -> String {
        let form = if *n == 1 { "one" } else { "other" };
        self.fill(&format!("{key}.{form}"), &[("n", n.to_string())])
    }

    /// A wait in words, rounded up.
    pub(super) fn wait(&self, seconds: &u32) -> String {
        match *seconds {
            0..=90 => self.count("time.seconds", seconds),
            91..=5_400 => self.count("time.minutes", &seconds.div_ceil(60)),
            _ => self.count("time.hours", &seconds.div_ceil(3_600)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_once_and_never_read_as_names() {
        let t = Texts::english();
        assert_eq!(
            t.fill("layout.step", &[("at", "{of}".into()), ("of", "3".into())]),
            "Step {of} of 3"
        );
        assert_eq!(t.get("no.such.key"), "no.such.key");
    }

    #[test]
    fn a_screens_text_names_the_service_as_auth0s_texts_do() {
        let t = Texts::english();
        assert_eq!(t.of("login", "logoAltText", "Fernhill"), "Fernhill");
        assert_eq!(t.of("login", "buttonText", "Fernhill"), "Continue");
    }

    #[test]
    fn waits_are_rounded_up_and_say_one_as_one() {
        let t = Texts::english();
        assert_eq!(t.wait(&30), "30 seconds");
        assert_eq!(t.wait(&121), "3 minutes");
        assert_eq!(t.wait(&3_600), "60 minutes");
        assert_eq!(t.wait(&7_200), "2 hours");
        assert_eq!(t.count("time.minutes", &1), "1 minute");
    }
}
