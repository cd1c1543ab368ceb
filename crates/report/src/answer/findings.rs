//! Three findings of a run with their intervals, and where they were measured: what a reader takes
//! along who reads no table.

use analysis::cell_figures::CellFigures;
use analysis::{Answer, Rival, Summary, Verdict};

use crate::answer::cell::machine;
use crate::answer::headline::largest;
use crate::percent::with_interval;
use crate::table::heading;

/// Writes the findings of the cell that the answer is about, in Markdown: nothing if it compares
/// nothing.
pub fn findings(run: &Summary) -> String {
    let cell = run.figures.cells.get(run.figures.main_cell());
    let Some((cell, answer)) = cell.zip(cell.and_then(|cell| run.answer_of(&cell.cell.name)))
    else {
        return String::new();
    };
    let client = answer.client.as_ref().map(|own| {
        let ratio = with_interval(&own.ratio);
        format!("HTTP client: {} on {} costs {ratio}.", own.client, own.under)
    });
    let found = [Some(models(run, answer)), client, answer.models.as_ref().map(largest)];
    let lines = found.into_iter().flatten().map(|line| format!("* {line}\n"));
    lines.chain([place(run, cell)]).collect()
}

/// Says which models are shown to differ from the baseline: the nearest and the farthest of those
/// that cost more, or fewer where there are fewer.
fn models(run: &Summary, answer: &Answer) -> String {
    let baseline = &run.figures.baseline;
    let differ = answer.rivals.iter().filter(|rival| rival.verdict == Verdict::Different);
    let differ: Vec<&Rival> = differ.collect();
    let one = |rival: &Rival| format!("{} {}", rival.model, with_interval(&rival.ratio));
    match differ.as_slice() {
        [] => format!("Runtime: no model is shown to differ from {baseline}."),
        [only] => format!("Runtime, against {baseline}: {}.", one(only)),
        [least, .., most] => {
            format!("Runtime, against {baseline}: from {} to {}.", one(least), one(most))
        }
    }
}

/// Says of which cell that is, and where it was measured.
fn place(run: &Summary, cell: &CellFigures) -> String {
    format!("\n95 % intervals; {}; {}; {}.\n", heading(&cell.cell), run.preset, machine(run))
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use super::*;

    /// Returns the findings of a run of these models.
    fn found(models: &[(&'static str, f64)]) -> String {
        let cells = Fixture::good().cells.split_off(1);
        let models = [&[(FLOOR, 0.9), (BASELINE, 1.0)], models].concat();
        let run = Fixture { models, cells, ..Fixture::good() }.run();
        findings(&analysis::summarize(&run, BASELINE, FLOOR))
    }

    #[test]
    fn the_nearest_and_the_farthest_model_and_the_client_have_their_intervals() {
        let text =
            found(&[("smol", 1.1), ("rayon", 1.3), ("threads", 1.5), ("tokio-reqwest", 2.0)]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("* Runtime, against tokio: from smol +10 % ("), "{text}");
        assert!(lines[0].contains(" to threads +50 % (") && !lines[0].contains("rayon"), "{text}");
        assert!(lines[1].starts_with("* HTTP client: reqwest on tokio costs +1"), "{text}");
        assert!(lines[2].starts_with("* threads instead of tokio costs "), "{text}");
        assert!(text.contains("\n\n95 % intervals; steady: "), "{text}");
    }

    #[test]
    fn without_a_difference_or_a_client_nothing_is_made_of_it() {
        let text = found(&[("smol", 1.0)]);
        assert!(text.starts_with("* Runtime: no model is shown to differ from tokio.\n"), "{text}");
        assert!(!text.contains("client"), "{text}");
    }
}
