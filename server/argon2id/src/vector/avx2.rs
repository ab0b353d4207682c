//! G (RFC 9106, 3.5) four words at a time. A block lies in memory as the RFC has it.

use core::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi64, _mm256_alignr_epi8, _mm256_mul_epu32,
    _mm256_permute4x64_epi64, _mm256_setr_epi64x, _mm256_shuffle_epi8, _mm256_shuffle_epi32,
    _mm256_srli_epi64, _mm256_xor_si256,
};

use crate::fill::Made;

pub(super) type Block = [__m256i; 32];

/// The vectors a, b, c and d of RFC 9106, 3.6.
type Four = [__m256i; 4];

#[inline]
#[target_feature(enable = "avx2")]
fn mix(a: __m256i, b: __m256i) -> __m256i {
    let product = _mm256_mul_epu32(a, b);
    let twice = _mm256_add_epi64(product, product);
    _mm256_add_epi64(_mm256_add_epi64(a, b), twice)
}

/// GB: RFC 9106, 3.6. AVX2 rotates by moving bytes, and by one bit with a shift and a sum.
#[inline]
#[target_feature(enable = "avx2")]
fn quarters([mut a, mut b, mut c, mut d]: Four) -> Four {
    let (low, high) = (0x0201_0007_0605_0403, 0x0a09_080f_0e0d_0c0b);
    let by_24 = _mm256_setr_epi64x(low, high, low, high);
    let (low, high) = (0x0100_0706_0504_0302, 0x0908_0f0e_0d0c_0b0a);
    let by_16 = _mm256_setr_epi64x(low, high, low, high);
    a = mix(a, b);
    d = _mm256_shuffle_epi32::<0xb1>(_mm256_xor_si256(d, a));
    c = mix(c, d);
    b = _mm256_shuffle_epi8(_mm256_xor_si256(b, c), by_24);
    a = mix(a, b);
    d = _mm256_shuffle_epi8(_mm256_xor_si256(d, a), by_16);
    c = mix(c, d);
    b = _mm256_xor_si256(b, c);
    b = _mm256_xor_si256(_mm256_srli_epi64::<63>(b), _mm256_add_epi64(b, b));
    [a, b, c, d]
}

/// P over a row.
#[inline]
#[target_feature(enable = "avx2")]
fn row(four: Four) -> Four {
    let [a, b, c, d] = quarters(four);
    let b = _mm256_permute4x64_epi64::<0x39>(b);
    let c = _mm256_permute4x64_epi64::<0x4e>(c);
    let d = _mm256_permute4x64_epi64::<0x93>(d);
    let [a, b, c, d] = quarters([a, b, c, d]);
    let b = _mm256_permute4x64_epi64::<0x93>(b);
    let c = _mm256_permute4x64_epi64::<0x4e>(c);
    let d = _mm256_permute4x64_epi64::<0x39>(d);
    [a, b, c, d]
}

/// P over two columns of pairs, one in each half of the vectors: even rows and odd rows.
#[inline]
#[target_feature(enable = "avx2")]
fn columns(even: Four, odd: Four) -> [Four; 2] {
    let [a, b, c, d] = quarters(even);
    let [e, f, g, h] = quarters(odd);
    let (b, f) = (_mm256_alignr_epi8::<8>(f, b), _mm256_alignr_epi8::<8>(b, f));
    let (d, h) = (_mm256_alignr_epi8::<8>(d, h), _mm256_alignr_epi8::<8>(h, d));
    // Words 2 and 3 further on is the other vector.
    let [a, b, g, d] = quarters([a, b, g, d]);
    let [e, f, c, h] = quarters([e, f, c, h]);
    let (b, f) = (_mm256_alignr_epi8::<8>(b, f), _mm256_alignr_epi8::<8>(f, b));
    let (d, h) = (_mm256_alignr_epi8::<8>(h, d), _mm256_alignr_epi8::<8>(d, h));
    [[a, b, c, d], [e, f, g, h]]
}

#[inline(never)]
#[target_feature(enable = "avx2")]
pub(super) fn make(memory: &mut [Block], made: Made, next: impl FnOnce(u64) -> Option<usize>) {
    let mut now = memory[made.before];
    for (now, with) in now.iter_mut().zip(&memory[made.with]) {
        *now = _mm256_xor_si256(*now, *with);
    }
    // R goes there at once, what becomes of it is added below.
    for (into, now) in memory[made.into].iter_mut().zip(&now) {
        *into = if made.onto {
            _mm256_xor_si256(*into, *now)
        } else {
            *now
        };
    }
    for four in now.as_chunks_mut::<4>().0 {
        *four = row(*four);
    }
    let mut next = Some(next);
    for at in 0..4 {
        let even = [now[at], now[8 + at], now[16 + at], now[24 + at]];
        let odd = [now[4 + at], now[12 + at], now[20 + at], now[28 + at]];
        let into = &mut memory[made.into];
        for (below, four) in columns(even, odd).into_iter().enumerate() {
            for (pair, new) in four.into_iter().enumerate() {
                let place = 8 * pair + 4 * below + at;
                into[place] = _mm256_xor_si256(into[place], new);
            }
        }
        let Some(next) = next.take() else { continue };
        // The first word is done: what it asks for is on its way while the rest is made.
        let [first, ..]: [u64; 4] = bytemuck::cast(into[0]);
        if let Some(wanted) = next(first) {
            for line in memory[wanted].as_chunks::<2>().0 {
                _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(line).cast());
            }
        }
    }
}
