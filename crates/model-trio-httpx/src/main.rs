//! One task of trio a slot with httpx: one client, shared.
//!
//! It is written in Python: see `model.py`.

use std::process::ExitCode;

fn main() -> ExitCode {
    python_kit::become_model(env!("CARGO_PKG_NAME"), include_str!("model.py"))
}
