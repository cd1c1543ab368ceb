//! An iterator of the standard library: the generator that Rust has, which is resumed by a call and
//! suspended by a return, and keeps its state in a closure.

use std::hint::black_box;
use std::iter;
use std::process::ExitCode;

use model_kit::Workload;
use model_kit::primitive::{self, Work};

fn main() -> ExitCode {
    primitive::serve(model_kit::hello!(), |plan| {
        if plan.cell.workload != Workload::Generator {
            return Err(format!("an iterator has no {}", plan.cell.workload.name()).into());
        }
        Ok(|work: Work| {
            let count = work.count;
            let batch = work.begin();
            let mut next = 0;
            let mut generator = iter::from_fn(|| {
                next += 1;
                (next <= black_box(count)).then_some(next)
            });
            let mut taken = 0;
            while let Some(value) = black_box(&mut generator).next() {
                taken += u64::from(value == taken + 1);
            }
            Ok(batch.end(taken))
        })
    })
}
