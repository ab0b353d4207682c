//! The module's memory: small, and zeroed when it is given back.
//!
//! The glue copies strings in and out through memory that no Rust value owns by then, and a wasm
//! memory never shrinks: without this, a page's every script could read the last code out of
//! `memory.buffer` for as long as the page lives.

use core::alloc::{GlobalAlloc, Layout};

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};
use zeroize::Zeroize;

struct Wiping<A>(A);

#[expect(
    unsafe_code,
    reason = "an allocator can't be written without; it only adds the zeroes"
)]
// SAFETY: passes every request on unchanged; `realloc` is the default of alloc, copy, dealloc.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Wiping<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives back a block that `alloc` gave for this very layout, so all
        // its bytes are ours to write until the inner allocator has it.
        unsafe {
            core::slice::from_raw_parts_mut(block, layout.size()).zeroize();
            self.0.dealloc(block, layout);
        }
    }
}

#[expect(
    unsafe_code,
    reason = "wasm32-unknown-unknown has one thread as long as nobody shares \
                                its memory, and the module's memory is not shared"
)]
#[global_allocator]
// SAFETY: see the reason above.
static MEMORY: Wiping<AssumeSingleThreaded<FreeListAllocator>> =
    Wiping(unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) });
