//! The sheet: a batch as it is saved to a file or printed.
//!
//! Puts what it is given into lines: it has no clock, so the date comes as text, and it has no
//! words of its own but the English ones, so another language comes as [`Texts`]. The codes come
//! as they are shown, and stand in the file just so. A line such as ` 3. KZ3M-Q7TB-WJ5R-HXYN` can
//! be pasted whole, since reading ignores the list number.

use core::fmt;

use alloc::{string::String, vec::Vec};
use zeroize::Zeroizing;

/// What a sheet is about. Control characters in any text become spaces: a name can't add lines.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The service the codes are for, in its own name.
    pub product: &'a str,
    /// Whose account, as far as its owner needs it: an address, or a part of one. May be empty.
    pub account: &'a str,
    /// The number of the batch in the account.
    pub generation: u32,
    /// When the batch was made, written for the reader.
    pub date: &'a str,
    /// Where the codes are entered. May be empty.
    pub url: &'a str,
}

/// The sentences of a sheet.
///
/// `{product}`, `{account}`, `{generation}`, `{date}`, `{count}` and `{url}` are filled in, once:
/// a brace in a filled-in name stays as it is. A sentence that is empty, or whose only value is,
/// is left out.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// What this is.
    pub title: &'a str,
    /// Whose account. Left out when there is no account.
    pub account: &'a str,
    /// Which batch, and of what day.
    pub batch: &'a str,
    /// How to use the codes, and that each works once.
    pub usage: &'a str,
    /// Where to enter them. Left out when there is no address.
    pub place: &'a str,
    /// How to protect them.
    pub protection: &'a str,
    /// What becomes of them when new ones are made.
    pub replacement: &'a str,
    /// What to do if somebody else used one.
    pub alarm: &'a str,
}

impl Texts<'static> {
    /// The sentences in English.
    pub const ENGLISH: Texts<'static> = Texts {
        title: "{product} recovery codes",
        account: "Account: {account}",
        batch: "Set {generation}, made on {date}",
        usage: "If you cannot use your usual second step, sign in with your password and enter \
                one of these codes. Each code works once. Cross it out after use.",
        place: "Where to enter a code: {url}",
        protection: "Keep this sheet in a password manager or on paper in a safe place. Do not \
                     send it by mail, and show it to nobody: no one from {product} will ask for it.",
        replacement: "If you make new codes, these stop working.",
        alarm: "If you hear that a code was used and it was not you, change your password and \
                make new codes at once.",
    };
}

impl<'a> Texts<'a> {
    /// The names of the sentences in the order of the fields, as JavaScript says them.
    pub const NAMES: [&'static str; 8] = [
        "title",
        "account",
        "batch",
        "usage",
        "place",
        "protection",
        "replacement",
        "alarm",
    ];

    /// These sentences, with those put in their place that are given, in the order of
    /// [`Texts::NAMES`].
    pub fn with(mut self, given: &'a [Option<String>]) -> Texts<'a> {
        let slots = [
            &mut self.title,
            &mut self.account,
            &mut self.batch,
            &mut self.usage,
            &mut self.place,
            &mut self.protection,
            &mut self.replacement,
            &mut self.alarm,
        ];
        for (slot, text) in slots.into_iter().zip(given) {
            if let Some(text) = text {
                *slot = text;
            }
        }
        self
    }
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Texts::ENGLISH
    }
}

/// A sheet laid out for printing. Zeroed on drop where it holds codes; `Debug` shows none.
#[derive(Clone)]
pub struct Model {
    /// What this is: the heading.
    pub title: String,
    /// Whose account, which batch, what day.
    pub facts: Vec<String>,
    /// The codes as shown, in their order: the first is number 1.
    pub codes: Vec<Zeroizing<String>>,
    /// How to use and protect them, a paragraph each.
    pub notes: Vec<String>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

impl Sheet<'_> {
    /// Lays out the sheet of these codes, given as they are shown.
    pub fn model(&self, codes: &[impl AsRef<str>], texts: &Texts<'_>) -> Model {
        let count = codes.len();
        let mut facts = Vec::new();
        self.push_line(&mut facts, Some(self.account), texts.account, count);
        self.push_line(&mut facts, None, texts.batch, count);
        let mut notes = Vec::new();
        self.push_line(&mut notes, None, texts.usage, count);
        self.push_line(&mut notes, Some(self.url), texts.place, count);
        self.push_line(&mut notes, None, texts.protection, count);
        self.push_line(&mut notes, None, texts.replacement, count);
        self.push_line(&mut notes, None, texts.alarm, count);
        Model {
            title: self.fill(texts.title, count),
            facts,
            codes: codes.iter().map(|code| clean(code.as_ref())).collect(),
            notes,
        }
    }

    /// Adds the sentence, unless it or the value that it is about is empty.
    fn push_line(&self, lines: &mut Vec<String>, about: Option<&str>, text: &str, count: usize) {
        if !text.is_empty() && about != Some("") {
            lines.push(self.fill(text, count));
        }
    }

    /// The name of the file: `<product>-recovery-codes-<account>-g<generation>.txt` in lower-case
    /// ASCII letters, digits and dashes, at most 128 bytes, so that it is the same on every disk
    /// and another batch gets another name.
    pub fn file_name(&self) -> String {
        let mut name = String::new();
        push_slug(&mut name, self.product);
        name.push_str(if name.is_empty() {
            "recovery-codes-"
        } else {
            "-recovery-codes-"
        });
        let before = name.len();
        push_slug(&mut name, self.account);
        if name.len() > before {
            name.push('-');
        }
        name.push('g');
        push_number(&mut name, self.generation);
        name.push_str(".txt");
        name
    }

    /// Fills in a sentence: one pass, so that what is filled in is never read as a sentence.
    fn fill(&self, text: &str, count: usize) -> String {
        let mut line = String::new();
        for (at, piece) in text.split(is_opening).enumerate() {
            let mut parts = piece.splitn(2, is_closing);
            let (name, behind) = (parts.next().unwrap_or_default(), parts.next());
            match (name, behind) {
                ("product", Some(_)) => push_clean(&mut line, self.product),
                ("account", Some(_)) => push_clean(&mut line, self.account),
                ("date", Some(_)) => push_clean(&mut line, self.date),
                ("url", Some(_)) => push_clean(&mut line, self.url),
                ("generation", Some(_)) => push_number(&mut line, self.generation),
                ("count", Some(_)) => {
                    push_number(&mut line, u32::try_from(count).unwrap_or(u32::MAX));
                }
                _ => {
                    line.push_str(if at > 0 { "{" } else { "" });
                    push_clean(&mut line, piece);
                    continue;
                }
            }
            push_clean(&mut line, behind.unwrap_or_default());
        }
        line
    }
}

fn is_opening(character: char) -> bool {
    character == '{'
}

fn is_closing(character: char) -> bool {
    character == '}'
}

impl Model {
    /// The text of the file: plain lines that end in CRLF, codes numbered and right-aligned, no
    /// markup. Zeroed on drop.
    pub fn text(&self) -> Zeroizing<String> {
        let prose = self.facts.iter().chain(&self.notes).chain([&self.title]);
        let length = prose.map(|line| line.len() + 4).sum::<usize>()
            + self.codes.iter().map(|code| code.len() + 16).sum::<usize>();
        // Capacity first: growing would leave copies behind that nobody zeroes.
        let mut text = Zeroizing::new(String::with_capacity(length + 8));
        push_line(&mut text, "", &self.title);
        for fact in &self.facts {
            push_line(&mut text, "", fact);
        }
        push_line(&mut text, "", "");
        let width = if self.codes.len() > 9 { 2 } else { 1 };
        for (number, code) in (1..).zip(&self.codes) {
            let mut label = String::new();
            push_number(&mut label, number);
            label.push_str(". ");
            if label.len() < width + 2 {
                text.push(' ');
            }
            push_line(&mut text, &label, code);
        }
        for note in &self.notes {
            push_line(&mut text, "", "");
            push_line(&mut text, "", note);
        }
        text
    }
}

fn push_line(text: &mut String, label: &str, line: &str) {
    text.push_str(label);
    text.push_str(line);
    text.push_str("\r\n");
}

/// Appends `text` with a space for every character that could begin a new line, move the
/// cursor, or turn the direction of what follows.
fn push_clean(line: &mut String, text: &str) {
    line.extend(text.chars().map(|character| match character {
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
        character if character.is_control() => ' ',
        character => character,
    }));
}

fn clean(text: &str) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(text.len()));
    push_clean(&mut line, text);
    line
}

/// Digits by hand: the formatting machinery would double the size of the browser module.
fn push_number(text: &mut String, number: u32) {
    if number > 9 {
        push_number(text, number / 10);
    }
    text.push(char::from_digit(number % 10, 10).unwrap_or_default());
}

/// Lower-case ASCII letters and digits, everything between them one dash, at most 48 bytes.
fn push_slug(name: &mut String, text: &str) {
    let (mut length, mut gap) = (0, false);
    for character in text.chars() {
        if !character.is_ascii_alphanumeric() {
            gap = length > 0;
            continue;
        }
        length += 1 + usize::from(gap);
        if length > 48 {
            return;
        }
        if gap {
            name.push('-');
        }
        gap = false;
        name.push(character.to_ascii_lowercase());
    }
}
