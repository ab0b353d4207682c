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
        let line = |text: &str| self.fill(text, codes.len());
        let unless_empty = |value: &str, text: &str| match value {
            "" => String::new(),
            _ => line(text),
        };
        let kept = |lines: Vec<String>| lines.into_iter().filter(|line| !line.is_empty()).collect();
        Model {
            title: line(texts.title),
            facts: kept(Vec::from([
                unless_empty(self.account, texts.account),
                line(texts.batch),
            ])),
            codes: codes.iter().map(|code| clean(code.as_ref())).collect(),
            notes: kept(Vec::from([
                line(texts.usage),
                unless_empty(self.url, texts.place),
                line(texts.protection),
                line(texts.replacement),
                line(texts.alarm),
            ])),
        }
    }

    /// The name of the file: `<product>-recovery-codes-<account>-g<generation>.txt` in lower-case
    /// ASCII letters, digits and dashes, at most 128 bytes, so that it is the same on every disk
    /// and another batch gets another name.
    pub fn file_name(&self) -> String {
        let mut name = String::new();
        push_slug(&mut name, self.product);
        name.push_str("-recovery-codes-");
        let before = name.len();
        push_slug(&mut name, self.account);
        if name.len() > before {
            name.push('-');
        }
        name.push('g');
        push_number(&mut name, self.generation);
        name.push_str(".txt");
        String::from(name.trim_start_matches('-'))
    }

    /// Fills in a sentence: one pass, so that what is filled in is never read as a sentence.
    fn fill(&self, text: &str, count: usize) -> String {
        let mut line = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            push_clean(&mut line, before);
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            match name {
                "product" => push_clean(&mut line, self.product),
                "account" => push_clean(&mut line, self.account),
                "date" => push_clean(&mut line, self.date),
                "url" => push_clean(&mut line, self.url),
                "generation" => push_number(&mut line, self.generation),
                "count" => push_number(&mut line, u32::try_from(count).unwrap_or(u32::MAX)),
                _ => {
                    line.push('{');
                    rest = after;
                    continue;
                }
            }
            rest = behind;
        }
        push_clean(&mut line, rest);
        line
    }
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
            while label.len() < width + 2 {
                label.insert(0, ' ');
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
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let start = name.len();
    for word in words.filter(|word| !word.is_empty()) {
        if name.len() > start {
            name.push('-');
        }
        name.extend(word.chars().map(|character| character.to_ascii_lowercase()));
    }
    name.truncate(start + 48);
    while name.len() > start && name.ends_with('-') {
        name.pop();
    }
}
