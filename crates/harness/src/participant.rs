//! A participant: a process that takes turns, and is idle in between.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use record::{Described, Held};
use workload::pipe::{FromModel, Hello, PROTOCOL, ToModel, Turned};
use workload::{Cell, Datum, Plan, Turn};

use crate::descendants::{Children, children, end_descendants};
use crate::{Child, Program, ReceiveError, Start};

/// How long a child may take to say hello, or to have its units ready.
const ANSWER: Duration = Duration::from_secs(10);
/// How often a participant gets its time again, as the origin was stalled meanwhile. A stall shows
/// in all that the origin says of its turn, so that one which hangs would have time for ever.
const STALLS_MAX: u32 = 2;
/// The variable that names the interpreter of a model in another language.
const INTERPRETER: &str = "INFLIGHT_INTERPRETER";

/// A process that takes turns.
#[derive(Debug)]
pub(crate) struct Participant {
    child: Child<FromModel>,
    plan: Plan,
    /// Its CPU clock, as the kernel keeps it.
    clock: Option<ClockId>,
    /// When its last turn ended, and what its clock said then.
    rested: (Instant, Option<Duration>),
    /// What it reported of itself.
    pub hello: Hello,
    /// How long it has been idle, and the CPU time that it used meanwhile.
    pub idle: (Duration, Duration),
}

/// A process that was started and was sent nothing yet.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child<FromModel>,
    name: String,
}

/// What came of a turn.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// What the participant reported.
    pub turned: Turned,
    /// CPU time that the kernel charged the process with from before the turn until after it; of a
    /// batch since it was started.
    pub charged_ns: Option<u64>,
    /// What was read while all of its fetches were held, if they were.
    pub held: Option<Held>,
}

/// Why a participant reported nothing.
#[derive(Debug)]
pub(crate) enum Ended {
    /// No message came.
    NoMessage(ReceiveError),
    /// What it reported may not be measured.
    Refused(String),
}

impl From<ReceiveError> for Ended {
    fn from(error: ReceiveError) -> Self {
        Self::NoMessage(error)
    }
}

/// Starts the process of a participant.
pub(crate) fn start(
    (described, program): (Described<'_>, &Program),
    (workers, cpus): (u32, &[usize]),
) -> Result<Started, String> {
    let set = |(name, value): (&String, &String)| {
        (name.clone(), value.replace("{workers}", &workers.to_string()))
    };
    let interpreter = program.interpreter.iter().filter(|found| !found.is_compiler);
    let interpreter = interpreter
        .map(|found| (INTERPRETER.to_owned(), found.path.to_string_lossy().into_owned()));
    let env = described.env().iter().map(set).chain(interpreter).collect();
    let start = Start { program: &program.path, arguments: Vec::new(), env, cpus };
    let child = Child::start(&start).map_err(|error| format!("{error:#}"))?;
    Ok(Started { child, name: described.says().to_owned() })
}

impl Started {
    /// Sends the process its plan, and returns it once it can take turns.
    ///
    /// # Errors
    ///
    /// Says in a sentence why it cannot, and ends it.
    pub(crate) fn enter(mut self, plan: Plan) -> Result<Participant, String> {
        match self.greet(&plan) {
            Ok(hello) => {
                let clock = clock_of(self.child.id());
                let rested = (Instant::now(), clock.and_then(read));
                let idle = (Duration::ZERO, Duration::ZERO);
                Ok(Participant { child: self.child, plan, clock, rested, hello, idle })
            }
            Err(Ended::NoMessage(error)) => Err(self.child.end_after(&error)),
            Err(Ended::Refused(why)) => {
                self.child.kill();
                Err(why)
            }
        }
    }

    /// Receives the hello, sends the plan, receives that all is ready.
    fn greet(&mut self, plan: &Plan) -> Result<Hello, Ended> {
        let hello = match self.child.receive_within(ANSWER)? {
            FromModel::Hello(hello) => hello,
            FromModel::Ready | FromModel::Turned(_) => {
                return Err(Ended::Refused("its first message is no hello".into()));
            }
        };
        accept(&hello)?;
        if hello.model != self.name {
            let why = format!("it says that it is {:?}, not {:?}", hello.model, self.name);
            return Err(Ended::Refused(why));
        }
        self.child.send(&ToModel::Plan(plan.clone()));
        match self.child.receive_within(ANSWER)? {
            FromModel::Ready => Ok(hello),
            FromModel::Hello(_) => Err(Ended::Refused("it said hello twice".into())),
            FromModel::Turned(_) => {
                Err(Ended::Refused("it reported a turn before it had one".into()))
            }
        }
    }
}

/// Makes sure that what says hello can be understood and measured.
pub(crate) fn accept(hello: &Hello) -> Result<(), Ended> {
    if hello.protocol != PROTOCOL {
        let spoken = hello.protocol;
        let why = match spoken {
            1 => {
                "it speaks protocol 1, in which a process had one trial: it has to take turns now \
                  (crates/README.md, \"The pipe\"), or to be built with the present kit"
                    .to_owned()
            }
            _ => format!("it speaks protocol {spoken}, expected {PROTOCOL}"),
        };
        return Err(Ended::Refused(why));
    }
    if hello.debug_assertions {
        return Err(Ended::Refused("it was built with debug assertions".into()));
    }
    Ok(())
}

/// Returns the longest that a turn may take: twice what its delays and its arrivals, if they come
/// at a rate, would take alone, and 10 s, in which operations that are done many at a time have
/// their place. Half of it is enough for one that is not starved.
pub fn time_for(plan: &Plan, turn: &Turn) -> Duration {
    let (cell, ids) = (&plan.cell, turn.ids(&plan.cell));
    let waves = (ids.end - ids.start).div_ceil(u64::from(cell.in_flight));
    let each = match cell.workload.datum() {
        Datum::Timed(after) => after + Duration::from_millis(1),
        Datum::Turn | Datum::Slope => {
            // Of fetches that arrive at a rate it is no pace: all deadlines are over soon after the
            // last arrival.
            let most = plan.deadline_ms.filter(|_| !cell.is_open()).unwrap_or(0);
            Duration::from_millis(most.max(cell.delay_ms_max()))
        }
    };
    let arrivals = Duration::from_secs((ids.end - ids.start) / u64::from(cell.rate_per_s.max(1)));
    let arrivals = if cell.is_open() { arrivals } else { Duration::ZERO };
    let waves = u32::try_from(waves).unwrap_or(u32::MAX);
    Duration::from_secs(10) + 2 * arrivals + 2 * each.saturating_mul(waves)
}

impl Participant {
    /// Lets it take a turn. `is_stalled` is asked whenever its time is over: where the origin has
    /// been stalled, that time was not the participant's, and it gets as much again.
    pub(crate) fn take(
        &mut self,
        turn: &Turn,
        is_stalled: impl FnMut() -> bool,
    ) -> Result<Taken, ReceiveError> {
        let given = self.give(turn);
        self.receive(turn, given, is_stalled)
    }

    /// Sends it a turn, and returns what its clock said just before.
    pub(crate) fn give(&mut self, turn: &Turn) -> Option<Duration> {
        let before = self.clock.and_then(read);
        self.count_idle(before);
        self.child.send(&ToModel::Turn(*turn));
        before
    }

    /// Receives what came of a turn that it was sent, when its clock said so much.
    pub(crate) fn receive(
        &mut self,
        turn: &Turn,
        before: Option<Duration>,
        is_stalled: impl FnMut() -> bool,
    ) -> Result<Taken, ReceiveError> {
        let time = time_for(&self.plan, turn);
        let reported = patiently(|| self.child.receive_within(time), is_stalled)?;
        let after = self.clock.and_then(read);
        self.rested = (Instant::now(), after);
        let FromModel::Turned(turned) = reported else {
            return Err(ReceiveError::Malformed("the pipe: it reports no turn".to_owned()));
        };
        if turned.turn != turn.number {
            let (reported, asked) = (turned.turn, turn.number);
            return Err(ReceiveError::Malformed(format!(
                "the pipe: turn {reported}, asked for {asked}"
            )));
        }
        let is_resident = self.plan.cell.workload.is_resident();
        let since = if is_resident { before } else { Some(Duration::ZERO) };
        let charged = after.zip(since).map(|(after, since)| after.saturating_sub(since));
        let charged_ns = charged.and_then(|charged| u64::try_from(charged.as_nanos()).ok());
        Ok(Taken { turned, charged_ns, held: None })
    }

    /// Returns what it does.
    pub(crate) fn cell(&self) -> &Cell {
        &self.plan.cell
    }

    /// Returns the id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns how long it has rested.
    pub(crate) fn rested_for(&self) -> Duration {
        self.rested.0.elapsed()
    }

    /// Returns the CPU time that it has used so far, if the system reports it.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        self.clock.and_then(read)
    }

    /// Returns what is known of the processes that it has started.
    pub(crate) fn children(&self) -> Children {
        children(self.child.id())
    }

    /// Returns the most memory that its process has held at once, in KiB; 0 if the system does not
    /// report.
    pub(crate) fn memory_peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Closes its pipe and waits until it has left.
    ///
    /// # Errors
    ///
    /// Says that it did not leave, went on talking, or left with an error.
    pub(crate) fn leave(self) -> Result<(), String> {
        end_descendants(self.child.id());
        self.child.dismiss()
    }

    /// Does the same, and leaves alone what it has started: of a tool that watches a model, that is
    /// the model.
    ///
    /// # Errors
    ///
    /// Says the same.
    pub(crate) fn leave_with_its_children(self) -> Result<(), String> {
        self.child.dismiss()
    }

    /// Ends it after no message came; returns what is known of its end.
    pub(crate) fn end_after(self, error: &ReceiveError) -> String {
        self.child.end_after(error)
    }

    /// Counts the time since its last turn as idle.
    fn count_idle(&mut self, now: Option<Duration>) {
        let (since, then) = self.rested;
        self.idle.0 += since.elapsed();
        if let Some((now, then)) = now.zip(then) {
            self.idle.1 += now.saturating_sub(then);
        }
    }
}

/// Receives something, and again where it did not come while the origin was stalled.
fn patiently<T>(
    mut receive: impl FnMut() -> Result<T, ReceiveError>,
    mut is_stalled: impl FnMut() -> bool,
) -> Result<T, ReceiveError> {
    for _ in 0..STALLS_MAX {
        match receive() {
            Err(ReceiveError::Timeout) if is_stalled() => {}
            received => return received,
        }
    }
    receive()
}

/// Returns the CPU clock of a process, as the kernel keeps it.
pub(crate) fn clock_of(process: u32) -> Option<ClockId> {
    let id = i32::try_from(process).ok().map(Pid::from_raw);
    id.and_then(|id| ClockId::pid_cpu_clock_id(id).ok())
}

/// Reads the CPU clock of a process.
pub(crate) fn read(clock: ClockId) -> Option<Duration> {
    clock_gettime(clock).ok().map(Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what came after so many waits in which nothing did, and how many waits there were.
    fn after(silent: u32, is_stalled: bool) -> (Result<u32, ReceiveError>, u32) {
        let mut waits = 0;
        let receive = || {
            waits += 1;
            if waits > silent { Ok(waits) } else { Err(ReceiveError::Timeout) }
        };
        let received = patiently(receive, || is_stalled);
        (received, waits)
    }

    #[test]
    fn a_stalled_origin_gives_its_time_back_and_one_who_hangs_is_not_waited_for_forever() {
        assert!(matches!(after(0, true), (Ok(1), 1)));
        assert!(matches!(after(1, true), (Ok(2), 2)));
        assert!(matches!(after(1, false), (Err(ReceiveError::Timeout), 1)));
        let (received, waits) = after(u32::MAX, true);
        assert!(matches!(received, Err(ReceiveError::Timeout)), "{received:?}");
        assert_eq!(waits, 1 + STALLS_MAX);
    }
}
