//! What fetches in flight take: a small picture with a line a model.

use analysis::hold::{HoldFigures, HoldRow};
use analysis::number::{count, digits};
use analysis::{BlockLine, Summary};

use crate::figure::axis::Axis;
use crate::figure::data::{Data, number};
use crate::figure::drawing::{Chart, Figure, Panel};
use crate::figure::look::Look;

/// KiB of a MiB.
const KIB: f64 = 1024.0;

/// Draws the memory of each model at each level, what the kernel has for it included; nothing if no
/// fetches were held.
pub(crate) fn hold(run: &Summary, holds: Option<&HoldFigures>) -> Option<Figure> {
    let holds = holds?;
    let frame = Frame::of(holds);
    let mut data =
        Data::new(&["model", "in_flight", "user_kib", "kernel_kib", "threads", "cpu_share"]);
    let mut panels = Vec::new();
    let reference = holds.rows.iter().find(|row| row.model == run.figures.floor);
    let reference = reference.map_or_else(Vec::new, |row| frame.line(row));
    for row in &holds.rows {
        for level in row.levels.iter().filter(|level| level.turns > 0) {
            let value = |value: Option<f64>| value.map_or_else(String::new, number);
            let memory = [level.user_kib, level.kernel_kib, level.threads, level.cpu_share];
            let first = [row.model.clone(), level.in_flight.to_string()];
            data.push(first.into_iter().chain(memory.map(value)).collect());
        }
        let line = frame.line(row);
        if !line.is_empty() {
            panels.push(Panel {
                label: row.model.clone(),
                unit: "MiB, process and kernel (log)".to_owned(),
                note: note(row),
                look: Look::of(run, &row.model),
                reference: reference.clone(),
                range: Vec::new(),
                thick: line,
                across: frame.across(),
                upwards: frame.upwards(),
            });
        }
    }
    Some(Figure {
        id: "hold".to_owned(),
        title: "What fetches in flight take, MiB".to_owned(),
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

/// Writes what one more fetch takes.
fn note(row: &HoldRow) -> String {
    let slope = |line: Option<BlockLine>| line.map(|line| digits(line.slope.value));
    match (slope(row.user), slope(row.kernel)) {
        (Some(user), Some(kernel)) => format!("{user} KiB a fetch, {kernel} KiB in the kernel"),
        (Some(user), None) => format!("{user} KiB a fetch"),
        _ => String::new(),
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
        let memory = holds.rows.iter().flat_map(points).map(|(_, mib)| mib);
        Self {
            across: Axis::of_factors("in flight", levels),
            upwards: Axis::of_factors("MiB", memory),
        }
    }

    /// Returns the line of a model.
    fn line(&self, row: &HoldRow) -> Vec<(f64, f64)> {
        let place =
            |(level, mib)| (self.across.place(level) / 100.0, self.upwards.place(mib) / 100.0);
        points(row).map(place).collect()
    }

    /// Returns the lines across: round amounts of memory.
    fn across(&self) -> Vec<(f64, String)> {
        let ticks = self.upwards.ticks().map(|(place, text)| (place / 100.0, text));
        ticks.filter(|(up, _)| *up <= 0.85).map(|(up, text)| (up, format!("{text} MiB"))).collect()
    }

    /// Returns the lines upwards: round numbers in flight.
    fn upwards(&self) -> Vec<(f64, String)> {
        self.across.ticks().map(|(place, text)| (place / 100.0, text)).collect()
    }
}

/// Returns the levels of a model that were held, and its memory there in MiB.
fn points(row: &HoldRow) -> impl Iterator<Item = (f64, f64)> {
    let levels = row.levels.iter();
    levels.filter_map(|level| {
        let kib = level.user_kib? + level.kernel_kib.unwrap_or(0.0);
        Some((f64::from(level.in_flight), kib / KIB))
    })
}
