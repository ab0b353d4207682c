//! A field as somebody types into it: the server's reading, the browser's verdict and its formatting,
//! the sheet and the prompt, all over one text.
//!
//! `before|after` is what stood in the field and what stands there now; without a bar, nothing stood
//! there. Some carets and every format are tried, so an input is a text and nothing else.
//!
//! E1, E3, E7, S13, A-42: server and browser read alike, and a text that is too long is not looked into.

use spare_key_core::code::{self, Code, Format, ParseError};
use spare_key_core::entry::{self, Edit, Kind, MAX_LIKELY, State, Verdict};
use spare_key_core::sheet::{Sheet, Texts};

const FORMATS: [Option<Format>; 3] = [None, Some(Format::List), Some(Format::Single)];

/// So many carets are tried, from one end to the other.
const CARETS: usize = 6;

/// Holds the core to what it promises of any text.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (before, text) = match text.split_once('|') {
        Some((before, text)) => (Some(before), text),
        None => (None, text.as_ref()),
    };
    read(text);
    for format in FORMATS {
        let verdict = entry::check(text, format);
        judged(text, &verdict);
        formatted(text, format);
        let step = units(text) / CARETS + 1;
        for caret in (0..=units(text)).step_by(step).chain([usize::MAX]) {
            edited(text, caret, format, &entry::edit(text, caret, format));
            if let Some(before) = before {
                let edit = entry::edit_from(before, text, caret, format);
                edited(text, caret, format, &edit);
            }
        }
    }
    on_a_sheet(text);
}

/// The server reads what the browser reads, and what it wrote itself.
fn read(text: &str) {
    let parsed = Code::parse(text);
    let verdict = entry::check(text, None);
    match (&parsed, verdict.state) {
        (Ok(code), State::Complete) => {
            let browsers = verdict.code.as_ref().expect("a complete code");
            assert_eq!(browsers.canonical(), code.canonical());
            written(code);
        }
        (Err(ParseError::Empty), State::Empty) => {}
        (Err(ParseError::Check), State::Check) => {}
        (Err(ParseError::Length { got, want }), State::Incomplete { missing }) => {
            assert_eq!(got + missing, *want);
        }
        (Err(ParseError::Length { got, want }), State::TooLong { extra }) => {
            assert!(got - want == extra || got - code::MAX_INPUT == extra);
        }
        // What the browser points at the server refuses, there or at a look-alike before it.
        (Err(ParseError::Symbol { at }), State::Symbol { at: browsers }) => {
            assert!(*at <= browsers);
        }
        // Look-alikes are folded in the browser alone.
        (Err(ParseError::Symbol { at }), _) => {
            let start = entry::offset(text, *at).expect("a place");
            let folded = text.chars().scan(0, |place, character| {
                let here = *place;
                *place += character.len_utf16();
                Some((here, character))
            });
            let found = folded.into_iter().find(|(place, _)| *place == start);
            let character = found.expect("a character").1;
            assert!("018０１８".contains(character), "{character:?} was folded");
        }
        (parsed, state) => panic!("the server says {parsed:?}, the browser {state:?}"),
    }
}

/// A code is read back from however it is written.
fn written(code: &Code) {
    let exposed = code.expose();
    let mut texts = vec![exposed.to_string(), code.bare().to_string()];
    texts.push(exposed.to_lowercase());
    texts.push(format!(" 3. {}\r\n", exposed.replace('-', " – ")));
    texts.push(entry::format(&exposed, None).to_string());
    for text in texts {
        let again = Code::parse(&text).expect("its own code");
        assert_eq!(again.canonical(), code.canonical());
        assert_eq!(again.format(), code.format());
        assert_eq!(again.expose(), exposed);
    }
}

/// A verdict points into the text, and what it says would fit does.
fn judged(text: &str, verdict: &Verdict) {
    assert_eq!(
        verdict.code.is_some(),
        matches!(verdict.state, State::Complete)
    );
    if let State::Symbol { at } = verdict.state {
        assert!(at < verdict.symbols);
        assert!(entry::offset(text, at).is_some());
    }
    assert!(verdict.likely.iter().count() <= MAX_LIKELY);
    let mut last = 0;
    for place in verdict.likely.iter() {
        assert!(place.at >= last && place.at < verdict.symbols);
        last = place.at;
        let start = entry::offset(text, place.at).expect("a place");
        assert!(start < units(text));
        if let Some(symbol) = place.kind.symbol() {
            let mended = replaced(text, start, symbol);
            let state = entry::check(&mended, None).state;
            assert!(
                matches!(place.kind, Kind::LooksLike(_) | Kind::Missing(_))
                    && !matches!(state, State::Check),
                "{symbol} at {} gives {state:?}",
                place.at
            );
        }
    }
    if let Some(code) = &verdict.code {
        written(code);
    }
}

/// Formatting judges nothing, loses nothing and is done once.
fn formatted(text: &str, format: Option<Format>) {
    let once = entry::format(text, format);
    assert_eq!(*once, *entry::format(&once, format));
    // A text that is too long to be looked into comes back as it is.
    if text.len() > code::MAX_INPUT {
        assert_eq!(*once, text);
        return;
    }
    // Narrow forms are shorter, dashes add a few: the state is that of the text all the same.
    if once.len() <= code::MAX_INPUT {
        let (old, new) = (entry::check(text, format), entry::check(&once, format));
        assert_eq!((old.symbols, old.state), (new.symbols, new.state));
    }
}

/// The caret is in the field, at the end of a character; at most the one symbol before a deleted dash
/// is lost, and none is invented.
fn edited(text: &str, caret: usize, format: Option<Format>, edit: &Edit) {
    assert!(edit.caret <= units(&edit.text), "{caret}");
    let mut starts = edit.text.chars().scan(0, |place, character| {
        *place += character.len_utf16();
        Some(*place)
    });
    assert!(edit.caret == 0 || text.len() > code::MAX_INPUT || starts.any(|at| at == edit.caret));
    if text.len() > code::MAX_INPUT {
        assert_eq!(*edit.text, text);
        return;
    }
    let (all, left) = (bare(&entry::format(text, None)), bare(&edit.text));
    if all != left {
        assert_eq!(all.chars().count(), left.chars().count() + 1, "{caret}");
        let mut rest = all.chars();
        assert!(left.chars().all(|symbol| rest.any(|other| other == symbol)));
    }
    let again = entry::edit(&edit.text, edit.caret, format);
    assert_eq!((&again.text, again.caret), (&edit.text, edit.caret));
}

/// Whatever a service or an account is called, a sheet has its codes a line each.
fn on_a_sheet(name: &str) {
    const CODES: [&str; 2] = ["KZ3M-Q7TB-WJ5R-HXYN", "7777-7777-7777-777R"];
    let sheet = Sheet {
        product: name,
        account: name,
        generation: 3,
        date: "2026-11-21",
        url: name,
    };
    let model = sheet.model(&CODES, &Texts::ENGLISH);
    let text = model.text();
    let lines = text.lines();
    let listed = lines.filter(|line| CODES.iter().any(|code| line.ends_with(code)));
    let of_name = CODES.iter().any(|code| name.contains(code));
    assert!(of_name || listed.count() == CODES.len());
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let file = sheet.file_name();
    assert!(!file.contains(['/', '\\', '\0', '\n', '"']) && file.len() <= 255);
    assert!(!file.starts_with('.'));
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Without the dashes that formatting adds.
fn bare(text: &str) -> String {
    text.chars().filter(|character| *character != '-').collect()
}

/// With this symbol instead of the character that starts there.
fn replaced(text: &str, start: usize, symbol: char) -> String {
    let mut place = 0;
    text.chars()
        .map(|character| {
            let here = place;
            place += character.len_utf16();
            if here == start { symbol } else { character }
        })
        .collect()
}
