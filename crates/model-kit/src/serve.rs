//! Everything around a model: the hello, the plan, the slots, the clocks, the trial.

use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::vec;

use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::content::Checksums;
use crate::ledger::Ledger;
use crate::pipe::{self, FromModel, Hello, ToModel, Trial};
use crate::{Error, Plan, Slot};

/// What a model returns when it cannot do its work.
pub type ModelResult = Result<(), Box<dyn StdError + Send + Sync>>;

/// What every slot of a trial shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    pub(crate) checksums: Checksums,
    pub(crate) body_bytes: u32,
    pub(crate) deadline: Option<Duration>,
    pub(crate) surcharge: Duration,
    pub(crate) work_kib: u32,
}

/// The slots of a trial. Iterating over them hands them out, which opens the window of a batch:
/// build the runtime before, start its units after.
#[derive(Debug)]
pub struct Slots {
    shared: Arc<Shared>,
    slots: Vec<Slot>,
}

impl Slots {
    /// Creates the slots of a plan.
    pub(crate) fn new(plan: &Plan) -> Self {
        let shared = Arc::new(Shared {
            ledger: Ledger::new(&plan.cell),
            checksums: Checksums::new(plan.seed, plan.cell.body_bytes),
            body_bytes: plan.cell.body_bytes,
            deadline: plan.deadline_ms.map(Duration::from_millis),
            surcharge: Duration::from_nanos(plan.surcharge_ns),
            work_kib: plan.cell.work_kib,
        });
        let new = |&origin| Slot::new(Arc::clone(&shared), origin);
        let origins = plan.origins.iter().cycle();
        let mut slots: Vec<Slot> = origins.take(plan.cell.slots() as usize).map(new).collect();
        if plan.cell.heartbeat_us > 0 {
            // It comes last: it is to wait for whatever the others do.
            let period = Duration::from_micros(plan.cell.heartbeat_us.into());
            slots.extend(plan.origins.first().map(new).map(|slot| slot.beating(period)));
        }
        Self { shared, slots }
    }

    /// Returns how many there are: those that fetch, and the heart if the plan has one.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// Returns what the slots share.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl IntoIterator for Slots {
    type Item = Slot;
    type IntoIter = vec::IntoIter<Slot>;

    fn into_iter(self) -> Self::IntoIter {
        self.shared.ledger.hand_out();
        self.slots.into_iter()
    }
}

/// Serves one plan as a model: prints the hello, reads the plan, lets `run` fetch with its slots
/// until each is done, and prints the trial.
///
/// What goes wrong is one sentence on stderr and exit code 1.
pub fn serve(hello: Hello, run: impl FnOnce(&Plan, Slots) -> ModelResult) -> ExitCode {
    match serve_on(&mut io::stdin().lock(), &mut io::stdout().lock(), (hello, run)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Carries a plan out in this process, without a pipe, and returns the trial: for tests and for
/// trying a model out.
///
/// # Errors
///
/// Says why the plan cannot be carried out, or that the window did not close.
pub fn rehearse(plan: &Plan, run: impl FnOnce(Slots)) -> Result<Trial, Error> {
    let slots = Slots::new(&plan.clone().checked()?);
    let shared = slots.shared();
    run(slots);
    shared.ledger.trial().map_err(Error::Model)
}

/// Serves one plan over any pipe.
fn serve_on(
    mut input: &mut (impl io::BufRead + ?Sized),
    mut output: &mut (impl Write + ?Sized),
    (hello, run): (Hello, impl FnOnce(&Plan, Slots) -> ModelResult),
) -> Result<(), Error> {
    // When the harness dies, so does the model; where the kernel refuses, the closed pipe ends it.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    pipe::write(&mut output, &FromModel::Hello(hello))?;
    let Some(ToModel::Plan(plan)) = pipe::read(&mut input)? else { return Ok(()) };
    let plan = plan.checked()?;

    let slots = Slots::new(&plan);
    let shared = slots.shared();
    run(&plan, slots).map_err(|error| Error::Model(error.to_string()))?;

    let trial = shared.ledger.trial().map_err(Error::Model)?;
    pipe::write(&mut output, &FromModel::Trial(trial))?;
    // The harness may look at the living process until it closes the pipe.
    io::copy(&mut input.take(pipe::LINE_BYTES_MAX), &mut io::sink())?;
    Ok(())
}
