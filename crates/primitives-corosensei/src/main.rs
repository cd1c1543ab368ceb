//! A stackful coroutine: a generator that may suspend from any depth of calls, since it has a stack
//! of its own. A step is two switches of stacks, there and back.

use std::hint::black_box;
use std::process::ExitCode;

use corosensei::{Coroutine, CoroutineResult};
use model_kit::Workload;
use model_kit::primitive::{self, Work};

fn main() -> ExitCode {
    primitive::serve(model_kit::hello!(), |plan| {
        if plan.cell.workload != Workload::Generator {
            return Err(format!("a coroutine has no {}", plan.cell.workload.name()).into());
        }
        Ok(|work: Work| {
            let count = work.count;
            let batch = work.begin();
            let mut generator = Coroutine::new(move |yielder, ()| {
                for value in 1..=black_box(count) {
                    yielder.suspend(value);
                }
            });
            let mut taken = 0;
            while let CoroutineResult::Yield(value) = generator.resume(()) {
                taken += u64::from(black_box(value) == taken + 1);
            }
            Ok(batch.end(taken))
        })
    })
}
