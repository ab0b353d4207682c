//! Searching what was left behind for what must not be there, in every form it could take.

use std::collections::{BTreeSet, HashMap};

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};

/// Every form has at least so many bytes.
const START: usize = 4;

/// Something that must be nowhere, in every form it could take.
#[derive(Debug, Clone)]
pub struct Needle {
    /// What it is.
    pub what: String,
    /// As it could be found.
    pub forms: Vec<Vec<u8>>,
}

impl Needle {
    /// A text in its usual encodings, and the bytes it stands for.
    pub fn new(what: &str, texts: &[String], raw: Option<Vec<u8>>) -> Self {
        let mut forms = Vec::new();
        for text in texts {
            let bytes = text.as_bytes();
            let numbers = format!("{bytes:?}");
            for form in [
                text.clone(),
                text.to_lowercase(),
                BASE64.encode(bytes),
                BASE64URL_NOPAD.encode(bytes),
                HEXLOWER.encode(bytes),
                // As bytes are written by `Debug`.
                numbers.trim_matches(['[', ']']).to_owned(),
            ] {
                forms.push(form.into_bytes());
            }
        }
        if let Some(raw) = raw {
            let numbers = format!("{raw:?}");
            forms.push(HEXLOWER.encode(&raw).into_bytes());
            forms.push(numbers.trim_matches(['[', ']']).as_bytes().to_vec());
            forms.push(raw);
        }
        Self {
            what: what.to_owned(),
            forms,
        }
    }

    /// A code: as it is shown, as it is kept in memory, its halves, and the bytes it stands for.
    pub fn code(shown: &str) -> Self {
        let bare = shown.replace('-', "");
        let raw = BASE32_NOPAD.decode(bare.as_bytes()).expect("base32");
        let texts = [
            shown.to_owned(),
            bare.clone(),
            shown.replace('-', " "),
            bare[..8].to_owned(),
            bare[8..].to_owned(),
            shown[..9].to_owned(),
            shown[10..].to_owned(),
        ];
        Self::new(&format!("code {shown}"), &texts, Some(raw))
    }

    /// An authenticator's secret, in base32.
    pub fn secret(text: &str) -> Self {
        let raw = BASE32_NOPAD.decode(text.as_bytes()).expect("base32");
        Self::new("TOTP secret", &[text.to_owned()], Some(raw))
    }

    /// A cookie's value.
    pub fn cookie(value: &str) -> Self {
        let raw = BASE64URL_NOPAD.decode(value.as_bytes()).ok();
        Self::new("cookie", &[value.to_owned()], raw)
    }

    /// A password or a client's secret.
    pub fn password(text: &str) -> Self {
        let texts = [text.to_owned(), text.replace(' ', "+")];
        Self::new("password", &texts, None)
    }
}

/// Something that was left behind.
#[derive(Debug)]
pub struct Hay {
    /// Where.
    pub place: String,
    /// What.
    pub bytes: Vec<u8>,
}

impl Hay {
    /// What was found at a place.
    pub fn new(place: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            place: place.to_owned(),
            bytes: bytes.into(),
        }
    }
}

/// What was found, and where: one pass over everything, by the first bytes of the forms.
pub fn search(needles: &[Needle], hay: &[Hay]) -> BTreeSet<String> {
    let mut by_start: HashMap<&[u8], Vec<(&str, &[u8])>> = HashMap::new();
    for needle in needles {
        for form in &needle.forms {
            let same = by_start.entry(&form[..START]).or_default();
            same.push((&needle.what, form));
        }
    }
    let mut found = BTreeSet::new();
    for Hay { place, bytes } in hay {
        for (at, start) in bytes.windows(START).enumerate() {
            for (what, form) in by_start.get(start).into_iter().flatten() {
                if bytes[at..].starts_with(form) {
                    let form = String::from_utf8_lossy(form);
                    found.insert(format!("{what} as {form:?} in {place}"));
                }
            }
        }
    }
    found
}

/// Text of the shape of a code: four groups of four.
pub fn code_shapes(text: &str) -> Vec<&str> {
    let symbol = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    let shaped = |bytes: &[u8]| {
        bytes.iter().enumerate().all(|(at, byte)| match at % 5 {
            4 => *byte == b'-',
            _ => symbol(*byte),
        })
    };
    let windows = text.as_bytes().windows(19).enumerate();
    windows
        .filter(|(_, bytes)| shaped(bytes))
        .filter_map(|(at, _)| text.get(at..at + 19))
        .collect()
}
