//! Calls Go as the harness does: with no variable of whoever tests, and without a network.

use std::process::Command;

use harness::Interpreter;

use super::WORKSPACE;

/// Returns a call of a toolchain in the folder of the crates.
pub(crate) fn go(toolchain: &Interpreter) -> Command {
    let folder = WORKSPACE.target.join("inflight/go");
    let mut go = Command::new(&toolchain.path);
    go.env_clear().env("GOCACHE", folder.join("cache")).env("GOPATH", folder.join("path"));
    for (name, value) in [("GOENV", "off"), ("GOPROXY", "off"), ("GOTOOLCHAIN", "local")] {
        go.env(name, value);
    }
    go.env("CGO_ENABLED", "0").current_dir(WORKSPACE.root.join("crates"));
    go
}
