//! Formatting as one types: the text as it should stand in the field, and the caret in it.
//!
//! Pure, and idempotent: formatting its own result changes nothing. It judges nothing: foreign
//! characters stay, in upper case, so that the verdict can point at them, and look-alikes stay
//! as they were typed (`check` folds them).

use super::*;

/// A text for the field, and its caret. `Debug` is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// What should stand in the field.
    pub text: Zeroizing<String>,
    /// Where the caret belongs, in UTF-16 units from the start, as browsers count.
    pub caret: usize,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("caret", &self.caret)
            .finish_non_exhaustive()
    }
}

/// Formats `text` as it stands in the field after a keystroke or a paste.
///
/// `caret` counts UTF-16 units from the start, as browsers do; past the end counts as the end.
/// The caret keeps the same characters to its left, and its side of a dash. Groups of four as
/// long as the text may be a list code; the dash comes with the fifth symbol. A text over
/// [`MAX_INPUT`] bytes comes back as it is.
///
/// Deleting a dash removes the symbol before it: else the dash would come back at once and
/// Backspace would do nothing. Without knowing what stood in the field before, a text without
/// its dash can also be four symbols pasted, or typed into a full group: where just one symbol
/// follows the caret, or none, it is read so. [`edit_from`] knows.
pub fn edit(text: &str, caret: usize, format: Option<Format>) -> Edit {
    edit_with(None, text, caret, format)
}

/// Like [`edit`], for callers that know what stood in the field before: a dash counts as deleted
/// only if it stood there and nothing else changed.
pub fn edit_from(before: &str, text: &str, caret: usize, format: Option<Format>) -> Edit {
    edit_with(Some(before), text, caret, format)
}

fn edit_with(before: Option<&str>, text: &str, caret: usize, format: Option<Format>) -> Edit {
    if text.len() > MAX_INPUT {
        let length = text.chars().map(char::len_utf16).sum();
        return Edit {
            text: Zeroizing::new(String::from(text)),
            caret: caret.min(length),
        };
    }
    // Capacity first: growing would leave copies behind that nobody zeroes.
    let mut symbols = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut left = 0;
    for significant in significant(text) {
        symbols.push(significant.symbol);
        left += usize::from(significant.end <= caret);
    }
    let formatted = format_symbols(&symbols, format);
    if left > 0 && dash_was_deleted(before, text, caret, &formatted) {
        left -= 1;
        let mut at = 0;
        symbols.retain(|_| {
            at += 1;
            at != left + 1
        });
        let text = format_symbols(&symbols, format);
        return Edit {
            caret: caret_after(left, &symbols, false, format),
            text,
        };
    }
    let past_dash = follows_separator(text, caret);
    Edit {
        caret: caret_after(left, &symbols, past_dash, format),
        text: formatted,
    }
}

fn format_symbols(symbols: &[char], format: Option<Format>) -> Zeroizing<String> {
    let count = symbols.len();
    written(&mut symbols.iter().copied(), count, grouped(count, format))
}

/// The caret after the first `left` symbols, behind the dash there if `past_dash`.
fn caret_after(left: usize, symbols: &[char], past_dash: bool, format: Option<Format>) -> usize {
    let units: usize = symbols
        .iter()
        .take(left)
        .map(|symbol| symbol.len_utf16())
        .sum();
    if left == 0 || !grouped(symbols.len(), format) {
        return units;
    }
    let at_dash = left.is_multiple_of(4) && left < symbols.len();
    units + (left - 1) / 4 + usize::from(past_dash && at_dash)
}

/// Whether `text` is `formatted` without the one dash that stood at the caret.
fn dash_was_deleted(before: Option<&str>, text: &str, caret: usize, formatted: &str) -> bool {
    let Some(at) = byte_at(text, caret) else {
        return false;
    };
    let (Some((left, right)), Some((head, tail))) =
        (text.split_at_checked(at), formatted.split_at_checked(at))
    else {
        return false;
    };
    head == left
        && tail.strip_prefix('-') == Some(right)
        && match before {
            Some(before) => before == formatted,
            None => right.chars().nth(1).is_some(),
        }
}

/// The byte index of a caret in UTF-16 units, if it stands between two characters.
fn byte_at(text: &str, caret: usize) -> Option<usize> {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units >= caret {
            return (units == caret).then_some(at);
        }
        units += character.len_utf16();
    }
    (units == caret).then_some(text.len())
}

/// Whether the character left of the caret is a separator.
fn follows_separator(text: &str, caret: usize) -> bool {
    let mut units = 0;
    text.chars()
        .take_while(|character| {
            units += character.len_utf16();
            units <= caret
        })
        .last()
        .is_some_and(is_separator)
}
