//! One job a slot in a rayon pool of its own, with as many threads as there are slots: a job
//! blocks its thread while it waits.

use std::process::ExitCode;

use model_kit::blocking;
use rayon::ThreadPoolBuilder;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let pool = ThreadPoolBuilder::new().num_threads(slots.count()).build()?;
        pool.scope(|scope| {
            for slot in slots {
                scope.spawn(|_| blocking::drive(slot));
            }
        });
        Ok(())
    })
}
