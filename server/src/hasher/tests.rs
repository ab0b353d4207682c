use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};

use super::*;

const CHEAP: HashParams = HashParams {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

fn job(secret: &[u8], params: HashParams) -> Job {
    Job {
        secret: Zeroizing::new(secret.to_vec()),
        salt: [2; 16],
        pepper: Zeroizing::new([3; 32]),
        bound_to: [4; 32],
        params,
    }
}

fn pool(workers: usize, admitted: usize) -> Hasher {
    Hasher::start(PoolSize { workers, admitted }).unwrap()
}

/// Rows S25, A-24.
#[tokio::test]
async fn a_digest_depends_on_secret_salt_pepper_and_what_it_is_bound_to() {
    let hasher = pool(2, 8);
    let permit = hasher.admit(Lane::Codes).unwrap();
    let base = permit.hash(job(b"a", CHEAP)).await.unwrap();
    let again = permit.hash(job(b"a", CHEAP)).await.unwrap();
    assert_eq!(base, again);
    let others = [
        job(b"b", CHEAP),
        Job {
            salt: [9; 16],
            ..job(b"a", CHEAP)
        },
        Job {
            pepper: Zeroizing::new([9; 32]),
            ..job(b"a", CHEAP)
        },
        Job {
            bound_to: [9; 32],
            ..job(b"a", CHEAP)
        },
        job(b"a", HashParams { passes: 2, ..CHEAP }),
        job(
            b"a",
            HashParams {
                memory_kib: 16,
                ..CHEAP
            },
        ),
    ];
    for other in others {
        assert_ne!(permit.hash(other).await.unwrap(), base);
    }
    assert_eq!(hasher.figures(Lane::Codes).run, 8);
    assert_eq!(hasher.figures(Lane::Passwords).run, 0);
}

/// Row A-60.
#[tokio::test]
async fn a_full_lane_refuses_and_leaves_the_other_lane_alone() {
    let hasher = pool(1, 2);
    let first = hasher.admit(Lane::Codes).unwrap();
    let _second = hasher.admit(Lane::Codes).unwrap();
    assert!(hasher.admit(Lane::Codes).unwrap_err().retry_after >= Duration::from_secs(1));
    assert_eq!(hasher.figures(Lane::Codes).refused_full, 1);
    let password = hasher.admit(Lane::Passwords).unwrap();
    password.hash(job(b"a", CHEAP)).await.unwrap();
    drop(first);
    hasher.admit(Lane::Codes).unwrap();
}

#[tokio::test]
async fn a_batch_comes_back_in_its_order() {
    let hasher = pool(2, 1);
    let permit = hasher.admit(Lane::Codes).unwrap();
    let jobs = (0..10)
        .map(|n| Job {
            salt: [n; 16],
            ..job(&[n], CHEAP)
        })
        .collect();
    let digests = permit.hash_all(jobs).await.unwrap();
    for (n, digest) in (0..10).zip(&digests) {
        assert_eq!(digest.salt, [n; 16]);
        let alone = permit
            .hash(Job {
                salt: [n; 16],
                ..job(&[n], CHEAP)
            })
            .await
            .unwrap();
        assert_eq!(digest.digest, *alone);
    }
}

#[tokio::test]
async fn parameters_out_of_bounds_are_a_fault_and_the_worker_lives_on() {
    let hasher = pool(1, 4);
    let permit = hasher.admit(Lane::Codes).unwrap();
    let unsound = HashParams {
        memory_kib: 0,
        passes: 0,
        lanes: 0,
    };
    assert!(!params_are_sound(unsound));
    assert_eq!(permit.hash(job(b"a", unsound)).await, Err(HashFault));
    permit.hash(job(b"a", CHEAP)).await.unwrap();
}

/// RFC 9106, 5.3: the Argon2id vector, which has a secret and associated data as ours do.
/// Rows.
#[test]
fn the_hash_is_the_one_of_rfc_9106() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .output_len(32)
        .build()
        .unwrap();
    let argon2 =
        Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params.clone())
            .unwrap();
    let mut out = [0_u8; 32];
    let memory = vec![Block::default(); params.block_count()];
    #[expect(
        clippy::disallowed_methods,
        reason = "the vector has sizes that ours never have"
    )]
    argon2
        .hash_password_into_with_memory(&[1; 32], &[2; 16], &mut out, memory)
        .unwrap();
    assert_eq!(
        data_encoding::HEXLOWER.encode(&out),
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    );
}
