//! Everything around a primitive: the hello, the plan, the trial.

use std::error::Error as StdError;
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::{FromProgram, PrimitivePlan, PrimitiveTrial, ToProgram};
use crate::Error;
use crate::pipe::{self, Hello};

/// What a program returns: the trial, or why there is none.
type Measured = Result<PrimitiveTrial, Box<dyn StdError + Send + Sync>>;

/// Serves one plan: prints the hello, reads the plan, lets `measure` carry it out, and prints the
/// trial. What goes wrong is one sentence on stderr and exit code 1.
pub fn serve(hello: Hello, measure: impl FnOnce(&PrimitivePlan) -> Measured) -> ExitCode {
    match serve_on(&mut io::stdin().lock(), &mut io::stdout().lock(), (hello, measure)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves one plan over any pipe.
fn serve_on(
    mut input: &mut (impl BufRead + ?Sized),
    mut output: &mut (impl Write + ?Sized),
    (hello, measure): (Hello, impl FnOnce(&PrimitivePlan) -> Measured),
) -> Result<(), Error> {
    // When the harness dies, so does the program; where the kernel refuses, the pipe does it.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    // What a child of this process leaves behind becomes a child of this process, and is seen.
    let _ = prctl::set_child_subreaper(true);
    pipe::write(&mut output, &FromProgram::Hello(hello))?;
    let Some(ToProgram::Plan(plan)) = pipe::read(&mut input)? else { return Ok(()) };
    let plan = plan.checked()?;
    let trial = measure(&plan).map_err(|error| Error::Model(error.to_string()))?;
    pipe::write(&mut output, &FromProgram::Trial(trial))?;
    io::copy(&mut input.take(pipe::LINE_BYTES_MAX), &mut io::sink())?;
    Ok(())
}

/// Binds the calling thread to one CPU.
///
/// # Errors
///
/// Says that the system refuses.
pub fn pin(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}
