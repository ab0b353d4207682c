#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use spare_key_fuzz::{mutate, requests};

fuzz_target!(|data: &[u8]| requests::check(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::mutate(data, size, max_size, seed)
});
