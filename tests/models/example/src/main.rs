//! The shortest model: a thread a slot, driven by the kit. Copy it to begin one of your own.

use std::process::ExitCode;

use model_kit::blocking;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        let start = |slot| std::thread::spawn(|| blocking::drive(slot));
        let threads: Vec<_> = slots.into_iter().map(start).collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread panicked")?;
        }
        Ok(())
    })
}
