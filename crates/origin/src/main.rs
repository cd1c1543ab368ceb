//! The origin, in a process of its own, steered over a pipe: `origin SHARDS` is wiremock, `origin
//! faulty` misbehaves as a script says.
//!
//! Either binds loopback only. The memory of wiremock grows by several KiB a request whatever is
//! switched off (wiremock 0.6 keeps every matched request), so a mount begins by forgetting, and
//! the harness renews the process every block. An accept loop of wiremock ends for good at its
//! first error, so the limit of file descriptors is raised to what the system allows.

mod faulty;
mod respond;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    let is_faulty = std::env::args().nth(1).is_some_and(|argument| argument == "faulty");
    match if is_faulty { faulty::serve() } else { serve::serve() } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the origin failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}
