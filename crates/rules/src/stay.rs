//! The laws that a single turn has too few fetches for, held over all turns of a stay in a block.

use workload::{Cell, Datum};

use crate::paced::LITTLE_PERCENT_MIN;
use crate::turn::{PEAK_PERCENT_MIN, ROUNDING, sum};
use crate::{Claims, Reason, expected, slope};

/// The share of the slots that the origin must have seen busy in the mean, in percent. On a busy
/// machine an honest participant comes late to what has arrived, and its slots are idle at the
/// origin meanwhile.
pub const MEAN_PERCENT_MIN: u32 = 70;
/// The share of the slots that the origin must have seen busy in the best turn of a batch, and the
/// share of them for which a library must have opened a connection, in percent. In two waves of
/// equal size it is 50.
pub(crate) const BATCH_PEAK_PERCENT_MIN: u64 = 75;
/// What the kernel may charge for the time between the turns of a stay, in percent of what it
/// charged in them, and in nanoseconds besides. Runtimes whose timers or reactors have threads of
/// their own have 1 or 2 percent, and at most 1.3 ms; the time between also holds rounds that were
/// measured again.
const IDLE_PERCENT_MAX: u64 = 10;
const IDLE_NS: u64 = 2_000_000;
/// The same where operations are timed one by one, of which one primitive keeps 10,000 timers: a
/// reactor that looks through them between turns was charged with 5 ms.
const IDLE_TIMED_NS: u64 = 30_000_000;
/// The turns of a batch that a busy machine does not hold up all.
const BATCH_TURNS_MIN: u64 = 3;
/// The turns of any workload of which a busy machine leaves one as it should be.
pub const BEST_TURNS_MIN: usize = 8;
/// What the kernel may charge for each fetch of a turn, in percent of what was reported for each of
/// its window, in at least half of the turns of a stay. The rest of a turn has a beginning and an
/// end, in which fewer fetches share a wake: 105 to 135 on machines that were quiet or busy.
pub const STAY_CHARGED_PERCENT_MAX: u64 = 170;
/// What the kernel may charge besides for each turn, in nanoseconds: reading the turn, waking the
/// slots and writing what was counted take as long for few fetches as for many. Eight threads were
/// once charged 0.8 ms a turn more than their 32 fetches take by what they reported.
const TURN_CHARGED_NS: u64 = 500_000;
/// The same in fetches, where that is less: so many, and one for so many of the turn. With half a
/// millisecond alone a model could hide half of a turn that is not much longer, and on a fast
/// machine most are not. In published runs a turn of 15 fetches took what 3 or 4 take besides, and
/// longer ones less in proportion. Whoever reports half is charged with twice as many.
const TURN_FETCHES: u64 = 4;
const TURN_FETCHES_PART: u64 = 5;

/// What all counted turns of a participant in a block add up to.
#[derive(Clone, Debug)]
pub struct Stay<'a> {
    /// How many they are.
    pub turns: u64,
    /// Fetches, or operations, that were ok in their windows.
    pub ok: u64,
    /// The length of their windows.
    pub wall_ns: u64,
    /// How many ended in the window of each turn, and its CPU time.
    pub sizes: &'a [(u64, u64)],
    /// The latencies of these fetches, as pairs of value and count.
    pub latencies_ns: &'a [(u64, u64)],
    /// The mean in flight that the origin saw, averaged over the turns.
    pub in_flight_mean: f64,
    /// The largest peak in flight that the origin saw in a turn.
    pub in_flight_peak: u64,
    /// What is held against the kernel's clock: a turn each in which it could be read.
    pub charged: &'a [Charged],
    /// What the kernel charged between them.
    pub idle_cpu_ns: u64,
}

/// The CPU time of a turn as the process reported it for its window, and as the kernel charged it.
#[derive(Clone, Copy, Debug)]
pub struct Charged {
    /// CPU time that was reported for the window.
    pub reported_ns: u64,
    /// Fetches that ended in it.
    pub ended: u64,
    /// CPU time that the kernel charged in the whole turn.
    pub charged_ns: u64,
    /// Fetches of the whole turn.
    pub issued: u64,
}

/// Returns why the figures of a whole stay may not be used: nothing, if it is valid.
///
/// By Little's law (J. D. C. Little, Operations Research 9, 1961) the latencies of a window make up
/// its length times the slots that were busy: all of them in a steady cell, no more than there are
/// in a batch. What lies across the edges of a window is at most one latency a slot, as likely too
/// much as too little.
pub fn validate_stay(claims: Claims<'_>, cell: &Cell, stay: &Stay<'_>) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let timed = sum(stay.latencies_ns.iter().map(|(_, count)| count));
    match cell.workload.datum() {
        Datum::Slope => reasons.extend(slope::faults(stay.sizes)),
        Datum::Turn | Datum::Timed(_) if timed != stay.ok => {
            reasons.push(Reason::LatenciesMissing { timed, ok: stay.ok });
        }
        Datum::Turn | Datum::Timed(_) => {}
    }
    reasons.extend(hidden(cell, stay.charged));
    reasons.extend(idle(
        stay,
        match cell.workload.datum() {
            Datum::Timed(_) => IDLE_TIMED_NS,
            Datum::Turn | Datum::Slope => IDLE_NS,
        },
    ));
    if cell.workload.fetches() {
        at_origin(claims, cell, (stay, timed), &mut reasons);
    }
    reasons
}

/// The latencies make up the windows, and the origin saw the slots busy.
#[expect(clippy::cast_precision_loss, reason = "a tenth of a slot is all that is asked")]
fn at_origin(
    claims: Claims<'_>,
    cell: &Cell,
    (stay, timed): (&Stay<'_>, u64),
    reasons: &mut Vec<Reason>,
) {
    let (slots, reported) = (cell.slots(), stay.latencies_ns);
    let (Some(shortest), Some(longest)) = (reported.first(), reported.last()) else {
        return;
    };
    let least_ns = cell.delay_ms.lo.saturating_mul(1_000_000);
    let took_ns = reported.iter().map(|(ns, _)| *ns).min().unwrap_or(shortest.0);
    if (took_ns as f64) < least_ns as f64 * (1.0 - 1.0 / ROUNDING) {
        reasons.push(Reason::TooFast { took_ns, least_ns });
    }

    let sum: f64 = reported.iter().map(|&(ns, count)| ns as f64 * count as f64).sum();
    let room = f64::from(slots) * stay.wall_ns as f64;
    let edges = f64::from(slots) * longest.0 as f64 * (stay.turns.max(1) as f64).sqrt();
    // Where fewer fetches end than there are slots, some end in no window, and nobody knows how
    // long they were under way.
    let is_known = cell.fetches >= u64::from(slots);
    let fills = match expected(cell.workload).keeps_slots_busy {
        true if is_known => (sum - room).abs() <= edges + sum / ROUNDING,
        true => sum <= room + edges + sum / ROUNDING,
        // Fetches of the window may be under way as it opens, after those that warm up.
        false if cell.is_open() => sum <= room + edges + sum / ROUNDING,
        false => sum <= room + sum / ROUNDING,
    };
    if timed == stay.ok && !fills {
        let busy = sum / (stay.wall_ns as f64).max(1.0);
        reasons.push(Reason::SlotsBusy { tenths: tenths(busy), slots });
    }
    if cell.is_open() {
        reasons.extend(too_short(stay, (sum, longest.0)));
    }
    // A connection a slot does not show that all slots fetched at once; the best of several turns
    // does, even where some were held up.
    let (peak, least) = (stay.in_flight_peak, u64::from(slots) * BATCH_PEAK_PERCENT_MIN / 100);
    let waves = waves(cell, stay.turns, peak);
    if waves.is_none() && is_batch(cell) && peak < least {
        reasons.push(Reason::Peak { peak, slots });
    }
    reasons.extend(waves);
    // One that may be too slow to keep all slots busy at the origin pays for it by its cost.
    let least = f64::from(slots) * f64::from(MEAN_PERCENT_MIN) / 100.0;
    let is_busy = claims.may_be_slow || stay.in_flight_mean >= least;
    if expected(cell.workload).keeps_slots_busy && !is_busy {
        reasons.push(Reason::Mean { tenths: tenths(stay.in_flight_mean), slots });
    }
}

/// Returns why the figures of a model in a cell may not be used by what all its turns of all blocks
/// have in common: a stay may have one turn, which shows nothing.
///
/// The peaks are those of turns too that a busy machine held up: it does not hold up all of many.
pub fn validate_all(
    may_be_slow: bool,
    cell: &Cell,
    (in_flight_peaks, charged): (&[u64], &[Charged]),
) -> Vec<Reason> {
    let (peak, slots) = (in_flight_peaks.iter().copied().max().unwrap_or_default(), cell.slots());
    let is_seen = in_flight_peaks.len() >= BEST_TURNS_MIN && !may_be_slow;
    let is_seen = is_seen && (expected(cell.workload).keeps_slots_busy || is_batch(cell));
    let is_low = is_seen && peak < u64::from(slots) * PEAK_PERCENT_MIN / 100;
    let waves = match is_low {
        true => Some(Reason::Waves { peak, slots }),
        false => waves(cell, in_flight_peaks.len() as u64, peak),
    };
    hidden(cell, charged).into_iter().chain(waves).collect()
}

/// Returns whether the slots of a cell start at once and leave as its fetches run out.
fn is_batch(cell: &Cell) -> bool {
    cell.workload.fetches() && expected(cell.workload).includes_start
}

/// Returns that the times of a stay, which add up to a sum and of which one is the longest, are too
/// short for what the origin had in flight, if they are. What lies across the edges of a window is
/// at most one such time for each in flight.
#[expect(clippy::cast_precision_loss, reason = "a tenth of a fetch is all that is asked")]
fn too_short(stay: &Stay<'_>, (sum, longest_ns): (f64, u64)) -> Option<Reason> {
    let (seen, wall) = (stay.in_flight_mean, stay.wall_ns as f64);
    let edges = seen * longest_ns as f64 * stay.turns as f64;
    let least = seen * wall * LITTLE_PERCENT_MIN as f64 / 100.0 - edges;
    let (tenths, seen_tenths) = (tenths(sum / wall.max(1.0)), tenths(seen));
    (sum < least).then_some(Reason::TimesTooShort { tenths, seen_tenths })
}

/// Returns that a batch was fetched in waves, if the origin never saw more than half of the slots.
fn waves(cell: &Cell, turns: u64, peak: u64) -> Option<Reason> {
    let slots = cell.slots();
    let is_batch = is_batch(cell);
    let is_seen = turns >= BATCH_TURNS_MIN && 2 * peak <= u64::from(slots);
    (is_batch && is_seen).then_some(Reason::Waves { peak, slots })
}

/// Returns what a process did between turns, if it is more than timers and reactors do.
fn idle(stay: &Stay<'_>, beside_ns: u64) -> Option<Reason> {
    let charged_ns = sum(stay.charged.iter().map(|turn| &turn.charged_ns));
    let most_ns = charged_ns / 100 * IDLE_PERCENT_MAX + beside_ns;
    let idle_ns = stay.idle_cpu_ns;
    let is_known = !stay.charged.is_empty();
    (is_known && idle_ns > most_ns).then_some(Reason::IdleCpu { idle_ns, charged_ns })
}

/// Returns what a process hid of its CPU time, if that is what its turns have in common: the lower
/// median of them. In single turns a hypervisor takes time that the kernel charges to whoever runs,
/// in or between windows: up to 7.7 times what was reported, on a machine whose median was 1.1. One
/// turn alone shows nothing.
fn hidden(cell: &Cell, turns: &[Charged]) -> Option<Reason> {
    let each = |turn: &Charged| {
        let charged_ns = turn.charged_ns / turn.issued.max(1);
        let reported_ns = turn.reported_ns / turn.ended.max(1);
        // Operations may take less than a nanosecond each.
        let share = |ns: u64, of: u64| u128::from(ns) * 1_000_000 / u128::from(of.max(1));
        let reported = share(turn.reported_ns, turn.ended).max(1);
        let fetches = turn.issued / TURN_FETCHES_PART + TURN_FETCHES;
        let by_fetches = reported.saturating_mul(fetches.into()) / 1_000_000;
        let beside_ns = match cell.workload.datum() {
            // What they cost is no figure, and a turn has as few as five of them.
            Datum::Timed(_) => TURN_CHARGED_NS,
            Datum::Turn | Datum::Slope => {
                u64::try_from(by_fetches).unwrap_or(TURN_CHARGED_NS).min(TURN_CHARGED_NS)
            }
        };
        let beyond = share(turn.charged_ns.saturating_sub(beside_ns), turn.issued);
        (beyond * 1_000 / reported, reported_ns, charged_ns)
    };
    let mut turns: Vec<(u128, u64, u64)> = turns.iter().map(each).collect();
    turns.sort_unstable();
    let (permille, reported_ns, charged_ns) = *turns.get(turns.len().checked_sub(1)? / 2)?;
    let is_hidden = turns.len() > 1 && permille > u128::from(10 * STAY_CHARGED_PERCENT_MAX);
    is_hidden.then_some(Reason::CpuHidden { reported_ns, charged_ns })
}

/// Returns a number in whole tenths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn tenths(number: f64) -> u64 {
    (number * 10.0).round() as u64
}

#[cfg(test)]
mod tests {
    use workload::{DelayRange, Workload};

    use super::*;

    /// Returns the broken laws of a stay of four turns in four slots, each of 20 fetches in 110 ms.
    fn broken(
        workload: Workload,
        latencies_ns: &[(u64, u64)],
        change: impl Fn(&mut Stay<'_>),
    ) -> Vec<String> {
        broken_of(4, workload, latencies_ns, change)
    }

    /// Returns the same where there are so many slots.
    fn broken_of(
        in_flight: u32,
        workload: Workload,
        latencies_ns: &[(u64, u64)],
        change: impl Fn(&mut Stay<'_>),
    ) -> Vec<String> {
        let cell = Cell {
            name: "test".to_owned(),
            workload,
            in_flight,
            warmup: 8,
            fetches: 20,
            delay_ms: DelayRange { lo: 20, hi: 20 },
            body_bytes: 128,
            rate_per_s: if workload == Workload::Paced { 200 } else { 0 },
            ..Cell::least(workload)
        };
        let mut stay = Stay {
            turns: 4,
            ok: 80,
            wall_ns: 440_000_000,
            sizes: &[],
            latencies_ns,
            in_flight_mean: f64::from(in_flight),
            in_flight_peak: in_flight.into(),
            charged: &[TURN; 4],
            idle_cpu_ns: 0,
        };
        change(&mut stay);
        validate_stay(CLAIMS, &cell, &stay).iter().map(ToString::to_string).collect()
    }

    /// What a bare model says of itself.
    const CLAIMS: Claims<'static> = Claims {
        is_bare: true,
        may_be_slow: false,
        connections: None,
        threads: "workers",
        is_apart: false,
    };
    /// A turn of a stay, whose fetches cost 10 us each.
    const TURN: Charged =
        Charged { reported_ns: 200_000, ended: 20, charged_ns: 300_000, issued: 28 };
    /// One whose fetches cost a millisecond each.
    const LONG: Charged =
        Charged { reported_ns: 20_000_000, ended: 20, charged_ns: 30_000_000, issued: 28 };

    /// Returns the broken laws of a stay with these turns.
    fn charged(workload: Workload, turns: &[Charged]) -> Vec<String> {
        let turns = turns.to_vec().leak();
        broken(workload, &[(21_000_000, 80)], |stay| stay.charged = turns)
    }

    #[test]
    fn a_stay_whose_latencies_fill_its_slots_is_valid() {
        for workload in [Workload::Batch, Workload::Steady] {
            assert_eq!(broken(workload, &[(21_000_000, 80)], |_| {}), [""; 0]);
        }
    }

    #[test]
    fn latencies_that_are_missing_or_do_not_fill_the_slots_make_a_stay_invalid() {
        let missing = broken(Workload::Steady, &[(21_000_000, 79)], |_| {});
        assert_eq!(missing, ["79 latencies for 80 that were ok"]);
        let forged = broken(Workload::Steady, &[(42_000_000, 80)], |_| {});
        assert_eq!(forged, ["by its latencies 7.6 of 4 slots were busy"]);
        let forged = broken(Workload::Batch, &[(42_000_000, 80)], |_| {});
        assert_eq!(forged, ["by its latencies 7.6 of 4 slots were busy"]);
        let slow = |stay: &mut Stay<'_>| stay.wall_ns *= 2;
        let half = broken(Workload::Steady, &[(21_000_000, 80)], slow);
        assert_eq!(half, ["by its latencies 1.9 of 4 slots were busy"]);
        // The slots of a batch leave as its ids run out.
        assert_eq!(broken(Workload::Batch, &[(21_000_000, 80)], slow), [""; 0]);
    }

    #[test]
    fn fetches_that_end_in_no_window_count_against_nobody_who_has_more_slots_than_fetches() {
        let steady = |slots| broken_of(slots, Workload::Steady, &[(21_000_000, 80)], |_| {});
        assert_eq!(steady(20), ["by its latencies 3.8 of 20 slots were busy"]);
        assert_eq!(steady(21), [""; 0]);
        let forged = broken_of(21, Workload::Steady, &[(420_000_000, 80)], |_| {});
        assert_eq!(forged, ["by its latencies 76.4 of 21 slots were busy"]);
    }

    #[test]
    fn times_that_do_not_account_for_what_the_origin_had_in_flight_make_a_stay_invalid() {
        let seen = |mean| {
            let change =
                |stay: &mut Stay<'_>| (stay.in_flight_mean, stay.in_flight_peak) = (mean, 1);
            broken(Workload::Paced, &[(21_000_000, 80)], change)
        };
        // No slot need be busy, and no peak is asked for.
        assert_eq!(seen(3.9), [""; 0]);
        assert_eq!(seen(8.0), ["by its times 3.8 fetches were in flight, the origin saw 8.0"]);
    }

    #[test]
    fn who_cannot_hold_a_rate_may_have_fetches_under_way_as_the_window_opens() {
        // All slots are busy then, and a fetch takes longer than its part of the window.
        assert_eq!(broken(Workload::Paced, &[(24_000_000, 80)], |_| {}), [""; 0]);
        let forged = broken(Workload::Paced, &[(42_000_000, 80)], |_| {});
        assert_eq!(forged, ["by its latencies 7.6 of 4 slots were busy"]);
    }

    #[test]
    fn a_fetch_that_was_faster_than_its_delay_makes_a_stay_invalid() {
        let fast = broken(Workload::Steady, &[(19_800_000, 1), (21_000_000, 79)], |_| {});
        assert_eq!(fast, ["a fetch took 19.8 ms of at least 20.0 ms"]);
        // Rounding alone may take as much.
        assert_eq!(broken(Workload::Steady, &[(19_950_000, 80)], |_| {}), [""; 0]);
    }

    #[test]
    fn a_process_that_reports_half_of_what_the_kernel_charged_is_found() {
        let turns = |ns: u64| [Charged { charged_ns: 28 * ns, ..LONG }; 4];
        let found_at = |ns: u64| -> Vec<String> {
            let turns = turns(ns);
            let both = [Workload::Batch, Workload::Steady].into_iter();
            both.flat_map(|workload| charged(workload, &turns)).collect()
        };
        assert_eq!(found_at(1_700_000), [""; 0]);
        let words = "it reported 1000000 ns of CPU time for what the kernel charged 2000000";
        assert_eq!(found_at(2_000_000), [words; 2]);
    }

    #[test]
    fn what_a_hypervisor_takes_of_single_turns_is_not_held_against_a_stay() {
        let taken = Charged { charged_ns: 28 * 9_000_000, ..LONG };
        assert_eq!(charged(Workload::Steady, &[taken, LONG, taken, LONG]), [""; 0]);
        assert_eq!(charged(Workload::Steady, &[taken, taken, taken, LONG]).len(), 1);
        // One turn alone may be one of them.
        assert_eq!(charged(Workload::Steady, &[taken]), [""; 0]);
    }

    #[test]
    fn what_a_turn_takes_however_few_fetches_it_has_is_not_held_against_it() {
        // 1.7 times 28 fetches of 10 us each, and what 9 of them take.
        let with = |ns| [Charged { charged_ns: ns, ..TURN }; 2];
        assert_eq!(charged(Workload::Steady, &with(560_000)), [""; 0]);
        assert_eq!(charged(Workload::Steady, &with(570_000)).len(), 1);
        // Of fetches of 100 us each, half a millisecond.
        let with = |ns| [Charged { reported_ns: 2_000_000, charged_ns: ns, ..TURN }; 2];
        assert_eq!(charged(Workload::Steady, &with(5_260_000)), [""; 0]);
        assert_eq!(charged(Workload::Steady, &with(5_270_000)).len(), 1);
    }

    #[test]
    fn half_of_the_cpu_time_is_found_missing_however_short_a_turn_is() {
        // Fetches of a published sweep with one slot, and of a machine that is 20 times as fast.
        for each_ns in [90_000, 4_500] {
            for (issued, ended) in [(15, 12), (112, 64), (320, 128)] {
                let charged_ns = each_ns * (issued + 4);
                let turns = |reported_ns| [Charged { reported_ns, ended, charged_ns, issued }; 4];
                let found = |part| charged(Workload::Steady, &turns(ended * each_ns / part)).len();
                assert_eq!([found(1), found(2)], [0, 1], "{issued} fetches of {each_ns} ns");
            }
            let charged_ns = each_ns * 64;
            let reported_ns = charged_ns / 2;
            let half = Charged { reported_ns, ended: 64, charged_ns, issued: 64 };
            assert_eq!(charged(Workload::Batch, &[half; 4]).len(), 1, "fetches of {each_ns} ns");
        }
    }

    #[test]
    fn what_is_timed_one_by_one_may_be_charged_with_half_a_millisecond_a_turn_besides() {
        let few = Charged { reported_ns: 50_000, ended: 5, charged_ns: 610_000, issued: 7 };
        let turns: &[Charged] = vec![few; 4].leak();
        let found = |workload| {
            of_operations(workload, |stay| {
                (stay.ok, stay.latencies_ns, stay.charged) = (5, &[(900, 5)], turns);
            })
        };
        assert_eq!(found(Workload::Event10ms), [""; 0]);
        assert!(found(Workload::Spawn)[0].contains("of CPU time for what the kernel charged"));
    }

    #[test]
    fn what_is_done_between_turns_makes_a_stay_invalid_beyond_what_timers_do() {
        let idle = |ns| {
            broken(Workload::Steady, &[(21_000_000, 80)], |stay| {
                (stay.charged, stay.idle_cpu_ns) = (&[LONG; 4], ns);
            })
        };
        assert_eq!(idle(14_000_000), [""; 0]);
        let words = "it used 14000001 ns of CPU time between turns";
        assert!(idle(14_000_001)[0].starts_with(words), "{:?}", idle(14_000_001));
        // Where the kernel charges nothing that can be read, nothing is known.
        let unknown = |stay: &mut Stay<'_>| (stay.charged, stay.idle_cpu_ns) = (&[], 14_000_001);
        assert_eq!(broken(Workload::Steady, &[(21_000_000, 80)], unknown), [""; 0]);
    }

    #[test]
    fn what_stays_of_one_turn_each_cannot_show_is_seen_in_all_of_them() {
        let cell = |workload| Cell {
            name: "test".to_owned(),
            workload,
            in_flight: 4,
            warmup: 0,
            fetches: 4,
            delay_ms: DelayRange { lo: 20, hi: 20 },
            body_bytes: 128,
            ..Cell::least(workload)
        };
        let batch = cell(Workload::Batch);
        let all = |cell, peaks: &[u64], charged: &[Charged]| -> Vec<Reason> {
            validate_all(false, cell, (peaks, charged))
        };
        let half = Charged { charged_ns: 56_000_000, ..LONG };
        assert_eq!(all(&batch, &[4, 4], &[half]), []);
        let hidden = all(&batch, &[4, 4], &[half, half]);
        assert!(matches!(hidden[..], [Reason::CpuHidden { .. }]), "{hidden:?}");
        let waves = [Reason::Waves { peak: 2, slots: 4 }];
        assert_eq!(all(&batch, &[2, 1, 2], &[]), waves);
        assert_eq!(all(&batch, &[2, 3, 2], &[]), []);
        assert_eq!(all(&batch, &[2, 2], &[]), []);
        let steady = cell(Workload::Steady);
        assert_eq!(all(&steady, &[2, 2, 2], &[]), []);
        // Of many turns one at least has all slots busy.
        for cell in [&batch, &steady] {
            let few = [Reason::Waves { peak: 2, slots: 4 }];
            assert_eq!(all(cell, &[2; 8], &[]), few);
            assert_eq!(all(cell, &[2, 2, 2, 2, 2, 2, 2, 4], &[]), []);
        }
        assert_eq!(validate_all(true, &steady, (&[2; 8], &[])), []);
    }

    /// Returns the broken laws of a stay of operations.
    fn of_operations(workload: Workload, change: impl Fn(&mut Stay<'_>)) -> Vec<String> {
        let cell = Cell::of_operations(workload, (0, 1));
        let claims = Claims { is_bare: false, may_be_slow: true, ..CLAIMS };
        let mut stay = Stay {
            turns: 4,
            ok: 150_000,
            wall_ns: 8_700_000,
            // 50 ns each, and 300 us beside.
            sizes: &[
                (10_000, 800_000),
                (20_000, 1_300_000),
                (40_000, 2_300_000),
                (80_000, 4_300_000),
            ],
            latencies_ns: &[],
            in_flight_mean: 0.0,
            in_flight_peak: 0,
            charged: &[],
            idle_cpu_ns: 0,
        };
        change(&mut stay);
        validate_stay(claims, &cell, &stay).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_one_of_many_operations_costs_is_a_slope_that_is_there_and_possible() {
        assert_eq!(of_operations(Workload::Spawn, |_| {}), [""; 0]);
        let nothing = of_operations(Workload::Spawn, |stay| {
            stay.sizes = &[(10_000, 300_000), (20_000, 300_001), (40_000, 300_002)];
        });
        assert_eq!(nothing, ["one costs 0 ps, so it was optimised away"]);
        let alike = of_operations(Workload::Spawn, |stay| stay.sizes = &[(9, 800_000); 4]);
        assert_eq!(alike, ["its turns have one length, which makes no slope"]);
    }

    #[test]
    fn what_is_timed_one_by_one_has_a_time_for_each() {
        let timed = |count: u64| {
            let latencies_ns: &[(u64, u64)] = vec![(900, count)].leak();
            of_operations(Workload::Event1ms, |stay| {
                (stay.ok, stay.latencies_ns) = (5, latencies_ns);
            })
        };
        assert_eq!(timed(5), [""; 0]);
        assert_eq!(timed(4), ["4 latencies for 5 that were ok"]);
    }

    #[test]
    fn a_program_that_reports_half_of_what_the_kernel_charged_is_found() {
        let of = |charged_ns| Charged {
            reported_ns: 1_000_000,
            ended: 2_000_000,
            charged_ns,
            issued: 2_000_000,
        };
        let found = |charged_ns| {
            let charged: &[Charged] = vec![of(charged_ns); 4].leak();
            of_operations(Workload::Generator, |stay| stay.charged = charged).len()
        };
        assert_eq!([1_100_000, 1_890_000, 2_000_000].map(found), [0, 0, 1]);
    }

    #[test]
    fn a_batch_that_is_fetched_in_two_waves_makes_a_stay_invalid() {
        let waves = |stay: &mut Stay<'_>| stay.in_flight_peak = 2;
        let reported = broken(Workload::Batch, &[(21_000_000, 80)], waves);
        assert_eq!(reported, ["the origin saw 2 of 4 in flight in the best of its turns"]);
        // One turn may be held up by a busy machine.
        let once = |stay: &mut Stay<'_>| (stay.turns, stay.in_flight_peak) = (1, 2);
        let reported = broken(Workload::Batch, &[(21_000_000, 80)], once);
        assert_eq!(reported, ["the origin saw at most 2 of 4 in flight"]);
        let held_up = |stay: &mut Stay<'_>| stay.in_flight_peak = 3;
        assert_eq!(broken(Workload::Batch, &[(21_000_000, 80)], held_up), [""; 0]);
        // Of a steady cell each turn is held to its peak.
        assert_eq!(broken(Workload::Steady, &[(21_000_000, 80)], waves), [""; 0]);
    }

    #[test]
    fn too_few_in_flight_in_the_mean_make_a_steady_stay_invalid() {
        let few = |stay: &mut Stay<'_>| stay.in_flight_mean = 2.7;
        let reported = broken(Workload::Steady, &[(21_000_000, 80)], few);
        assert_eq!(reported, ["the origin saw 2.7 of 4 in flight in the mean"]);
        assert_eq!(broken(Workload::Batch, &[(21_000_000, 80)], few), [""; 0]);
    }
}
