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
                // So little is done for each that it cannot have been done at all.
                "nothing" => idle(count / 64),
                "dies" if batches > 2 => return Err("there is no third batch".into()),
                "starts" if batches == 1 => start()?,
                "leaves" if batches == 1 => leave()?,
                _ => idle(count),
            }
            let missed = u64::from(fault == "miscounts" && count > 1_000_000);
            slope.ended(count - missed);
        }
        let mut trial = slope.trial();
        if fault == "hides" {
            trial.points.iter_mut().for_each(|point| point.cpu_ns /= 4);
        }
        Ok(trial)
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

/// Goes round so many times.
fn idle(turns: u64) {
    for turn in 0..turns {
        black_box(turn);
    }
}
