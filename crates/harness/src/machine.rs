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
    place_for(Workers::default())
}

/// How many workers a runtime gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workers {
    /// So many, each with a CPU; as many as half of the cores have CPUs if none is said.
    pub count: Option<u32>,
    /// Whether there may be more of them than CPUs.
    pub oversubscribe: bool,
}

/// Does the same for a number of workers: the model gets that many CPUs, of cores from the top, and
/// the origin the cores that are left. Where none is left, both share all.
///
/// # Errors
///
/// Says that the CPUs cannot be read, or that they are too few.
pub fn place_for(workers: Workers) -> Result<Placement> {
    let cores = Cores::read()?;
    Ok(Placement { unequal_cores: !cores.are_equal, ..divide(&cores.used, workers)? })
}

/// Divides cores between model and origin, and leaves them asleep.
fn divide(cores: &[Vec<usize>], asked: Workers) -> Result<Placement> {
    let half = cores.len() / 2;
    let cpus = cores.concat().len();
    let asked_count = asked.count.map(|count| count as usize);
    if let Some(count) = asked_count.filter(|count| *count > cpus && !asked.oversubscribe) {
        let why = format!(
            "{count} workers need as many CPUs, and {cpus} may be used: ask for fewer, or say \
             --oversubscribe to let several workers share one"
        );
        return Err(Failure::Usage(why).into());
    }
    let first = match asked_count {
        None => half,
        Some(count) => {
            let enough = |first: &usize| cores[*first..].concat().len() >= count.min(cpus);
            (0..cores.len()).rev().find(enough).unwrap_or(0)
        }
    };
    let (origin, model) = cores.split_at(first);
    let (shared, origin) = if origin.is_empty() { (true, model) } else { (false, origin) };
    let (mut model_cpus, origin_cpus) = (model.concat(), origin.concat());
    model_cpus.truncate(asked_count.unwrap_or(usize::MAX));
    let shards = if shared { half.max(1) } else { origin_cpus.len() };
    Ok(Placement {
        workers: match asked.count {
            Some(count) => count,
            None => u32::try_from(model_cpus.len()).context("failed to count the CPUs")?,
        },
        shards: u32::try_from(shards.min(SHARDS_MAX))?,
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

    /// Returns the files that a process opens that has all connections of a cell.
    pub(crate) fn files_of_one(cell: &Cell) -> u64 {
        u64::from(cell.in_flight) + OTHER_FILES
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
        let usual = Workers::default();
        let placement = divide(&[vec![0], vec![1, 3], vec![2]], usual).unwrap();
        assert_eq!((placement.origin_cpus, placement.model_cpus), (vec![0], vec![1, 3, 2]));
        assert_eq!((placement.workers, placement.shards), (3, 1));
        let alone = divide(&[vec![5]], usual).unwrap();
        assert_eq!((alone.origin_cpus, alone.model_cpus), (vec![5], vec![5]));
    }

    #[test]
    fn workers_get_a_cpu_each_from_the_top_and_the_origin_what_is_left() {
        /// Returns the CPUs of the model, those of the origin, and its shards.
        fn divided(cores: &[Vec<usize>], count: u32) -> (Vec<usize>, Vec<usize>, u32) {
            let workers = Workers { count: Some(count), oversubscribe: false };
            let placement = divide(cores, workers).unwrap();
            assert_eq!(placement.workers, count);
            (placement.model_cpus, placement.origin_cpus, placement.shards)
        }
        let plain = |count: usize| (0..count).map(|cpu| vec![cpu]).collect::<Vec<_>>();
        assert_eq!(divided(&plain(2), 1), (vec![1], vec![0], 1));
        assert_eq!(divided(&plain(2), 2), (vec![0, 1], vec![0, 1], 1));
        assert_eq!(divided(&plain(4), 3), (vec![1, 2, 3], vec![0], 1));
        assert_eq!(divided(&plain(8), 2), (vec![6, 7], (0..6).collect(), 6));
        assert_eq!(divided(&plain(64), 64).2, 16);
        // The other CPU of a core is left to nobody, since both would slow each other down.
        let pairs: Vec<Vec<usize>> = (0..4).map(|core| vec![core, core + 4]).collect();
        assert_eq!(divided(&pairs, 1), (vec![3], vec![0, 4, 1, 5, 2, 6], 6));
        assert_eq!(divided(&pairs, 3), (vec![2, 6, 3], vec![0, 4, 1, 5], 4));
    }

    #[test]
    fn more_workers_than_cpus_are_refused_unless_they_are_meant_to_share() {
        let three = Workers { count: Some(3), oversubscribe: false };
        let refusal = divide(&[vec![0], vec![1]], three).unwrap_err();
        assert_eq!(crate::exit_code(&refusal), 2);
        assert!(format!("{refusal:#}").contains("3 workers need as many CPUs, and 2 may be used"));
        let sharing = Workers { oversubscribe: true, ..three };
        let placement = divide(&[vec![0], vec![1]], sharing).unwrap();
        assert_eq!((placement.workers, placement.model_cpus), (3, vec![0, 1]));
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
