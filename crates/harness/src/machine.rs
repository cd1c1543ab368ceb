//! The machine: which CPUs serve whom, and whether its limits suffice.

use std::path::Path;
use std::{fs, thread};

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use record::{Model, OriginKind, Placement};
use workload::Cell;

use crate::cores::Cores;
use crate::run::held;
use rules::{Sizes, evaluate};

use crate::{Failure, doctor};

/// Files that a process holds besides its connections.
const OTHER_FILES: u64 = 64;
/// Ports of a slot: its own, and three that earlier trials have not given back yet.
const PORTS_A_SLOT: u64 = 4;
/// Controls that a preset may add to the models.
const CONTROLS_MAX: u64 = 2;
/// Turns that a model which connects for every fetch has in a minute.
const TURNS_A_MINUTE: u64 = 10;
/// Shards are of use only while a core each is left for them.
const SHARDS_MAX: usize = 16;

/// Divides the cores that may be used: the upper half, rounded up, to the model, the rest to the
/// origin. CPUs of one core stay together, since each slows the other down. With one core both
/// share it.
///
/// No CPU is kept awake: nobody's service runs beside a thread that spins, and each wake would be a
/// switch from it. `benches/README.md` says what that does to figures.
///
/// # Errors
///
/// Says that the CPUs cannot be read.
pub fn place() -> Result<Placement> {
    let cores = Cores::read()?;
    Ok(Placement { unequal_cores: !cores.are_equal, ..divide(&cores.used)? })
}

/// Divides cores between model and origin, and leaves them asleep.
fn divide(cores: &[Vec<usize>]) -> Result<Placement> {
    let (origin, model) = cores.split_at(cores.len() / 2);
    let origin = if origin.is_empty() { model } else { origin };
    let (model_cpus, origin_cpus) = (model.concat(), origin.concat());
    Ok(Placement {
        workers: u32::try_from(model_cpus.len()).context("failed to count the CPUs")?,
        shards: u32::try_from(origin_cpus.len().min(SHARDS_MAX))?,
        awake: false,
        unequal_cores: false,
        origin: OriginKind::Wiremock,
        model_cpus,
        origin_cpus,
    })
}

/// The limits that a cell can run into.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most files that a process may be allowed to open.
    pub files: u64,
    /// The first and the last port that connections are made from.
    pub ports: (u32, u32),
}

impl Limits {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// Names the limit that cannot be read.
    pub fn read() -> Result<Self> {
        let (_, files) = getrlimit(Resource::RLIMIT_NOFILE).context("failed to read a limit")?;
        Ok(Self { files, ports: ports()? })
    }

    /// Returns the files that a cell makes the origin open, which holds the connections of every
    /// participant that stays.
    pub(crate) fn files_for(cell: &Cell, models: &[Model]) -> u64 {
        u64::from(cell.in_flight) * Self::holders(cell, models) + OTHER_FILES
    }

    /// Returns how many processes may hold their connections at a time: in a batch one, and one
    /// whose connections are being closed.
    fn holders(cell: &Cell, models: &[Model]) -> u64 {
        match cell.workload.is_resident() {
            true => models.len() as u64 + CONTROLS_MAX,
            false => 2,
        }
    }

    /// Returns the local ports that a cell takes. The kernel keeps those that are closed for a
    /// minute, in which a batch has some turns, and a model that connects for every fetch too.
    pub(crate) fn ports_for(cell: &Cell, models: &[Model]) -> u64 {
        let slots = u64::from(cell.in_flight);
        let most = models.iter().filter_map(|model| connections(cell, model)).max();
        let lingering = most.filter(|most| *most > slots).unwrap_or(0) * TURNS_A_MINUTE;
        slots * Self::holders(cell, models).max(PORTS_A_SLOT) + lingering
    }

    /// Returns the number of ports in the range.
    pub(crate) fn port_count(&self) -> u64 {
        let (first, last) = self.ports;
        u64::from((last + 1).saturating_sub(first))
    }
}

/// Returns the most connections that a model may open in a trial of a cell, if its manifest says.
fn connections(cell: &Cell, model: &Model) -> Option<u64> {
    let cell = held(cell, model);
    // The real number may be less; a limit is not missed for want of a few ports.
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let workers = u32::try_from(workers).unwrap_or(u32::MAX);
    let sizes = Sizes { workers, in_flight: cell.slots(), issued: cell.dealt() };
    evaluate(model.connections.as_deref()?, sizes)
}

/// Checks, before anything is built, that nothing which the doctor knows makes it impossible to
/// measure these models in the cells, and raises the limit of open files as far as the system
/// allows; `root` is the folder of the workspace, and what is built is written into `target`, if
/// anything is, as what is measured is into `results`.
///
/// # Errors
///
/// A [`Failure::Preflight`] that says what is wrong, what is needed, and the command that fixes it.
pub fn preflight(
    (root, target): (&Path, Option<&Path>),
    results: Option<&Path>,
    (cells, models): (&[Cell], &[Model]),
) -> Result<()> {
    if let Some(why) = doctor::refusal((root, target), results, (cells, models)) {
        return Err(Failure::Preflight(why)).context("preflight refuses");
    }
    let limits = Limits::read()?;
    setrlimit(Resource::RLIMIT_NOFILE, limits.files, limits.files)
        .context("failed to raise the limit of open files")
}

/// Returns the range of ports that connections are made from.
fn ports() -> Result<(u32, u32)> {
    let path = "/proc/sys/net/ipv4/ip_local_port_range";
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {path}"))?;
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(first)), Some(Ok(last))) => Ok((first, last)),
        _ => anyhow::bail!("failed to read {path}: expected two numbers, found {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_gets_the_upper_half_of_the_cores_and_shares_the_only_one() {
        let placement = divide(&[vec![0], vec![1, 3], vec![2]]).unwrap();
        assert_eq!((placement.origin_cpus, placement.model_cpus), (vec![0], vec![1, 3, 2]));
        assert_eq!((placement.workers, placement.shards), (3, 1));
        let alone = divide(&[vec![5]]).unwrap();
        assert_eq!((alone.origin_cpus, alone.model_cpus), (vec![5], vec![5]));
    }

    #[test]
    fn no_cpu_is_kept_awake() {
        assert!(!place().unwrap().awake);
    }

    #[test]
    fn a_cell_for_which_no_machine_suffices_is_refused_with_the_exit_code_of_preflight() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let endless = Cell { in_flight: u32::MAX, ..crate::quick().cells.remove(0) };
        let refusal = preflight((&root, None), None, (&[endless], &[])).unwrap_err();
        assert_eq!(crate::exit_code(&refusal), 6, "{refusal:#}");
        let said = format!("{refusal:#}");
        let begin = "preflight refuses: the cell batch needs 4294967359 threads, and there are ";
        assert!(said.starts_with(begin) && said.contains(": type `"), "{said}");
    }

    #[test]
    fn a_model_that_connects_for_every_fetch_needs_a_port_for_each_of_a_minute() {
        let connecting = |terms: &str| Model {
            connections: Some(terms.to_owned()),
            ..crate::fixture::model("asyncio-page")
        };
        let needed = |model: Model| {
            let cells = crate::quick().cells.into_iter();
            cells.map(|cell| Limits::ports_for(&cell, std::slice::from_ref(&model))).max()
        };
        // 128 fetches to warm up, 128 in the window and 64 beyond, ten times; 4 x 64 are kept.
        assert_eq!(needed(connecting("issued")), Some(3_456));
        assert_eq!(needed(connecting("in_flight")), Some(256));
    }
}
