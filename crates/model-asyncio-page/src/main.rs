//! One asyncio task a slot, and a new aiohttp session for every fetch, as a teaching page does it.
//!
//! It is written in Python: see `model.py`.

use std::process::ExitCode;

fn main() -> ExitCode {
    python_kit::become_model(env!("CARGO_PKG_NAME"), include_str!("model.py"))
}
