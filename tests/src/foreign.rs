//! Codes as other systems keep them, made by another implementation than ours: Python's hashlib.

use std::process::Command;

use data_encoding::BASE64;
use spare_key_server::domain::{ForeignBatch, ForeignVerifier, ImportHow, ImportOutcome};
use spare_key_server::hasher::Recipe;
use spare_key_server::model::{AccountId, Imported, Letters, Origin, Separators};
use zeroize::Zeroizing;

use crate::App;

/// Prints each code's verifier, of the kind that is named first.
const MAKE: &str = r"
import base64, hashlib, sys
bare = lambda raw: base64.b64encode(raw).decode().rstrip('=')
def keycloak(code, salt):
    return base64.b64encode(hashlib.sha512(code).digest()).decode()
def scrypt(code, salt):
    raw = hashlib.scrypt(code, salt=salt, n=1024, r=8, p=1, dklen=32)
    return '$scrypt$ln=10,r=8,p=1$' + bare(salt) + '$' + bare(raw)
def pbkdf2(code, salt):
    raw = hashlib.pbkdf2_hmac('sha512', code, salt, 1000, 64)
    return '$pbkdf2-sha512$i=1000$' + bare(salt) + '$' + bare(raw)
for code in sys.argv[2:]:
    salt = hashlib.sha256(code.encode()).digest()[:16]
    print(globals()[sys.argv[1]](code.encode(), salt))
";

/// The verifiers of these codes: `keycloak`, `scrypt` or `pbkdf2`.
///
/// # Panics
/// There is no `python3`.
pub fn verifiers(kind: &str, codes: &[&str]) -> Vec<String> {
    let mut python = Command::new("python3");
    let output = python.args(["-c", MAKE, kind]).args(codes).output();
    let output = output.expect("python3");
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).expect("text");
    printed.lines().map(str::to_owned).collect()
}

/// Read in either case, without spaces and dashes.
pub fn forgiving(origin: Origin) -> Imported {
    Imported {
        origin,
        letters: match origin {
            Origin::Supabase => Letters::Lower,
            _ => Letters::Upper,
        },
        separators: Separators::Ignored,
    }
}

/// Read as it was.
pub const EXACT: Imported = Imported {
    origin: Origin::Phc,
    letters: Letters::Kept,
    separators: Separators::Kept,
};

/// A batch of what the origin keeps of its codes, numbered from 1: PHC strings, Keycloak's digests,
/// or codes as they are.
///
/// # Panics
/// It is nothing of the kind.
pub fn batch(account: &str, imported: Imported, kept: &[String]) -> ForeignBatch {
    let read = |text: &String| match imported.origin {
        Origin::Phc | Origin::Supabase => Recipe::of_verifier(text).expect("a verifier"),
        Origin::Keycloak => {
            let digest = BASE64.decode(text.as_bytes()).expect("base64");
            (Recipe::sha512(), Zeroizing::new(digest))
        }
        Origin::Plaintext => {
            let code = imported.read(text).expect("a code");
            let digest = Recipe::plain().quick(&code).expect("nothing to compute");
            (Recipe::plain(), digest)
        }
    };
    let codes = (1..).zip(kept.iter().map(read));
    ForeignBatch {
        account: AccountId::parse(account).expect("an identifier"),
        imported,
        codes: codes
            .map(|(number, (recipe, digest))| ForeignVerifier {
                number,
                recipe,
                digest,
            })
            .collect(),
    }
}

impl App {
    /// Imports a batch for a host's account, or in place of what somebody has.
    ///
    /// # Panics
    /// It cannot be.
    pub async fn import(&self, account: &str, imported: Imported, kept: &[String]) {
        let batch = batch(account, imported, kept);
        self.mfa().import_fits(&batch).expect("it fits");
        let how = ImportHow {
            create: true,
            replace: true,
        };
        let outcome = self.mfa().import(&batch, how).await.expect("it is stored");
        assert_eq!(outcome, ImportOutcome::Taken);
    }
}
