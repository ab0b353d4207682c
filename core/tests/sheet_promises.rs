//! The saved file: right, safe to paste from, and named so that no other batch overwrites it.

use spare_key_core::{
    Code,
    sheet::{Sheet, Texts},
};

const CODES: [&str; 10] = [
    "AAAA-AAAA-AAAA-AAA3",
    "KZ3M-Q7TB-WJ5R-HXYN",
    "ABCD-EFGH-IJKL-MNOI",
    "QRST-UVWX-YZ23-4567",
    "7777-7777-7777-777R",
    "AAAA-AAAA-AAAA-AAA3",
    "KZ3M-Q7TB-WJ5R-HXYN",
    "ABCD-EFGH-IJKL-MNOI",
    "QRST-UVWX-YZ23-4567",
    "7777-7777-7777-777R",
];

const SHEET: Sheet<'_> = Sheet {
    product: "Example Bank",
    account: "alice@example.com",
    generation: 3,
    date: "21 November 2026",
    url: "https://login.example.com",
};

/// Rows A-11, U12, B-41.
#[test]
fn the_file_says_what_it_is_and_how_to_use_it() {
    let model = SHEET.model(&CODES, &Texts::ENGLISH);
    let text = model.text();
    assert!(text.starts_with(
        "Example Bank recovery codes\r\nAccount: alice@example.com\r\n\
         Set 3, made on 21 November 2026\r\n\r\n 1. AAAA-AAAA-AAAA-AAA3\r\n"
    ));
    assert!(text.contains("\r\n10. 7777-7777-7777-777R\r\n\r\nIf you cannot"));
    for promise in [
        "Each code works once",
        "password manager",
        "not send it by mail",
        "was not you",
        "https://login.example.com",
    ] {
        assert!(text.contains(promise), "{promise}");
    }
    assert!(text.ends_with("\r\n"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(
        text.lines().all(|line| line.trim_end() == line),
        "no trailing markup"
    );
}

/// Row E7.
#[test]
fn every_numbered_line_of_the_file_redeems_as_it_stands() {
    let text = SHEET.model(&CODES, &Texts::ENGLISH).text();
    let numbered: Vec<&str> = text
        .lines()
        .filter(|line| Code::parse(line).is_ok())
        .collect();
    assert_eq!(numbered.len(), 10);
    for (line, code) in numbered.iter().zip(CODES) {
        assert_eq!(Code::parse(line).unwrap().expose().as_str(), code);
    }
}

/// Row B-45.
#[test]
fn a_name_adds_no_lines_and_fills_in_nothing() {
    let sheet = Sheet {
        product: "Evil\r\n 1. {date}\u{202e}\u{2028}",
        ..SHEET
    };
    let model = sheet.model(&CODES, &Texts::ENGLISH);
    assert_eq!(model.title, "Evil   1. {date}   recovery codes");
    let lines = SHEET.model(&CODES, &Texts::ENGLISH).text().lines().count();
    assert_eq!(model.text().lines().count(), lines);
}

#[test]
fn what_is_not_known_is_left_out() {
    let sheet = Sheet {
        account: "",
        url: "",
        ..SHEET
    };
    let model = sheet.model(&CODES[..1], &Texts::ENGLISH);
    assert_eq!(model.facts, ["Set 3, made on 21 November 2026"]);
    assert_eq!(model.notes.len(), 4);
    assert!(model.text().contains("\r\n1. AAAA-AAAA-AAAA-AAA3\r\n"));
}

#[test]
fn the_english_of_the_locale_is_the_english_of_the_sheet() {
    let locale: serde_json::Value =
        serde_json::from_str(include_str!("../../web/locales/en.json")).unwrap();
    let sentence = |name: &'static str| locale[format!("sheet.{name}")].as_str().unwrap();
    let ours = SHEET.model(&CODES, &Texts::ENGLISH).text();
    assert_eq!(SHEET.model(&CODES, &Texts::named(sentence)).text(), ours);
}

#[test]
fn another_language_comes_from_outside() {
    let texts = Texts::named(|name| match name {
        "title" => "{count} Codes für {product}, {unknown} {",
        "batch" => "Satz {generation} vom {date}",
        _ => "",
    });
    let model = SHEET.model(&CODES, &texts);
    assert_eq!(model.title, "10 Codes für Example Bank, {unknown} {");
    assert_eq!(model.facts, ["Satz 3 vom 21 November 2026"]);
    assert!(
        model.notes.is_empty(),
        "a sentence that is not given is left out"
    );
}

/// Row U3.
#[test]
fn the_file_name_tells_product_account_and_batch_on_every_disk() {
    assert_eq!(
        SHEET.file_name(),
        "example-bank-recovery-codes-alice-example-com-g3.txt"
    );
    let next = Sheet {
        generation: 4_294_967_295,
        ..SHEET
    };
    assert_ne!(SHEET.file_name(), next.file_name());
    let odd = Sheet {
        product: "日本",
        account: "../../etc\\passwd:\0",
        ..SHEET
    };
    assert_eq!(odd.file_name(), "recovery-codes-etc-passwd-g3.txt");
    let long = "x@".repeat(500);
    let long = Sheet {
        product: &long,
        account: &long,
        generation: u32::MAX,
        ..SHEET
    };
    assert!(long.file_name().len() <= 128);
}

#[test]
fn the_codes_do_not_show_in_debug_output() {
    let shown = format!("{:?}", SHEET.model(&CODES, &Texts::ENGLISH));
    assert!(!shown.contains("KZ3M"), "{shown}");
}
