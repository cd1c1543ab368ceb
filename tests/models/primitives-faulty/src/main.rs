//! A program of primitives that misbehaves as the variable FAULT says.

use std::hint::black_box;
use std::process::ExitCode;

use model_kit::primitive::{self, Work};

fn main() -> ExitCode {
    let fault = std::env::var("FAULT").unwrap_or_default();
    primitive::serve(model_kit::hello!(), |_| {
        let mut turns = 0;
        Ok(move |work: Work| {
            let count = work.count;
            turns += 1;
            let batch = work.begin();
            match fault.as_str() {
                // So little is done for each that it cannot have been done at all.
                "nothing" => idle(count / 64),
                "dies" if turns > 2 => return Err("there is no third turn".into()),
                "starts" if turns == 1 => start()?,
                "leaves" if turns == 1 => leave()?,
                // Three times as much is done after the clocks were read.
                "hides" => {
                    idle(count);
                    let done = batch.end(count);
                    idle(3 * count);
                    return Ok(done);
                }
                _ => idle(count),
            }
            let missed = u64::from(fault == "miscounts");
            Ok(batch.end(count - missed))
        })
    })
}

/// Lets a process of another session work whose parent ends at once.
fn leave() -> std::io::Result<()> {
    let script = ["-c", "(setsid /bin/sleep 62 &)"];
    std::process::Command::new("/bin/sh").args(script).env("PATH", "/usr/bin:/bin").spawn()?;
    // It needs a moment to become one.
    std::thread::sleep(std::time::Duration::from_millis(300));
    Ok(())
}

/// Lets another process work.
fn start() -> std::io::Result<()> {
    std::process::Command::new("/bin/true").status().map(drop)
}

/// Goes round for so many operations, eight times for each: once round takes a single cycle, which
/// is less than a primitive can cost.
fn idle(operations: u64) {
    for turn in 0..operations.saturating_mul(8) {
        black_box(turn);
    }
}
