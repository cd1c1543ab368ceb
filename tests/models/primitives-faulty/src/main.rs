//! A program of primitives that misbehaves as the variable FAULT says.

use std::hint::black_box;
use std::process::ExitCode;

use model_kit::primitive::{self, Slope};

fn main() -> ExitCode {
    let fault = std::env::var("FAULT").unwrap_or_default();
    primitive::serve(model_kit::hello!(), |plan| {
        let mut slope = Slope::new(plan);
        let mut batches = 0;
        while let Some(count) = slope.next() {
            batches += 1;
            match fault.as_str() {
                // The time of a batch has nothing to do with its count: nothing is done for each.
                "nothing" => idle(400_000),
                "dies" if batches > 2 => return Err("there is no third batch".into()),
                _ => idle(count),
            }
            let missed = u64::from(fault == "miscounts" && count > 1_000_000);
            slope.ended(count - missed);
        }
        Ok(slope.trial())
    })
}

/// Goes round so many times.
fn idle(turns: u64) {
    for turn in 0..turns {
        black_box(turn);
    }
}
