//! The sheet: a batch as it is saved to a file or printed.
//!
//! Puts what it is given into lines: it has no clock, so the date comes as text, and its sentences
//! come as [`Texts`], in the reader's language. The codes come as they are shown, and stand in the file just so. A line such as ` 3. KZ3M-Q7TB-WJ5R-HXYN` can
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

/// The sentences of a sheet, in the language of its reader.
///
/// `{product}`, `{account}`, `{generation}`, `{date}`, `{count}` and `{url}` are filled in, once:
/// a brace in a filled-in name stays as it is. A sentence that is empty, or whose only value is,
/// is left out.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a>([&'a str; 8]);

/// What is filled in.
const BLANKS: [&str; 6] = [
    "{product}",
    "{account}",
    "{generation}",
    "{date}",
    "{count}",
    "{url}",
];

/// Where the sentences stand that are about one value and go when it is empty.
const ACCOUNT: usize = 1;
const PLACE: usize = 4;
/// From here on they stand below the codes.
const NOTES: usize = 3;

impl<'a> Texts<'a> {
    /// The names of the sentences in the order in which they are read, as JavaScript and the
    /// locales say them: what this is; whose; which batch, of what day; how to use the codes, and
    /// that each works once; where to enter them; how to protect them; what becomes of them when
    /// new ones are made; what to do if somebody else used one.
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

    /// The sentences in English.
    pub const ENGLISH: Texts<'static> = Texts([
        "{product} recovery codes",
        "Account: {account}",
        "Set {generation}, made on {date}",
        "If you cannot use your usual second step, sign in with your password and enter one of \
         these codes. Each code works once. Cross it out after use.",
        "Where to enter a code: {url}",
        "Keep this sheet in a password manager or on paper in a safe place. Do not send it by \
         mail, and show it to nobody: no one from {product} will ask for it.",
        "If you make new codes, these stop working.",
        "If you hear that a code was used and it was not you, change your password and make new \
         codes at once.",
    ]);

    /// The sentences that `sentence` has for [`Texts::NAMES`]; an empty one is left out.
    pub fn named(sentence: impl FnMut(&'static str) -> &'a str) -> Texts<'a> {
        Texts(Texts::NAMES.map(sentence))
    }

    /// These sentences, given in the order of [`Texts::NAMES`].
    pub fn in_order(sentences: &'a [String; 8]) -> Texts<'a> {
        Texts(core::array::from_fn(|at| sentences[at].as_str()))
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
    pub codes: Zeroizing<Vec<String>>,
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
        let (mut generation, mut count) = (String::new(), String::new());
        push_number(&mut generation, self.generation);
        push_number(&mut count, codes.len() as u32);
        let values = [
            self.product,
            self.account,
            &generation,
            self.date,
            &count,
            self.url,
        ];
        let mut model = Model {
            title: String::new(),
            facts: Vec::new(),
            // Capacity first, here and below: growing would leave copies behind.
            codes: Zeroizing::new(Vec::with_capacity(codes.len())),
            notes: Vec::new(),
        };
        for (at, text) in texts.0.iter().enumerate() {
            let about = match at {
                ACCOUNT => self.account,
                PLACE => self.url,
                _ => text,
            };
            if text.is_empty() || about.is_empty() {
                continue;
            }
            let line = fill(text, &values);
            match at {
                0 => model.title = line,
                1..NOTES => model.facts.push(line),
                _ => model.notes.push(line),
            }
        }
        for code in codes {
            let mut line = String::with_capacity(code.as_ref().len());
            push_clean(&mut line, code.as_ref());
            model.codes.push(line);
        }
        model
    }

    /// The name of the file: `<product>-recovery-codes-<account>-g<generation>.txt` in lower-case
    /// ASCII letters, digits and dashes, at most 128 bytes, so that it is the same on every disk
    /// and another batch gets another name.
    pub fn file_name(&self) -> String {
        let mut name = String::new();
        push_slug(&mut name, self.product);
        name.push_str("recovery-codes-");
        push_slug(&mut name, self.account);
        name.push('g');
        push_number(&mut name, self.generation);
        name.push_str(".txt");
        name
    }
}

impl Model {
    /// The text of the file: plain lines that end in CRLF, codes numbered and right-aligned, no
    /// markup. Zeroed on drop.
    pub fn text(&self) -> Zeroizing<String> {
        let prose = self.facts.iter().chain(&self.notes).chain(&*self.codes);
        let length: usize = prose.map(|line| line.len() + 16).sum();
        // Capacity first: growing would leave copies behind that nobody zeroes.
        let mut text = Zeroizing::new(String::with_capacity(self.title.len() + length + 16));
        push_line(&mut text, &self.title);
        for fact in &self.facts {
            push_line(&mut text, fact);
        }
        push_line(&mut text, "");
        for (number, code) in (1..).zip(&*self.codes) {
            if number < 10 && self.codes.len() > 9 {
                text.push(' ');
            }
            push_number(&mut text, number);
            text.push_str(". ");
            push_line(&mut text, code);
        }
        for note in &self.notes {
            push_line(&mut text, "");
            push_line(&mut text, note);
        }
        text
    }
}

/// Fills in a sentence: one pass, so that what is filled in is never read as a sentence.
fn fill(text: &str, values: &[&str; 6]) -> String {
    let (mut line, mut rest) = (String::new(), text);
    'next: while !rest.is_empty() {
        for (blank, value) in BLANKS.iter().zip(values) {
            if let Some(behind) = rest.strip_prefix(blank) {
                push_clean(&mut line, value);
                rest = behind;
                continue 'next;
            }
        }
        let mut characters = rest.chars();
        if let Some(character) = characters.next() {
            push_clean_one(&mut line, character);
        }
        rest = characters.as_str();
    }
    line
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}

/// Appends `text` with a space for every character that could begin a new line, move the
/// cursor, or turn the direction of what follows.
fn push_clean(line: &mut String, text: &str) {
    for character in text.chars() {
        push_clean_one(line, character);
    }
}

fn push_clean_one(line: &mut String, character: char) {
    line.push(match character {
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => ' ',
        character if character.is_control() => ' ',
        character => character,
    });
}

/// Digits by hand: the formatting machinery would double the size of the browser module.
fn push_number(text: &mut String, number: u32) {
    if number > 9 {
        push_number(text, number / 10);
    }
    text.push(char::from_digit(number % 10, 10).unwrap_or_default());
}

/// Lower-case ASCII letters and digits, everything between and after them one dash, at most 48
/// bytes.
fn push_slug(name: &mut String, text: &str) {
    let end = name.len() + 48;
    let mut gap = false;
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            gap = true;
            name.push(character.to_ascii_lowercase());
        } else if gap {
            gap = false;
            name.push('-');
        }
        if name.len() == end {
            break;
        }
    }
    if gap {
        name.push('-');
    }
}
