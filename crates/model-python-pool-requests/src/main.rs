//! A pool of threads, one a slot, with requests: one session, shared.
//!
//! It is written in Python: see `model.py`.

use std::process::ExitCode;

fn main() -> ExitCode {
    python_kit::become_model(env!("CARGO_PKG_NAME"), include_str!("model.py"))
}
