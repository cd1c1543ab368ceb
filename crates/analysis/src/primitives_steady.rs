//! What becomes of primitives without the stays whose halves do not agree on what one costs. They
//! are kept in all figures: to leave them out would choose stays by what they say, and most often
//! those of whatever scatters most by itself.

use std::fmt;

use stats::verdict::Verdict;
use stats::{Sample, median};

use crate::family::ALPHA;
use crate::primitive_figures::{PrimitiveFigures, PrimitiveRow};

/// How many stays are unsteady, and what leaving them out would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Steadiness {
    /// Valid stays that have a slope.
    pub stays: usize,
    /// Those of them whose halves do not agree on it.
    pub unsteady: usize,
    /// By what share the CPU time of one would move, in half of the rows at most.
    pub moved_typical: f64,
    /// Verdicts that decide.
    pub decided: usize,
    /// Those of them that would be inconclusive, for want of blocks that both programs have.
    pub opened: usize,
    /// Those of them that would say the contrary.
    pub contrary: usize,
}

impl fmt::Display for Steadiness {
    /// Says what leaving out unsteady stays would change.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stays, unsteady, decided, opened, contrary, .. } = self;
        write!(
            f,
            "{unsteady} of {stays} stays are unsteady: their halves differ by more than 3 %. They \
             are kept. Without them, half of the costs would move by more than {:.1} %, {opened} \
             of {decided} decided verdicts would be inconclusive, and {contrary} would reverse.",
            100.0 * self.moved_typical
        )
    }
}

impl Steadiness {
    /// Compares figures of all stays with those of steady ones; nothing if all are steady.
    pub(crate) fn of(all: &[PrimitiveFigures], steady: &[PrimitiveFigures]) -> Option<Self> {
        let sloped = || all.iter().filter(|figures| !figures.alone).flat_map(|f| &f.rows);
        let unsteady = sloped().map(|row| row.unsteady).sum();
        if unsteady == 0 {
            return None;
        }
        let pairs: Vec<(&PrimitiveRow, Option<&PrimitiveRow>)> = all
            .iter()
            .filter(|figures| !figures.alone)
            .flat_map(|figures| figures.rows.iter().map(|row| (row, same(row, figures, steady))))
            .filter(|(row, _)| row.costs.is_some())
            .collect();
        let both =
            || pairs.iter().filter_map(|(row, other)| Some((row.costs.as_ref()?, other.as_ref()?)));
        let moved = both().filter_map(|(costs, other)| {
            let (all, steady) = (costs.cpu_ns?, other.costs.as_ref()?.cpu_ns?);
            Some((steady.value / all.value - 1.0).abs())
        });
        let moved = Sample::new(moved.collect()).map(|m| median::estimate(&m, ALPHA).value);
        let is_open = |verdict: &Option<Verdict>| {
            verdict.is_none_or(|verdict| verdict == Verdict::Inconclusive)
        };
        let decided = pairs.iter().filter_map(|(row, other)| {
            let all = verdict(row).filter(|verdict| !is_open(&Some(*verdict)))?;
            Some((all, other.and_then(verdict)))
        });
        let decided: Vec<(Verdict, Option<Verdict>)> = decided.collect();
        Some(Self {
            stays: sloped().map(|row| row.valid).sum(),
            unsteady,
            moved_typical: moved.unwrap_or(0.0),
            decided: decided.len(),
            opened: decided.iter().filter(|(_, without)| is_open(without)).count(),
            contrary: decided
                .iter()
                .filter(|(all, without)| !is_open(without) && without.as_ref() != Some(all))
                .count(),
        })
    }
}

/// Returns what may be said of the ratio of a row.
fn verdict(row: &PrimitiveRow) -> Option<Verdict> {
    row.costs.as_ref()?.verdict
}

/// Returns the row of the same program among other figures of the same primitive.
fn same<'a>(
    row: &PrimitiveRow,
    figures: &PrimitiveFigures,
    others: &'a [PrimitiveFigures],
) -> Option<&'a PrimitiveRow> {
    let other = others.iter().find(|other| other.primitive == figures.primitive)?;
    other.rows.iter().find(|other| other.program == row.program)
}
