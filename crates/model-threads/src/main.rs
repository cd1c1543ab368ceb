//! One OS thread a slot, each blocking on its own connection.

use std::process::ExitCode;
use std::thread;

use model_kit::blocking;

fn main() -> ExitCode {
    model_kit::serve(model_kit::hello!(), |_, slots| {
        thread::scope(|scope| {
            for slot in slots {
                thread::Builder::new().spawn_scoped(scope, || blocking::drive(slot))?;
            }
            Ok(())
        })
    })
}
