//! What a plan asks a CPU for beside fetching: time, or work.

use std::hint::{black_box, spin_loop};
use std::time::{Duration, Instant};

/// Keeps the CPU busy for so long.
pub(crate) fn burn(time: Duration) {
    if time.is_zero() {
        return;
    }
    let began = Instant::now();
    while began.elapsed() < time {
        spin_loop();
    }
}

/// Computes the CRC-32 of so many KiB: the same work for every model, however often its thread is
/// interrupted meanwhile.
pub(crate) fn compute(kib: u32) {
    let mut hasher = crc32fast::Hasher::new();
    for _ in 0..kib {
        hasher.update(black_box(&[0; 1024]));
    }
    black_box(hasher.finalize());
}
