//! Which block is made of which: RFC 9106, 3.2 to 3.4. How one is made is the vector code's.

use bytemuck::{Pod, Zeroable, cast_mut, cast_ref, cast_slice_mut};
use zeroize::{Zeroize, Zeroizing};

use crate::memory::BLOCK;
use crate::{DIGEST, Input, blocks};

/// Passes are cut into so many slices.
const SLICES: usize = 4;

/// 64-bit words of a block.
pub(crate) const WORDS: usize = BLOCK / 8;

/// Code that makes blocks.
pub(crate) trait Code: Copy {
    /// A block, as this code likes it.
    type Block: Pod;

    /// Where word `n` of a block lies in its [`Code::Block`].
    fn place(n: usize) -> usize;

    /// G: makes block `into` of the blocks `before` and `with`; `onto` keeps what was there and
    /// adds to it. As soon as the new block's first word is known, `next` is told of it and says
    /// which block is wanted next, so that it is fetched while this one is being finished.
    fn make(self, memory: &mut [Self::Block], made: Made, next: impl FnOnce(u64) -> Option<usize>);
}

/// One block to make.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) before: usize,
    pub(crate) with: usize,
    pub(crate) into: usize,
    pub(crate) onto: bool,
}

/// How the memory is divided, in blocks.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    lanes: usize,
    lane: usize,
    segment: usize,
}

impl Shape {
    pub(crate) fn of(input: &Input<'_>) -> Self {
        let lanes = input.lanes as usize;
        let segment = input.memory_kib as usize / (SLICES * lanes);
        Self {
            lanes,
            lane: segment * SLICES,
            segment,
        }
    }

    pub(crate) const fn blocks(self) -> usize {
        self.lane * self.lanes
    }
}

/// A quarter of a lane in one pass.
#[derive(Clone, Copy)]
struct Segment {
    shape: Shape,
    pass: usize,
    slice: usize,
    lane: usize,
}

impl Segment {
    /// The first that is to be made: two were made of H0.
    const fn first(self) -> usize {
        if self.pass == 0 && self.slice == 0 {
            2
        } else {
            0
        }
    }

    /// Argon2id: addresses that say nothing of the password, for the first half of the first pass.
    const fn independent(self) -> bool {
        self.pass == 0 && self.slice < SLICES / 2
    }

    const fn at(self, block: usize) -> usize {
        self.lane * self.shape.lane + self.slice * self.shape.segment + block
    }

    const fn before(self, block: usize) -> usize {
        match self.slice * self.shape.segment + block {
            0 => self.at(0) + self.shape.lane - 1,
            _ => self.at(block) - 1,
        }
    }

    /// RFC 9106, 3.4.1 and 3.4.2: which block goes into `block`, by 64 pseudo-random bits.
    #[inline]
    fn with(self, block: usize, random: u64) -> usize {
        let Shape {
            lanes,
            lane: length,
            segment,
        } = self.shape;
        let lane = if lanes == 1 || self.pass == 0 && self.slice == 0 {
            self.lane
        } else {
            (random >> 32) as usize % lanes
        };
        let (done, from) = match self.pass {
            0 => (self.slice * segment, 0),
            _ => (length - segment, (self.slice + 1) % SLICES * segment),
        };
        let area = if lane == self.lane {
            done + block - 1
        } else {
            done - usize::from(block == 0)
        };
        let x = random & u64::from(u32::MAX);
        let back = (area as u64 * ((x * x) >> 32)) >> 32;
        let at = from + area - 1 - back as usize;
        lane * length + if at < length { at } else { at - length }
    }

    fn fill<C: Code>(self, code: C, memory: &mut [C::Block], total: [u64; 2]) {
        if self.independent() {
            return self.fill_independently(code, memory, total);
        }
        let mut random = word::<C>(&memory[self.before(self.first())], 0);
        for block in self.first()..self.shape.segment {
            let made = self.made(block, random);
            code.make(memory, made, |first| {
                random = first;
                let next = block + 1;
                (next < self.shape.segment).then(|| self.with(next, first))
            });
        }
    }

    fn fill_independently<C: Code>(self, code: C, memory: &mut [C::Block], total: [u64; 2]) {
        let mut addresses = Addresses::of(self, code, total);
        for block in self.first()..self.shape.segment {
            let made = self.made(block, addresses.get(block));
            code.make(memory, made, |_| {
                let next = block + 1;
                let known = next < self.shape.segment && next % WORDS != 0;
                known.then(|| self.with(next, addresses.get(next)))
            });
        }
    }

    fn made(self, block: usize, random: u64) -> Made {
        Made {
            before: self.before(block),
            with: self.with(block, random),
            into: self.at(block),
            onto: self.pass > 0,
        }
    }
}

/// Pseudo-random words for a segment, a block of them at a time: RFC 9106, 3.4.1.2.
struct Addresses<C: Code> {
    code: C,
    /// Zeros, what is counted, what comes of it.
    blocks: [C::Block; 3],
    /// How many blocks of words were made.
    made: u64,
}

impl<C: Code> Addresses<C> {
    fn of(segment: Segment, code: C, [blocks, passes]: [u64; 2]) -> Self {
        let mut counted = C::Block::zeroed();
        let given = [
            segment.pass as u64,
            segment.lane as u64,
            segment.slice as u64,
            blocks,
            passes,
            u64::from(blocks::TYPE),
        ];
        for (n, value) in given.into_iter().enumerate() {
            *word_mut::<C>(&mut counted, n) = value;
        }
        let zero = C::Block::zeroed();
        Self {
            code,
            blocks: [zero, counted, zero],
            made: 0,
        }
    }

    fn get(&mut self, block: usize) -> u64 {
        while self.made <= (block / WORDS) as u64 {
            self.made += 1;
            *word_mut::<C>(&mut self.blocks[1], 6) = self.made;
            for with in [1, 2] {
                let made = Made {
                    before: 0,
                    with,
                    into: 2,
                    onto: false,
                };
                self.code.make(&mut self.blocks, made, |_| None);
            }
        }
        word::<C>(&self.blocks[2], block % WORDS)
    }
}

fn word<C: Code>(block: &C::Block, n: usize) -> u64 {
    cast_ref::<_, [u64; WORDS]>(block)[C::place(n)]
}

fn word_mut<C: Code>(block: &mut C::Block, n: usize) -> &mut u64 {
    &mut cast_mut::<_, [u64; WORDS]>(block)[C::place(n)]
}

/// The whole of it: from the input to the digest, in memory of the shape's blocks.
pub(crate) fn run<C: Code>(
    code: C,
    input: &Input<'_>,
    shape: Shape,
    memory: &mut [u8],
    digest: &mut [u8; DIGEST],
) {
    let memory: &mut [C::Block] = cast_slice_mut(memory);
    let start = blocks::start(input);
    for lane in 0..shape.lanes {
        for block in 0..2 {
            let bytes = blocks::first(&start, block as u32, lane as u32);
            let into = &mut memory[lane * shape.lane + block];
            for (n, bytes) in bytes.as_chunks().0.iter().enumerate() {
                *word_mut::<C>(into, n) = u64::from_le_bytes(*bytes);
            }
        }
    }
    let total = [shape.blocks() as u64, u64::from(input.passes)];
    for pass in 0..input.passes as usize {
        for slice in 0..SLICES {
            for lane in 0..shape.lanes {
                let segment = Segment {
                    shape,
                    pass,
                    slice,
                    lane,
                };
                segment.fill(code, memory, total);
            }
        }
    }
    let mut bytes = Zeroizing::new([0_u8; BLOCK]);
    for (n, bytes) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
        let lasts = memory
            .chunks_exact(shape.lane)
            .map(|lane| &lane[shape.lane - 1]);
        let mut sum = lasts.fold(0, |sum, last| sum ^ word::<C>(last, n));
        *bytes = sum.to_le_bytes();
        sum.zeroize();
    }
    blocks::finish(&bytes, digest);
}
