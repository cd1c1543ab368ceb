//! Reads what a process and the kernel hold: all of it from `/proc`, in one file.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use record::MemoryReading;

/// How often the kernel's objects are looked at until they no longer become fewer, and how long it
/// is waited between: what the last process had is given back a moment after its end, and what a
/// million connections had in some tens of seconds.
const LOOKS: u32 = 300;
const BETWEEN: Duration = Duration::from_millis(100);
/// What they may become fewer by while nothing is being given back.
const STEADY_BYTES: u64 = 64 * 1024;
/// Kinds of objects that grew by less than this a fetch have grown for other reasons.
const BYTES_A_FETCH_MIN: u64 = 8;

/// What the kernel keeps of files below `/proc` that somebody has read: no part of a fetch.
const READ_BY_OTHERS: &str = "proc_inode_cache";

/// The bytes of each kind of object that the kernel has.
pub(crate) type Slabs = BTreeMap<String, u64>;

/// Reads what some processes hold together now, and the kernel. Each counts a page that several
/// share by its share, so that their sum counts it once.
pub(crate) fn read(processes: &[u32]) -> MemoryReading {
    let text = |process: &u32, file: &str| {
        fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default()
    };
    let of = |file: &str| processes.iter().map(|id| text(id, file)).collect::<Vec<_>>();
    let (maps, status) = (of("smaps_rollup"), of("status"));
    // Of one that is not there nothing is known, and so nothing of the sum.
    let sum = |texts: &[String], start: &str| -> Option<u64> {
        texts.iter().map(|text| number(text, start)).sum()
    };
    let private = [sum(&maps, "Private_Clean:"), sum(&maps, "Private_Dirty:")];
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let sockets = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let tracked = fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count");
    MemoryReading {
        pss_kib: sum(&maps, "Pss:"),
        private_kib: private.into_iter().sum(),
        page_tables_kib: sum(&status, "VmPTE:"),
        threads: sum(&status, "Threads:"),
        kernel_stacks_kib: number(&memory, "KernelStack:"),
        slab_kib: number(&memory, "Slab:"),
        tcp_pages: tcp_pages(&sockets),
        tracked: tracked.ok().and_then(|count| number(&count, "")),
    }
}

/// Reads the objects of the kernel, which only root can.
pub(crate) fn slabs() -> Option<Slabs> {
    Some(parsed(&fs::read_to_string("/proc/slabinfo").ok()?))
}

/// Reads the objects of the kernel once it gives none back any more.
pub(crate) fn settled_slabs() -> Option<Slabs> {
    let mut last = slabs()?;
    for _ in 0..LOOKS {
        thread::sleep(BETWEEN);
        let next = slabs()?;
        let fell = total(&last).saturating_sub(total(&next));
        last = next;
        if fell < STEADY_BYTES {
            break;
        }
    }
    Some(last)
}

/// Returns by how many bytes kinds of objects grew, of those that grew with the fetches in flight.
pub(crate) fn grown(before: &Slabs, after: &Slabs, fetches: u32) -> Slabs {
    let least = BYTES_A_FETCH_MIN * u64::from(fetches);
    let growth = |(name, bytes): (&String, &u64)| {
        let growth = bytes.saturating_sub(before.get(name).copied().unwrap_or(0));
        let is_of_fetches = growth > 0 && growth >= least && name != READ_BY_OTHERS;
        is_of_fetches.then(|| (name.clone(), growth))
    };
    after.iter().filter_map(growth).collect()
}

/// Returns the bytes of all objects.
fn total(slabs: &Slabs) -> u64 {
    slabs.values().sum()
}

/// Reads the table of objects: after the name of each kind how many are in use, how many there are,
/// and the bytes of each.
fn parsed(table: &str) -> Slabs {
    let kind = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let used: u64 = words.next()?.parse().ok()?;
        let bytes: u64 = words.nth(1)?.parse().ok()?;
        Some((name.to_owned(), used * bytes))
    };
    table.lines().skip(2).filter_map(kind).collect()
}

/// Returns the number of the line that begins so.
fn number(text: &str, start: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(start))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Returns the pages that TCP has, by the line of its sockets.
fn tcp_pages(sockets: &str) -> Option<u64> {
    let line = sockets.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_threads() {
        let reading = read(&[std::process::id()]);
        assert!(reading.pss_kib > Some(0) && reading.threads > Some(0), "{reading:?}");
        assert!(reading.private_kib <= reading.pss_kib.map(|kib| kib + 1), "{reading:?}");
        assert!(reading.slab_kib > Some(0) && reading.tcp_pages.is_some(), "{reading:?}");
    }

    #[test]
    fn what_several_have_is_their_sum_and_unknown_if_one_is_gone() {
        let id = std::process::id();
        let (one, two) = (read(&[id]), read(&[id, id]));
        assert!(two.threads > one.threads && two.pss_kib > one.pss_kib, "{one:?} {two:?}");
        let gone = read(&[id, u32::MAX]);
        assert_eq!((gone.pss_kib, gone.threads, gone.page_tables_kib), (None, None, None));
    }

    #[test]
    fn what_the_kernel_counts_is_read_from_its_line_or_from_a_file_of_one_number() {
        assert_eq!(number("MemFree: 1 kB\nSlab:   52 kB\n", "Slab:"), Some(52));
        assert_eq!(
            (number("17\n", ""), number("", ""), number("Slab:\n", "Slab:")),
            (Some(17), None, None)
        );
        assert_eq!(tcp_pages("UDP: mem 1\nTCP: inuse 4 tw 2 mem 9\n"), Some(9));
    }

    #[test]
    fn objects_that_grew_with_the_fetches_are_counted_by_their_kind() {
        let table = |sockets: u64, others: u64| {
            let head = "slabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize>\n";
            let row = |name: &str, used: u64| format!("{name} {used} {used} 2048 13 8 : x\n");
            parsed(&[head.to_owned(), row("TCP", sockets), row("dentry", others)].concat())
        };
        let (before, after) = (table(5, 100), table(205, 100));
        assert_eq!(grown(&before, &after, 100), [("TCP".to_owned(), 200 * 2048)].into());
        assert_eq!(grown(&before, &table(5, 101), 1_000), Slabs::new(), "two bytes a fetch");
        assert_eq!(grown(&after, &before, 100), Slabs::new());
    }
}
