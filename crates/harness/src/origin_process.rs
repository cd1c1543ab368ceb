//! One conversation with a model, and one with an origin that lasts for a block.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use origin::{FAULTY, FromOrigin, Mount, Ready, Record, Script, ToOrigin};
use record::{Described, Model, Placement};
use rules::STALLED_MS;
use workload::pipe::{Hello, Turned};
use workload::{Cell, Plan, Receipt, Turn};

use crate::participant::{clock_of, read, start};
use crate::{Child, Program, Start};

/// How long an origin may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long one may take that has been stopped, by whomever, before it is given up.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long a faulty origin may take to read what a model has sent.
const SETTLES: Duration = Duration::from_secs(1);
/// How long requests may be under way at the origin after the model has ended.
const QUIET: Duration = Duration::from_millis(500);

/// What a model reported.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Who it says it is.
    pub hello: Hello,
    /// What it counted.
    pub turned: Turned,
    /// The most memory that its process held at once, in KiB; 0 if the system does not report.
    pub memory_peak_kib: u64,
}

/// Lets a model take one turn of a plan, from id 0, in a process of its own, and returns what it
/// reported.
///
/// # Errors
///
/// Says in a sentence why there is nothing: it could not be started, hung, died, sent no message,
/// or may not be measured.
pub fn converse(
    model: &Model,
    program: &Program,
    (plan, cpus): (&Plan, &[usize]),
) -> Result<Reported, String> {
    let started = start((Described::Model(model), program), (plan.workers, cpus))?;
    let mut participant = started.enter(plan.clone())?;
    match participant.take(&Turn::of(&plan.cell, 0, 0), || false) {
        Err(error) => Err(participant.end_after(&error)),
        Ok(taken) => {
            let memory_peak_kib = participant.memory_peak_kib();
            let hello = participant.hello.clone();
            participant.leave()?;
            Ok(Reported { hello, turned: taken.turned, memory_peak_kib })
        }
    }
}

/// An origin in a process of its own.
#[derive(Debug)]
pub struct OriginProcess {
    child: Child<FromOrigin>,
    /// Who serves, and where.
    pub ready: Ready,
}

impl OriginProcess {
    /// Starts an origin of the kind that is placed.
    ///
    /// # Errors
    ///
    /// Says why it did not start.
    pub fn start(program: &Program, placement: &Placement) -> Result<Self> {
        let arguments = vec![placement.origin.name().to_owned(), placement.shards.to_string()];
        Self::start_as(program, (arguments, &placement.origin_cpus))
    }

    /// Starts an origin that can serve a cell, at as many addresses as its connections need.
    ///
    /// # Errors
    ///
    /// Says why it did not start.
    pub fn start_for(program: &Program, placement: &Placement, cell: &Cell) -> Result<Self> {
        let serving = placement.serving(cell);
        if cell.addresses() == 1 {
            return Self::start(program, &serving);
        }
        let sizes = [serving.shards, cell.addresses()].map(|size| size.to_string());
        let arguments = [&[serving.origin.name().to_owned()], sizes.as_slice()].concat();
        Self::start_as(program, (arguments, &serving.origin_cpus))
    }

    /// Starts an origin that misbehaves.
    ///
    /// # Errors
    ///
    /// Says why it did not start.
    pub fn start_faulty(program: &Program) -> Result<Self> {
        Self::start_as(program, (vec![FAULTY.to_owned()], &[]))
    }

    /// Starts an origin of the kind that its arguments ask for.
    fn start_as(program: &Program, (arguments, cpus): (Vec<String>, &[usize])) -> Result<Self> {
        let start = Start { program: &program.path, arguments, env: BTreeMap::new(), cpus };
        let mut child = Child::start(&start)?;
        match child.receive_within(ANSWER) {
            Ok(FromOrigin::Ready(ready)) => Ok(Self { child, ready }),
            Ok(other) => bail!("failed to start the origin: it began with {other:?}"),
            Err(error) => {
                Err(anyhow!("{}", child.end_after(&error))).context("failed to start the origin")
            }
        }
    }

    /// Has it serve a plan's cell.
    ///
    /// # Errors
    ///
    /// Says why it did not.
    pub fn mount(&mut self, mount: Mount) -> Result<()> {
        match self.ask(&ToOrigin::Mount(mount))? {
            FromOrigin::Mounted => Ok(()),
            other => bail!("failed to mount a cell: the origin answered {other:?}"),
        }
    }

    /// Has it misbehave as a script says.
    ///
    /// # Errors
    ///
    /// Says why it does not.
    pub fn misbehave(&mut self, script: Script) -> Result<()> {
        match self.ask(&ToOrigin::Misbehave(script))? {
            FromOrigin::Mounted => Ok(()),
            other => bail!("failed to hand over a script: the origin answered {other:?}"),
        }
    }

    /// Returns what it has seen and done since it was sent its script.
    ///
    /// # Errors
    ///
    /// Says why there is no record.
    pub fn record(&mut self) -> Result<Record> {
        match self.ask(&ToOrigin::Receipt)? {
            FromOrigin::Record(record) => Ok(record),
            other => bail!("failed to get a record: the origin answered {other:?}"),
        }
    }

    /// Returns what a faulty origin did, once it has read so many requests: one whose answer nobody
    /// waits for may be read after its model has ended.
    pub(crate) fn record_of(&mut self, requests: u64) -> Result<Record> {
        asked_until(SETTLES, || self.record(), |record| record.requests >= requests)
    }

    /// Mounts a cell and lets a model carry it out, without a deadline or work on top; returns what
    /// the model reported, or why it reported nothing.
    ///
    /// # Errors
    ///
    /// Says why the origin did not mount the cell.
    pub(crate) fn serve(
        &mut self,
        (model, program): (&Model, &Program),
        (cell, seed): (Cell, u64),
        placement: &Placement,
    ) -> Result<Result<Reported, String>> {
        let plan = self.plan((cell, seed), placement)?;
        let (_, cpus) = placement.of_models(&plan.cell);
        Ok(converse(model, program, (&plan, cpus)))
    }

    /// Mounts a cell, and returns a plan of it without a deadline or work on top.
    ///
    /// # Errors
    ///
    /// Says why the origin did not mount the cell.
    pub(crate) fn plan(
        &mut self,
        (cell, seed): (Cell, u64),
        placement: &Placement,
    ) -> Result<Plan> {
        self.mount(Mount::whole(&cell, seed))?;
        let (origins, (workers, _)) = (self.ready.origins.clone(), placement.of_models(&cell));
        Ok(Plan { cell, origins, workers, seed, deadline_ms: None, surcharge_ns: 0 })
    }

    /// Returns what it saw, once no request is under way any more.
    ///
    /// # Errors
    ///
    /// Says why there is no receipt.
    pub fn receipt(&mut self) -> Result<Receipt> {
        asked_until(QUIET, || self.seen(), |receipt| receipt.in_flight_now == 0)
    }

    /// Returns what it has seen so far.
    ///
    /// # Errors
    ///
    /// Says why there is no receipt.
    pub fn seen(&mut self) -> Result<Receipt> {
        match self.ask(&ToOrigin::Receipt)? {
            FromOrigin::Receipt(receipt) => Ok(receipt),
            other => bail!("failed to get a receipt: the origin answered {other:?}"),
        }
    }

    /// Has it send the replies that it holds.
    ///
    /// # Errors
    ///
    /// Says why it does not.
    pub fn release(&mut self) -> Result<()> {
        match self.ask(&ToOrigin::Release)? {
            FromOrigin::Released => Ok(()),
            other => bail!("failed to release replies: the origin answered {other:?}"),
        }
    }

    /// Checks that every shard still accepts connections; wiremock's loop ends for good at its
    /// first error while the process lives on.
    ///
    /// # Errors
    ///
    /// Names the address that does not.
    pub fn accepts(&self) -> Result<()> {
        let refused = |address: &&SocketAddr| {
            let tried = TcpStream::connect_timeout(address, Duration::from_secs(1));
            // Where a model has the last of the local ports, nobody can tell.
            tried.is_err_and(|error| error.kind() != ErrorKind::AddrNotAvailable)
        };
        match self.ready.origins.iter().find(refused) {
            Some(address) => bail!("the origin no longer accepts connections at {address}"),
            None => Ok(()),
        }
    }

    /// Returns the id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns whether it answers, and has been stalled: it was stopped for a while, or the machine
    /// gave it no time. One that does not answer at all is not stalled, it is dead, and is ended:
    /// an answer that came after all would be taken for that to the next question.
    pub(crate) fn was_stalled(&mut self) -> bool {
        let asked = Instant::now();
        self.child.send(&ToOrigin::Receipt);
        let received = self.child.receive(asked + PATIENCE);
        let Ok(FromOrigin::Receipt(receipt)) = received else {
            self.child.kill();
            return false;
        };
        let late_ms = asked.elapsed().as_secs_f64() * 1e3;
        late_ms.max(receipt.delay_late_ms_max_estimate) > STALLED_MS
    }

    /// Returns the CPU time that it has used so far, if the system reports it.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        clock_of(self.child.id()).and_then(read)
    }

    /// Asks and waits for the answer.
    fn ask(&mut self, question: &ToOrigin) -> Result<FromOrigin> {
        self.child.send(question);
        let received = self.child.receive_within(ANSWER);
        received.map_err(|error| anyhow!("the origin does not answer: {error}"))
    }
}

/// Asks until an answer is the last one, or the time is over. Whoever was stopped meanwhile asks
/// once more: the answer that it has may be old.
fn asked_until<T>(
    time: Duration,
    mut ask: impl FnMut() -> Result<T>,
    is_last: impl Fn(&T) -> bool,
) -> Result<T> {
    let deadline = Instant::now() + time;
    loop {
        let is_over = Instant::now() > deadline;
        let answer = ask()?;
        if is_over || is_last(&answer) {
            return Ok(answer);
        }
        // The window has closed: waiting costs nobody anything.
        thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_stopped_longer_than_it_would_wait_asks_once_more() {
        let time = Duration::from_millis(1);
        let mut answers = 0;
        let ask = || {
            answers += 1;
            thread::sleep(10 * time);
            Ok(answers)
        };
        assert_eq!(asked_until(time, ask, |answer| *answer > 9).unwrap(), 2);
        assert_eq!(asked_until(time, || Ok(3), |answer| *answer == 3).unwrap(), 3);
    }
}
