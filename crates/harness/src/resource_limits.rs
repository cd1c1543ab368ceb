//! Whether threads, memory and what connections take suffice: the smallest of the limits that the
//! system sets.

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
/// What each further process of a group and its origin take besides, in KiB.
const PROCESS_KIB: u64 = 16 * 1024;
/// Files that each process of a group and its origin have open besides their connections.
const OTHER_FILES: u64 = 256;
/// A limit is raised to twice of what is needed, since others need some too, and at least to this.
const RAISED_LEAST: u64 = 200_000;
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
    /// The command to type to have more, with `{}` for how much, if it says so.
    raise: String,
}

/// What is asked of a machine at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Slots, each with a connection.
    pub(crate) slots: u64,
    /// Processes of the model, among which they are divided.
    pub(crate) processes: u64,
    /// Whether each slot has a thread.
    pub(crate) has_threads: bool,
    /// What a slot takes, in KiB.
    pub(crate) slot_kib: u64,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resources {
    Threads,
    MemoryKib,
    AddressesKib,
    Mappings,
    Files,
    Tracked,
}

impl Resources {
    /// Returns how much of it is needed: of addresses and mappings, in each process.
    fn needed(self, demand: &Demand) -> u64 {
        let Demand { slots, processes, slot_kib, .. } = *demand;
        let threads = if demand.has_threads { slots } else { 0 };
        let threads_of_one = threads.div_ceil(processes.max(1));
        match self {
            Self::Threads => threads + OTHER_THREADS * processes,
            Self::MemoryKib => {
                slots * slot_kib + OTHER_KIB + PROCESS_KIB * processes.saturating_sub(1)
            }
            Self::AddressesKib => threads_of_one * STACK_KIB + OTHER_KIB,
            Self::Mappings => threads_of_one * MAPPINGS_A_THREAD + OTHER_MAPPINGS,
            // Both ends of a connection are on this machine.
            Self::Files => 2 * slots + OTHER_FILES * processes,
            Self::Tracked => slots,
        }
    }

    /// Returns whether it can run short: addresses and mappings only where slots have threads.
    fn concerns(self, demand: &Demand) -> bool {
        demand.has_threads || !matches!(self, Self::AddressesKib | Self::Mappings)
    }

    /// Returns how what is needed comes about, where the number alone does not say.
    fn arithmetic(self, demand: &Demand) -> String {
        let Demand { slots, slot_kib, has_threads, .. } = *demand;
        match self {
            Self::Threads if has_threads => {
                format!(", one a fetch, which take {} MiB", slots * slot_kib / 1024)
            }
            Self::MemoryKib => format!(", {slot_kib} a fetch"),
            _ => String::new(),
        }
    }

    /// Returns what it is called.
    fn name(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::MemoryKib => "KiB of memory",
            Self::AddressesKib => "KiB of addresses",
            Self::Mappings => "mappings of memory",
            Self::Files => "open files in the whole system",
            Self::Tracked => "connections that the firewall tracks",
        }
    }
}

/// What there is too little of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    /// How much is needed of what.
    pub(crate) needed: String,
    /// How that comes about; nothing if the number says it.
    pub(crate) arithmetic: String,
    /// How much there is.
    pub(crate) has: u64,
    /// The command to type.
    pub(crate) raise: String,
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
    use Resources::{Files, Mappings, Tracked};
    let mut limits = limits();
    // Few models need a thread a slot, and no usual cell comes near those.
    limits.retain(|limit| ![Mappings, Files, Tracked].contains(&limit.of));
    cells.iter().find_map(|cell| limits.iter().find_map(|limit| limit.shortage_of(cell)))
}

/// Returns what there is too little of for a demand, and how the need comes about.
pub(crate) fn lacking(demand: &Demand) -> Option<Lack> {
    let limits = limits();
    let concerns = |limit: &&ResourceLimit| limit.of.concerns(demand);
    limits.iter().filter(concerns).find_map(|limit| limit.lack(demand))
}

impl ResourceLimit {
    /// Returns what a cell has too little of, if a thread a slot is more than there are.
    fn shortage_of(&self, cell: &Cell) -> Option<Shortage> {
        let slots = cell.in_flight.into();
        let demand = Demand { slots, processes: 1, has_threads: true, slot_kib: SLOT_KIB };
        let Lack { needed, has, raise, .. } = self.lack(&demand)?;
        Some(Shortage { cell: cell.name.clone(), needed, has, raise })
    }

    /// Returns what there is too little of for a demand, if there is.
    fn lack(&self, demand: &Demand) -> Option<Lack> {
        let (needed, name) = (self.of.needed(demand), self.of.name());
        let raised = (2 * needed).max(RAISED_LEAST).to_string();
        (self.has < needed).then(|| Lack {
            needed: format!("{needed} {name}"),
            arithmetic: self.of.arithmetic(demand),
            has: self.has,
            raise: self.raise.replace("{}", &raised),
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
            raise: "sudo sysctl -w kernel.threads-max={}".to_owned(),
        }),
        number("/proc/sys/kernel/pid_max").map(|has| ResourceLimit {
            of: Resources::Threads,
            has,
            raise: "sudo sysctl -w kernel.pid_max={}".to_owned(),
        }),
        number("/proc/sys/vm/max_map_count").map(|has| ResourceLimit {
            of: Resources::Mappings,
            has,
            raise: "sudo sysctl -w vm.max_map_count={}".to_owned(),
        }),
        available(&meminfo),
        open_files(),
        tracked(),
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

/// Returns the files that may still be opened in the whole system.
fn open_files() -> Option<ResourceLimit> {
    let text = fs::read_to_string("/proc/sys/fs/file-nr").ok()?;
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let (used, _, most) = (numbers.next()?.ok()?, numbers.next()?, numbers.next()?.ok()?);
    let raise = "sudo sysctl -w fs.file-max={}".to_owned();
    Some(ResourceLimit { of: Resources::Files, has: most.saturating_sub(used), raise })
}

/// Returns the connections that a firewall may still track, if it tracks any: those over loopback
/// are tracked too.
fn tracked() -> Option<ResourceLimit> {
    let read = |name: &str| number(format!("/proc/sys/net/netfilter/nf_conntrack_{name}"));
    let used = read("count").filter(|used| *used > 0)?;
    let raise = "sudo sysctl -w net.netfilter.nf_conntrack_max={}".to_owned();
    let has = read("max")?.saturating_sub(used);
    Some(ResourceLimit { of: Resources::Tracked, has, raise })
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
pub(crate) fn number(file: impl AsRef<Path>) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what the cells of the quick preset need of something of which there is too little.
    fn lacking(of: Resources, has: u64) -> Option<String> {
        let limit = ResourceLimit { of, has, raise: String::new() };
        let cells = crate::quick().cells.into_iter();
        cells.filter_map(|cell| limit.shortage_of(&cell)).map(|shortage| shortage.needed).next()
    }

    /// Returns what is said of too little of something for a million fetches in 51 processes.
    fn said(of: Resources, has: u64, has_threads: bool) -> Option<[String; 2]> {
        let raise = "type={}".to_owned();
        let limit = ResourceLimit { of, has, raise };
        let demand = Demand { slots: 1_000_000, processes: 51, has_threads, slot_kib: 16 };
        let lack = limit.lack(&demand).filter(|_| of.concerns(&demand))?;
        Some([lack.needed + &lack.arithmetic, lack.raise])
    }

    #[test]
    fn what_a_group_needs_is_counted_for_all_of_its_processes_or_for_each() {
        use Resources::{AddressesKib, Files, Mappings, MemoryKib, Threads, Tracked};
        let needed = |of, has_threads| said(of, 0, has_threads).map(|[needed, _]| needed);
        let threads = "1003264 threads, one a fetch, which take 15625 MiB";
        assert_eq!(needed(Threads, true).as_deref(), Some(threads));
        assert_eq!(needed(Threads, false).as_deref(), Some("3264 threads"));
        let memory = 1_000_000 * 16 + OTHER_KIB + 50 * PROCESS_KIB;
        let words = format!("{memory} KiB of memory, 16 a fetch");
        assert_eq!(needed(MemoryKib, false), Some(words));
        assert_eq!(said(MemoryKib, memory, false), None);
        let files = "2013056 open files in the whole system";
        assert_eq!(needed(Files, false).as_deref(), Some(files));
        let tracked = "1000000 connections that the firewall tracks";
        assert_eq!(needed(Tracked, false).as_deref(), Some(tracked));
        assert_eq!(needed(Mappings, true).as_deref(), Some("78944 mappings of memory"));
        assert_eq!((needed(Mappings, false), needed(AddressesKib, false)), (None, None));
        let [_, raise] = said(Files, 2_013_055, false).unwrap();
        assert_eq!(raise, "type=4026112");
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
