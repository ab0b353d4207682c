//! The memory: mapped once, on huge pages where the system has them, and never cleared in between.
//!
//! Half a hash's accesses go anywhere in 19 MiB. With pages of 4 KiB that is more than the
//! processor's tables of pages hold; ten pages of 2 MiB it knows by heart.

use std::io;

use memmap2::MmapMut;

/// A block of Argon2 in bytes.
pub(crate) const BLOCK: usize = 1024;

/// A huge page of x86-64 in bytes.
const HUGE: usize = 2 << 20;

/// Memory that one hash after the other is run in. It grows to the most that any asked for.
#[derive(Debug, Default)]
pub struct Memory {
    /// The mapping, and where in it the first huge page begins.
    mapped: Option<(MmapMut, usize)>,
}

impl Memory {
    /// None yet: the first hash maps what it needs.
    #[must_use]
    pub const fn new() -> Self {
        Self { mapped: None }
    }

    /// So many blocks, with whatever they hold.
    pub(crate) fn of(&mut self, blocks: usize) -> io::Result<&mut [u8]> {
        let bytes = blocks * BLOCK;
        if self.bytes() < bytes {
            // The smaller one goes first: at no time are there two.
            self.mapped = None;
        }
        let (map, start) = match &mut self.mapped {
            Some(mapped) => mapped,
            none => none.insert(map(bytes)?),
        };
        Ok(&mut map[*start..][..bytes])
    }

    fn bytes(&self) -> usize {
        self.mapped
            .as_ref()
            .map_or(0, |(map, start)| map.len() - start)
    }
}

fn map(bytes: usize) -> io::Result<(MmapMut, usize)> {
    // What lies before the boundary is never touched, so it takes addresses and no memory.
    let map = MmapMut::map_anon(bytes + HUGE)?;
    let start = map.as_ptr().align_offset(HUGE);
    // Whole pages only: a last one that is not filled would take more than was asked for.
    #[cfg(target_os = "linux")]
    if bytes >= HUGE {
        // A system without them answers with an error, and the hash is as right on small ones.
        let _advised = map.advise_range(memmap2::Advice::HugePage, start, bytes / HUGE * HUGE);
    }
    Ok((map, start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_begins_a_huge_page_and_is_mapped_again_only_to_grow() {
        let mut memory = Memory::new();
        let first = memory.of(4096).unwrap();
        assert_eq!(first.len(), 4096 * BLOCK);
        assert_eq!(first.as_ptr().align_offset(HUGE), 0);
        first[7] = 7;
        assert_eq!(memory.of(8).unwrap()[7], 7);
        assert_eq!(memory.of(4096).unwrap()[7], 7);
        assert_eq!(memory.of(8192).unwrap()[7], 0);
    }
}
