//! Argon2id (RFC 9106, version 1.3) in vector code: AVX2 or AVX-512, chosen at run time.
//!
//! Why it is here: the `argon2` crate compiles its portable code for AVX2 and has nothing for
//! AVX-512; the vectors that the compiler finds in it spend their time being shuffled and copied,
//! and a hash takes up to 2.6 times what it could. No crate that is kept well has vector code
//! together with a secret and associated data. `cargo bench -p spare-key-server --bench hash` says
//! what that is worth on the processor at hand.
//!
//! What it does not do: it has no portable code. Where [`Vector::best`] finds nothing, the caller
//! has the `argon2` crate, with the same digests. It draws no salts, parses and compares nothing.

mod blocks;
mod fill;
mod memory;
mod vector;

pub use self::memory::Memory;
pub use self::vector::Vector;

/// Bytes that come out.
pub const DIGEST: usize = 32;

/// What is hashed, and at what cost.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The password: what must not be guessed.
    pub password: &'a [u8],
    /// Its salt, at least 8 bytes.
    pub salt: &'a [u8],
    /// The secret that is not stored beside the digest.
    pub secret: &'a [u8],
    /// Associated data.
    pub data: &'a [u8],
    /// Memory in KiB, at least 8 a lane.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
    /// Lanes, 1 to 2^24 - 1; they are filled one after the other.
    pub lanes: u32,
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input(…)")
    }
}

/// Why there is no digest.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The input is out of the bounds of RFC 9106, 3.1.
    #[error("Argon2id does not take this input")]
    Unsound,
    /// The memory is not to be had.
    #[error("the memory for Argon2id is not to be had")]
    Memory(#[from] std::io::Error),
}

impl Input<'_> {
    /// RFC 9106, 3.1; the least salt is that of the `argon2` crate and of the reference code.
    fn is_sound(&self) -> bool {
        let fields = [self.password, self.salt, self.secret, self.data];
        (1..1 << 24).contains(&self.lanes)
            && self.passes >= 1
            && self.memory_kib / 8 >= self.lanes
            && self.salt.len() >= 8
            && fields
                .iter()
                .all(|field| u32::try_from(field.len()).is_ok())
    }
}

/// One Argon2id, in memory that is used again and keeps what it held.
///
/// # Errors
/// The input is out of bounds, or the memory is not to be had.
pub fn hash(
    vector: Vector,
    input: &Input<'_>,
    memory: &mut Memory,
    digest: &mut [u8; DIGEST],
) -> Result<(), Fault> {
    if !input.is_sound() {
        return Err(Fault::Unsound);
    }
    let shape = fill::Shape::of(input);
    vector.fill(input, shape, memory.of(shape.blocks())?, digest);
    Ok(())
}
