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
    let (mut count, mut left) = (0, 0);
    for significant in significant(text) {
        count += 1;
        left += usize::from(significant.end <= caret);
    }
    let mut formatted = written(text, usize::MAX, grouped(count, format));
    let mut past_dash = follows_separator(text, caret);
    let deleted = left > 0 && dash_was_deleted(before, text, caret, &formatted);
    if deleted {
        (left, count, past_dash) = (left - 1, count - 1, false);
        formatted = written(text, left, grouped(count, format));
    }
    let units: usize = significant(text)
        .take(left)
        .map(|significant| significant.symbol.len_utf16())
        .sum();
    let dashes = if left == 0 || !grouped(count, format) {
        0
    } else {
        let at_dash = left.is_multiple_of(4) && left < count;
        (left - 1) / 4 + usize::from(past_dash && at_dash)
    };
    Edit {
        caret: units + dashes,
        text: formatted,
    }
}

/// What counts in `text`, as it should stand in the field, without the one at `skipped`.
fn written(text: &str, skipped: usize, grouped: bool) -> Zeroizing<String> {
    // Capacity first: folding lengthens nothing, and there are fewer dashes than symbols. Growing
    // would leave copies behind that nobody zeroes.
    let mut written = Zeroizing::new(String::with_capacity(text.len() * 2));
    let mut count = 0;
    for (at, significant) in significant(text).enumerate() {
        if at != skipped {
            push_symbol(&mut written, count, significant.symbol, grouped);
            count += 1;
        }
    }
    written
}

/// Whether `text` is `formatted` without the one dash that stood at the caret.
fn dash_was_deleted(before: Option<&str>, text: &str, caret: usize, formatted: &str) -> bool {
    let (mut units, mut right) = (0, None);
    let mut wanted = formatted.chars();
    for character in text.chars() {
        if units == caret {
            right = Some(0);
            if wanted.next() != Some('-') {
                return false;
            }
        }
        if wanted.next() != Some(character) {
            return false;
        }
        right = right.map(|right| right + 1);
        units += character.len_utf16();
    }
    match before {
        Some(before) => right.is_some() && before == formatted,
        None => right > Some(1),
    }
}

/// Whether the character left of the caret is a separator.
fn follows_separator(text: &str, caret: usize) -> bool {
    let (mut units, mut found) = (0, false);
    for character in text.chars() {
        units += character.len_utf16();
        if units > caret {
            break;
        }
        found = is_separator(character);
    }
    found
}
