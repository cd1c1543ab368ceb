//! What the kernel counts of this process and of its network namespace.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// The kernel keeps the time of CPUs in hundredths of a second.
const TICK_NS: u64 = 10_000_000;

/// Counters that only grow; a receipt reports by how much. What a sandbox hides is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) cpu: Duration,
    pub(crate) accepted: Option<u64>,
    pub(crate) overflows: Option<u64>,
    pub(crate) drops: Option<u64>,
    pub(crate) timeouts: Option<u64>,
    pub(crate) retransmits: Option<u64>,
    pub(crate) segments_in: Option<u64>,
}

impl Counters {
    /// Reads them now, the CPU time first: what it takes to read the others is no fetch's.
    pub(crate) fn read() -> Self {
        let cpu = cpu();
        let snmp = fs::read_to_string("/proc/net/snmp").unwrap_or_default();
        let netstat = fs::read_to_string("/proc/net/netstat").unwrap_or_default();
        Self { cpu, ..Self::of(&snmp, &netstat) }
    }

    /// Returns what two tables of the kernel have of them.
    fn of(snmp: &str, netstat: &str) -> Self {
        Self {
            cpu: Duration::ZERO,
            accepted: field(snmp, "Tcp:", "PassiveOpens"),
            overflows: field(netstat, "TcpExt:", "ListenOverflows"),
            drops: field(netstat, "TcpExt:", "ListenDrops"),
            timeouts: field(netstat, "TcpExt:", "TCPTimeouts"),
            retransmits: field(snmp, "Tcp:", "RetransSegs"),
            segments_in: field(snmp, "Tcp:", "InSegs"),
        }
    }
}

/// Returns the CPU time that this process has used so far.
pub(crate) fn cpu() -> Duration {
    let cpu = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID);
    cpu.expect("Linux shows a process its own CPU time").into()
}

/// Returns by how much a counter grew, if it was seen at both times.
pub(crate) fn grown(before: Option<u64>, now: Option<u64>) -> Option<u64> {
    Some(now?.saturating_sub(before?))
}

/// Returns the resident memory of this process, in KiB.
pub(crate) fn resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns the CPU time that the hypervisor has given to others so far, in nanoseconds.
pub(crate) fn stolen_ns() -> Option<u64> {
    stolen_by(&fs::read_to_string("/proc/stat").ok()?)
}

/// Returns the same by the line of all CPUs: user, nice, system, idle, iowait, irq, softirq, steal.
fn stolen_by(stat: &str) -> Option<u64> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: u64 = all.split_whitespace().nth(7)?.parse().ok()?;
    ticks.checked_mul(TICK_NS)
}

/// Returns a field of a table in which a line of names precedes the line of values.
fn field(table: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = table.lines().filter(|line| line.starts_with(group));
    let (names, values) = (lines.next()?, lines.next()?);
    let mut pairs = names.split_whitespace().zip(values.split_whitespace());
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_under_its_name() {
        let table = "Ip: A B\nIp: 1 2\nTcp: A PassiveOpens\nTcp: 3 44\n";
        assert_eq!(field(table, "Tcp:", "PassiveOpens"), Some(44));
        assert_eq!(field(table, "Tcp:", "A"), Some(3));
    }

    #[test]
    fn a_counter_that_is_hidden_is_unknown_and_not_zero() {
        let table = "Ip: A B\nIp: 1 2\nTcp: A PassiveOpens\nTcp: 3 44\n";
        // gVisor writes the names of a table without values.
        for (table, group) in
            [("", "Tcp:"), (table, "TcpExt:"), ("TcpExt: PassiveOpens\n", "TcpExt:")]
        {
            assert_eq!(field(table, group, "PassiveOpens"), None);
        }
        assert_eq!(field(table, "Tcp:", "Gone"), None);
        assert_eq!((grown(Some(3), None), grown(None, Some(3))), (None, None));
        assert_eq!((grown(Some(3), Some(5)), grown(Some(3), Some(3))), (Some(2), Some(0)));
    }

    #[test]
    fn all_of_them_are_found_in_the_tables_of_linux() {
        let snmp = "Tcp: RtoAlgorithm ActiveOpens PassiveOpens CurrEstab InSegs OutSegs \
                    RetransSegs\nTcp: 1 12 11 4 640 650 3\n";
        let netstat = "TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeouts\n\
                       TcpExt: 0 5 6 7\nIpExt: InNoRoutes\nIpExt: 9\n";
        let found = Counters::of(snmp, netstat);
        assert_eq!((found.accepted, found.segments_in), (Some(11), Some(640)));
        assert_eq!((found.overflows, found.drops), (Some(5), Some(6)));
        assert_eq!((found.timeouts, found.retransmits), (Some(7), Some(3)));
    }

    #[test]
    fn stolen_time_is_that_of_all_cpus_and_unknown_where_the_kernel_hides_it() {
        let stat = "cpu  9 9 9 9 9 9 9 12 0 0\ncpu0 1 2 3 40 5 6 7 8 0 0\n";
        assert_eq!(stolen_by(stat), Some(120_000_000));
        assert_eq!((stolen_by(""), stolen_by("cpu  1 2 3\n")), (None, None));
    }

    #[test]
    fn every_linux_shows_a_process_its_own_time_and_memory() {
        assert!(Counters::read().cpu > Duration::ZERO);
        assert!(resident_kib().is_some_and(|kib| kib > 0));
    }
}
