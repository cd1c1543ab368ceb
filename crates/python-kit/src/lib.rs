//! What a model in Python is built with. Its program is a small one that replaces itself by an
//! interpreter, so that it is built, hashed, started and killed like any other; what the
//! interpreter runs is Python, written beside its `main.rs`.
//!
//! The sources of the model and of the kit are part of the program, so that its SHA-256, which a
//! run records, is that of everything it runs but the interpreter and the packages, and nothing has
//! to be found on the disk.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sys::prctl;
use nix::sys::signal::Signal;

/// The variable in which the harness names the interpreter, by its full path.
const INTERPRETER: &str = "INFLIGHT_INTERPRETER";
/// Finds the modules that follow among the arguments, and runs the model.
const START: &str = include_str!("start.py");
/// The modules of the kit; one is compiled when a model imports it.
const MODULES: [(&str, &str); 18] = [
    ("inflight", include_str!("inflight.py")),
    ("inflight_aiohttp", include_str!("inflight_aiohttp.py")),
    ("inflight_arrivals", include_str!("inflight_arrivals.py")),
    ("inflight_blocking", include_str!("inflight_blocking.py")),
    ("inflight_chunks", include_str!("inflight_chunks.py")),
    ("inflight_codes", include_str!("inflight_codes.py")),
    ("inflight_gate", include_str!("inflight_gate.py")),
    ("inflight_gevent", include_str!("inflight_gevent.py")),
    ("inflight_httpx", include_str!("inflight_httpx.py")),
    ("inflight_ledger", include_str!("inflight_ledger.py")),
    ("inflight_numbers", include_str!("inflight_numbers.py")),
    ("inflight_probe", include_str!("inflight_probe.py")),
    ("inflight_reply", include_str!("inflight_reply.py")),
    ("inflight_requests", include_str!("inflight_requests.py")),
    ("inflight_streams", include_str!("inflight_streams.py")),
    ("inflight_text", include_str!("inflight_text.py")),
    ("inflight_trio", include_str!("inflight_trio.py")),
    ("inflight_workloads", include_str!("inflight_workloads.py")),
];

/// Replaces this process by an interpreter that runs the model of a package; returns only if that
/// fails, after a sentence on stderr.
pub fn become_model(package: &str, source: &str) -> ExitCode {
    let Some(interpreter) = env::var_os(INTERPRETER) else {
        eprintln!("{INTERPRETER} is not set, expected the full path of a Python interpreter");
        return ExitCode::FAILURE;
    };
    // When the harness dies, so does the model; an interpreter keeps the signal of its program.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    // What a child of the model leaves behind becomes a child of the model, and is seen.
    let _ = prctl::set_child_subreaper(true);

    let name = package.strip_prefix("model-").unwrap_or(package);
    let modules = MODULES.iter().flat_map(|(name, source)| [*name, *source]);
    let error = Command::new(&interpreter)
        // Isolated: no variable and no folder of whoever measures changes what is imported.
        .args(["-I", "-c", START, name, source])
        .args(modules)
        .exec();
    eprintln!("failed to become {}: {error}", interpreter.display());
    ExitCode::FAILURE
}
