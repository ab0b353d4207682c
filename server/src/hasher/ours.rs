//! One hash as we make them: Argon2id in the fastest code that the processor has, in memory that is
//! used again. Without vector code for the processor it is the crate `argon2`; the digest is one.

use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};
use spare_key_argon2id::{Input, Vector};
use zeroize::Zeroizing;

use super::{HashFault, Job};
use crate::model::HashParams;

/// A worker's memory. One of the two is held at a time, and neither is cleared between hashes.
#[derive(Debug)]
pub(super) struct Memory {
    vector: Option<Vector>,
    mapped: spare_key_argon2id::Memory,
    blocks: Vec<Block>,
}

impl Memory {
    /// None yet, for the fastest code that there is.
    pub(super) fn new() -> Self {
        Self::of(Vector::best())
    }

    fn of(vector: Option<Vector>) -> Self {
        Self {
            vector,
            mapped: spare_key_argon2id::Memory::new(),
            blocks: Vec::new(),
        }
    }

    /// So many blocks for the crate `argon2`, with whatever they hold.
    pub(super) fn blocks(&mut self, count: usize) -> &mut [Block] {
        self.mapped = spare_key_argon2id::Memory::new();
        if self.blocks.len() < count {
            self.blocks = Vec::new();
            self.blocks.resize(count, Block::default());
        }
        &mut self.blocks[..count]
    }

    /// Lets go of everything, for who needs memory of another kind.
    pub(super) fn give_back(&mut self) {
        *self = Self::of(self.vector);
    }
}

/// What the vector code is called that hashes here, if there is any.
pub(super) fn code() -> Option<&'static str> {
    Vector::best().map(Vector::name)
}

/// One Argon2id.
pub(super) fn run(job: &Job, memory: &mut Memory) -> Result<Zeroizing<[u8; 32]>, HashFault> {
    if !params_are_sound(job.params) {
        return Err(HashFault);
    }
    let mut digest = Zeroizing::new([0_u8; 32]);
    match memory.vector {
        Some(vector) => in_vectors(job, vector, memory, &mut digest)?,
        None => portably(job, memory, &mut digest)?,
    }
    Ok(digest)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the slow hash is run"
)]
fn in_vectors(
    job: &Job,
    vector: Vector,
    memory: &mut Memory,
    digest: &mut [u8; 32],
) -> Result<(), HashFault> {
    memory.blocks = Vec::new();
    let input = Input {
        password: &job.secret,
        salt: &job.salt,
        secret: job.pepper.as_slice(),
        data: &job.bound_to,
        memory_kib: job.params.memory_kib,
        passes: job.params.passes,
        lanes: job.params.lanes,
    };
    spare_key_argon2id::hash(vector, &input, &mut memory.mapped, digest).map_err(|_| HashFault)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where the slow hash is run"
)]
fn portably(job: &Job, memory: &mut Memory, digest: &mut [u8; 32]) -> Result<(), HashFault> {
    let params = ParamsBuilder::new()
        .m_cost(job.params.memory_kib)
        .t_cost(job.params.passes)
        .p_cost(job.params.lanes)
        .data(AssociatedData::new(&job.bound_to).map_err(|_| HashFault)?)
        .output_len(32)
        .build()
        .map_err(|_| HashFault)?;
    let memory = memory.blocks(params.block_count());
    let argon2 = Argon2::new_with_secret(
        job.pepper.as_slice(),
        Algorithm::Argon2id,
        Version::V0x13,
        params,
    )
    .map_err(|_| HashFault)?;
    argon2
        .hash_password_into_with_memory(&job.secret, &job.salt, digest, memory)
        .map_err(|_| HashFault)
}

/// Whether Argon2id takes these parameters.
pub fn params_are_sound(params: HashParams) -> bool {
    argon2::Params::new(params.memory_kib, params.passes, params.lanes, Some(32)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P3: whatever the processor has, what was stored on another one is found again here.
    #[test]
    fn every_processor_makes_the_same_digest() {
        for (memory_kib, passes, lanes) in [(19_456, 2, 1), (8, 1, 1), (64, 3, 2), (8, 2, 1)] {
            let job = Job {
                secret: Zeroizing::new(b"KZ3MQ7TBWJ5RHXYN".to_vec()),
                salt: [2; 16],
                pepper: Zeroizing::new([3; 32]),
                bound_to: [4; 32],
                params: HashParams {
                    memory_kib,
                    passes,
                    lanes,
                },
            };
            let portable = run(&job, &mut Memory::of(None)).unwrap();
            let mut memory = Memory::new();
            for vector in Vector::all() {
                memory.vector = Some(vector);
                let digest = run(&job, &mut memory).unwrap();
                assert_eq!(digest, portable, "{} {:?}", vector.name(), job.params);
            }
            assert_eq!(run(&job, &mut memory).unwrap(), portable);
        }
    }

    #[test]
    fn a_worker_holds_one_kind_of_memory_at_a_time() {
        let mut memory = Memory::new();
        assert_eq!(memory.blocks(64).len(), 64);
        let held = memory.blocks.as_ptr();
        assert_eq!(memory.blocks(8).len(), 8);
        assert_eq!(memory.blocks(64).as_ptr(), held);
        memory.give_back();
        assert!(memory.blocks.is_empty());
    }
}
