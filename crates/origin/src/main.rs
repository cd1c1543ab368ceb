//! The origin: wiremock in a process of its own, steered over a pipe.
//!
//! It binds loopback only. Its memory grows by several KiB a request whatever is switched off
//! (wiremock 0.6 keeps every matched request), so a mount begins by forgetting, and the harness
//! renews the process every block. An accept loop of wiremock ends for good at its first error,
//! so the limit of file descriptors is raised to what the system allows.

mod respond;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    match serve::serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the origin failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}
