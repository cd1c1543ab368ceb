//! What the kernel counts of this process and of its network namespace.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Counters that only grow; a receipt tells by how much.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) cpu: Duration,
    pub(crate) accepted: u64,
    pub(crate) overflows: u64,
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
            retransmits: field(&snmp, "Tcp:", "RetransSegs"),
            segments_in: field(&snmp, "Tcp:", "InSegs"),
        }
    }
}

/// Returns the other ends of all connections to these ports that the kernel still knows, those
/// that are closing included.
pub(crate) fn peers(ports: &[u16]) -> BTreeSet<String> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    table.lines().skip(1).filter_map(|line| peer(line, ports)).collect()
}

/// Returns the other end of a connection to one of the ports, from either end's line.
fn peer(line: &str, ports: &[u16]) -> Option<String> {
    let mut columns = line.split_whitespace().skip(1);
    let (local, remote) = (columns.next()?, columns.next()?);
    let port = |end: &str| u16::from_str_radix(end.rsplit(':').next()?, 16).ok();
    match (port(local)?, port(remote)?) {
        // A listener has no other end.
        (ours, 0) if ports.contains(&ours) => None,
        (ours, _) if ports.contains(&ours) => Some(remote.to_owned()),
        (_, ours) if ports.contains(&ours) => Some(local.to_owned()),
        _ => None,
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
    fn a_connection_is_one_peer_whichever_end_is_listed() {
        let listener = "0: 0100007F:1000 00000000:0000 0A 0 0 0";
        let ours = "1: 0100007F:1000 0100007F:8000 01 0 0 0";
        let theirs = "2: 0100007F:8000 0100007F:1000 06 0 0 0";
        let other = "3: 0100007F:8001 0100007F:1001 01 0 0 0";
        let expected = Some("0100007F:8000".to_owned());
        assert_eq!(peer(listener, &[0x1000]), None);
        assert_eq!(peer(ours, &[0x1000]), expected);
        assert_eq!(peer(theirs, &[0x1000]), expected);
        assert_eq!(peer(other, &[0x1000]), None);
    }

    #[test]
    fn a_field_is_found_under_its_name() {
        let table = "Ip: A B\nIp: 1 2\nTcp: A PassiveOpens\nTcp: 3 44\n";
        assert_eq!(field(table, "Tcp:", "PassiveOpens"), 44);
        assert_eq!(field(table, "Tcp:", "Gone"), 0);
    }
}
