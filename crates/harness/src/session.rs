//! One conversation with a model, and one with an origin that lasts for a block.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use model_kit::pipe::{FromModel, Hello, PROTOCOL, ToModel, Trial};
use model_kit::{Cell, Plan, Receipt};
use origin::{FromOrigin, Mount, Ready, Record, Script, ToOrigin};
use record::{Model, Placement};

use crate::{Child, Program, Silence, Start};

/// How long a child may take to say hello, or an origin to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a faulty origin may take to read what a model has sent.
const SETTLES: Duration = Duration::from_secs(1);
/// The variable that names the interpreter of a model in another language.
const INTERPRETER: &str = "INFLIGHT_INTERPRETER";
/// How long requests may be under way at the origin after the model has ended.
const QUIET: Duration = Duration::from_millis(500);

/// What a model told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who it says it is.
    pub hello: Hello,
    /// What it counted.
    pub trial: Trial,
    /// The most memory that its process held at once, in KiB; 0 if the system does not tell.
    pub memory_peak_kib: u64,
}

/// Lets a model carry out a plan in a process of its own, and returns what it told.
///
/// # Errors
///
/// Says in a sentence why there is nothing: it could not be started, hung, died, spoke nonsense,
/// or may not be measured.
pub fn converse(
    model: &Model,
    program: &Program,
    (plan, cpus): (&Plan, &[usize]),
) -> Result<Told, String> {
    let env = model
        .env
        .iter()
        .map(|(name, value)| (name.clone(), value.replace("{workers}", &plan.workers.to_string())));
    let interpreter = program.interpreter.iter();
    let interpreter = interpreter
        .map(|found| (INTERPRETER.to_owned(), found.path.to_string_lossy().into_owned()));
    let env = env.chain(interpreter).collect();
    let start = Start { program: &program.path, arguments: Vec::new(), env, cpus };
    let mut child = Child::start(&start).map_err(|error| format!("{error:#}"))?;

    let heard = dialogue(&mut child, plan);
    match heard {
        Err(Ended::Silent(silence)) => Err(child.end_after(&silence)),
        Err(Ended::Refused(why)) => {
            child.kill();
            Err(why)
        }
        Ok(told) if told.hello.model != model.name => {
            Err(format!("it says that it is {:?}, not {:?}", told.hello.model, model.name))
        }
        Ok(told) => child.dismiss().map(|()| told),
    }
}

/// Returns the longest that a trial may take: twice what its delays alone would take, and 10 s.
pub fn time_for(plan: &Plan) -> Duration {
    let cell = &plan.cell;
    let rounds = cell.dealt().div_ceil(u64::from(cell.in_flight));
    let each = plan.deadline_ms.unwrap_or(cell.delay_ms.hi).max(cell.delay_ms.hi);
    Duration::from_secs(10) + 2 * Duration::from_millis(rounds * each)
}

/// How a dialogue ended too soon.
pub(crate) enum Ended {
    /// The model fell silent.
    Silent(Silence),
    /// The model may not be measured.
    Refused(String),
}

impl From<Silence> for Ended {
    fn from(silence: Silence) -> Self {
        Self::Silent(silence)
    }
}

/// Makes sure that what says hello can be understood and measured.
pub(crate) fn accept(hello: &Hello) -> Result<(), Ended> {
    if hello.protocol != PROTOCOL {
        let why = format!("it speaks protocol {}, expected {PROTOCOL}", hello.protocol);
        return Err(Ended::Refused(why));
    }
    if hello.debug_assertions {
        return Err(Ended::Refused("it was built with debug assertions".into()));
    }
    Ok(())
}

/// Hears the hello, tells the plan, hears the trial.
fn dialogue(child: &mut Child<FromModel>, plan: &Plan) -> Result<Told, Ended> {
    let hello = match child.hear(Instant::now() + ANSWER)? {
        FromModel::Hello(hello) => hello,
        FromModel::Trial(_) => return Err(Ended::Refused("it told a trial before hello".into())),
    };
    accept(&hello)?;

    child.tell(&ToModel::Plan(plan.clone()));
    match child.hear(Instant::now() + time_for(plan))? {
        FromModel::Trial(trial) => {
            let memory_peak_kib = memory_peak_kib(child.id());
            Ok(Told { hello, trial, memory_peak_kib })
        }
        FromModel::Hello(_) => Err(Ended::Refused("it said hello twice".into())),
    }
}

/// Returns the most memory that a living process has held at once.
fn memory_peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// An origin in a process of its own.
#[derive(Debug)]
pub struct OriginProcess {
    child: Child<FromOrigin>,
    /// Who serves, and where.
    pub ready: Ready,
}

impl OriginProcess {
    /// Starts an origin.
    ///
    /// # Errors
    ///
    /// Says why it did not start.
    pub fn start(program: &Program, placement: &Placement) -> Result<Self> {
        Self::start_as(program, (placement.shards.to_string(), &placement.origin_cpus))
    }

    /// Starts an origin that misbehaves.
    ///
    /// # Errors
    ///
    /// Says why it did not start.
    pub fn start_faulty(program: &Program) -> Result<Self> {
        Self::start_as(program, ("faulty".to_owned(), &[]))
    }

    /// Starts an origin of the kind that its argument asks for.
    fn start_as(program: &Program, (argument, cpus): (String, &[usize])) -> Result<Self> {
        let arguments = vec![argument];
        let start = Start { program: &program.path, arguments, env: BTreeMap::new(), cpus };
        let mut child = Child::start(&start)?;
        match child.hear(Instant::now() + ANSWER) {
            Ok(FromOrigin::Ready(ready)) => Ok(Self { child, ready }),
            Ok(other) => bail!("failed to start the origin: it began with {other:?}"),
            Err(silence) => {
                Err(anyhow!("{}", child.end_after(&silence))).context("failed to start the origin")
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

    /// Returns what it has seen and done since it was told its script.
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
        let last = Instant::now() + SETTLES;
        loop {
            let record = self.record()?;
            if record.requests >= requests || Instant::now() > last {
                return Ok(record);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Mounts a cell and lets a model carry it out, without a deadline or work on top; returns what
    /// the model told, or why it told nothing.
    ///
    /// # Errors
    ///
    /// Says why the origin did not mount the cell.
    pub(crate) fn serve(
        &mut self,
        (model, program): (&Model, &Program),
        (cell, seed): (Cell, u64),
        placement: &Placement,
    ) -> Result<Result<Told, String>> {
        self.mount(Mount { cell: cell.clone(), seed })?;
        let origins = self.ready.origins.clone();
        let workers = placement.workers;
        let plan = Plan { cell, origins, workers, seed, deadline_ms: None, surcharge_ns: 0 };
        Ok(converse(model, program, (&plan, &placement.model_cpus)))
    }

    /// Returns what it saw, once no request is under way any more.
    ///
    /// # Errors
    ///
    /// Says why there is no receipt.
    pub fn receipt(&mut self) -> Result<Receipt> {
        let deadline = Instant::now() + QUIET;
        loop {
            let receipt = match self.ask(&ToOrigin::Receipt)? {
                FromOrigin::Receipt(receipt) => receipt,
                other => bail!("failed to get a receipt: the origin answered {other:?}"),
            };
            if receipt.in_flight_now == 0 || Instant::now() > deadline {
                return Ok(receipt);
            }
            // The window has closed: waiting costs nobody anything.
            thread::sleep(Duration::from_millis(2));
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
            TcpStream::connect_timeout(address, Duration::from_secs(1)).is_err()
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

    /// Asks and waits for the answer.
    fn ask(&mut self, question: &ToOrigin) -> Result<FromOrigin> {
        self.child.tell(question);
        let heard = self.child.hear(Instant::now() + ANSWER);
        heard.map_err(|silence| anyhow!("the origin does not answer: {silence}"))
    }
}
