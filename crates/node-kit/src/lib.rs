//! What a model in JavaScript is built with. Its program is a small one that replaces itself by
//! Node.js; what Node runs is JavaScript, written beside its `main.rs`.
//!
//! The sources of the model and of the kit are part of the program, so that its SHA-256, which a
//! run records, is that of everything it runs but Node, and nothing has to be found on the disk.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sys::prctl;
use nix::sys::signal::Signal;

/// The variable in which the harness names the interpreter, by its full path.
const INTERPRETER: &str = "INFLIGHT_INTERPRETER";
/// Makes modules of the arguments, and runs the model.
const START: &str = include_str!("start.mjs");
/// The modules of the kit, each after those that it imports.
const MODULES: [(&str, &str); 13] = [
    ("codes", include_str!("codes.mjs")),
    ("workloads", include_str!("workloads.mjs")),
    ("gate", include_str!("gate.mjs")),
    ("numbers", include_str!("numbers.mjs")),
    ("arrivals", include_str!("arrivals.mjs")),
    ("ledger", include_str!("ledger.mjs")),
    ("probe", include_str!("probe.mjs")),
    ("inflight", include_str!("inflight.mjs")),
    ("chunked", include_str!("chunked.mjs")),
    ("head", include_str!("head.mjs")),
    ("reply", include_str!("reply.mjs")),
    ("connection", include_str!("connection.mjs")),
    ("undici", include_str!("undici.mjs")),
];

/// Replaces this process by Node that runs the model of a package; returns only if that fails,
/// after a sentence on stderr.
pub fn become_model(package: &str, source: &str) -> ExitCode {
    let Some(interpreter) = env::var_os(INTERPRETER) else {
        eprintln!("{INTERPRETER} is not set, expected the full path of Node");
        return ExitCode::FAILURE;
    };
    // When the harness dies, so does the model; an interpreter keeps the signal of its program.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    // What a child of the model leaves behind becomes a child of the model, and is seen.
    let _ = prctl::set_child_subreaper(true);

    let name = package.strip_prefix("model-").unwrap_or(package);
    let modules = MODULES.iter().flat_map(|(name, source)| [*name, *source]);
    let error = Command::new(&interpreter)
        // No variable of whoever measures changes what is run; no folder does, as nothing is
        // imported from one.
        .env_remove("NODE_OPTIONS")
        .args(["--input-type=module", "--eval", START, name, source])
        .args(modules)
        .exec();
    eprintln!("failed to become {}: {error}", interpreter.display());
    ExitCode::FAILURE
}
