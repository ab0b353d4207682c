//! Verifiers that other systems made: reading them, what they cost, and digesting a text as they
//! did. Nothing new is ever hashed this way; what comes out is hashed once more, as our own are.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use aws_lc_rs::pbkdf2;
use data_encoding::{BASE64_NOPAD, Encoding, Specification};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::{HashFault, Memory};
use crate::model::{ForeignCode, HashParams};

/// The longest verifier that is read, in bytes.
const TEXT_MAX: usize = 512;

/// The salts that are read, in bytes.
const SALT: std::ops::RangeInclusive<usize> = 4..=64;

/// The digests that are read, in bytes: 128 bits at least, so that none is matched by chance.
const DIGEST: std::ops::RangeInclusive<usize> = 16..=64;

/// Lanes and parallelism are run one after the other here.
const LANES_MAX: u32 = 16;

/// bcrypt's own digest, in bytes.
const BCRYPT_DIGEST: usize = 23;

/// A batch's verifiers may cost so many of our own hashes together: all of them are run for every
/// code that is tried. A second at most on one worker, which does others' hashes in between; ten
/// codes by bcrypt of cost 10, or by PBKDF2 as OWASP asks for, are within it.
pub const WORK_MAX: u64 = 64;

/// bcrypt's base64: its own alphabet, and the last bits are anybody's.
static BCRYPT_BASE64: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols
        .push_str("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    spec.check_trailing_bits = false;
    spec.encoding().ok()
});

/// Why a verifier is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is in no notation that is known, or is cut off.
    #[error("no verifier of a kind that is known")]
    Unknown,
    /// Its parameters are out of their own bounds.
    #[error("parameters, salt or digest out of bounds")]
    Unsound,
    /// It needs more memory than one of our own hashes.
    #[error("needs more memory than one hash of this server")]
    Memory,
}

/// How a text was digested elsewhere: algorithm, cost and salt, and never a digest.
#[derive(Clone)]
pub struct Recipe {
    head: String,
    length: usize,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Plain,
    Sha512,
    Argon2(Algorithm, Version, HashParams, Vec<u8>),
    Bcrypt(u32, [u8; 16]),
    Pbkdf2(Sha, NonZeroU32, Vec<u8>),
    Scrypt(scrypt::Params, Vec<u8>),
}

#[derive(Clone, Copy)]
enum Sha {
    Sha256,
    Sha512,
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipe(…)")
    }
}

impl Recipe {
    /// The text itself.
    pub fn plain() -> Self {
        Self {
            head: "plain".to_owned(),
            length: 0,
            kind: Kind::Plain,
        }
    }

    /// One SHA-512 of the text, without a salt.
    pub fn sha512() -> Self {
        Self {
            head: "sha512".to_owned(),
            length: 64,
            kind: Kind::Sha512,
        }
    }

    /// Takes a verifier apart: how it was made, and its digest. PHC strings of Argon2, scrypt and
    /// PBKDF2 (also as passlib writes them), and bcrypt's.
    ///
    /// # Errors
    /// [`Unfit::Unknown`], [`Unfit::Unsound`].
    pub fn of_verifier(text: &str) -> Result<(Self, Zeroizing<Vec<u8>>), Unfit> {
        if text.len() > TEXT_MAX || !text.is_ascii() {
            return Err(Unfit::Unknown);
        }
        let (head, digest) = if is_bcrypt(text) {
            let (head, digest) = text.split_at_checked(29).ok_or(Unfit::Unknown)?;
            (head, bcrypt_base64(digest)?)
        } else {
            let (head, digest) = text.rsplit_once('$').ok_or(Unfit::Unknown)?;
            (head, base64(digest)?)
        };
        let recipe = Self::of_parts(head, digest.len())?;
        // A length that is said must be the one that there is.
        match said(head, "l") {
            Some(length) if length != digest.len().to_string() => Err(Unfit::Unsound),
            _ => Ok((recipe, Zeroizing::new(digest))),
        }
    }

    /// The recipe from its own text.
    ///
    /// # Errors
    /// As [`Recipe::of_verifier`]: nothing that was stored is like that.
    pub fn of_text(text: &str) -> Result<Self, Unfit> {
        let (length, head) = text.split_once(':').ok_or(Unfit::Unknown)?;
        match head {
            "plain" => Ok(Self::plain()),
            "sha512" => Ok(Self::sha512()),
            _ => Self::of_parts(head, length.parse().map_err(|_| Unfit::Unknown)?),
        }
    }

    /// The recipe as text, to be stored. No digest is in it.
    pub fn text(&self) -> String {
        format!("{}:{}", self.length, self.head)
    }

    fn of_parts(head: &str, length: usize) -> Result<Self, Unfit> {
        let mut parts = head.split('$');
        if parts.next() != Some("") {
            return Err(Unfit::Unknown);
        }
        let name = parts.next().unwrap_or_default();
        let parts: Vec<&str> = parts.collect();
        let kind = match (name, parts.as_slice()) {
            ("2a" | "2b" | "2y", [cost, salt]) => bcrypt_kind(cost, salt)?,
            ("argon2d" | "argon2i" | "argon2id", [version, params, salt]) => {
                argon2_kind(name, version, params, salt)?
            }
            // Before version 0x13 nothing was said of it.
            ("argon2d" | "argon2i" | "argon2id", [params, salt]) => {
                argon2_kind(name, "v=16", params, salt)?
            }
            ("pbkdf2-sha256" | "pbkdf2-sha512", [rounds, salt]) => pbkdf2_kind(name, rounds, salt)?,
            ("scrypt", [params, salt]) => scrypt_kind(params, salt)?,
            _ => return Err(Unfit::Unknown),
        };
        let fits = match kind {
            Kind::Bcrypt(..) => length == BCRYPT_DIGEST,
            _ => DIGEST.contains(&length),
        };
        if !fits {
            return Err(Unfit::Unsound);
        }
        Ok(Self {
            head: head.to_owned(),
            length,
            kind,
        })
    }

    /// What one run costs, roughly, in the work of Argon2id passing over one KiB once. The figures
    /// were measured beside each other on a processor with instructions for SHA-256.
    pub fn work(&self) -> u64 {
        match &self.kind {
            Kind::Plain | Kind::Sha512 => 0,
            Kind::Argon2(_, _, params, _) => argon2_work(*params),
            Kind::Bcrypt(cost, _) => 160_u64.saturating_mul(1 << cost),
            Kind::Pbkdf2(Sha::Sha256, rounds, _) => {
                self.blocks(32).saturating_mul(rounds.get().into()) / 3
            }
            Kind::Pbkdf2(Sha::Sha512, rounds, _) => {
                self.blocks(64).saturating_mul(rounds.get().into())
            }
            Kind::Scrypt(params, _) => 8_u64
                .saturating_mul(scrypt_kib(params))
                .saturating_mul(params.p().into()),
        }
    }

    /// How often PBKDF2 begins anew for as much as is wanted.
    fn blocks(&self, each: usize) -> u64 {
        self.length.div_ceil(each) as u64
    }

    /// Whether it is slow and must be run in the pool.
    pub fn is_slow(&self) -> bool {
        !matches!(self.kind, Kind::Plain | Kind::Sha512)
    }

    /// Whether one run fits into the memory that a worker has for one of our own hashes.
    ///
    /// # Errors
    /// [`Unfit::Memory`].
    pub fn fits(&self, ours: HashParams) -> Result<(), Unfit> {
        let kib = match &self.kind {
            Kind::Plain | Kind::Sha512 | Kind::Pbkdf2(..) | Kind::Bcrypt(..) => 0,
            Kind::Argon2(_, _, params, _) => params.memory_kib.into(),
            Kind::Scrypt(params, _) => scrypt_kib(params),
        };
        if kib <= ours.memory_kib.into() {
            Ok(())
        } else {
            Err(Unfit::Memory)
        }
    }

    /// What the origin made of this text, where that costs nothing; `None` of a slow recipe.
    pub fn quick(&self, code: &ForeignCode) -> Option<Zeroizing<Vec<u8>>> {
        match self.kind {
            Kind::Plain => Some(Zeroizing::new(code.canonical().to_vec())),
            Kind::Sha512 => Some(Zeroizing::new(Sha512::digest(code.canonical()).to_vec())),
            _ => None,
        }
    }

    /// Digests the text as the origin did. The worker's memory is used, or given back first: never
    /// more than one hash of our own needs.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the slow hash is run"
    )]
    pub(super) fn run(
        &self,
        code: &ForeignCode,
        memory: &mut Memory,
    ) -> Result<Zeroizing<Vec<u8>>, HashFault> {
        if let Some(digest) = self.quick(code) {
            return Ok(digest);
        }
        let mut out = Zeroizing::new(vec![0; self.length]);
        match &self.kind {
            Kind::Plain | Kind::Sha512 => return Err(HashFault),
            Kind::Argon2(algorithm, version, cost, salt) => {
                let params = ParamsBuilder::new()
                    .m_cost(cost.memory_kib)
                    .t_cost(cost.passes)
                    .p_cost(cost.lanes)
                    .output_len(self.length)
                    .build()
                    .map_err(|_| HashFault)?;
                let memory = memory.blocks(params.block_count());
                Argon2::new(*algorithm, *version, params)
                    .hash_password_into_with_memory(code.canonical(), salt, &mut out, memory)
                    .map_err(|_| HashFault)?;
            }
            Kind::Bcrypt(cost, salt) => {
                // The terminator is part of what is hashed, since `2a`.
                let mut secret = Zeroizing::new(Vec::with_capacity(72));
                secret.extend_from_slice(code.canonical());
                secret.push(0);
                let digest = Zeroizing::new(bcrypt::bcrypt(*cost, *salt, &secret));
                out.copy_from_slice(&digest[..BCRYPT_DIGEST]);
            }
            Kind::Pbkdf2(sha, rounds, salt) => {
                let algorithm = match sha {
                    Sha::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
                    Sha::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
                };
                pbkdf2::derive(algorithm, *rounds, salt, code.canonical(), &mut out);
            }
            Kind::Scrypt(params, salt) => {
                memory.give_back();
                scrypt::scrypt(code.canonical(), salt, params, &mut out).map_err(|_| HashFault)?;
            }
        }
        Ok(out)
    }
}

/// What one of our own hashes costs, in the same measure.
pub fn argon2_work(params: HashParams) -> u64 {
    u64::from(params.memory_kib).saturating_mul(params.passes.into())
}

fn scrypt_kib(params: &scrypt::Params) -> u64 {
    let blocks = u64::from(params.r()).saturating_mul(1 << params.log_n().min(40));
    blocks.div_ceil(8)
}

fn is_bcrypt(text: &str) -> bool {
    ["$2a$", "$2b$", "$2y$"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}

fn bcrypt_kind(cost: &str, salt: &str) -> Result<Kind, Unfit> {
    let cost = number(cost)?;
    let salt = bcrypt_base64(salt)?;
    let salt: [u8; 16] = salt.try_into().map_err(|_| Unfit::Unsound)?;
    if !(4..=31).contains(&cost) {
        return Err(Unfit::Unsound);
    }
    Ok(Kind::Bcrypt(cost, salt))
}

fn argon2_kind(name: &str, version: &str, params: &str, salt: &str) -> Result<Kind, Unfit> {
    let algorithm = match name {
        "argon2d" => Algorithm::Argon2d,
        "argon2i" => Algorithm::Argon2i,
        _ => Algorithm::Argon2id,
    };
    let version = match version {
        "v=16" => Version::V0x10,
        "v=19" => Version::V0x13,
        _ => return Err(Unfit::Unknown),
    };
    // A key or data of their own would be missing here.
    let [memory_kib, passes, lanes] = named(params, ["m", "t", "p"])?;
    let cost = HashParams {
        memory_kib,
        passes,
        lanes,
    };
    let sound = argon2::Params::new(memory_kib, passes, lanes, None).is_ok();
    let salt = self::salt(salt)?;
    if !sound || lanes > LANES_MAX || salt.len() < argon2::MIN_SALT_LEN {
        return Err(Unfit::Unsound);
    }
    Ok(Kind::Argon2(algorithm, version, cost, salt))
}

fn pbkdf2_kind(name: &str, rounds: &str, salt: &str) -> Result<Kind, Unfit> {
    let sha = match name {
        "pbkdf2-sha256" => Sha::Sha256,
        _ => Sha::Sha512,
    };
    // passlib writes the number alone.
    let rounds = match said_in(rounds, "i") {
        Some(rounds) => number(rounds)?,
        None => number(rounds)?,
    };
    let rounds = NonZeroU32::new(rounds).ok_or(Unfit::Unsound)?;
    Ok(Kind::Pbkdf2(sha, rounds, self::salt(salt)?))
}

fn scrypt_kind(params: &str, salt: &str) -> Result<Kind, Unfit> {
    let [log_n, r, p] = named(params, ["ln", "r", "p"])?;
    let log_n = u8::try_from(log_n).map_err(|_| Unfit::Unsound)?;
    if log_n == 0 || log_n > 40 || p > LANES_MAX {
        return Err(Unfit::Unsound);
    }
    let params = scrypt::Params::new(log_n, r, p).map_err(|_| Unfit::Unsound)?;
    Ok(Kind::Scrypt(params, self::salt(salt)?))
}

fn number(text: &str) -> Result<u32, Unfit> {
    if text.is_empty() || !text.bytes().all(|c| c.is_ascii_digit()) {
        return Err(Unfit::Unknown);
    }
    text.parse().map_err(|_| Unfit::Unsound)
}

/// Exactly these parameters, in this order.
fn named<const N: usize>(params: &str, names: [&str; N]) -> Result<[u32; N], Unfit> {
    let mut values = [0; N];
    let mut given = params.split(',');
    for (value, name) in values.iter_mut().zip(names) {
        let (said, text) = given
            .next()
            .and_then(|part| part.split_once('='))
            .ok_or(Unfit::Unknown)?;
        if said != name {
            return Err(Unfit::Unknown);
        }
        *value = number(text)?;
    }
    match given.next() {
        None => Ok(values),
        Some(_) => Err(Unfit::Unknown),
    }
}

fn said_in<'a>(params: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = params.split(',').filter_map(|part| part.split_once('='));
    parts
        .find(|(said, _)| *said == name)
        .map(|(_, value)| value)
}

fn said<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split('$').find_map(|part| said_in(part, name))
}

fn salt(text: &str) -> Result<Vec<u8>, Unfit> {
    let salt = base64(text)?;
    if SALT.contains(&salt.len()) {
        Ok(salt)
    } else {
        Err(Unfit::Unsound)
    }
}

/// Base64 with or without padding; passlib writes `.` where others write `+`.
fn base64(text: &str) -> Result<Vec<u8>, Unfit> {
    let text = text.trim_end_matches('=').replace('.', "+");
    BASE64_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| Unfit::Unknown)
}

fn bcrypt_base64(text: &str) -> Result<Vec<u8>, Unfit> {
    let encoding = BCRYPT_BASE64.as_ref().ok_or(Unfit::Unknown)?;
    encoding.decode(text.as_bytes()).map_err(|_| Unfit::Unknown)
}

#[cfg(test)]
mod tests;
