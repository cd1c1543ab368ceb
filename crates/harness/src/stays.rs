//! What the turns of each participant in a block add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use record::{State, StayRecord, TurnRecord};
use rules::{Charged, Claims, Reason, Stay, validate_stay};
use workload::Cell;
use workload::pipe::Turned;

use crate::descendants::Children;
use crate::participant::Participant;

/// The stays of a block.
#[derive(Debug, Default)]
pub(crate) struct Stays {
    by_name: BTreeMap<String, Sum>,
    out: BTreeSet<String>,
}

/// What the turns of one participant add up to.
#[derive(Debug, Default)]
struct Sum {
    record: StayRecord,
    latencies_ns: BTreeMap<u64, u64>,
    wake_up_delays_ns: BTreeMap<u64, u64>,
    responses_ns: BTreeMap<u64, u64>,
    lags_ns: BTreeMap<u64, u64>,
    turns: u64,
    ok: u64,
    wall_ns: u64,
    sizes: Vec<(u64, u64)>,
    in_flight: f64,
    in_flight_peak: u64,
    /// What is held against the kernel's clock.
    charged: Vec<Charged>,
    /// What it was idle for before its first turn that counts.
    idle_before: (Duration, Duration),
}

impl Stays {
    /// Notes that a participant has connected: what it was idle for so far counts for nothing.
    pub(crate) fn enter(&mut self, name: &str, participant: &Participant) {
        self.sum_of(name).idle_before = participant.idle;
    }

    /// Notes what the living processes of a participant report of themselves.
    pub(crate) fn look(&mut self, name: &str, group: &[Participant]) {
        let sum = self.sum_of(name);
        let record = &mut sum.record;
        if let Some(first) = group.first() {
            record.versions.clone_from(&first.hello.versions);
        }
        let peak_kib = group.iter().map(Participant::memory_peak_kib).sum();
        record.memory_peak_kib = record.memory_peak_kib.max(peak_kib);
        let since = |now: Duration, then: Duration| nanoseconds(now.saturating_sub(then));
        let (wall, cpu) = sum.idle_before;
        record.idle_wall_ns = since(group.iter().map(|one| one.idle.0).sum(), wall);
        record.idle_cpu_ns = since(group.iter().map(|one| one.idle.1).sum(), cpu);
    }

    /// Looks for what a participant has started, before it leaves: every process of the machine is
    /// read for it, so that no turn may be near. Returns the reason against the participant.
    pub(crate) fn look_for_children(
        &mut self,
        name: &str,
        group: &[Participant],
    ) -> Option<Reason> {
        let mut against = None;
        for children in group.iter().map(Participant::children) {
            self.sum_of(name).record.hides_children |= children == Children::Hidden;
            against = against.or(children.against());
        }
        against
    }

    /// Notes that a participant has failed and takes no further turn.
    pub(crate) fn out(&mut self, name: &str) {
        self.out.insert(name.to_owned());
    }

    /// Returns whether it has.
    pub(crate) fn is_out(&self, name: &str) -> bool {
        self.out.contains(name)
    }

    /// Adds the turns of a round that counts.
    pub(crate) fn add(&mut self, turns: Vec<TurnRecord>) {
        for turn in turns.into_iter().filter(|turn| turn.state == State::Valid) {
            let charged = turn.charged();
            let Some(turned) = turn.turned else { continue };
            let receipt = turn.receipt.unwrap_or_default();
            let sum = self.sum_of(&turn.model);
            sum.turns += 1;
            sum.ok += turned.window.ok;
            sum.wall_ns = sum.wall_ns.saturating_add(turned.window.wall_ns);
            sum.sizes.push((turned.window.ended, turned.window.cpu_ns));
            sum.in_flight += receipt.in_flight_mean_estimate;
            sum.in_flight_peak = sum.in_flight_peak.max(receipt.in_flight_peak_estimate);
            sum.charged.extend(charged);
            add(&mut sum.latencies_ns, &turned.latencies_ns);
            add(&mut sum.wake_up_delays_ns, &turned.wake_up_delays_ns);
            add(&mut sum.responses_ns, &turned.responses_ns);
            add(&mut sum.lags_ns, &turned.lags_ns);
        }
    }

    /// Returns what is written down of a participant, which broke these laws beside those that its
    /// turns add up to.
    #[expect(clippy::cast_precision_loss, reason = "a block has few turns")]
    pub(crate) fn sum(
        &mut self,
        name: &str,
        (claims, cell): (Claims<'_>, &Cell),
        mut invalid: Vec<Reason>,
    ) -> StayRecord {
        let sum = self.by_name.remove(name).unwrap_or_default();
        let latencies_ns: Vec<(u64, u64)> = sum.latencies_ns.into_iter().collect();
        let stay = Stay {
            turns: sum.turns,
            ok: sum.ok,
            wall_ns: sum.wall_ns,
            sizes: &sum.sizes,
            latencies_ns: &latencies_ns,
            in_flight_mean: sum.in_flight / sum.turns.max(1) as f64,
            in_flight_peak: sum.in_flight_peak,
            charged: &sum.charged,
            idle_cpu_ns: sum.record.idle_cpu_ns,
        };
        if sum.turns > 0 {
            invalid.extend(validate_stay(claims, cell, &stay));
        }
        StayRecord {
            invalid,
            latencies_ns,
            wake_up_delays_ns: sum.wake_up_delays_ns.into_iter().collect(),
            responses_ns: sum.responses_ns.into_iter().collect(),
            lags_ns: sum.lags_ns.into_iter().collect(),
            ..sum.record
        }
    }

    /// Returns the sum of a participant.
    fn sum_of(&mut self, name: &str) -> &mut Sum {
        self.by_name.entry(name.to_owned()).or_default()
    }
}

/// What a turn reports of its fetches one by one: the line of the turn is written without it.
pub(crate) type Times = [Vec<(u64, u64)>; 4];

/// Takes the times out of what a participant reported.
pub(crate) fn take_times(turned: &mut Turned) -> Times {
    let Turned { latencies_ns, wake_up_delays_ns, responses_ns, lags_ns, .. } = turned;
    [latencies_ns, wake_up_delays_ns, responses_ns, lags_ns].map(mem::take)
}

/// Puts them back.
pub(crate) fn give_times(turned: &mut Turned, times: Times) {
    let [latencies_ns, wake_up_delays_ns, responses_ns, lags_ns] = times;
    (turned.latencies_ns, turned.wake_up_delays_ns) = (latencies_ns, wake_up_delays_ns);
    (turned.responses_ns, turned.lags_ns) = (responses_ns, lags_ns);
}

/// Adds counts by value.
fn add(sum: &mut BTreeMap<u64, u64>, reported: &[(u64, u64)]) {
    for &(value, count) in reported {
        let entry = sum.entry(value).or_insert(0);
        *entry = entry.saturating_add(count);
    }
}

/// Returns a duration in whole nanoseconds.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
