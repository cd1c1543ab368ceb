//! What a run did not measure: a line each, with the command that does.

use analysis::Family;
use maud::{Markup, html};
use rules::expected;
use workload::Workload;

use crate::html::run_page::Page;

impl Page<'_> {
    /// Returns what the run did not measure, with the command that does.
    fn missing(&self) -> Vec<(&'static str, &'static str)> {
        let cells = &self.figures.cells;
        let has = |is: fn(Workload) -> bool| cells.iter().any(|cell| is(cell.cell.workload));
        let has_steady = has(|workload| expected(workload).keeps_slots_busy);
        let has_batch = has(|workload| !expected(workload).is_paced_by_delays);
        let probes = self.charts.cells.iter().any(|charts| charts.wake_ups.is_some());
        let all = [
            (!has_steady, "What a fetch costs in steady flow", "cargo bench"),
            (!has_batch, "What a batch takes", "cargo bench"),
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
                cells.iter().any(|cell| cell.cell.is_open()) && self.figures.load.is_none(),
                "How that grows with the rate at which requests come",
                "cargo run --release -- run --preset load",
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

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture, paced};
    use record::Run;

    /// Returns the page of a run.
    fn page(run: &Run) -> String {
        let mut files = crate::derive::derive(&analysis::summarize(run, BASELINE, FLOOR));
        String::from_utf8(files.remove("report.html").unwrap()).unwrap()
    }

    #[test]
    fn fetches_that_arrive_at_a_rate_are_neither_a_steady_flow_nor_a_batch() {
        let kinds = ["What a fetch costs in steady flow", "What a batch takes"];
        let open = page(&paced(&[1_000], ""));
        assert!(kinds.iter().all(|kind| open.contains(kind)));
        assert!(open.contains("How that grows with the rate at which requests come"));
        let closed = page(&Fixture { blocks: 2, ..Fixture::good() }.run());
        assert!(!kinds.iter().any(|kind| closed.contains(kind)));
        assert!(closed.contains("How long a request waits while others keep coming"));
    }
}
