//! One JSON object a line, one account an object. A line is read when it is needed and zeroed after,
//! so a file of any length will do.

use std::io::{BufRead, Read as _};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::strength::{BITS_MIN, BITS_OURS, bits};
use super::{Form, Item, Read, Reason, Sink};
use crate::domain::{ForeignBatch, ForeignVerifier};
use crate::hasher::Recipe;
use crate::model::{AccountId, Imported, Letters, Origin, Separators};

/// The longest line, in bytes: sixteen verifiers are not a quarter of it.
const LINE_MAX: usize = 64 * 1024;

/// A code or a verifier of the file's. Zeroed on drop, and not `Debug`.
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    account: String,
    /// By number; `null` is one that was used.
    codes: Vec<Option<Secret>>,
    letters: Option<LettersName>,
    separators: Option<SeparatorsName>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LettersName {
    Kept,
    Upper,
    Lower,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SeparatorsName {
    Kept,
    Ignored,
}

#[derive(Deserialize)]
struct SupabaseLine {
    user_id: String,
    codes: Vec<SupabaseCode>,
}

#[derive(Deserialize)]
struct SupabaseCode {
    code_hash: Secret,
    consumed_at: Option<String>,
}

/// Reads to the end of the file, or until nobody listens any more.
pub(super) fn read(mut source: impl BufRead, form: Form, sink: Sink<'_>) -> Result<(), ()> {
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_MAX + 1));
    for at in 1.. {
        line.clear();
        let most = LINE_MAX as u64 + 1;
        match source.by_ref().take(most).read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return sink(Item::Broken(error.kind().to_string().into())),
        }
        if line.len() > LINE_MAX {
            // What follows is the rest of it.
            return sink(Item::Broken(
                format!("line {at} is longer than {LINE_MAX} bytes").into(),
            ));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let read = match form {
            Form::Supabase => supabase(&line),
            Form::Plaintext => plaintext(&line),
            Form::Phc | Form::Keycloak => phc(&line),
        };
        sink(Item::Account(at, read))?;
    }
    Ok(())
}

/// What the parser says may repeat the line; only where it stopped is told.
pub(super) fn not_of_the_form(error: &serde_json::Error) -> Reason {
    format!(
        "not of the form that is asked for, at column {}",
        error.column()
    )
    .into()
}

pub(super) fn account(text: &str) -> Result<AccountId, Reason> {
    AccountId::parse(text).ok_or("the account's identifier is empty, too long or not text".into())
}

fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, Reason> {
    serde_json::from_slice(line).map_err(|error| not_of_the_form(&error))
}

fn verifier(number: u32, text: &Secret) -> Result<ForeignVerifier, Reason> {
    let (recipe, digest) =
        Recipe::of_verifier(&text.0).map_err(|unfit| format!("code {number}: {unfit}"))?;
    Ok(ForeignVerifier {
        number,
        recipe,
        digest,
    })
}

fn phc(line: &[u8]) -> Result<Read, Reason> {
    let line: Line = parsed(line)?;
    let account = account(&line.account)?;
    let unused = (1..).zip(&line.codes);
    let unused = unused.filter_map(|(number, code)| Some((number, code.as_ref()?)));
    let codes: Result<_, Reason> = unused
        .map(|(number, text)| verifier(number, text))
        .collect();
    Ok(Read {
        batch: ForeignBatch {
            account,
            imported: line.rule(Origin::Phc, Letters::Kept, Separators::Kept),
            codes: codes?,
        },
        // A verifier says nothing of it.
        weak: false,
    })
}

fn supabase(line: &[u8]) -> Result<Read, Reason> {
    let line: SupabaseLine = parsed(line)?;
    let account = account(&line.user_id)?;
    let unused = (1..).zip(&line.codes);
    let unused = unused.filter(|(_, code)| code.consumed_at.is_none());
    let codes: Result<_, Reason> = unused
        .map(|(number, code)| verifier(number, &code.code_hash))
        .collect();
    Ok(Read {
        batch: ForeignBatch {
            account,
            imported: Imported {
                origin: Origin::Supabase,
                letters: Letters::Lower,
                separators: Separators::Ignored,
            },
            codes: codes?,
        },
        weak: false,
    })
}

fn plaintext(line: &[u8]) -> Result<Read, Reason> {
    let line: Line = parsed(line)?;
    let account = account(&line.account)?;
    let texts = || line.codes.iter().flatten().map(|code| code.0.as_bytes());
    // Letters of one case only are read in either.
    let has = |is: fn(&u8) -> bool| texts().flatten().any(is);
    let letters = if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) {
        Letters::Kept
    } else {
        Letters::Upper
    };
    let imported = line.rule(Origin::Plaintext, letters, Separators::Ignored);
    let mut codes = Vec::new();
    for (number, code) in (1..).zip(&line.codes) {
        let Some(code) = code else { continue };
        let recipe = Recipe::plain();
        let digest = imported
            .read(&code.0)
            .and_then(|code| recipe.quick(&code))
            .ok_or_else(|| format!("code {number}: not 1 to 64 visible ASCII characters"))?;
        codes.push(ForeignVerifier {
            number,
            recipe,
            digest,
        });
    }
    let bits = bits(codes.iter().map(|code| code.digest.as_slice()));
    if !codes.is_empty() && bits < BITS_MIN {
        return Err(format!("codes that cannot have {BITS_MIN} bits would be guessed").into());
    }
    Ok(Read {
        batch: ForeignBatch {
            account,
            imported,
            codes,
        },
        weak: bits < BITS_OURS,
    })
}

impl Line {
    /// How its codes are read: as it says, or else as is usual.
    fn rule(&self, origin: Origin, letters: Letters, separators: Separators) -> Imported {
        Imported {
            origin,
            letters: match self.letters {
                None => letters,
                Some(LettersName::Kept) => Letters::Kept,
                Some(LettersName::Upper) => Letters::Upper,
                Some(LettersName::Lower) => Letters::Lower,
            },
            separators: match self.separators {
                None => separators,
                Some(SeparatorsName::Kept) => Separators::Kept,
                Some(SeparatorsName::Ignored) => Separators::Ignored,
            },
        }
    }
}
