//! What fetches in flight take: a small picture with a line a model.

use analysis::Summary;
use analysis::hold::{HoldFigures, HoldRow};
use analysis::number::count;

use crate::figure::axis::Axis;
use crate::figure::data::{Data, number};
use crate::figure::drawing::{Chart, Figure, Panel, PanelWords};
use crate::figure::look::Look;
use crate::figure::title::ends;

/// KiB of a MiB.
const KIB: f64 = 1024.0;
/// What the marks mean.
const WORDS: PanelWords = PanelWords { end: "end: the most that it held", ..PanelWords::USUAL };

/// Draws the memory of each model at each level, what the kernel has for it included; nothing if no
/// fetches were held.
pub(crate) fn hold(run: &Summary, holds: Option<&HoldFigures>) -> Option<Figure> {
    let holds = holds?;
    let frame = Frame::of(holds);
    let mut data = Data::new(&["model", "in_flight", "memory_mib", "of_it_kernel_mib"]);
    let mut panels = Vec::new();
    let reference = holds.rows.iter().find(|row| row.model == run.figures.floor);
    let reference = reference.map_or_else(Vec::new, |row| frame.line(row));
    for row in &holds.rows {
        for (in_flight, mib, kernel_mib) in points(row) {
            let kernel = kernel_mib.map_or_else(String::new, number);
            data.push(vec![row.model.clone(), in_flight.to_string(), number(mib), kernel]);
        }
        let line = frame.line(row);
        if !line.is_empty() {
            panels.push(Panel {
                label: row.model.clone(),
                unit: "MiB, process and kernel (log)".to_owned(),
                // The table has what is read off the line, with its interval.
                note: String::new(),
                look: Look::of(run, &row.model),
                reference: reference.clone(),
                range: Vec::new(),
                thick: line,
                across: frame.across(),
                upwards: frame.upwards(),
                second: None,
                hollow: Vec::new(),
                words: &WORDS,
            });
        }
    }
    Some(Figure {
        id: "hold".to_owned(),
        title: title(holds),
        caption: format!(
            "Memory of the process and what the kernel has for it, while so many fetches are held \
             in flight: medians of {}. The thin line is {}'s. Both axes are logarithmic.",
            count(holds.blocks, "block"),
            run.figures.floor
        ),
        chart: match panels.is_empty() {
            true => Chart::Missing("no turn with fetches held counts".to_owned()),
            false => Chart::Panels(panels),
        },
        data,
    })
}

/// Says what one more fetch takes, and at which levels that was found.
fn title(holds: &HoldFigures) -> String {
    let finding = holds.user_kib_per_fetch.map_or_else(
        || "Memory while fetches are held in flight, MiB".to_owned(),
        |each| {
            format!(
                "One more fetch in flight takes {} of its process, by model",
                ends(each, " KiB")
            )
        },
    );
    match (holds.levels.first(), holds.levels.last()) {
        (Some(least), Some(most)) => format!("{finding}; hold, {least} to {most} in flight"),
        _ => finding,
    }
}

/// What all small pictures have in common.
struct Frame {
    across: Axis,
    upwards: Axis,
}

impl Frame {
    /// Returns a frame that holds every model.
    fn of(holds: &HoldFigures) -> Self {
        let levels = holds.levels.iter().map(|level| f64::from(*level));
        let memory = holds.rows.iter().flat_map(points).map(|(_, mib, _)| mib);
        Self {
            across: Axis::of_factors("in flight", levels),
            upwards: Axis::of_factors("MiB", memory),
        }
    }

    /// Returns the line of a model.
    fn line(&self, row: &HoldRow) -> Vec<(f64, f64)> {
        let place = |(in_flight, mib, _): (u32, f64, Option<f64>)| {
            let across = self.across.place(f64::from(in_flight));
            (across / 100.0, self.upwards.place(mib) / 100.0)
        };
        points(row).map(place).collect()
    }

    /// Returns the lines across: round amounts of memory.
    fn across(&self) -> Vec<(f64, String)> {
        let ticks = self.upwards.ticks().map(|(place, text)| (place / 100.0, text));
        ticks.filter(|(up, _)| *up <= 0.8).map(|(up, text)| (up, format!("{text} MiB"))).collect()
    }

    /// Returns the lines upwards: round numbers in flight.
    fn upwards(&self) -> Vec<(f64, String)> {
        self.across.ticks().map(|(place, text)| (place / 100.0, short(text))).collect()
    }
}

/// Writes a round number with k for thousands and M for millions: the pictures are narrow.
fn short(text: String) -> String {
    match (text.strip_suffix("000000"), text.strip_suffix("000")) {
        (Some(millions), _) => format!("{millions}M"),
        (_, Some(thousands)) => format!("{thousands}k"),
        _ => text,
    }
}

/// Returns the levels of a model that were held, its memory there with what the kernel has for it,
/// and that part of it, in MiB.
fn points(row: &HoldRow) -> impl Iterator<Item = (u32, f64, Option<f64>)> {
    row.levels.iter().filter_map(|level| {
        let kib = level.user_kib? + level.kernel_kib.unwrap_or(0.0);
        Some((level.in_flight, kib / KIB, level.kernel_kib.map(|kib| kib / KIB)))
    })
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use analysis::hold::HoldLevel;
    use analysis::{BlockLine, Estimate, Span};

    use super::*;
    use crate::figure::legend::legend;
    use crate::hold_text;

    /// Returns what was held: 32 KiB a fetch, of which the kernel has 24.
    fn held() -> HoldFigures {
        let level = |in_flight: u32| HoldLevel {
            in_flight,
            turns: 3,
            user_kib: Some(2_048.0 + 8.0 * f64::from(in_flight)),
            kernel_kib: Some(24.0 * f64::from(in_flight)),
            ..HoldLevel::default()
        };
        let [slope, height] = [8.0, 2_048.0].map(|value| Estimate { value, interval: None });
        let row = HoldRow {
            model: FLOOR.to_owned(),
            user: Some(BlockLine { slope, height }),
            kernel: None,
            objects: std::collections::BTreeMap::new(),
            levels: [64, 1_024].map(level).into(),
        };
        HoldFigures {
            levels: vec![64, 1_024],
            blocks: 3,
            held_ms: 2_000,
            user_kib_per_fetch: Some(Span { least: 8.0, most: 8.0 }),
            rows: vec![row],
        }
    }

    #[test]
    fn round_numbers_in_flight_are_written_short() {
        let written = ["1", "100", "1000", "20000", "1000000"].map(|text| short(text.to_owned()));
        assert_eq!(written, ["1", "100", "1k", "20k", "1M"]);
    }

    #[test]
    fn a_figure_says_what_a_fetch_takes_and_repeats_no_column_of_its_table() {
        let run = analysis::summarize(&Fixture::good().run(), BASELINE, FLOOR);
        let figure = hold(&run, Some(&held())).unwrap();
        let title = "One more fetch in flight takes 8.00 KiB of its process, by model; hold, 64 to \
                     1024 in flight";
        assert_eq!(figure.title, title);
        assert_eq!(figure.data.rows[1], ["event-loop", "1024", "34", "24"]);
        let [model, read_off @ ..] = hold_text::COLUMNS;
        assert_eq!(figure.data.columns[0], model);
        assert!(figure.data.columns.iter().all(|own| !read_off.contains(&own.as_str())));
        let Chart::Panels(panels) = &figure.chart else { panic!("it is drawn") };
        assert!(panels.iter().all(|panel| panel.note.is_empty()));
        // No band is drawn, and a curve ends where no more could be held.
        let keys = legend(&figure.chart).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(keys, ["median of the blocks", "end: the most that it held", "the floor"]);
    }
}
