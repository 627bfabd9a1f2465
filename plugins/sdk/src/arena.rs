//! The allocator of grayscale policies. An instance lives for one decision and allocates a few kilobytes. These come
//! from a static block, so that the guest's memory never grows, which would cost the host two changes of page
//! protection for each decision.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, UnsafeCell},
};

/// The size of the block in bytes: more than a decision with a config of some kilobytes needs.
const SIZE: usize = 64 * 1024;

/// Allocates from a static block, from its start to its end. What does not fit comes from the system's allocator.
pub struct Arena {
    block: UnsafeCell<Block>,
    used: Cell<usize>,
}

#[repr(align(16))]
#[allow(dead_code, reason = "it is read and written by pointers only")]
struct Block([u8; SIZE]);

// SAFETY: it is used in wasm guests only, which have one thread.
unsafe impl Sync for Arena {}

impl Arena {
    /// An arena with nothing allocated.
    pub const fn new() -> Self {
        Self { block: UnsafeCell::new(Block([0; SIZE])), used: Cell::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.block.get().cast()
    }

    fn holds(&self, pointer: *mut u8) -> bool {
        (pointer as usize).wrapping_sub(self.start() as usize) < SIZE
    }
}

// SAFETY: blocks are disjoint, because `used` only falls back to the start of the newest one, when that is given back.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let padding = self.start().wrapping_add(self.used.get()).align_offset(layout.align());
        match self.used.get().checked_add(padding).and_then(|from| Some((from, from.checked_add(layout.size())?))) {
            Some((from, to)) if to <= SIZE => {
                self.used.set(to);
                self.start().wrapping_add(from)
            }
            // SAFETY: the caller's promise is passed on.
            _ => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !self.holds(pointer) {
            // SAFETY: what this allocator has not handed out itself came from the system's.
            return unsafe { System.dealloc(pointer, layout) };
        }
        let from = pointer as usize - self.start() as usize;
        if from + layout.size() == self.used.get() {
            self.used.set(from);
        }
    }
}
