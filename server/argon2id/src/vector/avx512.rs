//! G (RFC 9106, 3.5) eight words at a time.
//!
//! A block lies in memory as this code likes it: each vector holds four words of an even row and
//! the four below them in the odd row. Then rows of G's matrix and columns of it are both four
//! whole vectors, and nothing is shuffled but for the diagonals.

use core::arch::x86_64::{
    __m512i, _MM_HINT_T0, _mm_prefetch, _mm512_add_epi64, _mm512_mul_epu32, _mm512_permutex_epi64,
    _mm512_permutexvar_epi64, _mm512_ror_epi64, _mm512_set_epi64, _mm512_shuffle_i64x2,
    _mm512_xor_si512,
};

use crate::fill::Made;

pub(super) type Block = [__m512i; 16];

/// Where word `n` lies.
pub(super) const fn place(n: usize) -> usize {
    let (row, column) = (n / 16, n % 16);
    let vector = row / 2 * 4 + column / 4;
    vector * 8 + row % 2 * 4 + column % 4
}

/// The vectors a, b, c and d of RFC 9106, 3.6.
type Four = [__m512i; 4];

#[inline]
#[target_feature(enable = "avx512f")]
fn mix(a: __m512i, b: __m512i) -> __m512i {
    let product = _mm512_mul_epu32(a, b);
    let twice = _mm512_add_epi64(product, product);
    _mm512_add_epi64(_mm512_add_epi64(a, b), twice)
}

/// GB: RFC 9106, 3.6.
#[inline]
#[target_feature(enable = "avx512f")]
fn quarters([mut a, mut b, mut c, mut d]: Four) -> Four {
    a = mix(a, b);
    d = _mm512_ror_epi64::<32>(_mm512_xor_si512(d, a));
    c = mix(c, d);
    b = _mm512_ror_epi64::<24>(_mm512_xor_si512(b, c));
    a = mix(a, b);
    d = _mm512_ror_epi64::<16>(_mm512_xor_si512(d, a));
    c = mix(c, d);
    b = _mm512_ror_epi64::<63>(_mm512_xor_si512(b, c));
    [a, b, c, d]
}

/// P over two rows.
#[inline]
#[target_feature(enable = "avx512f")]
fn rows(four: Four) -> Four {
    let [a, b, c, d] = quarters(four);
    let b = _mm512_permutex_epi64::<0x39>(b);
    let c = _mm512_permutex_epi64::<0x4e>(c);
    let d = _mm512_permutex_epi64::<0x93>(d);
    let [a, b, c, d] = quarters([a, b, c, d]);
    let b = _mm512_permutex_epi64::<0x93>(b);
    let c = _mm512_permutex_epi64::<0x4e>(c);
    let d = _mm512_permutex_epi64::<0x39>(d);
    [a, b, c, d]
}

/// P over two columns of pairs: words 0, 1, 4 and 5 of each vector are one, the others the other.
#[inline]
#[target_feature(enable = "avx512f")]
fn columns(four: Four) -> Four {
    // From the last word to the first.
    let left = _mm512_set_epi64(2, 7, 0, 5, 6, 3, 4, 1);
    let right = _mm512_set_epi64(6, 3, 4, 1, 2, 7, 0, 5);
    let [a, b, c, d] = quarters(four);
    let b = _mm512_permutexvar_epi64(left, b);
    let c = _mm512_shuffle_i64x2::<0x4e>(c, c);
    let d = _mm512_permutexvar_epi64(right, d);
    let [a, b, c, d] = quarters([a, b, c, d]);
    let b = _mm512_permutexvar_epi64(right, b);
    let c = _mm512_shuffle_i64x2::<0x4e>(c, c);
    let d = _mm512_permutexvar_epi64(left, d);
    [a, b, c, d]
}

#[inline(never)]
#[target_feature(enable = "avx512f")]
pub(super) fn make(memory: &mut [Block], made: Made, next: impl FnOnce(u64) -> Option<usize>) {
    let mut now = memory[made.before];
    for (now, with) in now.iter_mut().zip(&memory[made.with]) {
        *now = _mm512_xor_si512(*now, *with);
    }
    // R goes there at once, what becomes of it is added below.
    for (into, now) in memory[made.into].iter_mut().zip(&now) {
        *into = if made.onto {
            _mm512_xor_si512(*into, *now)
        } else {
            *now
        };
    }
    for four in now.as_chunks_mut::<4>().0 {
        *four = rows(*four);
    }
    let mut next = Some(next);
    for at in 0..4 {
        let four = columns([now[at], now[4 + at], now[8 + at], now[12 + at]]);
        let into = &mut memory[made.into];
        for (row, new) in four.into_iter().enumerate() {
            into[4 * row + at] = _mm512_xor_si512(into[4 * row + at], new);
        }
        let Some(next) = next.take() else { continue };
        // The first word is done: what it asks for is on its way while the rest is made.
        let [first, ..]: [u64; 8] = bytemuck::cast(into[0]);
        if let Some(wanted) = next(first) {
            for line in &memory[wanted] {
                _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(line).cast());
            }
        }
    }
}
