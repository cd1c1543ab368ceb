//! The checksums of the bodies, which every reply is held against.

use workload::content::{BODIES, body, place};

/// The CRC-32 of each of the bodies.
#[derive(Debug)]
pub(crate) struct Checksums([u32; BODIES]);

impl Checksums {
    /// Computes them, before any window opens.
    pub(crate) fn new(seed: u64, length: u32) -> Self {
        let mut sums = [0; BODIES];
        for (id, sum) in (0..).zip(&mut sums) {
            *sum = crc32fast::hash(&body(seed, id, length));
        }
        Self(sums)
    }

    /// Returns the one for an id.
    pub(crate) fn of(&self, id: u64) -> u32 {
        self.0[place(id)]
    }
}
