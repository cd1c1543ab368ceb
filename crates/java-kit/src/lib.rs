//! What a model in Java is built with. Its program is a small one that replaces itself by a virtual
//! machine, so that it is hashed, started and killed like any other.
//!
//! The harness appends to the program an archive with the classes of the model and of the kit, as
//! archives are read from their end. So its SHA-256, which a run records, is that of everything it
//! runs but the virtual machine, and nothing has to be found on the disk.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sys::prctl;
use nix::sys::signal::Signal;

/// The variable in which the harness names the program `java`, by its full path.
const INTERPRETER: &str = "INFLIGHT_INTERPRETER";
/// Lets the kit ask the system for CPU time, has the machine write no file for other programs, and
/// sockets be those of IPv4, which are all that an origin counts.
const OPTIONS: [&str; 3] =
    ["--enable-native-access=ALL-UNNAMED", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true"];

/// Replaces this process by a virtual machine that runs the model of a package; returns only if
/// that fails, after a sentence on stderr.
pub fn become_model(package: &str) -> ExitCode {
    let Some(interpreter) = env::var_os(INTERPRETER) else {
        eprintln!("{INTERPRETER} is not set, expected the full path of a program java");
        return ExitCode::FAILURE;
    };
    let Ok(classes) = env::current_exe() else {
        eprintln!("the program that holds the classes cannot be found: is /proc mounted?");
        return ExitCode::FAILURE;
    };
    // When the harness dies, so does the model; a virtual machine keeps the signal of its program.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    // What a child of the model leaves behind becomes a child of the model, and is seen.
    let _ = prctl::set_child_subreaper(true);

    let name = package.strip_prefix("model-").unwrap_or(package);
    let mut machine = Command::new(&interpreter);
    machine.args(OPTIONS).arg(format!("-Dinflight.model={name}")).arg("-classpath").arg(classes);
    let error = machine.arg("Model").exec();
    eprintln!("failed to become {}: {error}", interpreter.display());
    ExitCode::FAILURE
}
