//! What a run did not measure: a line each, with the command that does.

use analysis::Family;
use maud::{Markup, html};
use rules::expected;

use crate::html::run_page::Page;

impl Page<'_> {
    /// Returns what the run did not measure, with the command that does.
    fn missing(&self) -> Vec<(&'static str, &'static str)> {
        let cells = &self.figures.cells;
        let has = |is_paced: bool| {
            cells.iter().any(|cell| expected(cell.cell.workload).is_paced_by_delays == is_paced)
        };
        let probes = self.charts.cells.iter().any(|charts| charts.wake_ups.is_some());
        let all = [
            (!has(true), "What a fetch costs in steady flow", "cargo bench"),
            (!has(false), "What a batch takes", "cargo bench"),
            (
                self.figures.family == Family::AgainstBaseline,
                "Any two models against each other, not the baseline alone",
                "cargo run --release -- run --preset standard",
            ),
            (
                self.charts.sweeps.is_empty(),
                "CPU time against the number in flight and against the delay",
                "cargo bench --bench sweep",
            ),
            (
                !probes,
                "How late what is due beside the fetches wakes up",
                "cargo run --release -- run --preset ideas",
            ),
            (
                self.figures.primitives.is_empty(),
                "What a switch, a spawn and a wake cost",
                "cargo bench --bench primitives",
            ),
            (
                !cells.iter().any(|cell| cell.cell.is_open()),
                "How long a request waits while others keep coming (an open load)",
                "cargo run --release -- run --cell paced",
            ),
            (
                self.figures.holds.is_none(),
                "What memory one more fetch in flight takes",
                "cargo run --release -- run --preset hold",
            ),
        ];
        all.into_iter().filter(|(is, ..)| *is).map(|(_, what, by)| (what, by)).collect()
    }

    /// Writes it.
    pub(crate) fn not_measured(&self) -> Markup {
        html! {
            ul.not-measured { @for (what, command) in self.missing() {
                li { (what) ": " code { (command) } }
            }
            }
        }
    }
}
