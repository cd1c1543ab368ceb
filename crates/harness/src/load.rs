//! The preset `load`: how response times grow with the rate at which fetches arrive, and what else
//! they depend on.
//!
//! The rates are shares of what the origin can serve, which is found out before a run is drawn, so
//! that a curve goes as far on any machine.

use record::Probe;
use workload::Cell;

use crate::cells::{PACED, PACED_BLOCKS, WORK_KIB, paced};
use crate::sweep::with_probe;
use crate::{Preset, PrimitiveBlocks, quick};

/// The rates of the curves, in percent of what the origin serves without delays. From half of it
/// on, it is the origin that is seen.
const SHARES: [u32; 4] = [10, 20, 30, 40];
/// The slots of these cells: the most with which models take turns beside each other.
const SLOTS: u32 = 256;
/// Of what more a faster origin serves, nothing is asked: at the highest share of this, and with
/// the delays of `paced`, three quarters of the slots are busy.
const CEILING_MAX: u64 = 60_000;
/// What it is taken for until it is known.
const CEILING_UNKNOWN: u64 = 10_000;
/// Rates are whole multiples of this, so that two runs on a machine mostly have the same.
const STEP: u64 = 100;

/// The share of the replies, in percent, that are slow in `paced-two-speeds`.
const SLOW_PERCENT: u32 = 5;
/// How many fetches arrive at once in `paced-burst`: nearly as many as there are slots, of which
/// the others take eight, so that it is the model that they wait for and not a slot.
const BURST: u32 = 50;
/// The timeout of each fetch in `paced-timeout`, far above any reply: longer than an origin may
/// stall, so that it ends none.
const TIMEOUT_MS: u64 = 30_000;

/// How response times grow with the rate at which fetches arrive, and what else they depend on:
/// bodies of 16 KiB, work for each reply, replies of two speeds, a timeout for each fetch as users
/// set one, a burst on top of the steady stream, and fetches that no timer of the model waits for.
/// A probe task shows what else waits meanwhile.
pub(crate) fn load() -> Preset {
    let with = |name: &str| Cell { name: format!("{PACED}-{name}"), ..paced() };
    let body = Cell { body_bytes: 16 * 1024, ..with("body") };
    let work = Cell { work_kib: WORK_KIB / 4, ..with("work") };
    let speeds = Cell { slow_percent: SLOW_PERCENT, ..with("two-speeds") };
    let timeout = Cell { deadline_ms: TIMEOUT_MS, ..with("timeout") };
    let burst = Cell { burst: BURST, ..with("burst") };
    let handed = Cell { handed_in: true, ..with("handed") };
    let [plain, probed] = with_probe(paced());
    let beside = [plain, body, work, speeds, timeout, burst, handed, probed];
    Preset {
        name: "load",
        cells: beside.into_iter().chain(SHARES.map(at)).collect(),
        blocks: PACED_BLOCKS,
        primitives: PrimitiveBlocks::NONE,
        ..quick()
    }
}

/// Returns the cell of a share: twice as many fetches as `paced` has, which are over in time even
/// if a model needs milliseconds for each.
fn at(percent: u32) -> Cell {
    Cell {
        name: name_of(percent),
        in_flight: SLOTS,
        warmup: 200,
        fetches: 2_000,
        rate_per_s: rate_of(percent, CEILING_UNKNOWN),
        ..paced()
    }
}

/// Returns what the cell of a share is called.
fn name_of(percent: u32) -> String {
    format!("{PACED}-{percent}-percent")
}

/// Returns a share of what an origin serves in a second.
fn rate_of(percent: u32, ceiling_per_s: u64) -> u32 {
    let rate = ceiling_per_s.min(CEILING_MAX) * u64::from(percent) / 100;
    u32::try_from((rate / STEP).max(1) * STEP).unwrap_or(u32::MAX)
}

/// Returns the share that a cell has, by its name, if it has one.
fn share_of(name: &str) -> Option<u32> {
    SHARES.into_iter().find(|percent| name_of(*percent) == name)
}

/// Returns what is said of the rate of a cell: a share is of something that the run finds out.
pub(crate) fn rate_text(cell: &Cell, is_probed: bool) -> String {
    let rate = format!("{} fetches arrive a second", cell.rate_per_s);
    match share_of(&cell.name).filter(|_| !is_probed) {
        Some(percent) => format!(
            "{rate}, {percent} % of what the origin serves without delay, which is probed as the \
             run begins and taken for {CEILING_UNKNOWN} here"
        ),
        None => rate,
    }
}

/// Sets the rates of the cells that have shares, by the lowest ceiling that was found of them.
pub(crate) fn set_rates(cells: &mut [Cell], probes: &[Probe]) {
    let found = probes.iter().filter(|probe| share_of(&probe.cell).is_some());
    let Some(ceiling) = found.map(|probe| probe.ceiling_per_s).min() else { return };
    for cell in cells {
        if let Some(percent) = share_of(&cell.name) {
            cell.rate_per_s = rate_of(percent, ceiling);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the rates of the curve by what the origin was found to serve in its cells.
    fn rates(ceilings: &[u64]) -> Vec<u32> {
        let mut cells = load().cells;
        let probe = |(percent, ceiling_per_s): (u32, &u64)| Probe {
            cell: name_of(percent),
            ceiling_per_s: *ceiling_per_s,
            floor_ns: 1,
            baseline_ns: 1,
            origin_ns: 1,
        };
        let probes: Vec<Probe> = SHARES.into_iter().zip(ceilings).map(probe).collect();
        set_rates(&mut cells, &probes);
        let others = cells.iter().filter(|cell| cell.in_flight < SLOTS);
        assert!(others.clone().count() > 0 && others.clone().all(|cell| cell.rate_per_s == 1_000));
        let own = cells.iter().filter(|cell| cell.in_flight == SLOTS);
        own.map(|cell| cell.rate_per_s).collect()
    }

    #[test]
    fn the_rates_of_the_curve_are_shares_of_the_lowest_ceiling_that_was_found() {
        assert_eq!(rates(&[40_000, 35_290, 50_000]), [3_500, 7_000, 10_500, 14_100]);
        assert_eq!(rates(&[]), [1_000, 2_000, 3_000, 4_000]);
        let said = |is_probed| load().cells.iter().map(|c| rate_text(c, is_probed)).collect();
        let [guessed, known]: [Vec<String>; 2] = [false, true].map(said);
        let is_guess = |text: &&String| text.contains("which is probed as the run begins");
        assert_eq!(guessed.iter().filter(is_guess).count(), SHARES.len(), "{guessed:?}");
        assert_eq!(known.iter().filter(is_guess).count(), 0, "{known:?}");
        assert_eq!(rates(&[300]), [100; 4], "no cell is without a rate");
    }

    #[test]
    fn no_rate_needs_more_slots_than_there_are_however_fast_an_origin_is() {
        let rates = rates(&[1_000_000]);
        let delay_ms = paced().delay_ms;
        for rate in &rates {
            // Fetches a second times milliseconds, twice.
            let busy = u64::from(*rate) * (delay_ms.lo + delay_ms.hi) / 2_000;
            assert!(4 * busy <= 3 * u64::from(SLOTS), "{busy} of {rate} a second");
        }
        assert!(rates.is_sorted() && at(10).stays(), "{rates:?}");
    }
}
