//! A group: the processes of one participant that have its fetches in flight together, where one
//! process may not have so many connections.
//!
//! Each gets a part of the ids and has an origin process of its own, which the same limit binds.
//! What they report and what is read of them is added up, so that a group is one row as a process
//! is. Most groups are of one process.

use std::collections::BTreeMap;
use std::time::Duration;

use workload::content::BODIES;
use workload::pipe::{Scheduled, Total, Turned, Window};
use workload::{Cell, Turn};

use crate::machine::Limits;
use crate::participant::{Participant, Taken};

/// The most processes of a group: with as many files as most systems let one open, 64 hold more
/// than a million fetches.
pub(crate) const PROCESSES_MAX: u32 = 64;
/// The first id of every turn is a multiple of this.
const WHOLE: u32 = 64;
const _: () = assert!(WHOLE as usize == BODIES, "the body depends on the rest");

/// Returns how many connections a process of a group may have at most.
pub(crate) fn room(limits: &Limits) -> u64 {
    limits.connections() / u64::from(WHOLE) * u64::from(WHOLE)
}

/// Returns how many processes it takes to hold a cell: one, if that may open so many files.
pub(crate) fn processes(cell: &Cell, limits: &Limits) -> u64 {
    let slots = u64::from(cell.in_flight);
    if slots <= limits.connections() { 1 } else { slots.div_ceil(room(limits).max(1)) }
}

/// Returns the part of a cell that each of so many processes has.
pub(crate) fn shares(cell: &Cell, processes: u32) -> Vec<Cell> {
    let each = cell.in_flight.div_ceil(processes.max(1));
    let each = each.checked_next_multiple_of(WHOLE).unwrap_or(each);
    let mut left = cell.in_flight;
    let mut shares = Vec::new();
    while left > 0 {
        let in_flight = each.min(left);
        shares.push(Cell { in_flight, fetches: in_flight.into(), ..cell.clone() });
        left -= in_flight;
    }
    shares
}

/// Returns the part of a turn that each process has: ids follow each other without a gap.
pub(crate) fn turns(group: &[Participant], turn: &Turn) -> Vec<Turn> {
    let mut first_id = turn.first_id;
    let mut turns = Vec::with_capacity(group.len());
    for participant in group {
        let fetches = participant.cell().fetches;
        turns.push(Turn { first_id, fetches, ..*turn });
        first_id += fetches;
    }
    turns
}

/// Returns the CPU time that a group has used so far, if the system reports it of each.
pub(crate) fn cpu(group: &[Participant]) -> Option<Duration> {
    group.iter().map(Participant::cpu).sum()
}

/// Returns a sentence about one of the processes of a group, if there are several.
pub(crate) fn said(why: String, (place, processes): (usize, usize)) -> String {
    match processes {
        1 => why,
        _ => format!("process {} of {processes}: {why}", place + 1),
    }
}

/// Returns what came of the turns of two parts of a group, as if one process had taken both.
pub(crate) fn both(left: Taken, right: Taken) -> Taken {
    Taken {
        turned: turned(left.turned, right.turned),
        charged_ns: sum(left.charged_ns, right.charged_ns),
        held: None,
    }
}

/// Adds up what two parts of a group reported. They take their turns at the same time, so that the
/// longer of the two times is that of both.
fn turned(left: Turned, right: Turned) -> Turned {
    let scheduled = |left: Scheduled, right: Scheduled| Scheduled {
        cpu_ns: left.cpu_ns.saturating_add(right.cpu_ns),
        run_delay_ns: left.run_delay_ns.saturating_add(right.run_delay_ns),
    };
    Turned {
        turn: left.turn,
        window: window(&left.window, &right.window),
        total: total(left.total, &right.total),
        threads: left.threads.saturating_add(right.threads),
        in_flight_peak: left.in_flight_peak.saturating_add(right.in_flight_peak),
        scheduled: left.scheduled.zip(right.scheduled).map(|(left, right)| scheduled(left, right)),
        latencies_ns: merged(left.latencies_ns, right.latencies_ns),
        wake_up_delays_ns: merged(left.wake_up_delays_ns, right.wake_up_delays_ns),
        responses_ns: merged(left.responses_ns, right.responses_ns),
        lags_ns: merged(left.lags_ns, right.lags_ns),
    }
}

/// Adds up two windows.
fn window(left: &Window, right: &Window) -> Window {
    Window {
        ended: left.ended.saturating_add(right.ended),
        ok: left.ok.saturating_add(right.ok),
        wall_ns: left.wall_ns.max(right.wall_ns),
        cpu_ns: left.cpu_ns.saturating_add(right.cpu_ns),
        pacer_ns: left.pacer_ns.saturating_add(right.pacer_ns),
        user_ns: left.user_ns.saturating_add(right.user_ns),
        system_ns: left.system_ns.saturating_add(right.system_ns),
        switches_voluntary: sum(left.switches_voluntary, right.switches_voluntary),
        switches_involuntary: sum(left.switches_involuntary, right.switches_involuntary),
        faults_minor: sum(left.faults_minor, right.faults_minor),
    }
}

/// Adds up all fetches of two turns.
fn total(mut left: Total, right: &Total) -> Total {
    for (code, count) in &right.errors {
        let sum = left.errors.entry(code.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
    Total {
        issued: left.issued.saturating_add(right.issued),
        ok: left.ok.saturating_add(right.ok),
        errors: left.errors,
        extra_bytes: left.extra_bytes.saturating_add(right.extra_bytes),
    }
}

/// Adds two numbers, if both are known.
fn sum(left: Option<u64>, right: Option<u64>) -> Option<u64> {
    left.zip(right).map(|(left, right)| left.saturating_add(right))
}

/// Adds counts by value, in rising order.
fn merged(left: Vec<(u64, u64)>, right: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for (value, count) in left.into_iter().chain(right) {
        let sum = counts.entry(value).or_default();
        *sum = sum.saturating_add(count);
    }
    counts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Holds;

    /// Returns the cell in which so many are held.
    fn cell(in_flight: u32) -> Cell {
        Holds { levels: vec![in_flight], blocks: 1 }.cells().remove(0)
    }

    /// Returns how many fetches each process has of so many, where it may open so many files.
    fn divided(in_flight: u32, files: u64) -> Vec<u32> {
        let limits = Limits { files, ports: (32_768, 60_999) };
        let count = u32::try_from(processes(&cell(in_flight), &limits)).unwrap();
        let shares = shares(&cell(in_flight), count);
        assert_eq!(shares.len(), count as usize, "{in_flight} with {files} files");
        shares.iter().map(|share| share.in_flight).collect()
    }

    #[test]
    fn a_cell_is_divided_among_as_many_processes_as_may_open_enough_files() {
        assert_eq!(divided(19_936, 20_000), [19_936]);
        assert_eq!(divided(19_937, 20_000), [9_984, 9_953]);
        assert_eq!(divided(100_000, 20_000), [16_704, 16_704, 16_704, 16_704, 16_704, 16_480]);
        assert_eq!(divided(1_000_000, 20_000).len(), 51);
        assert_eq!(divided(130, 128), [64, 64, 2]);
        for files in [129, 200, 1_024, 20_000] {
            let limits = Limits { files, ports: (1, 2) };
            for in_flight in [1, 63, 64, 65, 1_000, 19_999, 100_000] {
                let shares = divided(in_flight, files);
                assert_eq!(shares.iter().sum::<u32>(), in_flight);
                assert!(shares.iter().all(|share| u64::from(*share) <= limits.connections()));
                let (_, all_but_last) = shares.split_last().unwrap();
                assert!(all_but_last.iter().all(|share| share % WHOLE == 0), "{shares:?}");
            }
        }
    }

    #[test]
    fn what_the_processes_of_a_group_report_is_added_up() {
        let part = |wall_ns: u64, faults_minor: Option<u64>| Turned {
            turn: 3,
            window: Window {
                ended: 2,
                ok: 1,
                wall_ns,
                cpu_ns: 10,
                pacer_ns: 2,
                user_ns: 6,
                system_ns: 4,
                switches_voluntary: Some(1),
                switches_involuntary: None,
                faults_minor,
            },
            total: Total {
                issued: 2,
                ok: 1,
                errors: [("1001".to_owned(), 1)].into(),
                extra_bytes: 0,
            },
            threads: 2,
            in_flight_peak: 2,
            scheduled: None,
            latencies_ns: vec![(5, 1)],
            wake_up_delays_ns: Vec::new(),
            responses_ns: Vec::new(),
            lags_ns: Vec::new(),
        };
        let taken = |turned| Taken { turned, charged_ns: Some(11), held: None };
        let both = both(taken(part(7, Some(1))), taken(part(9, None)));
        assert_eq!(both.charged_ns, Some(22));
        let Turned { turn, window, total, .. } = both.turned;
        assert_eq!((turn, window.ended, window.ok), (3, 4, 2));
        assert_eq!((window.wall_ns, window.cpu_ns, window.pacer_ns), (9, 20, 4));
        assert_eq!((window.switches_voluntary, window.faults_minor), (Some(2), None));
        assert_eq!((total.issued, total.ok, total.errors["1001"]), (4, 2, 2));
        assert_eq!((both.turned.threads, both.turned.in_flight_peak), (4, 4));
        assert_eq!(both.turned.latencies_ns, [(5, 2)]);
    }
}
