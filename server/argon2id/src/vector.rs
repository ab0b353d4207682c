//! Which vector code the processor has, and the only calls into it.

use crate::fill::{self, Shape};
use crate::{DIGEST, Input};

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

/// Vector code that this processor has: there is no other way to one than to ask the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Vector {
    /// The fastest.
    #[must_use]
    pub fn best() -> Option<Self> {
        Self::all().pop()
    }

    /// All of them, the fastest last.
    #[must_use]
    pub fn all() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            let kinds = [
                Avx2::detect().map(Kind::Avx2),
                Avx512::detect().map(Kind::Avx512),
            ];
            kinds.into_iter().flatten().map(Self).collect()
        }
        #[cfg(not(target_arch = "x86_64"))]
        Vec::new()
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(_) => "AVX-512",
        }
    }

    pub(crate) fn fill(
        self,
        input: &Input<'_>,
        shape: Shape,
        memory: &mut [u8],
        digest: &mut [u8; DIGEST],
    ) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2(code) => fill::run(code, input, shape, memory, digest),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512(code) => fill::run(code, input, shape, memory, digest),
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use self::x86_64::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::is_x86_feature_detected;

    use super::{avx2, avx512};
    use crate::fill::{Code, Made};

    /// Says that the processor and the system have AVX2; made by [`Avx2::detect`] alone.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Avx2(());

    impl Avx2 {
        pub(super) fn detect() -> Option<Self> {
            is_x86_feature_detected!("avx2").then_some(Self(()))
        }
    }

    impl Code for Avx2 {
        type Block = avx2::Block;

        fn place(n: usize) -> usize {
            n
        }

        #[expect(unsafe_code, reason = "safe code, compiled for a processor with AVX2")]
        fn make(
            self,
            memory: &mut [Self::Block],
            made: Made,
            next: impl FnOnce(u64) -> Option<usize>,
        ) {
            // SAFETY: nothing in there is unsafe but that it runs on processors with AVX2 alone,
            // and `self` is there on no other.
            unsafe { avx2::make(memory, made, next) }
        }
    }

    /// Says that the processor and the system have AVX-512F; made by [`Avx512::detect`] alone.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Avx512(());

    impl Avx512 {
        pub(super) fn detect() -> Option<Self> {
            is_x86_feature_detected!("avx512f").then_some(Self(()))
        }
    }

    impl Code for Avx512 {
        type Block = avx512::Block;

        fn place(n: usize) -> usize {
            avx512::place(n)
        }

        #[expect(
            unsafe_code,
            reason = "safe code, compiled for a processor with AVX-512"
        )]
        fn make(
            self,
            memory: &mut [Self::Block],
            made: Made,
            next: impl FnOnce(u64) -> Option<usize>,
        ) {
            // SAFETY: nothing in there is unsafe but that it runs on processors with AVX-512F
            // alone, and `self` is there on no other.
            unsafe { avx512::make(memory, made, next) }
        }
    }
}
