//! What the kernel counts of this process and of its network namespace.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Counters that only grow; a receipt tells by how much.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) cpu: Duration,
    pub(crate) accepted: u64,
    pub(crate) overflows: u64,
    pub(crate) drops: u64,
    pub(crate) timeouts: u64,
    pub(crate) retransmits: u64,
    pub(crate) segments_in: u64,
}

impl Counters {
    /// Reads them now.
    pub(crate) fn read() -> Self {
        let snmp = fs::read_to_string("/proc/net/snmp").unwrap_or_default();
        let netstat = fs::read_to_string("/proc/net/netstat").unwrap_or_default();
        let cpu = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID);
        Self {
            cpu: cpu.map_or(Duration::ZERO, Duration::from),
            accepted: field(&snmp, "Tcp:", "PassiveOpens"),
            overflows: field(&netstat, "TcpExt:", "ListenOverflows"),
            drops: field(&netstat, "TcpExt:", "ListenDrops"),
            timeouts: field(&netstat, "TcpExt:", "TCPTimeouts"),
            retransmits: field(&snmp, "Tcp:", "RetransSegs"),
            segments_in: field(&snmp, "Tcp:", "InSegs"),
        }
    }
}

/// Returns the resident memory of this process, in KiB.
pub(crate) fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Returns a field of a table in which a line of names precedes the line of values.
fn field(table: &str, group: &str, name: &str) -> u64 {
    let mut lines = table.lines().filter(|line| line.starts_with(group));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return 0 };
    let mut pairs = names.split_whitespace().zip(values.split_whitespace());
    pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_under_its_name() {
        let table = "Ip: A B\nIp: 1 2\nTcp: A PassiveOpens\nTcp: 3 44\n";
        assert_eq!(field(table, "Tcp:", "PassiveOpens"), 44);
        assert_eq!(field(table, "Tcp:", "Gone"), 0);
    }
}
