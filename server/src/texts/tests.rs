//! What must hold of the texts of every language.

use std::collections::{BTreeMap, BTreeSet};

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

#[test]
fn a_number_and_a_date_are_said_by_the_rule_of_the_language() {
    let arabic = Texts::of_language(Language::Arabic);
    let minutes = [0, 1, 2, 3, 11, 100].map(|n| arabic.count("time.minutes", &n));
    let plain = minutes.map(|text| text.replace(['\u{2068}', '\u{2069}'], ""));
    assert_eq!(
        plain,
        [
            "0 دقيقة",
            "دقيقة واحدة",
            "دقيقتين",
            "3 دقائق",
            "11 دقيقة",
            "100 دقيقة"
        ]
    );
    let french = Texts::of_language(Language::French);
    assert_eq!(french.count("time.hours", &0), "0 heure");
    let at = Timestamp(1_795_219_200_000);
    let said = |language| Texts::of_language(language).day(at).text;
    assert_eq!(said(Language::English), "21 November 2026");
    assert_eq!(said(Language::German), "21. November 2026");
    assert_eq!(said(Language::Spanish), "21 de noviembre de 2026");
    assert_eq!(said(Language::French), "21 novembre 2026");
    assert_eq!(said(Language::Japanese), "2026年11月21日");
    assert_eq!(said(Language::Arabic), "21 نوفمبر 2026");
    let first = Timestamp(1_795_219_200_000 - 20 * 86_400_000);
    assert_eq!(french.day(first).text, "1er novembre 2026");
    let english = Texts::english();
    assert_eq!(english.moment(at).text, "21 November 2026, 00:00 UTC");
}

#[test]
fn what_is_filled_in_keeps_its_direction_among_arabic() {
    let arabic = Texts::of_language(Language::Arabic);
    let said = arabic.fill("account.signedInAs", &[("account", "a@b.example".into())]);
    assert!(said.contains("\u{2068}a@b.example\u{2069}"), "{said}");
}

/// The plural forms that a language has (Unicode CLDR).
fn forms(language: Language) -> BTreeSet<&'static str> {
    let rules = plurals(language).expect("a rule");
    rules.categories().map(name_of).collect()
}

/// A key without its plural form, and the form; `None` of a text that is no plural.
fn split(key: &str) -> Option<(&str, &str)> {
    let (stem, form) = key.rsplit_once('.')?;
    let known = ["zero", "one", "two", "few", "many", "other"].contains(&form);
    let plural = Texts::english().has(&format!("{stem}.other"));
    (known && plural).then_some((stem, form))
}

/// The names of what is filled into a text.
fn names(text: &str) -> BTreeSet<String> {
    let pieces = text.split('{').skip(1);
    pieces
        .filter_map(|piece| piece.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Every key of a language, each plural once.
fn keys(language: Language) -> BTreeSet<String> {
    let table = Texts::of_language(language).table;
    let named = |key: &String| split(key).map_or(key.as_str(), |(stem, _)| stem).to_owned();
    table.keys().map(named).collect()
}

#[test]
fn no_language_lacks_a_text_or_has_one_too_many() {
    let english = keys(Language::English);
    assert!(english.len() > 250, "where are the texts?");
    for language in Language::ALL {
        let own = keys(language);
        let missing: Vec<_> = english.difference(&own).collect();
        let extra: Vec<_> = own.difference(&english).collect();
        assert!(missing.is_empty(), "{language:?} lacks {missing:#?}");
        assert!(extra.is_empty(), "{language:?} has {extra:#?}");
        for (key, text) in Texts::of_language(language).table {
            assert!(!text.is_empty(), "{language:?} {key}");
        }
    }
}

#[test]
fn every_text_fills_in_what_the_english_one_does() {
    let english = Texts::english().table;
    for language in Language::ALL {
        for (key, text) in Texts::of_language(language).table {
            let (stem, form) = split(key).unwrap_or((key, ""));
            let of_english = english
                .get(key)
                .or_else(|| english.get(&format!("{stem}.other")));
            let wanted = names(of_english.expect("the same keys"));
            let found = names(text);
            // "One minute", "two minutes": some forms say the number without a figure.
            let may_lack = ["zero", "one", "two"].contains(&form);
            if may_lack {
                assert!(found.is_subset(&wanted), "{language:?} {key}: {text}");
            } else {
                assert_eq!(found, wanted, "{language:?} {key}: {text}");
            }
        }
    }
}

#[test]
fn every_plural_has_just_the_forms_of_its_language() {
    for language in Language::ALL {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for key in Texts::of_language(language).table.keys() {
            if let Some((stem, form)) = split(key) {
                found.entry(stem).or_default().insert(form);
            }
        }
        assert!(found.len() >= 6, "{language:?}: {found:?}");
        for (stem, own) in found {
            assert_eq!(own, forms(language), "{language:?} {stem}");
        }
    }
}

#[test]
fn no_text_was_left_in_english() {
    // Names, and words that are the same in both.
    let same = [
        "login.logoAltText",
        "mfa-otp-enrollment-qr.logoAltText",
        "mfa-otp-challenge.logoAltText",
        "mfa-recovery-code-enrollment.logoAltText",
        "mfa-recovery-code-challenge.logoAltText",
        "mfa-recovery-code-challenge-new-code.logoAltText",
        "home.pageTitle",
        "docs.pageTitle",
        "docs.api",
        "docs.version",
        "date.day",
        "date.first",
        "date.moment",
    ];
    let english = Texts::english().table;
    for language in Language::ALL.into_iter().skip(1) {
        let table = Texts::of_language(language).table;
        let left: Vec<_> = table
            .iter()
            .filter(|(key, text)| english.get(*key) == Some(*text))
            .map(|(key, _)| key.as_str())
            .filter(|key| !same.contains(key) && !key.starts_with("date.month."))
            .collect();
        // A word or two happen to be the same: "Installation", "Version".
        assert!(left.len() <= 6, "{language:?}: {left:#?}");
    }
}
