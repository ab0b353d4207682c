//! Every vector code that this processor has gives the digests of RFC 9106 and of the crate
//! `argon2`, whatever goes in.

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use proptest::collection::vec;
use proptest::prelude::*;
use spare_key_argon2id::{Fault, Input, Memory, Vector, hash};

/// RFC 9106, 5.3.
const RFC: Input<'static> = Input {
    password: &[1; 32],
    salt: &[2; 16],
    secret: &[3; 8],
    data: &[4; 12],
    memory_kib: 32,
    passes: 3,
    lanes: 4,
};

#[expect(clippy::disallowed_methods, reason = "it is what is tested")]
fn tried(
    vector: Vector,
    input: &Input<'_>,
    memory: &mut Memory,
    digest: &mut [u8; 32],
) -> Result<(), Fault> {
    hash(vector, input, memory, digest)
}

fn ours(vector: Vector, input: &Input<'_>, memory: &mut Memory) -> [u8; 32] {
    let mut digest = [0; 32];
    tried(vector, input, memory, &mut digest).expect("input in bounds");
    digest
}

#[expect(clippy::disallowed_methods, reason = "it is what ours is held against")]
fn theirs(input: &Input<'_>) -> [u8; 32] {
    let params = ParamsBuilder::new()
        .m_cost(input.memory_kib)
        .t_cost(input.passes)
        .p_cost(input.lanes)
        .data(AssociatedData::new(input.data).expect("short data"))
        .output_len(32)
        .build()
        .expect("parameters in bounds");
    let argon2 = Argon2::new_with_secret(input.secret, Algorithm::Argon2id, Version::V0x13, params)
        .expect("a short secret");
    let mut digest = [0; 32];
    argon2
        .hash_password_into(input.password, input.salt, &mut digest)
        .expect("input in bounds");
    digest
}

#[test]
fn every_vector_code_gives_the_digest_of_rfc_9106() {
    for vector in Vector::all() {
        let digest = ours(vector, &RFC, &mut Memory::new());
        assert_eq!(
            data_encoding::HEXLOWER.encode(&digest),
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
            "{}",
            vector.name()
        );
    }
}

#[test]
fn the_best_is_the_last_of_all_and_a_processor_with_avx2_has_one() {
    assert_eq!(Vector::best(), Vector::all().last().copied());
    #[cfg(target_arch = "x86_64")]
    {
        let names: Vec<_> = Vector::all().into_iter().map(Vector::name).collect();
        assert_eq!(names.contains(&"AVX2"), is_x86_feature_detected!("avx2"));
        assert_eq!(
            names.contains(&"AVX-512"),
            is_x86_feature_detected!("avx512f")
        );
    }
}

#[test]
fn the_size_that_the_server_uses_gives_the_same_digest_again_and_again() {
    let input = Input {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
        ..RFC
    };
    let expected = theirs(&input);
    for vector in Vector::all() {
        let mut memory = Memory::new();
        for _ in 0..3 {
            assert_eq!(
                ours(vector, &input, &mut memory),
                expected,
                "{}",
                vector.name()
            );
        }
    }
}

#[test]
fn what_is_out_of_bounds_is_refused_and_touches_nothing() {
    let unsound = [
        Input { passes: 0, ..RFC },
        Input { lanes: 0, ..RFC },
        Input {
            memory_kib: 31,
            ..RFC
        },
        Input {
            lanes: 1 << 24,
            memory_kib: u32::MAX,
            ..RFC
        },
        Input {
            salt: &[2; 7],
            ..RFC
        },
    ];
    for vector in Vector::all() {
        for input in &unsound {
            let mut digest = [9; 32];
            let refused = tried(vector, input, &mut Memory::new(), &mut digest);
            assert!(matches!(refused, Err(Fault::Unsound)));
            assert_eq!(digest, [9; 32]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// One memory for all, so that each finds what another left.
    #[test]
    fn every_vector_code_gives_the_digest_of_the_crate_argon2(
        hashes in vec(
            (
                [vec(any::<u8>(), 0..80), vec(any::<u8>(), 8..40)],
                [vec(any::<u8>(), 0..80), vec(any::<u8>(), 0..33)],
                (1_u32..5, 1_u32..4, 0_u32..600),
            ),
            1..4,
        ),
    ) {
        for vector in Vector::all() {
            let mut memory = Memory::new();
            for ([password, salt], [secret, data], (lanes, passes, more)) in &hashes {
                let input = Input {
                    password,
                    salt,
                    secret,
                    data,
                    memory_kib: 8 * lanes + more,
                    passes: *passes,
                    lanes: *lanes,
                };
                prop_assert_eq!(
                    ours(vector, &input, &mut memory),
                    theirs(&input),
                    "{}",
                    vector.name()
                );
            }
        }
    }
}
