//! The figures of a cell: what a fetch cost on each model, and how that compares.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use record::{Absent, Control};
use rules::{Metric, WALL};
use stats::Estimate;
use stats::ranking::RankInterval;
use stats::verdict::Verdict;
use workload::Cell;

use crate::counts::real;
use crate::family::Pair;
use crate::latency::Latencies;
use crate::responses::Responses;
use crate::wake_ups::WakeUps;

/// Walls that are no further apart than that, as a share, are set by the delay.
const PACED: f64 = 0.05;

/// The figures of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellFigures {
    /// The cell.
    pub cell: Cell,
    /// Whole blocks that were measured.
    pub blocks: usize,
    /// Blocks that the schedule has for it.
    pub blocks_planned: usize,
    /// Rounds that were measured and count.
    pub rounds: usize,
    /// Rounds that were measured again, since they were disturbed.
    pub repeated: usize,
    /// Why it has fewer blocks than planned, if the run decided so.
    pub stop: Option<String>,
    /// By rank, then the cheapest first, then those without figures.
    pub rows: Vec<Row>,
    /// Every pair of the family, by the names of the models.
    pub pairs: Vec<Pair>,
    /// What the library clients cost on top, by the names of the models.
    pub footprints: Vec<Footprint>,
    /// Models in other languages, which stand apart from all above.
    pub languages: Vec<LanguageFigures>,
    /// Whether the run found the busy work that was added on purpose.
    pub controls: Vec<ControlFigures>,
    /// Controls without figures, and why.
    pub controls_lost: Vec<Absent>,
    /// What the baseline differs from itself.
    pub noise: Option<Noise>,
    /// How late the probe tasks were that wake up beside the fetches, if the cell asks for one.
    pub wake_ups: Vec<WakeUps>,
    /// What fetches waited for, if they arrive at a rate.
    pub responses: Vec<Responses>,
    /// How the service times of each model with a valid turn are distributed, in the order of the
    /// rows.
    pub latencies: Vec<Latencies>,
    /// The baseline's second process in times its first, block by block.
    pub itself: Vec<(u32, f64)>,
    /// How much longer the longest of the walls is than the shortest, as a share, where they are so
    /// near that the delay sets the pace and not the model.
    pub paced_within: Option<f64>,
}

/// The models of a cell in another language: a family of their own, and context for those in Rust.
#[derive(Clone, Debug, PartialEq)]
pub struct LanguageFigures {
    /// Its name.
    pub language: String,
    /// The model of it that ratios are taken against.
    pub baseline: String,
    /// What that model costs in times the run's baseline, with the 95 % interval.
    pub context: Option<Estimate>,
    /// Whether it ran at another rate than that baseline, so that this is a rough number.
    pub at_other_rate: bool,
    /// The cheapest first, then those without figures. None has a place.
    pub rows: Vec<Row>,
    /// Each model with the baseline of the language, by the names of the models.
    pub pairs: Vec<Pair>,
    /// What the library clients cost on top, by the names of the models.
    pub footprints: Vec<Footprint>,
}

/// What the baseline differs from itself, which is nothing but noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// The ratio of its second process in a block to its first, with the 95 % interval.
    pub ratio: Estimate,
    /// The smallest relative difference that this many blocks of such noise would show, three
    /// times out of four, to a family of so many pairs.
    pub can_show: Option<f64>,
    /// Relative differences below this may be missed: what can be shown, or the margin below which
    /// nothing is called a difference.
    pub missed_below: Option<f64>,
}

/// A model that ran once more with busy work added, and what was seen of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlFigures {
    /// What orders and turns call it.
    pub name: String,
    /// The model whose program it is, and which it is held against.
    pub model: String,
    /// The share of the model's own cost that was added.
    pub percent: u32,
    /// The ratio of CPU time per fetch, with its 95 % interval.
    pub ratio: Estimate,
    /// Whether the interval excludes 1: the difference was found.
    pub found: bool,
    /// Whether the interval contains what was added.
    pub on_target: bool,
}

/// A model in a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The model's name.
    pub model: String,
    /// Valid turns.
    pub valid: usize,
    /// All turns.
    pub turns: usize,
    /// Fetches that failed, over all turns, by code.
    pub errors: BTreeMap<String, u64>,
    /// The threads that it had beside those that its manifest says, if the two differ.
    pub threads: Option<String>,
    /// Whether it has figures, and what kind of row it is if not.
    pub state: RowState,
    /// Why there are no figures, or why some turns do not count.
    pub reason: Option<String>,
    /// The places it may have, where all pairs were compared and nothing can be held against it.
    pub rank: Option<RankInterval>,
    /// The figures, if a turn was valid.
    pub figures: Option<RowFigures>,
}

/// Whether a row has figures, and what kind of row it is if not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// At least one turn counts.
    Measured,
    /// The model cannot hold the cell by design.
    NotApplicable,
    /// The model needs what the machine does not have.
    Missing,
    /// No turn counts; the first was invalid.
    Invalid,
    /// No turn counts; the first did not end as it should have.
    Failed,
    /// It never had its turn.
    NotMeasured,
}

/// What a fetch cost.
#[derive(Clone, Debug, PartialEq)]
pub struct RowFigures {
    /// CPU time of the model's process per fetch, in microseconds. Of the baseline it is the median
    /// over blocks, with its 95 % interval; of a model that was compared it is the baseline's
    /// times the ratio and the interval of that, so that the two never disagree.
    pub cpu_us: Estimate,
    /// The ratio of CPU time to the baseline's, or to that of the language, with the simultaneous
    /// interval of the family.
    pub ratio: Option<Estimate>,
    /// What may be said of that ratio.
    pub verdict: Option<Verdict>,
    /// The ratio of the sums over all blocks with its 95 % interval, where they are enough for it.
    pub mean_ratio: Option<Estimate>,
    /// Whether that lies outside the ratio's own 95 % interval, which is narrower than that of the
    /// family: rare expensive blocks count.
    pub tail_sensitive: bool,
    /// How long a fetch was in flight, in milliseconds: the mean of a stay, median over blocks. A
    /// model is cheap for a reason that costs its user where it lets replies wait and handles many
    /// of them together; then this is long.
    pub in_flight_ms: Option<Estimate>,
    /// CPU time above the floor's, in microseconds per fetch, with its 95 % interval.
    pub excess_us: Option<Estimate>,
    /// Every other metric that the machine reports: its median over blocks, in its own unit.
    pub others: Vec<(Metric, Estimate)>,
    /// Whether the rate was not that of the baseline, or of the language's, so that the costs are
    /// not comparable like for like.
    pub unequal_rate: bool,
}

/// What a library client costs on top of the bare core, under the same model.
#[derive(Clone, Debug, PartialEq)]
pub struct Footprint {
    /// The model with the library client.
    pub model: String,
    /// The ratio of CPU time per fetch, with the interval of its family, or of its own 95 % where
    /// no family holds the pair.
    pub ratio: Estimate,
    /// CPU time above the bare model's, in microseconds per fetch, from that ratio.
    pub above_bare_us: Estimate,
}

impl RowFigures {
    /// Returns a metric, if the machine reports it.
    pub fn metric(&self, metric: Metric) -> Option<&Estimate> {
        match metric.is_judged {
            true => Some(&self.cpu_us),
            false => self.others.iter().find(|(own, _)| *own == metric).map(|(_, value)| value),
        }
    }
}

impl CellFigures {
    /// Returns the rows of every language, those in Rust first.
    pub fn all_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(self.languages.iter().flat_map(|other| &other.rows))
    }

    /// Returns the shortest time, in milliseconds, in which the delays of a window can pass: all of
    /// them shared by the slots, and no shorter than one. Drawn delays count by their mean.
    pub fn shortest_wall_ms(&self) -> f64 {
        let cell = &self.cell;
        let mean = f64::midpoint(real(cell.delay_ms.lo), real(cell.delay_ms.hi));
        let shared = real(cell.fetches) * mean / f64::from(cell.in_flight.max(1));
        shared.max(real(cell.delay_ms.lo))
    }

    /// Returns the figures of a model in Rust, if it has any.
    pub fn measured(&self, model: &str) -> Option<&RowFigures> {
        self.rows.iter().find(|row| row.model == model)?.figures.as_ref()
    }

    /// Returns what may be said of two models of the family, and the first's cost in times the
    /// second's: a pair is compared one way round, and read both ways.
    pub fn between(&self, model: &str, other: &str) -> Option<(Verdict, f64)> {
        self.pairs.iter().find_map(|pair| match (pair.model.as_str(), pair.other.as_str()) {
            names if names == (model, other) => Some((pair.verdict, pair.ratio.value)),
            names if names == (other, model) => Some((pair.verdict, 1.0 / pair.ratio.value)),
            _ => None,
        })
    }
}

/// Returns how far apart walls are, where they are so near that the delay sets the pace.
pub(crate) fn paced_within(rows: &[Row]) -> Option<f64> {
    let wall = |row: &Row| Some(row.figures.as_ref()?.metric(WALL)?.value);
    let walls = || rows.iter().filter_map(wall);
    let (least, most) = (walls().reduce(f64::min)?, walls().reduce(f64::max)?);
    Some(most / least - 1.0).filter(|apart| *apart < PACED)
}

impl RowState {
    /// Returns the word for it in documents.
    pub fn key(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::NotApplicable => "not_applicable",
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::NotMeasured => "not_measured",
        }
    }
}

impl Row {
    /// Returns how many fetches failed, over all turns and codes.
    pub fn errors_all(&self) -> u64 {
        self.errors.values().copied().fold(0, u64::saturating_add)
    }

    /// Returns its place in the table: by rank, then by cost, those without figures last, and by
    /// name where nothing else distinguishes two rows.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let rank = |row: &Self| row.rank.map_or(usize::MAX, |rank| rank.best);
        let cost = |row: &Self| row.figures.as_ref().map_or(f64::INFINITY, |f| f.cpu_us.value);
        rank(self)
            .cmp(&rank(other))
            .then(cost(self).total_cmp(&cost(other)))
            .then_with(|| self.model.cmp(&other.model))
    }
}

impl ControlFigures {
    /// Says what a ratio shows of a control.
    pub(crate) fn of(control: &Control, ratio: Estimate) -> Self {
        let holds = |value| ratio.interval.is_some_and(|interval| interval.contains(value));
        Self {
            name: control.name.clone(),
            model: control.model.clone(),
            percent: control.percent,
            ratio,
            found: ratio.interval.is_some_and(|interval| interval.low > 1.0),
            on_target: holds(1.0 + f64::from(control.percent) / 100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::MARGIN;
    use crate::figures::figures;
    use crate::fixture::{BASELINE, FLOOR, Fixture, corrupt, stays};

    #[test]
    fn walls_within_five_percent_are_set_by_the_delay_and_others_by_the_model() {
        let mut run = Fixture::good().run();
        let steady = |run: &record::Run| figures(run, BASELINE, FLOOR).cells.swap_remove(1);
        let apart = steady(&run).paced_within;
        assert!(apart.is_some_and(|apart| (0.0..PACED).contains(&apart)), "{apart:?}");
        for turn in corrupt(&mut run, ("smol", "steady")) {
            turn.turned.as_mut().unwrap().window.wall_ns *= 2;
        }
        assert_eq!(steady(&run).paced_within, None);
    }

    #[test]
    fn the_time_in_flight_is_the_mean_of_a_stay_and_the_median_over_blocks() {
        let mut run = Fixture { blocks: 3, ..Fixture::good() }.run();
        let each = [vec![(4, 3), (8, 1)], vec![(6, 10)], vec![(90, 1)]];
        for (stay, times) in stays(&mut run, ("smol", "steady")).zip(each) {
            stay.latencies_ns = times.into_iter().map(|(ms, n)| (ms * 1_000_000, n)).collect();
        }
        let in_flight = |run: &record::Run| {
            let steady = figures(run, BASELINE, FLOOR).cells.swap_remove(1);
            steady.measured("smol").and_then(|own| own.in_flight_ms).map(|mean| mean.value)
        };
        assert_eq!(in_flight(&run), Some(6.0), "of 5, 6 and 90 ms");
        stays(&mut run, ("smol", "steady")).for_each(|stay| stay.latencies_ns.clear());
        assert_eq!(in_flight(&run), None);
    }

    #[test]
    fn a_pair_reads_the_same_from_both_of_its_ends() {
        let run = Fixture { preset: "standard", ..Fixture::good() }.run();
        let cell = figures(&run, BASELINE, FLOOR).cells.swap_remove(1);
        for pair in &cell.pairs {
            let (verdict, there) = cell.between(&pair.model, &pair.other).unwrap();
            let (same, back) = cell.between(&pair.other, &pair.model).unwrap();
            assert_eq!((verdict, there), (same, pair.ratio.value));
            assert!((there * back - 1.0).abs() < 1e-12, "{there} {back}");
        }
        assert_eq!(cell.between(BASELINE, "nobody"), None);
    }

    #[test]
    fn differences_below_the_margin_may_be_missed_however_quiet_the_run_is() {
        let noise = |noise| {
            let run = Fixture { noise, ..Fixture::good() }.run();
            figures(&run, BASELINE, FLOOR).cells.swap_remove(1).noise.unwrap()
        };
        let quiet = noise(0.0005);
        assert!(quiet.can_show.is_some_and(|share| share < MARGIN));
        assert_eq!(quiet.missed_below, Some(MARGIN));
        let loud = noise(0.1);
        assert!(loud.can_show.is_some_and(|share| share > MARGIN));
        assert_eq!(loud.missed_below, loud.can_show);
    }
}
