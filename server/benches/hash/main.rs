//! P3 and P4: the slow hash as the server runs it, beside the crate `argon2` and the reference
//! library in C built for every kind of processor that this one is. All parameters are the server's:
//! 19 MiB, two passes, one lane, a secret and associated data.
//!
//! Two tables come first: everything in turn, round by round, with medians and ratios of one run.
//! Then criterion measures each by itself. P3 counts processor time, so that other programs on the
//! machine do not; P4 counts time, since it is about waiting.

mod reference;

use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use argon2::{Algorithm, Argon2, AssociatedData, Block, Params, ParamsBuilder, Version};
use criterion::Criterion;
use rustix::time::{ClockId, clock_gettime};
use spare_key_argon2id::{Input, Memory, Vector};
use spare_key_server::clock::Stopwatch;
use spare_key_server::hasher::{Hasher, Job, Lane, PoolSize};
use spare_key_server::model::HashParams;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use self::reference::Reference;

const SECRET: &[u8] = b"KZ3MQ7TBWJ5RHXYN";
const SALT: [u8; 16] = [2; 16];
const PEPPER: [u8; 32] = [3; 32];
const BOUND_TO: [u8; 32] = [4; 32];
const PARAMS: HashParams = HashParams {
    memory_kib: 19_456,
    passes: 2,
    lanes: 1,
};

/// Rounds of the tables, and hashes of each contestant in one.
const ROUNDS: usize = 15;
const EACH: u64 = 4;

/// Somebody who hashes: so many times, and how long it took, with the digest.
struct Contestant<'a> {
    name: String,
    run: Box<dyn FnMut(u64) -> (Duration, String) + Send + 'a>,
}

impl<'a> Contestant<'a> {
    /// In this process.
    fn here(name: impl Into<String>, mut hash: impl FnMut(&mut [u8; 32]) + Send + 'a) -> Self {
        let run = move |times| {
            let mut digest = [0; 32];
            let start = processor_time();
            for _ in 0..times {
                hash(black_box(&mut digest));
            }
            let hex = data_encoding::HEXLOWER.encode(&digest);
            (processor_time().saturating_sub(start), hex)
        };
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// Of all threads of this process.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("a time after the start");
    let nanoseconds = u64::try_from(time.tv_nsec).expect("nanoseconds");
    Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}

fn job() -> Job {
    Job {
        secret: Zeroizing::new(SECRET.to_vec()),
        salt: SALT,
        pepper: Zeroizing::new(PEPPER),
        bound_to: BOUND_TO,
        params: PARAMS,
    }
}

fn pool(workers: usize) -> Hasher {
    let admitted = 64;
    Hasher::start(PoolSize { workers, admitted }).expect("threads")
}

fn params() -> Params {
    ParamsBuilder::new()
        .m_cost(PARAMS.memory_kib)
        .t_cost(PARAMS.passes)
        .p_cost(PARAMS.lanes)
        .data(AssociatedData::new(&BOUND_TO).expect("short data"))
        .output_len(32)
        .build()
        .expect("parameters in bounds")
}

fn argon2() -> Argon2<'static> {
    Argon2::new_with_secret(&PEPPER, Algorithm::Argon2id, Version::V0x13, params())
        .expect("a short secret")
}

fn server<'a>(runtime: &'a Runtime) -> Contestant<'a> {
    let pool = pool(1);
    let code = Hasher::vector_code().unwrap_or("portable");
    Contestant::here(format!("as the server runs it ({code})"), move |digest| {
        let permit = pool.admit(Lane::Codes).expect("a place");
        *digest = *runtime.block_on(permit.hash(job())).expect("a digest");
    })
}

#[expect(clippy::disallowed_methods, reason = "this is what is measured")]
fn vector<'a>(vector: Vector) -> Contestant<'a> {
    let mut memory = Memory::new();
    let input = Input {
        password: SECRET,
        salt: &SALT,
        secret: &PEPPER,
        data: &BOUND_TO,
        memory_kib: PARAMS.memory_kib,
        passes: PARAMS.passes,
        lanes: PARAMS.lanes,
    };
    let name = format!("spare-key-argon2id, {}", vector.name());
    Contestant::here(name, move |digest| {
        spare_key_argon2id::hash(vector, &input, &mut memory, digest).expect("a digest");
    })
}

#[expect(clippy::disallowed_methods, reason = "this is what is measured")]
fn fresh<'a>() -> Contestant<'a> {
    let argon2 = argon2();
    Contestant::here("crate argon2, fresh memory", move |digest| {
        let done = argon2.hash_password_into(SECRET, &SALT, digest);
        done.expect("a digest");
    })
}

#[expect(clippy::disallowed_methods, reason = "this is what is measured")]
fn reused<'a>() -> Contestant<'a> {
    let argon2 = argon2();
    let mut memory = vec![Block::default(); params().block_count()];
    Contestant::here("crate argon2, reused memory", move |digest| {
        let done = argon2.hash_password_into_with_memory(SECRET, &SALT, digest, &mut memory);
        done.expect("a digest");
    })
}

fn contestants<'a>(runtime: &'a Runtime, references: Vec<Reference>) -> Vec<Contestant<'a>> {
    let mut all = vec![server(runtime)];
    all.extend(Vector::all().into_iter().map(vector));
    all.extend([reused(), fresh()]);
    all.extend(references.into_iter().map(|mut reference| Contestant {
        name: std::mem::take(&mut reference.name),
        run: Box::new(move |times| reference.run(times)),
    }));
    all
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::print_stdout, reason = "this is what a benchmark is for")]
fn say(line: &str) {
    println!("{line}");
}

/// P3. Every digest must be the first one's, or the figures are of different things.
fn one_hash(contestants: &mut [Contestant<'_>]) {
    let mut expected: Option<String> = None;
    let mut times = vec![Vec::new(); contestants.len()];
    for round in 0..=ROUNDS {
        for (contestant, times) in contestants.iter_mut().zip(&mut times) {
            let (time, digest) = (contestant.run)(EACH);
            let expected = expected.get_or_insert_with(|| digest.clone());
            assert_eq!(&digest, expected, "{}", contestant.name);
            // The first round warms up.
            if round > 0 {
                times.push(time.as_secs_f64() * 1e3 / EACH as f64);
            }
        }
    }
    let medians: Vec<f64> = times.into_iter().map(median).collect();
    let first = medians.first().copied().unwrap_or(f64::NAN);
    say("P3: one Argon2id, 19456 KiB, t=2, p=1; processor time, medians of one run\n");
    say("| what | ms | times the server's |\n|---|---|---|");
    for (contestant, median) in contestants.iter().zip(medians) {
        let ratio = median / first;
        say(&format!(
            "| {} | {median:.2} | {ratio:.2} |",
            contestant.name
        ));
    }
}

/// P4, without the store: a batch of ten as one job, and ten hashes by as many bare threads.
fn ten_hashes(runtime: &Runtime) {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = pool(workers);
    let batch = || {
        let jobs = (0..10).map(|_| job()).collect();
        let permit = pool.admit(Lane::Codes).expect("a place");
        let watch = Stopwatch::start();
        let digests = runtime.block_on(permit.hash_all(jobs)).expect("digests");
        assert_eq!(digests.len(), 10);
        watch.elapsed().as_secs_f64() * 1e3
    };
    let mut bare: Vec<Contestant<'static>> = (0..workers)
        .map(|_| Vector::best().map_or_else(reused, self::vector))
        .collect();
    let mut spread = || {
        let watch = Stopwatch::start();
        // As the pool does, whoever is free takes the next.
        let left = AtomicI64::new(10);
        let left = &left;
        std::thread::scope(|scope| {
            for bare in &mut bare {
                scope.spawn(move || {
                    while left.fetch_sub(1, Ordering::Relaxed) > 0 {
                        (bare.run)(1);
                    }
                });
            }
        });
        watch.elapsed().as_secs_f64() * 1e3
    };
    let rounds: Vec<(f64, f64)> = (0..=ROUNDS).map(|_| (batch(), spread())).skip(1).collect();
    let batch = median(rounds.iter().map(|round| round.0).collect());
    let spread = median(rounds.iter().map(|round| round.1).collect());
    let ratio = median(
        rounds
            .iter()
            .map(|(batch, spread)| batch / spread)
            .collect(),
    );
    say(&format!(
        "\nP4: ten digests on {workers} workers {batch:.1} ms, ten bare hashes on as many threads \
         {spread:.1} ms, ratio {ratio:.2}\n"
    ));
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let references = Reference::all(&folder).unwrap_or_else(|why| {
        say(&format!("the reference library is not measured: {why}\n"));
        Vec::new()
    });
    let mut contestants = contestants(&runtime, references);
    one_hash(&mut contestants);
    ten_hashes(&runtime);
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("argon2id");
    for contestant in &mut contestants {
        group.bench_function(contestant.name.as_str(), |bencher| {
            bencher.iter_custom(|times| (contestant.run)(times).0);
        });
    }
    group.finish();
    criterion.final_summary();
}
