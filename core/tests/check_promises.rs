//! What the check symbol promises, tried out exhaustively rather than believed.

use proptest::prelude::*;
use spare_key_core::{
    Batch, Code, DraftError, Format, ParseError, Spec, SpecError, alphabet, batch, check, entry,
};

const FORMATS: [Format; 2] = [Format::List, Format::Single];

/// Random enough for tests and the same on every run (SplitMix64).
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| (self.next() >> 32) as u8);
    }

    fn code(&mut self, format: Format) -> Vec<u8> {
        let mut values = vec![0; format.random_symbols()];
        self.fill(&mut values);
        values.iter_mut().for_each(|value| *value &= 31);
        values.push(check::check_symbol(&values));
        assert!(check::is_valid(&values));
        values
    }
}

fn text(values: &[u8]) -> String {
    values
        .iter()
        .map(|value| alphabet::symbol(*value))
        .collect()
}

/// Row E9.
#[test]
fn every_single_wrong_symbol_is_found() {
    let mut stream = Stream(1);
    for format in FORMATS {
        for _ in 0..100 {
            let code = stream.code(format);
            for at in 0..code.len() {
                for wrong in (0..32).filter(|wrong| *wrong != code[at]) {
                    let mut mistyped = code.clone();
                    mistyped[at] = wrong;
                    assert!(!check::is_valid(&mistyped), "{} at {at}", text(&mistyped));
                }
            }
        }
    }
}

#[test]
fn every_swap_of_two_symbols_is_found() {
    let mut stream = Stream(2);
    for format in FORMATS {
        for code in (0..1000).map(|_| stream.code(format)).collect::<Vec<_>>() {
            for (one, other) in (0..code.len()).flat_map(|j| (0..j).map(move |i| (i, j))) {
                let mut swapped = code.clone();
                swapped.swap(one, other);
                assert_eq!(check::is_valid(&swapped), code[one] == code[other]);
                if other == one + 1 {
                    assert_eq!(
                        check::is_valid_swapped(&code, one),
                        check::is_valid(&swapped)
                    );
                }
            }
        }
    }
}

#[test]
fn every_twin_error_is_found() {
    let mut stream = Stream(3);
    for format in FORMATS {
        for _ in 0..1000 {
            let at = stream.next() as usize % (format.symbols() - 1);
            let mut values = stream.code(format);
            values[at + 1] = values[at];
            // Make the twin part of a valid code again, at a place outside of it.
            let free = if at == 0 { 2 } else { 0 };
            values[free] = check::erasure(&values, free);
            assert!(check::is_valid(&values));
            let twin = values[at];
            for wrong in (0..32).filter(|wrong| *wrong != twin) {
                values[at] = wrong;
                values[at + 1] = wrong;
                assert!(!check::is_valid(&values), "{} at {at}", text(&values));
            }
        }
    }
}

#[test]
fn a_smudged_symbol_is_known_at_every_place() {
    let mut stream = Stream(4);
    for format in FORMATS {
        for _ in 0..200 {
            let code = stream.code(format);
            for at in 0..code.len() {
                let mut smudged = code.clone();
                smudged[at] = stream.next() as u8 & 31;
                assert_eq!(check::erasure(&smudged, at), code[at]);
                let fitting = (0..32).filter(|value| {
                    smudged[at] = *value;
                    check::is_valid(&smudged)
                });
                assert_eq!(fitting.count(), 1);
            }
        }
    }
}

#[test]
fn one_in_thirty_two_random_texts_passes_and_no_more() {
    let mut stream = Stream(5);
    for format in FORMATS {
        let accepted = (0..100_000).filter(|_| {
            let mut values = vec![0; format.symbols()];
            stream.fill(&mut values);
            values.iter_mut().for_each(|value| *value &= 31);
            check::is_valid(&values)
        });
        // 3125 expected, sigma 55.
        let accepted = accepted.count();
        assert!((2960..=3290).contains(&accepted), "{accepted}");
    }
}

/// The groups of `entry`, written down a second time.
const LOOK_ALIKES: [&str; 14] = [
    "OQD", "ILJT", "S5", "Z27", "G6C", "UVY", "MN", "KX", "A4", "PR", "EF", "B36", "VW", "HN",
];

#[test]
fn the_true_place_of_a_usual_slip_is_among_the_likely_ones() {
    let mut stream = Stream(6);
    let pairs: Vec<(char, char)> = LOOK_ALIKES
        .iter()
        .flat_map(|group| {
            group
                .chars()
                .flat_map(|a| group.chars().map(move |b| (a, b)))
        })
        .filter(|(a, b)| a != b)
        .collect();
    for (right, wrong) in pairs {
        for at in 0..16 {
            let mut values = stream.code(Format::List);
            values[at] = alphabet::value(right).unwrap();
            let free = (at + 5) % 16;
            values[free] = check::erasure(&values, free);
            values[at] = alphabet::value(wrong).unwrap();
            let verdict = entry::check(&text(&values), None);
            let place = entry::Place {
                at,
                kind: entry::Kind::LooksLike(right),
            };
            assert_eq!(verdict.state, entry::State::Check);
            assert!(
                verdict.code.is_none(),
                "a repaired code must not be offered"
            );
            assert!(
                verdict.likely.iter().any(|likely| likely == place),
                "{}",
                text(&values)
            );
            assert!(verdict.likely.iter().count() <= entry::MAX_LIKELY);
        }
    }
}

#[test]
fn the_true_place_of_a_swap_is_among_the_likely_ones() {
    let mut stream = Stream(7);
    for at in (0..15).cycle().take(3000) {
        let mut values = stream.code(Format::List);
        values.swap(at, at + 1);
        let verdict = entry::check(&text(&values), None);
        let place = entry::Place {
            at,
            kind: entry::Kind::SwappedWithNext,
        };
        let found = verdict.likely.iter().any(|likely| likely == place);
        assert!(found || values[at] == values[at + 1], "{}", text(&values));
    }
}

/// Row E2.
#[test]
fn a_lone_one_is_read_as_the_letter_that_fits() {
    let mut stream = Stream(8);
    for (letter, at) in ['I', 'L']
        .into_iter()
        .flat_map(|letter| (0..15).map(move |at| (letter, at)))
    {
        let mut values = stream.code(Format::List);
        values[at] = alphabet::value(letter).unwrap();
        values[15] = check::check_symbol(&values[..15]);
        let mut typed = text(&values);
        let wanted = typed.clone();
        typed.replace_range(at..=at, "1");
        let code = entry::check(&typed, None).code.unwrap();
        assert_eq!(code.canonical(), wanted.as_bytes());
        assert_eq!(
            Code::parse(&typed).unwrap_err(),
            ParseError::Symbol { at },
            "never on the server"
        );
    }
}

/// Row L9.
#[test]
fn the_same_stream_gives_the_same_batch_and_no_code_twice() {
    let draft = |seed| {
        let mut stream = Stream(seed);
        Batch::draft(Spec::LIST, |bytes| stream.fill(bytes), |_| true).unwrap()
    };
    let shown = |batch: &Batch| -> Vec<String> {
        batch
            .codes()
            .iter()
            .map(|code| code.expose().to_string())
            .collect()
    };
    let batch = draft(9);
    assert_eq!(shown(&batch), shown(&draft(9)));
    assert_ne!(shown(&batch), shown(&draft(10)));
    assert_eq!((batch.spec(), batch.codes().len()), (Spec::LIST, 10));
    assert!(shown(&batch).iter().all(|code| Code::parse(code).is_ok()));
    assert_eq!(batch.into_codes().len(), 10);
}

/// Row L9.
#[test]
fn an_equal_code_and_a_refused_code_are_drawn_anew() {
    let mut bytes = [1, 1, 2, 3, 3, 4].into_iter();
    let draw = |buffer: &mut [u8]| buffer.fill(bytes.next().unwrap());
    let accept = |code: &Code| !code.canonical().starts_with(b"C");
    let batch = Batch::draft(Spec::new(Format::List, 3).unwrap(), draw, accept).unwrap();
    let first: Vec<u8> = batch
        .codes()
        .iter()
        .map(|code| code.canonical()[0])
        .collect();
    assert_eq!(first, b"BDE");
}

#[test]
fn a_broken_stream_ends_in_an_error_and_not_in_a_loop() {
    let mut draws = 0;
    let stuck = Batch::draft(
        Spec::LIST,
        |bytes| {
            draws += 1;
            bytes.fill(0);
        },
        |_| true,
    );
    assert_eq!(stuck.unwrap_err(), DraftError::Redraws);
    assert_eq!(draws, 2 + batch::MAX_REDRAWS);
}

/// Rows S4, A-02, A-07.
#[test]
fn every_byte_of_the_stream_is_one_symbol_without_bias() {
    let mut hits = [0; 128];
    for byte in 0..=255 {
        let spec = Spec::new(Format::Single, 1).unwrap();
        let batch = Batch::draft(spec, |bytes| bytes.fill(byte), |_| true).unwrap();
        hits[usize::from(batch.codes()[0].canonical()[0])] += 1;
    }
    assert!(
        alphabet::SYMBOLS
            .iter()
            .all(|symbol| hits[usize::from(*symbol)] == 8)
    );
}

/// Rows S3, A-01.
#[test]
fn a_batch_has_one_to_sixteen_codes() {
    assert_eq!(Spec::new(Format::List, 0), Err(SpecError::Count { got: 0 }));
    assert_eq!(
        Spec::new(Format::List, 17),
        Err(SpecError::Count { got: 17 })
    );
    assert!((1..=16).all(|count| Spec::new(Format::Single, count).is_ok()));
    assert_eq!(
        (Format::List.random_bits(), Format::Single.random_bits()),
        (75, 115)
    );
}

#[test]
fn every_type_that_holds_a_code_is_zeroed_on_drop() {
    // The bytes can't be looked at afterwards without unsafe code; the wasm tests do, in the
    // browser module's memory. Here the types must promise it.
    fn zeroed<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    let code = Code::parse("KZ3M-Q7TB-WJ5R-HXYN").unwrap();
    zeroed(&code);
    zeroed(&code.expose());
    zeroed(&spare_key_core::read("KZ3M").unwrap().symbols);
    zeroed(&entry::edit("KZ3M", 0, None).text);
}

/// Row S16.
#[test]
fn no_code_shows_in_debug_output() {
    let code = Code::parse("KZ3M-Q7TB-WJ5R-HXYN").unwrap();
    let reading = spare_key_core::read("KZ3M-Q7TB-WJ5R-HXYN").unwrap();
    let verdict = entry::check("KZ3M-Q7TB-WJ5R-HXYN", None);
    let edit = entry::edit("KZ3M-Q7TB-WJ5R-HXYN", 3, None);
    let mut stream = Stream(1);
    let batch = Batch::draft(Spec::SINGLE, |bytes| stream.fill(bytes), |_| true).unwrap();
    let own = batch.codes()[0].expose();
    let shown = format!("{code:?} {reading:?} {verdict:?} {edit:?} {batch:?} {batch:#?}");
    for secret in ["KZ3M", "Q7TB", "HXYN", &own.as_str()[..4]] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.starts_with("Code(…)"));
}

proptest! {
    /// Rows A-41, E3.
    #[test]
    fn reading_never_panics(text in any::<String>()) {
        let _ = Code::parse(&text);
        let _ = entry::check(&text, None);
    }

    #[test]
    fn what_is_shown_is_read_back(random in proptest::collection::vec(0u8..32, 15), case in any::<bool>()) {
        let mut values = random;
        values.push(check::check_symbol(&values));
        let code = Code::parse(&text(&values)).unwrap();
        let shown = code.expose();
        let again = if case { shown.to_ascii_lowercase() } else { shown.to_string() };
        prop_assert!(Code::parse(&again).unwrap().canonical() == code.canonical());
        // Folding look-alikes never changes a code that is already valid.
        let verdict = entry::check(&again, None);
        prop_assert!(verdict.code.unwrap().canonical() == code.canonical());
    }

    /// Rows A-42, E1.
    #[test]
    fn decorations_do_not_matter(
        decorations in proptest::collection::vec("[-_ \t\u{a0}\u{ad}\u{200b}\u{2013}\u{2212}\u{3000}\u{feff}]{0,4}", 17),
        number in "([ ]?[0-9]{1,2}[.)] ?)?",
    ) {
        let mut decorated = number;
        for (symbol, decoration) in "KZ3MQ7TBWJ5RHXYN".chars().zip(&decorations) {
            decorated.push_str(decoration);
            decorated.push(symbol);
        }
        decorated.push_str(&decorations[16]);
        prop_assert!(Code::parse(&decorated).unwrap().canonical() == b"KZ3MQ7TBWJ5RHXYN");
    }
}
