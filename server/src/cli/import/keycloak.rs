//! Keycloak's export: the users of a realm, each with its credentials. The document is read user by
//! user and what is not asked for is skipped, so that a realm of any size will do.
//!
//! `RecoveryAuthnCodesUtils.hashRawCode` of keycloak/keycloak is one SHA-512 of the bare code, in
//! base64. `hashIterations` never had a meaning there and `algorithm` was `RS512` before it was
//! `SHA-512` (issue 39243).

use std::fmt;
use std::io::BufRead;

use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use zeroize::Zeroizing;

use super::lines::{Secret, account, not_of_the_form};
use super::strength::{BITS_OURS, KEYCLOAK_BITS};
use super::{By, Item, Read, Reason, Sink};
use crate::domain::{ForeignBatch, ForeignVerifier};
use crate::hasher::Recipe;
use crate::model::{Imported, Letters, Origin, Separators};

/// The longest document, in bytes; larger realms are exported in several files.
const DOCUMENT_MAX: u64 = 1 << 30;

/// The credential that holds recovery codes.
const TYPE: &str = "recovery-authn-codes";

/// SHA-512's length, in bytes.
const DIGEST: usize = 64;

#[derive(Deserialize)]
struct User {
    id: Option<String>,
    username: Option<String>,
    email: Option<String>,
    #[serde(default)]
    credentials: Vec<Credential>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    #[serde(rename = "type")]
    kind: Option<String>,
    secret_data: Option<Secret>,
    credential_data: Option<String>,
}

#[derive(Deserialize)]
struct SecretData {
    codes: Vec<Code>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Code {
    number: u32,
    encoded_hashed_value: Option<Secret>,
}

#[derive(Deserialize)]
struct CredentialData {
    algorithm: Option<String>,
}

/// Reads to the end of the document, or until nobody listens any more.
pub(super) fn read(source: impl BufRead, by: By, sink: Sink<'_>) -> Result<(), ()> {
    let mut heard = Ok(());
    let document = Document {
        by,
        sink: &mut *sink,
        heard: &mut heard,
    };
    let mut json = serde_json::Deserializer::from_reader(source.take(DOCUMENT_MAX));
    let read = document.deserialize(&mut json).and_then(|()| json.end());
    heard?;
    match read {
        Ok(()) => Ok(()),
        Err(error) => {
            let line = error.line();
            let reason = not_of_the_form(&error);
            sink(Item::Broken(format!("line {line}: {reason}").into()))
        }
    }
}

/// A realm, or its users alone.
struct Document<'a> {
    by: By,
    sink: Sink<'a>,
    heard: &'a mut Result<(), ()>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a realm with users")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { by, sink, heard } = self;
        let mut any = false;
        while let Some(name) = members.next_key::<String>()? {
            if name == "users" {
                any = true;
                members.next_value_seed(Users {
                    by,
                    sink: &mut *sink,
                    heard: &mut *heard,
                })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if any {
            Ok(())
        } else {
            Err(A::Error::missing_field("users"))
        }
    }
}

struct Users<'a> {
    by: By,
    sink: Sink<'a>,
    heard: &'a mut Result<(), ()>,
}

impl<'de> DeserializeSeed<'de> for Users<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Users<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut users: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(user) = users.next_element::<User>()? {
            at += 1;
            let Some(read) = codes_of(&user, self.by).transpose() else {
                continue;
            };
            *self.heard = (self.sink)(Item::Account(at, read));
            if self.heard.is_err() {
                return Err(A::Error::custom("nobody listens"));
            }
        }
        Ok(())
    }
}

/// A user's codes; `None` has none.
fn codes_of(user: &User, by: By) -> Result<Option<Read>, Reason> {
    let mut sets = user
        .credentials
        .iter()
        .filter(|credential| credential.kind.as_deref() == Some(TYPE));
    let Some(set) = sets.next() else {
        return Ok(None);
    };
    if sets.next().is_some() {
        return Err("the user has several sets of recovery codes".into());
    }
    let name = match by {
        By::Id => &user.id,
        By::Username => &user.username,
        By::Email => &user.email,
    };
    let name = name.as_deref().ok_or("the user lacks what --by names")?;
    let account = account(name)?;
    let data = set.credential_data.as_deref().unwrap_or("{}");
    let data: CredentialData = serde_json::from_str(data)
        .map_err(|error| format!("credentialData: {}", not_of_the_form(&error)))?;
    if !matches!(data.algorithm.as_deref(), Some("RS512" | "SHA-512")) {
        return Err("hashed otherwise than by SHA-512".into());
    }
    let secret = set.secret_data.as_ref().ok_or("secretData is missing")?;
    let secret: SecretData = serde_json::from_str(&secret.0)
        .map_err(|error| format!("secretData: {}", not_of_the_form(&error)))?;
    let codes: Result<_, Reason> = secret.codes.iter().map(verifier).collect();
    Ok(Some(Read {
        batch: ForeignBatch {
            account,
            imported: Imported {
                origin: Origin::Keycloak,
                letters: Letters::Upper,
                separators: Separators::Ignored,
            },
            codes: codes?,
        },
        weak: KEYCLOAK_BITS < BITS_OURS,
    }))
}

fn verifier(code: &Code) -> Result<ForeignVerifier, Reason> {
    let number = code.number;
    let digest = code
        .encoded_hashed_value
        .as_ref()
        .and_then(|text| BASE64.decode(text.0.as_bytes()).ok())
        .map(Zeroizing::new)
        .filter(|digest| digest.len() == DIGEST)
        .ok_or_else(|| format!("code {number}: no SHA-512 in base64"))?;
    Ok(ForeignVerifier {
        number,
        recipe: Recipe::sha512(),
        digest,
    })
}
