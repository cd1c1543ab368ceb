//! Whether threads and memory suffice: the smallest of the limits that the system sets.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::unistd::Uid;
use workload::Cell;

/// Where control groups are found: of the second version, and of the first by controller.
const GROUPS: &str = "/sys/fs/cgroup";
/// Threads besides those of the slots: of the harness, the origin and a runtime.
const OTHER_THREADS: u64 = 64;
/// Memory that model, origin and harness take together besides their slots, in KiB.
const OTHER_KIB: u64 = 128 * 1024;
/// What a slot takes in model and origin together: buffers, a connection, a touched stack, in KiB.
const SLOT_KIB: u64 = 64;
/// The addresses that a thread takes for its stack, in KiB; few of them are ever touched.
const STACK_KIB: u64 = 2 * 1024 + 64;

/// The mappings of memory that a thread of Rust takes: its stack, the stack of its signals, and a
/// guard page before each.
const MAPPINGS_A_THREAD: u64 = 4;
/// The mappings that a process has besides.
const OTHER_MAPPINGS: u64 = 512;

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ResourceLimit {
    /// Of what.
    of: Resources,
    /// How much there is.
    has: u64,
    /// The command to type to have more.
    raise: String,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resources {
    Threads,
    MemoryKib,
    AddressesKib,
    Mappings,
}

impl Resources {
    /// Returns how much of it a cell needs.
    fn needed(self, cell: &Cell) -> u64 {
        let slots = u64::from(cell.in_flight);
        match self {
            Self::Threads => slots + OTHER_THREADS,
            Self::MemoryKib => slots * SLOT_KIB + OTHER_KIB,
            Self::AddressesKib => slots * STACK_KIB + OTHER_KIB,
            Self::Mappings => slots * MAPPINGS_A_THREAD + OTHER_MAPPINGS,
        }
    }

    /// Returns what it is called.
    fn name(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::MemoryKib => "KiB of memory",
            Self::AddressesKib => "KiB of addresses",
            Self::Mappings => "mappings of memory",
        }
    }
}

/// What a cell needs more of than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    /// The name of the cell.
    pub(crate) cell: String,
    /// How much it needs of what.
    pub(crate) needed: String,
    /// How much there is.
    pub(crate) has: u64,
    /// The command to type.
    pub(crate) raise: String,
}

/// Returns what the cells are short of first, of threads and memory, if they are short of any.
pub(crate) fn shortage(cells: &[Cell]) -> Option<Shortage> {
    let mut limits = limits();
    // Few models need a thread a slot, and no usual cell comes near.
    limits.retain(|limit| limit.of != Resources::Mappings);
    cells.iter().find_map(|cell| limits.iter().find_map(|limit| limit.shortage(cell)))
}

/// Returns what a cell is short of, for a model whose units are threads or are not, if it is.
pub(crate) fn lacking(cell: &Cell, has_threads: bool) -> Option<Shortage> {
    let limits = limits();
    let concerns = |limit: &&ResourceLimit| has_threads || limit.of == Resources::MemoryKib;
    limits.iter().filter(concerns).find_map(|limit| limit.shortage(cell))
}

impl ResourceLimit {
    /// Returns what a cell has too little of, if it has.
    fn shortage(&self, cell: &Cell) -> Option<Shortage> {
        let (needed, name) = (self.of.needed(cell), self.of.name());
        (self.has < needed).then(|| Shortage {
            cell: cell.name.clone(),
            needed: format!("{needed} {name}"),
            has: self.has,
            raise: self.raise.clone(),
        })
    }
}

/// Returns every limit that can be read.
fn limits() -> Vec<ResourceLimit> {
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let mut limits = vec![
        // The limit of processes does not hold for root.
        soft(Resource::RLIMIT_NPROC, Resources::Threads, "ulimit -u unlimited")
            .filter(|_| !Uid::effective().is_root()),
        soft(Resource::RLIMIT_AS, Resources::AddressesKib, "ulimit -v unlimited"),
        number("/proc/sys/kernel/threads-max").map(|has| ResourceLimit {
            of: Resources::Threads,
            has,
            raise: "sudo sysctl -w kernel.threads-max=200000".to_owned(),
        }),
        number("/proc/sys/kernel/pid_max").map(|has| ResourceLimit {
            of: Resources::Threads,
            has,
            raise: "sudo sysctl -w kernel.pid_max=200000".to_owned(),
        }),
        number("/proc/sys/vm/max_map_count").map(|has| ResourceLimit {
            of: Resources::Mappings,
            has,
            raise: "sudo sysctl -w vm.max_map_count=262144".to_owned(),
        }),
        available(&meminfo),
    ];
    limits.extend(folders(&group, "pids").iter().map(|folder| threads_of(folder)));
    limits.extend(folders(&group, "memory").iter().map(|folder| memory_of(folder)));
    limits.into_iter().flatten().collect()
}

/// Returns a limit of this process, unless it is none.
fn soft(limit: Resource, of: Resources, command: &str) -> Option<ResourceLimit> {
    let (has, _) = getrlimit(limit).ok().filter(|(soft, _)| *soft != RLIM_INFINITY)?;
    let has = if of == Resources::AddressesKib { has / 1024 } else { has };
    Some(ResourceLimit { of, has, raise: command.to_owned() })
}

/// Returns the memory that the system could give away now.
fn available(meminfo: &str) -> Option<ResourceLimit> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let has = line.split_whitespace().next()?.parse().ok()?;
    Some(ResourceLimit { of: Resources::MemoryKib, has, raise: "top -o %MEM".to_owned() })
}

/// Returns the threads that a control group still allows.
fn threads_of(folder: &Path) -> Option<ResourceLimit> {
    let file = folder.join("pids.max");
    let has = number(&file)?.saturating_sub(number(folder.join("pids.current"))?);
    Some(ResourceLimit { of: Resources::Threads, has, raise: lift(&file) })
}

/// Returns the memory that a control group still allows; what it caches of files it gives back.
fn memory_of(folder: &Path) -> Option<ResourceLimit> {
    let (second, first) = (folder.join("memory.max"), folder.join("memory.limit_in_bytes"));
    let (file, used) = match second.exists() {
        true => (second, "memory.current"),
        false => (first, "memory.usage_in_bytes"),
    };
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let cached = |name: &str| stat.lines().find_map(|l| l.strip_prefix(name)?.trim().parse().ok());
    let cached: u64 = cached("total_inactive_file").or(cached("inactive_file")).unwrap_or(0);
    let used = number(folder.join(used))?.saturating_sub(cached);
    let has = number(&file)?.saturating_sub(used) / 1024;
    Some(ResourceLimit { of: Resources::MemoryKib, has, raise: lift(&file) })
}

/// Returns how to lift the limit that a file sets.
fn lift(file: &Path) -> String {
    let lifted = if file.ends_with("memory.limit_in_bytes") { "-1" } else { "max" };
    format!("echo {lifted} | sudo tee {}", file.display())
}

/// Returns the folders of the control groups that limit this process by a controller: its own and
/// those above it. In a container a path may be the host's, so that only some exist.
fn folders(groups: &str, controller: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let is_second = controllers.is_empty();
        if is_second || controllers.split(',').any(|name| name == controller) {
            let mount = if is_second { "" } else { controllers };
            let above = Path::new(path.trim_start_matches('/')).ancestors();
            folders.extend(above.map(|path| Path::new(GROUPS).join(mount).join(path)));
        }
    }
    folders
}

/// Returns the number in a file; `max` is none.
fn number(file: impl AsRef<Path>) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what the cells of the quick preset need of something of which there is too little.
    fn lacking(of: Resources, has: u64) -> Option<String> {
        let limit = ResourceLimit { of, has, raise: String::new() };
        let cells = crate::quick().cells.into_iter();
        cells.filter_map(|cell| limit.shortage(&cell)).map(|shortage| shortage.needed).next()
    }

    #[test]
    fn threads_and_memory_suffice_until_one_is_missing() {
        assert_eq!(lacking(Resources::Threads, 128), None);
        assert_eq!(lacking(Resources::Threads, 127).as_deref(), Some("128 threads"));
        let needed = 64 * SLOT_KIB + OTHER_KIB;
        assert_eq!(lacking(Resources::MemoryKib, needed), None);
        let reported = lacking(Resources::MemoryKib, needed - 1);
        assert_eq!(reported, Some(format!("{needed} KiB of memory")));
        let lifted = lift(Path::new("/sys/fs/cgroup/a/memory.max"));
        assert_eq!(lifted, "echo max | sudo tee /sys/fs/cgroup/a/memory.max");
    }

    #[test]
    fn a_group_of_either_version_is_read_with_those_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("pids.max", "max\n");
        write("pids.current", "5\n");
        assert_eq!(threads_of(folder.path()), None);
        write("pids.max", "100\n");
        assert_eq!(threads_of(folder.path()).unwrap().has, 95);

        write("memory.limit_in_bytes", "1048576\n");
        write("memory.usage_in_bytes", "524288\n");
        write("memory.stat", "cache 1\ntotal_inactive_file 262144\n");
        assert_eq!(memory_of(folder.path()).unwrap().has, 768);

        let found = folders("8:pids:/a\n4:memory:/\n0::/b", "pids");
        let expected = ["pids/a", "pids", "b", ""].map(|path| Path::new(GROUPS).join(path));
        assert_eq!(found, expected);
    }

    #[test]
    fn this_machine_has_limits_that_can_be_read() {
        let limits = limits();
        for of in [Resources::Threads, Resources::MemoryKib] {
            assert!(limits.iter().any(|limit| limit.of == of), "{of:?}: {limits:?}");
        }
    }
}
