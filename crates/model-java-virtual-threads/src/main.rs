//! One virtual thread a slot, on blocking sockets of Java's standard library.
//!
//! It is written in Java: see `Model.java`.

use std::process::ExitCode;

fn main() -> ExitCode {
    java_kit::become_model(env!("CARGO_PKG_NAME"))
}
