//! What goes in and what comes out: RFC 9106, 3.2, steps 1, 3, 4, 7 and 8, with BLAKE2b.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Digest};
use zeroize::{Zeroize, Zeroizing};

use crate::memory::BLOCK;
use crate::{DIGEST, Input};

/// Argon2id, in RFC 9106's numbers.
pub(crate) const TYPE: u32 = 2;
const VERSION: u32 = 0x13;

/// H0: everything that is given, in 64 bytes.
pub(crate) fn start(input: &Input<'_>) -> Zeroizing<[u8; 64]> {
    let mut hash = Blake2b512::new();
    let numbers = [
        input.lanes,
        DIGEST as u32,
        input.memory_kib,
        input.passes,
        VERSION,
        TYPE,
    ];
    for number in numbers {
        hash.update(number.to_le_bytes());
    }
    for field in [input.password, input.salt, input.secret, input.data] {
        hash.update((field.len() as u32).to_le_bytes());
        hash.update(field);
    }
    Zeroizing::new(hash.finalize().into())
}

/// H' of 1024 bytes: the first two blocks of a lane.
pub(crate) fn first(start: &[u8; 64], block: u32, lane: u32) -> Zeroizing<[u8; BLOCK]> {
    let mut hash = Blake2b512::new();
    hash.update((BLOCK as u32).to_le_bytes());
    hash.update(start);
    hash.update(block.to_le_bytes());
    hash.update(lane.to_le_bytes());
    let mut last: [u8; 64] = hash.finalize().into();
    let mut bytes = Zeroizing::new([0_u8; BLOCK]);
    let (halves, end) = bytes.split_at_mut(BLOCK - 64);
    for half in halves.chunks_exact_mut(32) {
        half.copy_from_slice(&last[..32]);
        last = Blake2b512::digest(last).into();
    }
    end.copy_from_slice(&last);
    last.zeroize();
    bytes
}

/// H' of the digest's length: the last block, in 32 bytes.
pub(crate) fn finish(last: &[u8; BLOCK], digest: &mut [u8; DIGEST]) {
    let mut hash = Blake2b::<U32>::new();
    hash.update((DIGEST as u32).to_le_bytes());
    hash.update(last);
    digest.copy_from_slice(&hash.finalize());
}
