//! An honest thread a slot, of whose turns something else is reported than happened: what the kit
//! writes goes through a pipe of this process, and is changed on its way.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use model_kit::pipe::{self, FromModel, Hello, Turned};
use nix::unistd::{dup, dup2_stdout, pipe as os_pipe};

use crate::units;

/// How long it works while another has its turn.
const BETWEEN_TURNS: Duration = Duration::from_millis(30);

/// Speaks the pipe as the kit does, and lies as `how` says.
pub(crate) fn serve(hello: Hello, how: &str) -> ExitCode {
    let lying = divert(how.to_owned());
    let code = model_kit::serve(hello, |_, slots| units::run("", slots));
    // The last words go through the pipe when nobody can write into it any more.
    if let Ok(nowhere) = File::options().write(true).open("/dev/null") {
        let _ = dup2_stdout(nowhere);
    }
    match lying.map(thread::JoinHandle::join) {
        Ok(Ok(())) => code,
        _ => ExitCode::FAILURE,
    }
}

/// Lets a thread change what this process writes to stdout.
fn divert(how: String) -> Result<thread::JoinHandle<()>, Box<dyn Error>> {
    let mut real = File::from(dup(io::stdout().as_fd())?);
    let (reported, diverted) = os_pipe()?;
    dup2_stdout(diverted)?;
    Ok(thread::spawn(move || {
        let mut reported = BufReader::new(File::from(reported));
        while let Ok(Some(mut message)) = pipe::read::<FromModel>(&mut reported) {
            if let FromModel::Turned(turned) = &mut message {
                // This thread is none of the model's.
                turned.threads -= 1;
                lie(turned, &how);
            }
            if pipe::write(&mut real, &message).is_err() {
                return;
            }
            if how == "and work between turns" {
                let begun = Instant::now();
                while begun.elapsed() < BETWEEN_TURNS {}
            }
        }
    }))
}

/// Changes what was counted.
fn lie(turned: &mut Turned, how: &str) {
    let (window, total) = (&mut turned.window, &mut turned.total);
    match how {
        "twice the fetches" => (total.issued, total.ok) = (total.issued * 2, total.ok * 2),
        "half the latencies" => turned.latencies_ns.iter_mut().for_each(|(ns, _)| *ns /= 2),
        "the best latency" => {
            let best = turned.latencies_ns.first().map_or(0, |(ns, _)| *ns);
            turned.latencies_ns.iter_mut().for_each(|(ns, _)| *ns = best);
        }
        "half the wall time" => window.wall_ns /= 2,
        "half the CPU time" => window.cpu_ns /= 2,
        "twice the wall time" => window.wall_ns *= 2,
        "no errors" => {
            // What failed has no latency: each is said to have taken just its delay.
            let fetches = window.ended;
            (total.ok, window.ok) = (total.issued, fetches);
            total.errors.clear();
            turned.latencies_ns = vec![(100_000_000, fetches)];
        }
        _ => {}
    }
}
