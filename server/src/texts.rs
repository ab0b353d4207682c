//! What people are told, in their language: the texts as templates ask for them (those hand over
//! references), and what happened on an account in words.
//!
//! The screens of a sign-in are under prompt and screen, as in Auth0's custom-text documents, so
//! that such a document can be pasted; every other text stands under its own name.

mod events;
mod language;

use std::collections::HashMap;
use std::sync::LazyLock;

use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};
use serde::Deserialize;

pub(crate) use self::events::in_words;
pub(crate) use self::language::Language;
use crate::clock::{self, Civil};
use crate::embedded;
use crate::model::Timestamp;

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

fn read(language: Language) -> Table {
    embedded::locale(language.tag())
        .and_then(|json| serde_json::from_slice(json).ok())
        .map(flat)
        .unwrap_or_default()
}

/// In the order of [`Language::ALL`].
static TABLES: LazyLock<[Table; Language::ALL.len()]> = LazyLock::new(|| Language::ALL.map(read));

/// The language's plural rule (Unicode CLDR). Made each time, of what is compiled in: it is small,
/// and not for several threads.
fn plurals(language: Language) -> Option<PluralRules> {
    let locale = Locale::try_from_str(language.tag()).ok()?;
    PluralRules::try_new_cardinal(locale.into()).ok()
}

/// One language's texts.
#[derive(Clone, Copy)]
pub(crate) struct Texts {
    language: Language,
    table: &'static Table,
}

/// A date for machines and for people.
pub(crate) struct Day {
    pub(crate) iso: String,
    pub(crate) text: String,
}

/// A language as the switch offers it.
pub(crate) struct Offered {
    pub(crate) tag: &'static str,
    pub(crate) dir: &'static str,
    /// Its own name for itself.
    pub(crate) name: String,
    pub(crate) current: bool,
}

impl Texts {
    /// A language's.
    pub(crate) fn of_language(language: Language) -> Self {
        let [english, german, spanish, french, japanese, arabic] = &*TABLES;
        let table = match language {
            Language::English => english,
            Language::German => german,
            Language::Spanish => spanish,
            Language::French => french,
            Language::Japanese => japanese,
            Language::Arabic => arabic,
        };
        Self { language, table }
    }

    /// English: what the guides and the API are described in.
    pub(crate) fn english() -> Self {
        Self::of_language(Language::English)
    }

    pub(crate) fn lang(&self) -> &'static str {
        self.language.tag()
    }

    pub(crate) fn dir(&self) -> &'static str {
        self.language.dir()
    }

    /// Every language, for the switch.
    pub(crate) fn languages(&self) -> [Offered; Language::ALL.len()] {
        Language::ALL.map(|language| Offered {
            tag: language.tag(),
            dir: language.dir(),
            name: Self::of_language(language).get("locale.name"),
            current: language == self.language,
        })
    }

    /// The text of a key; a missing one shows its key, which the tests look for.
    pub(crate) fn get(&self, key: &str) -> String {
        self.table
            .get(key)
            .cloned()
            .unwrap_or_else(|| key.to_owned())
    }

    /// Whether there is such a text.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The text of a screen's key, with the name of the service where Auth0's texts have it.
    pub(crate) fn of(&self, screen: &str, key: &str, product: &str) -> String {
        let mut text = self.get(&format!("{screen}.{key}"));
        for name in ["${companyName}", "${clientName}"] {
            if text.contains(name) {
                text = text.replace(name, product);
            }
        }
        text
    }

    /// The text with its values filled in, each once: a value is never searched for names. Where
    /// the text runs from right to left, a value keeps to its own direction (Unicode UAX 9, 2.4).
    pub(crate) fn fill(&self, key: &str, values: &[(&str, String)]) -> String {
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
                Some((_, value)) if self.dir() == "rtl" => {
                    filled.extend(["\u{2068}", value, "\u{2069}"]);
                }
                Some((_, value)) => filled.push_str(value),
                None => filled.extend(["{", name, "}"]),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// A screen's text with its values filled in.
    pub(crate) fn fill_of(&self, screen: &str, key: &str, values: &[(&str, String)]) -> String {
        self.fill(&format!("{screen}.{key}"), values)
    }

    /// The text for so many, by the language's plural rule.
    pub(crate) fn count(&self, key: &str, n: &u32) -> String {
        let category =
            plurals(self.language).map_or(PluralCategory::Other, |rules| rules.category_for(*n));
        let form = format!("{key}.{}", name_of(category));
        let form = if self.has(&form) {
            form
        } else {
            format!("{key}.other")
        };
        self.fill(&form, &[("n", n.to_string())])
    }

    /// A wait in words, rounded up.
    pub(crate) fn wait(&self, seconds: &u32) -> String {
        match *seconds {
            0..=90 => self.count("time.seconds", seconds),
            91..=5_400 => self.count("time.minutes", &seconds.div_ceil(60)),
            _ => self.count("time.hours", &seconds.div_ceil(3_600)),
        }
    }

    /// The date of a time (UTC), for machines and for people.
    pub(crate) fn day(&self, at: Timestamp) -> Day {
        let iso = clock::date(at);
        let text = clock::civil(at).map_or_else(|| iso.clone(), |civil| self.date(civil));
        Day { iso, text }
    }

    /// Date and time of day (UTC), for machines and for people.
    pub(crate) fn moment(&self, at: Timestamp) -> Day {
        let iso = clock::rfc3339(at);
        let text = clock::civil(at).map_or_else(
            || iso.clone(),
            |civil| {
                let time = format!("{:02}:{:02}", civil.hour, civil.minute);
                let date = self.date(civil);
                self.fill("date.moment", &[("date", date), ("time", time)])
            },
        );
        Day { iso, text }
    }

    fn date(&self, civil: Civil) -> String {
        let day = match civil.day {
            // French has an ordinal for the first of a month and for no other day.
            1 => self.get("date.first"),
            day => day.to_string(),
        };
        let month = self.get(&format!("date.month.{}", civil.month));
        let year = civil.year.to_string();
        let mut date = self.get("date.day");
        for (name, value) in [("{day}", day), ("{month}", month), ("{year}", year)] {
            date = date.replace(name, &value);
        }
        date
    }
}

/// A category as it stands in a key.
const fn name_of(category: PluralCategory) -> &'static str {
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

#[cfg(test)]
mod tests;
