//! Everything around a model: the hello, the plan, the slots, and one turn after the other.
//!
//! A batch is one turn, which begins as its slots are handed out. Otherwise a control thread of the
//! kit reads the pipe: it begins a turn, hands its fetches in where that is asked for, waits until
//! every slot rests again, and reports what was counted, while the model does nothing but drive its
//! slots.

use std::error::Error as StdError;
use std::io::{self, Read};
use std::iter;
use std::os::fd::{AsRawFd, RawFd};
use std::process::{self, ExitCode};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;
use std::vec;

use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::prctl;
use nix::sys::signal::Signal;

use crate::checksums::Checksums;
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::pipe::{self, FromModel, Hello, Scheduled, ToModel, Turned};
use crate::{Error, Plan, Slot, Turn, pacer, reading};

/// What a model returns when it cannot do its work.
pub type ModelResult = Result<(), Box<dyn StdError + Send + Sync>>;

/// What every slot of a process shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) gate: Gate,
    /// Whether a slot leaves when no id is left.
    pub(crate) has_one_turn: bool,
    pub(crate) checksums: Checksums,
    pub(crate) body_bytes: u32,
    pub(crate) deadline: Option<Duration>,
    pub(crate) surcharge: Duration,
    pub(crate) work_kib: u32,
    /// Whether fetches arrive at a rate.
    pub(crate) is_open: bool,
    /// Whether they are handed in then.
    pub(crate) is_handed_in: bool,
    /// What is rung as one is, if a loop listens.
    bell: OnceLock<EventFd>,
}

impl Shared {
    /// Returns a descriptor that becomes readable as a fetch is handed in, for loops that wait in
    /// a call of the system; nothing where none is. It lives as long as the slots.
    pub(crate) fn bell(&self) -> io::Result<Option<RawFd>> {
        if !self.is_handed_in {
            return Ok(None);
        }
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?;
        Ok(Some(self.bell.get_or_init(|| bell).as_raw_fd()))
    }

    /// Wakes a loop that listens, if there is one.
    pub(crate) fn ring(&self) {
        // It would have to be rung for centuries before it is full.
        let _ = self.bell.get().map(|bell| bell.write(1));
    }
}

/// The slots of a process. Iterating over them hands them out, which opens the window of a batch:
/// build the runtime before, start its units after.
#[derive(Debug)]
pub struct Slots {
    shared: Arc<Shared>,
    all: Vec<Slot>,
    batch: Option<Arc<Ledger>>,
}

impl Slots {
    /// Creates the slots of a plan; with the one turn of a batch, if it has but one.
    pub(crate) fn new(plan: &Plan, batch: Option<Arc<Ledger>>) -> Self {
        let cell = &plan.cell;
        let shared = Arc::new(Shared {
            gate: Gate::new(cell.slots() as usize),
            has_one_turn: batch.is_some(),
            checksums: Checksums::new(plan.seed, cell.body_bytes),
            body_bytes: cell.body_bytes,
            deadline: plan.deadline_ms.map(Duration::from_millis),
            surcharge: Duration::from_nanos(plan.surcharge_ns),
            work_kib: cell.work_kib,
            is_open: cell.is_open(),
            is_handed_in: cell.handed_in,
            bell: OnceLock::new(),
        });
        if let Some(ledger) = &batch {
            shared.gate.begin(Arc::clone(ledger));
        }
        let new = |&origin| Slot::new(Arc::clone(&shared), origin);
        let origins = plan.origins.iter().cycle();
        let mut slots: Vec<Slot> = origins.take(cell.slots() as usize).map(new).collect();
        if cell.probe_period_us > 0 {
            // It comes last: it is to wait for whatever the others do.
            let period = Duration::from_micros(cell.probe_period_us.into());
            slots.extend(plan.origins.first().map(new).map(|slot| slot.beating(period)));
        }
        Self { shared, all: slots, batch }
    }

    /// Returns how many there are: those that fetch, and the probe task if the plan has one.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Returns what a loop has to listen to beside its sockets, if anything.
    pub(crate) fn bell(&self) -> io::Result<Option<RawFd>> {
        self.shared.bell()
    }
}

impl IntoIterator for Slots {
    type Item = Slot;
    type IntoIter = vec::IntoIter<Slot>;

    fn into_iter(self) -> Self::IntoIter {
        if let Some(ledger) = &self.batch {
            ledger.hand_out();
        }
        self.all.into_iter()
    }
}

/// Serves one plan as a model: prints the hello, reads the plan, lets `run` fetch with its slots
/// until each is done, and prints what each turn came to.
///
/// What goes wrong is one sentence on stderr and exit code 1.
pub fn serve(hello: Hello, run: impl FnOnce(&Plan, Slots) -> ModelResult) -> ExitCode {
    ended(serve_one(hello, run))
}

/// Returns the exit code of a process, and says what went wrong, if anything did.
pub(crate) fn ended(served: Result<(), Error>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Carries a plan out in this process as one turn from id 0, without a pipe, and returns what was
/// counted: for tests and for trying a model out.
///
/// # Errors
///
/// Says why the plan cannot be carried out, or that the window did not close.
pub fn rehearse(plan: &Plan, run: impl FnOnce(Slots)) -> Result<Turned, Error> {
    rehearse_turn((plan, &Turn::of(&plan.cell, 0, 0)), run)
}

/// Carries one turn of a plan out in this process, without a pipe: as [`rehearse`], but for the
/// ids.
///
/// # Errors
///
/// Says why the turn cannot be carried out, or that the window did not close.
pub fn rehearse_turn(
    (plan, turn): (&Plan, &Turn),
    run: impl FnOnce(Slots),
) -> Result<Turned, Error> {
    let plan = plan.clone().checked()?;
    let ledger = Arc::new(Ledger::new(&plan.cell, &turn.checked(&plan.cell)?));
    let slots = Slots::new(&plan, Some(Arc::clone(&ledger)));
    let shared = Arc::clone(&slots.shared);
    thread::scope(|scope| {
        if plan.cell.handed_in {
            scope.spawn(|| pacer::pace(&ledger, &shared));
        }
        run(slots);
    });
    ledger.turned(reading::threads()).map_err(Error::Model)
}

/// Serves one plan, or says what went wrong.
fn serve_one(hello: Hello, run: impl FnOnce(&Plan, Slots) -> ModelResult) -> Result<(), Error> {
    let Some(plan) = greet(hello)? else { return Ok(()) };
    if !plan.cell.workload.fetches() {
        let name = plan.cell.workload.name();
        return Err(Error::Plan(format!("a model fetches, it has no {name}")));
    }
    match plan.cell.workload.is_resident() {
        true => stay(&plan, run),
        false => take_one(&plan, run),
    }
}

/// Says hello and returns the plan, or nothing once the pipe is closed.
pub(crate) fn greet(hello: Hello) -> Result<Option<Plan>, Error> {
    // When the harness dies, so does the model; where the kernel refuses, the closed pipe ends it.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    // What a child of this process leaves behind becomes a child of this process, and is seen.
    let _ = prctl::set_child_subreaper(true);
    send(&FromModel::Hello(hello))?;
    match receive()? {
        Some(ToModel::Plan(plan)) => plan.checked().map(Some),
        Some(ToModel::Turn(_)) => Err(Error::Protocol("a turn came before a plan".into())),
        None => Ok(None),
    }
}

/// Returns what an error says, and what those say that caused it: some libraries name none of them.
fn with_causes(error: &(dyn StdError + 'static)) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    let mut said = String::new();
    for words in causes.map(ToString::to_string) {
        match said.is_empty() {
            true => said = words,
            // Others quote them.
            false if !said.contains(&words) => said.extend([": ", &words]),
            false => {}
        }
    }
    said
}

/// Takes the one turn of a batch.
fn take_one(plan: &Plan, run: impl FnOnce(&Plan, Slots) -> ModelResult) -> Result<(), Error> {
    send(&FromModel::Ready)?;
    let Some(turn) = next_turn(plan)? else { return Ok(()) };
    let ledger = Arc::new(Ledger::new(&plan.cell, &turn));
    let slots = Slots::new(plan, Some(Arc::clone(&ledger)));
    run(plan, slots).map_err(|error| Error::Model(with_causes(&*error)))?;

    let turned = ledger.turned(reading::threads()).map_err(Error::Model)?;
    send(&FromModel::Turned(Turned { scheduled: reading::scheduled(), ..turned }))?;
    // The harness may look at the living process until it closes the pipe.
    io::copy(&mut io::stdin().lock().take(pipe::LINE_BYTES_MAX), &mut io::sink())?;
    Ok(())
}

/// Takes one turn after the other until the pipe is closed.
fn stay(plan: &Plan, run: impl FnOnce(&Plan, Slots) -> ModelResult) -> Result<(), Error> {
    let slots = Slots::new(plan, None);
    let (shared, asked) = (Arc::clone(&slots.shared), plan.clone());
    let control = move || {
        if let Err(error) = take_turns(&asked, &shared) {
            eprintln!("{error}");
            process::exit(1);
        }
        shared.gate.end();
    };
    let shared = Arc::clone(&slots.shared);
    thread::Builder::new().name("kit".into()).spawn(control)?;
    run(plan, slots).map_err(|error| Error::Model(with_causes(&*error)))?;
    match shared.gate.is_over() {
        true => Ok(()),
        false => Err(Error::Model("its units left before the pipe was closed".into())),
    }
}

/// Begins turns and reports what came of each: the work of the control thread.
fn take_turns(plan: &Plan, shared: &Shared) -> Result<(), Error> {
    shared.gate.wait_until_quiet();
    send(&FromModel::Ready)?;
    while let Some(turn) = next_turn(plan)? {
        let before = reading::scheduled();
        let ledger = Arc::new(Ledger::new(&plan.cell, &turn));
        shared.gate.begin(Arc::clone(&ledger));
        pacer::pace(&ledger, shared);
        shared.gate.wait_until_quiet();
        let turned = ledger.turned(reading::threads()).map_err(Error::Model)?;
        let scheduled = since(before, reading::scheduled());
        send(&FromModel::Turned(Turned { scheduled, ..turned }))?;
    }
    Ok(())
}

/// Returns what threads got between two readings, if both are there.
pub(crate) fn since(before: Option<Scheduled>, after: Option<Scheduled>) -> Option<Scheduled> {
    let (before, after) = (before?, after?);
    Some(Scheduled {
        cpu_ns: after.cpu_ns.saturating_sub(before.cpu_ns),
        run_delay_ns: after.run_delay_ns.saturating_sub(before.run_delay_ns),
    })
}

/// Returns the next turn of a plan, or nothing once the pipe is closed.
pub(crate) fn next_turn(plan: &Plan) -> Result<Option<Turn>, Error> {
    match receive()? {
        Some(ToModel::Turn(turn)) => turn.checked(&plan.cell).map(Some),
        Some(ToModel::Plan(_)) => Err(Error::Protocol("a second plan came".into())),
        None => Ok(None),
    }
}

/// Writes a message.
pub(crate) fn send(message: &FromModel) -> Result<(), Error> {
    pipe::write(&mut io::stdout().lock(), message)
}

/// Reads a message, or nothing once the pipe is closed.
fn receive() -> Result<Option<ToModel>, Error> {
    pipe::read(&mut io::stdin().lock())
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    /// An error that does not quote what caused it.
    #[derive(Debug)]
    struct Silent(io::Error);

    impl fmt::Display for Silent {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "builder error")
        }
    }

    impl StdError for Silent {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn what_caused_an_error_is_said_once() {
        let cause = || io::Error::other("no thread is left");
        assert_eq!(with_causes(&cause()), "no thread is left");
        assert_eq!(with_causes(&Silent(cause())), "builder error: no thread is left");
        let twice = io::Error::other(Silent(cause()));
        assert_eq!(with_causes(&twice), "builder error: no thread is left");
    }
}
