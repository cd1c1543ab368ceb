//! The origin, in a process of its own, steered over a pipe: `origin wiremock SHARDS` serves cells,
//! `origin faulty` misbehaves as a script says. Either binds loopback only.

mod kinds;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match kinds::serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the origin failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}
