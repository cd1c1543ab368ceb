//! The machine: which CPUs serve whom, and whether its limits suffice.

use std::path::Path;
use std::{fs, thread};

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use record::{Model, OriginKind, Placement, Sweep};
use workload::Cell;
use workload::content::BODIES;

use crate::cores::{Cores, named};
use crate::run::held;
use rules::{Sizes, evaluate};

use crate::{Failure, doctor};

/// Files that a process holds besides its connections.
const OTHER_FILES: u64 = 64;
/// What widens the range of local ports to all but those of the system.
pub(crate) const WIDEST_RANGE: &str = "sudo sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"";
/// The most files that any process may be allowed to open, where that is not said.
const FILES_MOST: u64 = 1_048_576;
/// Ports of a slot: its own, and three that earlier trials have not given back yet.
const PORTS_A_SLOT: u64 = 4;
/// Controls that a preset may add to the models.
const CONTROLS_MAX: u64 = 2;
/// Turns that a model which connects for every fetch has in a minute.
const TURNS_A_MINUTE: u64 = 10;
/// Turns that a participant has in a block, the one included that connects.
const TURNS_A_BLOCK: u64 = 8;
/// Shards are of use only while a core each is left for them.
const SHARDS_MAX: usize = 16;
/// The fewest CPUs of a machine on which cells may ask for several workers: two for models, and as
/// many for the origin.
pub(crate) const SEVERAL_MIN: usize = 4;

/// Divides the cores that may be used: the upper half, rounded up, for models, the rest to the
/// origin. A runtime has one worker, and a model one CPU, so that the figures of machines compare;
/// in cells that ask for several it has all CPUs of that half, and the origin the same as before.
/// CPUs of one core stay together, since each slows the other down. With one core both share it.
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
    /// So many in every cell, each with a CPU; if none is said, one, and more in those cells that
    /// ask for several.
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
    divide(&Cores::read()?, workers)
}

/// Divides the CPUs of now as those of a run were divided: as usual, or for so many workers.
///
/// # Errors
///
/// Says that the CPUs cannot be read.
pub(crate) fn place_like(planned: &Placement) -> Result<Placement> {
    let asked = Workers { count: Some(planned.workers), oversubscribe: true };
    let [usual, asked] = [place()?, place_for(asked)?];
    let is_usual = (usual.workers, &usual.origin_cpus) == (planned.workers, &planned.origin_cpus);
    let mut now = if is_usual { usual } else { asked };
    // Most runs have no cell that asks for several.
    if planned.several_cpus.is_empty() {
        now.several_cpus.clear();
    }
    Ok(Placement { origin: planned.origin, ..now })
}

/// Divides cores between models and origin, and leaves them asleep.
fn divide(cores: &Cores, asked: Workers) -> Result<Placement> {
    let (used, half) = (&cores.used, cores.used.len() / 2);
    let cpus = used.concat().len();
    let count = asked.count.map(|count| count as usize);
    let first = match count {
        None => half,
        Some(count) if count > cpus && !asked.oversubscribe => {
            return Err(Failure::Usage(too_many(count, cores)).into());
        }
        Some(count) => {
            let enough = |first: &usize| used[*first..].concat().len() >= count.min(cpus);
            (0..used.len()).rev().find(enough).unwrap_or(0)
        }
    };
    let (origin, models) = used.split_at(first);
    let (is_shared, origin) = if origin.is_empty() { (true, models) } else { (false, origin) };
    let (for_models, origin_cpus) = (models.concat(), origin.concat());
    let shards = if is_shared { half.max(1) } else { origin_cpus.len() };
    let has_several = !is_shared && cpus >= SEVERAL_MIN && for_models.len() > 1;
    let only = models.last().and_then(|core| core.first()).copied();
    Ok(Placement {
        model_cpus: match count {
            Some(count) => for_models.iter().copied().take(count).collect(),
            None => only.into_iter().collect(),
        },
        several_cpus: if count.is_none() && has_several { for_models } else { Vec::new() },
        workers: asked.count.unwrap_or(1),
        shards: u32::try_from(shards.min(SHARDS_MAX))?,
        awake: false,
        unequal_cores: !cores.are_equal,
        origin: OriginKind::Wiremock,
        origin_cpus,
    })
}

/// Says that there are fewer CPUs than workers, which they are, and what to type.
fn too_many(count: usize, cores: &Cores) -> String {
    let cpus = cores.used.concat();
    let (most, which) = (cpus.len(), named(&cpus));
    let without = cores.without().map_or_else(String::new, |others| format!(", without {others}"));
    format!(
        "{count} workers need as many CPUs, and {most} may be used: {which}{without}; type \
         --workers {most}, or add --oversubscribe to let several workers share a CPU"
    )
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

    /// Reads them; those that cannot be read forbid nothing.
    pub(crate) fn read_or_none() -> Self {
        Self::read().unwrap_or(Self { files: u64::MAX, ports: (0, u32::MAX) })
    }

    /// Returns how many connections a process may have.
    pub(crate) fn connections(&self) -> u64 {
        self.files.saturating_sub(OTHER_FILES)
    }

    /// Returns the files that each of so many processes opens which have so many connections.
    pub(crate) fn files_for_one_of(slots: u32, processes: u32) -> u64 {
        let each = u64::from(slots.div_ceil(processes));
        each.next_multiple_of(BODIES as u64) + OTHER_FILES
    }

    /// Returns the command by which a process may open so many files.
    pub(crate) fn raise_files(needed: u64) -> String {
        let limit = format!("sudo prlimit --pid $$ --nofile={needed}:{needed}");
        let path = "/proc/sys/fs/nr_open";
        let most = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
        match needed > most.unwrap_or(FILES_MOST) {
            true => format!("sudo sysctl -w fs.nr_open={needed} && {limit}"),
            false => limit,
        }
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
        match cell.stays() {
            true => models.len() as u64 + CONTROLS_MAX,
            false => 2,
        }
    }

    /// Returns the local ports that a cell takes. The kernel keeps those that are closed for a
    /// minute, in which a batch has some turns, and a model that connects for every fetch too.
    ///
    /// Where the origin ends connections, they linger at its side, and the port at the other is
    /// free at once. But one that meets the same origin again makes the kernel end what lingers
    /// there, which would be charged to the model: a block, which has an origin of its own, shall
    /// have a port for each connection.
    pub(crate) fn ports_for(cell: &Cell, models: &[Model]) -> u64 {
        // Those at one address are free at another.
        let slots = u64::from(cell.in_flight.div_ceil(cell.addresses()));
        if cell.workload.ends_connections() {
            return cell.dealt() * Self::holders(cell, models) * TURNS_A_BLOCK;
        }
        let most = models.iter().filter_map(|model| connections(cell, model)).max();
        let lingering = most.filter(|most| *most > slots).unwrap_or(0) * TURNS_A_MINUTE;
        slots * Self::holders(cell, models).max(PORTS_A_SLOT) + lingering
    }

    /// Returns the number of ports in the range.
    pub(crate) fn port_count(&self) -> u64 {
        let (first, last) = self.ports;
        (u64::from(last) + 1).saturating_sub(first.into())
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

/// Returns the cells for which a machine that has too little is refused: of a sweep up to many in
/// flight, a level that it cannot hold is a row that says so.
pub(crate) fn required(cells: &[Cell], sweeps: &[Sweep]) -> Vec<Cell> {
    let is_row = |cell: &Cell| cell.is_large() && is_level(cell, sweeps);
    cells.iter().filter(|cell| !is_row(cell)).cloned().collect()
}

/// Returns whether a cell is a level of a sweep.
pub(crate) fn is_level(cell: &Cell, sweeps: &[Sweep]) -> bool {
    sweeps.iter().any(|sweep| sweep.cells.contains(&cell.name))
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

    /// Returns how a machine with so many CPUs divides them, which a folder with these files
    /// describes.
    fn placed(cpus: usize, files: &[(String, String)], count: Option<u32>) -> Result<Placement> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let cores = Cores::of(folder.path(), &(0..cpus).collect::<Vec<_>>());
        divide(&cores, Workers { count, oversubscribe: false })
    }

    /// Returns files of these names, each with a line.
    fn files(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(path, line)| ((*path).to_owned(), format!("{line}\n"))).collect()
    }

    /// Returns the files of so many cores of two CPUs, numbered as most machines do: first one of
    /// each core, then the others.
    fn pairs(cores: usize) -> Vec<(String, String)> {
        let file = |cpu: usize| {
            let (first, second) = (cpu % cores, cpu % cores + cores);
            let path = format!("system/cpu/cpu{cpu}/topology/thread_siblings_list");
            (path, format!("{first},{second}\n"))
        };
        (0..2 * cores).map(file).collect()
    }

    /// Returns the files of four large and eight small cores.
    fn hybrid() -> Vec<(String, String)> {
        files(&[("cpu_core/cpus", "0-3"), ("cpu_atom/cpus", "4-11")])
    }

    /// Returns the files of two NUMA nodes with 32 CPUs each.
    fn two_nodes() -> Vec<(String, String)> {
        let list = |node: u8| format!("system/node/node{node}/cpulist");
        files(&[(list(0).as_str(), "0-31"), (list(1).as_str(), "32-63")])
    }

    /// Returns the CPUs from one to before another.
    fn cpus(first: usize, end: usize) -> Vec<usize> {
        (first..end).collect()
    }

    /// Returns the CPUs of the cores from one to before another, of eight cores of two CPUs.
    fn of_pairs(first: usize, end: usize) -> Vec<usize> {
        (first..end).flat_map(|core| [core, core + 8]).collect()
    }

    #[test]
    fn a_runtime_has_one_worker_and_cells_that_ask_for_several_the_half_of_the_machine() {
        /// A machine, and the CPUs of the origin, the model, and a model with several workers.
        type Case = (usize, Vec<(String, String)>, Vec<usize>, usize, Vec<usize>);
        let cases: [Case; 8] = [
            (2, Vec::new(), vec![0], 1, Vec::new()),
            (3, Vec::new(), vec![0], 2, Vec::new()),
            (4, Vec::new(), vec![0, 1], 3, vec![2, 3]),
            (4, pairs(2), vec![0, 2], 1, vec![1, 3]),
            (8, Vec::new(), cpus(0, 4), 7, cpus(4, 8)),
            (16, pairs(8), of_pairs(0, 4), 7, of_pairs(4, 8)),
            (12, hybrid(), vec![0, 1], 3, vec![2, 3]),
            (64, two_nodes(), cpus(0, 16), 31, cpus(16, 32)),
        ];
        for (count, files, origin, model, several) in cases {
            let usual = placed(count, &files, None).unwrap();
            assert_eq!((usual.workers, usual.shards as usize), (1, origin.len()), "{count} CPUs");
            assert_eq!((usual.origin_cpus, usual.model_cpus), (origin, vec![model]));
            assert_eq!(usual.several_cpus, several, "{count} CPUs");
        }
        // With one core both share it.
        let shared = [placed(1, &[], None).unwrap(), placed(2, &pairs(1), None).unwrap()];
        let divided = shared.map(|one| (one.origin_cpus, one.model_cpus, one.several_cpus));
        assert_eq!(divided[0], (vec![0], vec![0], Vec::new()));
        assert_eq!(divided[1], (vec![0, 1], vec![0], Vec::new()));
    }

    #[test]
    fn workers_that_are_said_get_a_cpu_each_from_the_top_and_the_origin_what_is_left() {
        /// A machine, workers, and the CPUs of the origin and of the model.
        type Case = (usize, Vec<(String, String)>, u32, Vec<usize>, Vec<usize>);
        let cases: [Case; 13] = [
            (2, Vec::new(), 1, vec![0], vec![1]),
            (4, Vec::new(), 1, vec![0, 1, 2], vec![3]),
            (4, Vec::new(), 3, vec![0], vec![1, 2, 3]),
            (8, Vec::new(), 2, cpus(0, 6), vec![6, 7]),
            (8, Vec::new(), 4, cpus(0, 4), cpus(4, 8)),
            // The other CPU of a core is left to nobody, since both would slow each other down.
            (8, pairs(4), 1, vec![0, 4, 1, 5, 2, 6], vec![3]),
            (8, pairs(4), 3, vec![0, 4, 1, 5], vec![2, 6, 3]),
            (16, pairs(8), 2, of_pairs(0, 7), of_pairs(7, 8)),
            (16, pairs(8), 14, of_pairs(0, 1), of_pairs(1, 8)),
            (12, hybrid(), 2, vec![0, 1], vec![2, 3]),
            (12, hybrid(), 3, vec![0], vec![1, 2, 3]),
            (64, two_nodes(), 16, cpus(0, 16), cpus(16, 32)),
            (64, two_nodes(), 20, cpus(0, 12), cpus(12, 32)),
        ];
        for (count, files, workers, origin, model) in cases {
            let asked = placed(count, &files, Some(workers)).unwrap();
            assert_eq!((asked.workers, asked.shards as usize), (workers, origin.len().min(16)));
            assert_eq!((asked.origin_cpus, asked.model_cpus), (origin, model), "{count} CPUs");
            assert_eq!(asked.several_cpus, [0; 0]);
        }
        let all = placed(2, &[], Some(2)).unwrap();
        assert_eq!((all.origin_cpus, all.model_cpus, all.shards), (vec![0, 1], vec![0, 1], 1));
    }

    #[test]
    fn no_core_is_split_between_the_origin_and_a_model() {
        for workers in (1..=14).map(Some).chain([None]) {
            let Placement { model_cpus, origin_cpus, several_cpus, .. } =
                placed(16, &pairs(8), workers).unwrap();
            let core = |cpu: &usize| cpu % 8;
            let models = [model_cpus, several_cpus].concat();
            let is_of_origin = |cpu: &usize| origin_cpus.iter().any(|own| core(own) == core(cpu));
            assert!(!models.iter().any(is_of_origin), "{workers:?}: {models:?} {origin_cpus:?}");
        }
    }

    #[test]
    fn more_workers_than_cpus_are_refused_unless_they_are_meant_to_share() {
        let refused = |cpus: usize, files: &[(String, String)], workers: u32| {
            let refusal = placed(cpus, files, Some(workers)).unwrap_err();
            assert_eq!(crate::exit_code(&refusal), 2);
            format!("{refusal:#}")
        };
        assert_eq!(
            refused(2, &[], 3),
            "3 workers need as many CPUs, and 2 may be used: CPUs 0-1; type --workers 2, or add \
             --oversubscribe to let several workers share a CPU"
        );
        assert_eq!(
            refused(64, &two_nodes(), 40),
            "40 workers need as many CPUs, and 32 may be used: CPUs 0-31, without CPUs 32-63 (of \
             another NUMA node); type --workers 32, or add --oversubscribe to let several workers \
             share a CPU"
        );
        assert_eq!(
            refused(12, &hybrid(), 5),
            "5 workers need as many CPUs, and 4 may be used: CPUs 0-3, without CPUs 4-11 (of \
             another kind); type --workers 4, or add --oversubscribe to let several workers share \
             a CPU"
        );
        let cores = Cores::of(Path::new("/nowhere"), &[0, 1]);
        let sharing = Workers { count: Some(3), oversubscribe: true };
        let placement = divide(&cores, sharing).unwrap();
        assert_eq!((placement.workers, placement.model_cpus), (3, vec![0, 1]));
    }

    #[test]
    fn a_run_that_goes_on_finds_the_cpus_that_it_began_on() {
        let usual = place().unwrap();
        let without = Placement { several_cpus: Vec::new(), ..usual.clone() };
        let workers = Workers { count: Some(1), oversubscribe: false };
        let one = Placement { origin: OriginKind::Fast, ..place_for(workers).unwrap() };
        for planned in [usual, without, one] {
            assert_eq!(place_like(&planned).unwrap(), planned);
        }
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

    #[test]
    fn a_block_whose_origin_ends_connections_needs_a_port_for_each_of_its_fetches() {
        let models = ["a", "b", "c"].map(crate::fixture::model);
        let cell = crate::preset("churn").unwrap().cells.remove(0);
        // 32 fetches to warm up, 64 in the window and 16 beyond, of five participants, eight times.
        assert_eq!(Limits::ports_for(&cell, &models), 112 * 5 * 8);
    }
}
