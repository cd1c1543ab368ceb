//! One trial of a primitive: a conversation with a fresh process.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use record::{PrimitiveBlock, PrimitiveProgram, PrimitiveSchedule};
use workload::pipe::Hello;
use workload::primitive::{FromProgram, PrimitivePlan, PrimitiveTrial, ToProgram};

use crate::descendants::{descendants, end_descendants};
use crate::participant::{Ended, accept, clock_of, read};
use crate::{Child, Program, Start};

/// How long a program may take to say hello.
const HELLO: Duration = Duration::from_secs(10);
/// Batches that a trial may take, of the least length: two times fifteen are asked for, and some
/// find out how long they are.
const BATCHES_MAX: u32 = 200;
/// What a trial takes beyond what it measures, in seconds.
const OVERHEAD_S: f64 = 0.03;
/// Batches of the least length that a trial takes in the mean.
const BATCHES: f64 = 45.0;

/// Returns what every program of a block is sent.
pub(super) fn planned(schedule: &PrimitiveSchedule, block: &PrimitiveBlock) -> PrimitivePlan {
    let cpus: Vec<usize> = schedule.cpus.iter().copied().take(block.primitive.cpus()).collect();
    PrimitivePlan {
        primitive: block.primitive,
        batch_ns: schedule.batch_ns,
        samples: block.samples,
        workers: u32::try_from(cpus.len()).unwrap_or(1),
        cpus,
        seed: block.seed,
    }
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The versions that the program reported.
    pub versions: BTreeMap<String, String>,
    /// What it reported.
    pub trial: PrimitiveTrial,
    /// CPU time that the kernel charged its process with from before the plan until after the
    /// trial, if it could be read.
    pub charged_ns: Option<u64>,
    /// How many processes it has started, as far as they are known of.
    pub descendants: u64,
}

/// Lets a program carry out a plan in a process of its own, and returns what came of it.
///
/// # Errors
///
/// Says in a sentence why there is nothing: it could not be started, hung, died, sent no message,
/// or may not be measured.
pub fn measure_primitive(
    described: &PrimitiveProgram,
    program: &Program,
    plan: &PrimitivePlan,
) -> Result<Tried, String> {
    let workers = plan.workers.to_string();
    let env = described.env.iter();
    let env = env.map(|(name, value)| (name.clone(), value.replace("{workers}", &workers)));
    let start = Start {
        program: &program.path,
        arguments: Vec::new(),
        env: env.collect(),
        cpus: &plan.cpus,
    };
    let mut child = Child::start(&start).map_err(|error| format!("{error:#}"))?;
    match dialogue(&mut child, plan) {
        Err(Ended::NoMessage(error)) => Err(child.end_after(&error)),
        Err(Ended::Refused(why)) => {
            child.kill();
            Err(why)
        }
        Ok((hello, _)) if hello.model != described.name => {
            Err(format!("it says that it is {:?}, not {:?}", hello.model, described.name))
        }
        Ok((_, tried)) => {
            end_descendants(child.id());
            child.dismiss().map(|()| tried)
        }
    }
}

/// Receives the hello, sends the plan, receives the trial, and looks at what the process did
/// meanwhile.
fn dialogue(child: &mut Child<FromProgram>, plan: &PrimitivePlan) -> Result<(Hello, Tried), Ended> {
    let hello = match child.receive(Instant::now() + HELLO)? {
        FromProgram::Hello(hello) => hello,
        FromProgram::Trial(_) => {
            return Err(Ended::Refused("it reported a trial before hello".into()));
        }
    };
    accept(&hello)?;

    let clock = clock_of(child.id());
    let before = clock.and_then(read);
    child.send(&ToProgram::Plan(plan.clone()));
    let trial = match child.receive(Instant::now() + time_for(plan))? {
        FromProgram::Trial(trial) => trial,
        FromProgram::Hello(_) => return Err(Ended::Refused("it said hello twice".into())),
    };
    let charged =
        clock.and_then(read).zip(before).map(|(after, before)| after.saturating_sub(before));
    let charged_ns = charged.and_then(|charged| u64::try_from(charged.as_nanos()).ok());
    let descendants = descendants(child.id());
    let versions = hello.versions.clone();
    Ok((hello, Tried { versions, trial, charged_ns, descendants }))
}

/// Returns the longest that a trial may take.
fn time_for(plan: &PrimitivePlan) -> Duration {
    let each = plan.primitive.alone().unwrap_or_default() + Duration::from_millis(1);
    let alone = each * u32::try_from(plan.samples).unwrap_or(u32::MAX);
    HELLO + BATCHES_MAX * Duration::from_nanos(plan.batch_ns) + 4 * alone
}

/// Says how long the primitives of a schedule take, if it has any.
pub fn primitives_line(schedule: &PrimitiveSchedule) -> Option<String> {
    let (blocks, seconds) = (schedule.blocks.len(), seconds(schedule));
    (blocks > 0).then(|| format!("{blocks} blocks of primitives, about {seconds:.0} seconds"))
}

/// Returns about how long the primitives of a schedule take, in seconds.
fn seconds(schedule: &PrimitiveSchedule) -> f64 {
    let block_s = |block: &PrimitiveBlock| {
        let samples = u32::try_from(block.samples).unwrap_or(u32::MAX);
        let measured = match block.primitive.alone() {
            Some(length) => f64::from(samples) * (length.as_secs_f64() + 50e-6),
            None => BATCHES * Duration::from_nanos(schedule.batch_ns).as_secs_f64(),
        };
        f64::from(u32::try_from(block.order.len()).unwrap_or(u32::MAX)) * (measured + OVERHEAD_S)
    };
    schedule.blocks.iter().map(block_s).sum()
}
