//! The summary of a run: a header that says where it comes from, a table a cell, the price of the
//! clients, and every row that has no figures.

use record::{Integrity, Run};

use crate::figures::{CellFigures, Figures, Noise, Price, Row};
use crate::number::with_interval;
use crate::table::{heading, table};

/// What the summary is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A terminal.
    Terminal,
    /// Markdown, for a file or a pull request.
    Markdown,
}

/// Writes the summary of a run.
pub fn summary(run: &Run, figures: &Figures, form: Form) -> String {
    let mut parts = vec![header(run)];
    for cell in &figures.cells {
        parts.push(match form {
            Form::Terminal => heading(&cell.cell),
            Form::Markdown => format!("### {}\n", heading(&cell.cell)),
        });
        parts.push(table(cell, (&figures.baseline, &figures.floor), form));
        parts.extend(notes(cell));
        parts.extend(cell.noise.as_ref().map(|noise| self_check(&figures.baseline, noise)));
    }

    let text: String = parts.into_iter().map(|part| part.trim_end().to_owned() + "\n").collect();
    match form {
        Form::Terminal => text,
        Form::Markdown => spaced(&text),
    }
}

/// Writes where the run comes from.
fn header(run: &Run) -> String {
    let (schedule, machine) = (&run.schedule, &run.environment);
    let blocks = schedule.blocks.len() / schedule.cells.len().max(1);
    let placement = &schedule.placement;
    let doubt = match &run.integrity {
        Integrity::Whole => String::new(),
        Integrity::Unfinished => ", unfinished".to_owned(),
        Integrity::Altered(files) => {
            format!(", altered after it was measured: {}", files.join(", "))
        }
    };
    format!(
        "Inflight {}   run {}   estimate (preset {}){doubt}   {blocks} blocks   lower is \
         better\n{}, {} CPUs ({}), {} GiB, Linux {}, {}, {}\nmodel CPU {:?}, origin CPU {:?} \
         ({}), {} worker(s), CPUs kept awake: {}\n",
        schedule.version,
        run.id,
        schedule.preset,
        machine.cpu,
        machine.cpus,
        machine.kind,
        machine.memory_mib.div_ceil(1024),
        machine.kernel,
        machine.rustc,
        machine.profile,
        placement.model_cpus,
        placement.origin_cpus,
        machine.origin,
        placement.workers,
        if placement.awake { "yes" } else { "no" },
    )
}

/// Writes what the table cannot: rows without figures, trials that do not count, prices.
fn notes(cell: &CellFigures) -> Vec<String> {
    let mut notes = Vec::new();
    for row in &cell.rows {
        if let Some(reason) = &row.reason {
            notes.push(format!("{}: {reason}", row.model));
        }
    }
    let unequal = |row: &Row| row.figures.as_ref().is_some_and(|figures| figures.unequal_rate);
    if cell.rows.iter().any(unequal) {
        notes.push(
            "* at another rate than the baseline: the costs are not like for like".to_owned(),
        );
    }
    if !cell.prices.is_empty() {
        let prices: Vec<String> = cell.prices.iter().map(price).collect();
        notes.push(format!("The client's price, in times the bare model: {}", prices.join(", ")));
    }
    notes
}

/// Writes what the baseline differs from itself.
fn self_check(baseline: &str, noise: &Noise) -> String {
    let ratio = with_interval(&noise.ratio);
    let can_show = noise.can_show.map_or_else(String::new, |share| {
        format!("; differences from {:.1} % on can be shown here", 100.0 * share)
    });
    format!("{baseline} against itself, which is noise: {ratio}{can_show}")
}

/// Writes the price of a client.
fn price(price: &Price) -> String {
    format!("{} {}", price.model, with_interval(&price.ratio))
}

/// Puts an empty line between the parts of a Markdown text, but not inside a table.
fn spaced(text: &str) -> String {
    let mut spaced = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        spaced += line;
        spaced.push('\n');
        let in_table = line.starts_with('|') && lines.peek().is_some_and(|l| l.starts_with('|'));
        if !in_table && !line.is_empty() {
            spaced.push('\n');
        }
    }
    spaced.trim_end().to_owned() + "\n"
}
