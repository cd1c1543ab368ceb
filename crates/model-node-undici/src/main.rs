//! One promise a slot, with the `fetch` of Node.js, which is undici.
//!
//! It is written in JavaScript: see `model.mjs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    node_kit::become_model(env!("CARGO_PKG_NAME"), include_str!("model.mjs"))
}
