//! The summary of a run: a header that says where it comes from, a table a cell, the footprint of
//! the clients, what the controls showed, and why a row has no figures.

use analysis::Summary;
use analysis::cell_figures::{
    CellFigures, ControlFigures, Footprint, LanguageFigures, Noise, Row, RowFigures,
};
use analysis::figures::Figures;
use analysis::number::{count, digits, with_interval};
use workload::{Cell, OriginKind, Workload};

use crate::form::{Form, joined};
use crate::hold_text::hold_parts;
use crate::primitives_text::primitives_parts;
use crate::quirks_text::quirks_line;
use crate::responses;
use crate::sweep_text::sweeps_parts;
use crate::table::{TAIL, UNEQUAL, heading, language_table, table};
use crate::wake_ups;
use crate::words::{in_line, listed};

/// Writes the summary of a run.
pub fn summary(run: &Summary, form: Form) -> String {
    let figures = &run.figures;
    let reported = |line: String| in_line(&line, form);
    let mut parts: Vec<String> = header(run).into_iter().map(reported).collect();
    for cell in &figures.cells {
        parts.push(title(cell, form));
        parts.extend(stop(cell).map(reported));
        parts.push(table(cell, (&figures.baseline, &figures.floor), form));
        let noise = cell.noise.as_ref();
        let noise = noise.map(|noise| self_check(&figures.baseline, (noise, cell.pairs.len())));
        let notes = notes_of(&cell.rows, (&cell.footprints, &figures.baseline));
        parts.extend(notes.into_iter().chain(controls(cell)).chain(noise).map(reported));
        for language in &cell.languages {
            parts.push(reported(aside(language, &figures.baseline)));
            parts.push(language_table(language, form));
            let notes = notes_of(&language.rows, (&language.footprints, &language.baseline));
            parts.extend(notes.into_iter().map(reported));
        }
        parts.extend(responses::text(cell, form));
        parts.extend(wake_ups::text((&cell.cell, &cell.wake_ups), form));
    }
    parts.extend(quirks_line(run).map(reported));
    parts.extend(primitives_parts(&figures.primitives, form));
    parts.extend(sweeps_parts(&figures.sweeps, form));
    parts.extend(hold_parts(figures.holds.as_ref(), form));
    joined(parts, form)
}

/// Writes the heading of a cell.
pub(crate) fn title(cell: &CellFigures, form: Form) -> String {
    let heading = in_line(&heading(&cell.cell), form);
    match form {
        Form::Terminal => heading,
        Form::Markdown => format!("### {heading}\n"),
    }
}

/// Writes where the run comes from, and what happened to it.
fn header(run: &Summary) -> Vec<String> {
    let placement = &run.placement;
    let machine = &run.environment;
    let mut lines = vec![
        format!("{}   {}   lower is better", run.origin, blocks(&run.figures)),
        format!(
            "{}, {} CPUs ({}), {} GiB, Linux {}, {}, {}",
            machine.cpu,
            machine.cpus,
            machine.kind,
            machine.memory_mib.div_ceil(1024),
            machine.kernel,
            machine.rustc,
            machine.profile,
        ),
        format!(
            "model CPU {:?}, origin CPU {:?} ({}), {} worker(s), CPUs kept awake: {}",
            placement.model_cpus,
            placement.origin_cpus,
            origins(run),
            placement.workers,
            if placement.awake { "yes" } else { "no" },
        ),
    ];
    let supersedes = run.supersedes.as_ref();
    lines.extend(supersedes.map(|other| format!("supersedes run {other}")));
    lines.extend(interruptions(run));
    lines
}

/// Writes which kinds of origins served a run, each once, in the order of the cells, and what each
/// served if there are several. Of one kind the run knows the version: of the one that it started
/// to ask for it.
pub(crate) fn origins(run: &Summary) -> String {
    let (asked, known) = (run.placement.origin, run.environment.origin.as_str());
    let kind = OriginKind::ALL.into_iter().find(|kind| known.starts_with(kind.name()));
    let kind = kind.unwrap_or(asked);
    let called = |own: OriginKind| if own == kind { known } else { own.name() };
    let cells = run.figures.cells.iter();
    let cells = cells.map(|own| (own.cell.served_by(asked), own.cell.name.as_str()));
    let held = Cell::least(Workload::Hold).served_by(asked);
    let holds = run.figures.holds.iter().map(|_| (held, Workload::Hold.name()));
    let mut served: Vec<(OriginKind, Vec<&str>)> = Vec::new();
    for (kind, name) in cells.chain(holds) {
        match served.iter_mut().find(|(own, _)| *own == kind) {
            Some((_, names)) => names.push(name),
            None => served.push((kind, vec![name])),
        }
    }
    match served.as_slice() {
        [] => known.to_owned(),
        [(kind, _)] => called(*kind).to_owned(),
        several => {
            let each = several.iter();
            let each = each.map(|(kind, names)| format!("{} for {}", called(*kind), listed(names)));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Writes how many blocks were measured: one number where all cells have the same.
fn blocks(figures: &Figures) -> String {
    let counts: Vec<usize> = figures.cells.iter().map(|cell| cell.blocks).collect();
    if let [first, rest @ ..] = counts.as_slice()
        && rest.iter().all(|other| other == first)
    {
        return count(*first, "block");
    }
    if counts.is_empty() {
        let of_primitives = figures.primitives.figures.iter().map(|figures| figures.blocks);
        let of_holds = figures.holds.iter().map(|holds| holds.blocks);
        return count(of_primitives.chain(of_holds).max().unwrap_or(0), "block");
    }
    let cells = figures.cells.iter().map(|cell| format!("{} {}", cell.cell.name, cell.blocks));
    format!("blocks: {}", cells.collect::<Vec<_>>().join(", "))
}

/// Writes how often the run was cut short, and what that cost, if it was.
fn interruptions(run: &Summary) -> Option<String> {
    let mut reported = Vec::new();
    let times = run.resumes;
    if times > 0 {
        reported.push(format!("resumed {}", count(times, "time")));
    }
    if run.turns_cut > 0 {
        reported.push(format!("{} of cut blocks left out", count(run.turns_cut, "turn")));
    }
    (!reported.is_empty()).then(|| reported.join("; "))
}

/// Writes why a cell has fewer blocks than planned, if the run decided so.
fn stop(cell: &CellFigures) -> Option<String> {
    let reason = cell.stop.as_ref()?;
    let blocks = count(cell.blocks, "block");
    Some(format!("ended after {blocks} of {}: {reason}", cell.blocks_planned))
}

/// Writes what the table of some models cannot: why rows have no figures or no rank, what marks
/// mean against their baseline, footprints.
pub(crate) fn notes_of(rows: &[Row], (footprints, baseline): (&[Footprint], &str)) -> Vec<String> {
    let mut notes = reasons(rows);
    notes.extend(other_threads(rows));
    let figures = || rows.iter().filter_map(|row| row.figures.as_ref());
    if figures().any(|figures| figures.unequal_rate) {
        notes.push(format!(
            "{UNEQUAL} at another rate than {baseline}: do not compare its cost with {baseline}'s"
        ));
    }
    if figures().any(|figures| figures.tail_sensitive) {
        let means: Vec<String> = rows.iter().filter_map(mean).collect();
        notes.push(format!(
            "{TAIL} the ratio of total costs lies outside the ratio's own 95 % interval, which is \
             narrower than the printed one: {}",
            means.join(", ")
        ));
    }
    if !footprints.is_empty() {
        let footprints: Vec<String> = footprints.iter().map(footprint).collect();
        notes.push(format!("Client overhead, in times the bare model: {}", footprints.join(", ")));
    }
    notes
}

/// Writes why rows have no figures, why turns do not count, and who is not ranked for it: a
/// sentence for all rows of which the same is to be said.
pub(crate) fn reasons(rows: &[Row]) -> Vec<String> {
    let any_rank = rows.iter().any(|row| row.rank.is_some());
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for row in rows {
        let Some(reason) = &row.reason else { continue };
        let unranked = any_rank && row.figures.is_some() && row.rank.is_none();
        let consequence = if unranked { ", thus not ranked" } else { "" };
        let reason = format!("{reason}{consequence}");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, models)) => models.push(&row.model),
            None => reasons.push((reason, vec![&row.model])),
        }
    }
    let line = |(reason, models): (String, Vec<&str>)| format!("{}: {reason}", listed(&models));
    reasons.into_iter().map(line).collect()
}

/// Says which rows had other threads than their manifest says.
pub(crate) fn other_threads(rows: &[Row]) -> impl Iterator<Item = String> {
    rows.iter().filter_map(|row| Some(format!("{}: {}", row.model, row.threads.as_ref()?)))
}

/// Writes what stands above the table of another language.
pub(crate) fn aside(of: &LanguageFigures, baseline: &str) -> String {
    let LanguageFigures { language, baseline: own, context, at_other_rate, .. } = of;
    let rough = if *at_other_rate { " (at another rate, so a rough number)" } else { "" };
    let context = context.as_ref().map_or_else(String::new, |ratio| {
        format!("; {own} costs {} times {baseline}{rough}", with_interval(ratio))
    });
    format!("In {language}, another language: context, not a contest of models{context}")
}

/// Writes the ratio of sums of a row whose ratio rare expensive blocks would change.
fn mean(row: &Row) -> Option<String> {
    let sensitive = |figures: &&RowFigures| figures.tail_sensitive;
    let ratio = row.figures.as_ref().filter(sensitive)?.mean_ratio.as_ref()?;
    Some(format!("{} {}", row.model, with_interval(ratio)))
}

/// Writes what the controls showed.
fn controls(cell: &CellFigures) -> Vec<String> {
    let lost = cell.controls_lost.iter();
    let lost = lost.map(|lost| format!("control {}: {}", lost.model, lost.reason));
    cell.controls.iter().map(control).chain(lost).collect()
}

/// Writes whether busy work that was added on purpose was found.
fn control(control: &ControlFigures) -> String {
    let ControlFigures { name, model, percent, .. } = control;
    let expected = digits(1.0 + f64::from(*percent) / 100.0);
    let seen = match (control.found, control.on_target) {
        (true, true) => "found",
        (true, false) => "found, but not as large as it is",
        (false, _) => "not found: a difference of this size may be missing above",
    };
    let ratio = with_interval(&control.ratio);
    format!("control {name}: costs {expected} times {model} by design, measured {ratio}: {seen}")
}

/// Writes what the baseline differs from itself.
fn self_check(baseline: &str, (noise, pairs): (&Noise, usize)) -> String {
    let ratio = with_interval(&noise.ratio);
    let missed = noise.missed_below.map_or_else(String::new, |share| {
        let share = 100.0 * share;
        let adjusted = count(pairs, "comparison");
        format!("; differences below {share:.1} % may be missed (adjusted for {adjusted})")
    });
    format!("{baseline} against itself, which is noise: {ratio}{missed}")
}

/// Writes the footprint of a client.
fn footprint(footprint: &Footprint) -> String {
    format!("{} {}", footprint.model, with_interval(&footprint.ratio))
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};
    use record::{Absent, Run};

    use super::*;
    use crate::citation::Citation;
    use crate::derive::derive;

    /// Checks that all that names the origins of a run names these.
    fn is_served_by(run: &Run, origins: &str) {
        let said = analysis::summarize(run, BASELINE, FLOOR);
        let text = summary(&said, Form::Terminal);
        assert!(text.contains(&format!("origin CPU [0] ({origins}), ")), "{text}");
        let methods = Citation::of(&said).unwrap().methods;
        assert!(methods.ends_with(&format!(", origin {origins}.")), "{methods}");
        let page = String::from_utf8(derive(&said).remove("report.html").unwrap()).unwrap();
        assert!(page.contains(&format!("The server, {origins}, has a process of its own")));
        assert!(page.contains(&format!("{}. {origins}", said.environment.rustc)));
    }

    #[test]
    fn the_origin_that_is_named_is_the_one_that_served_the_cells() {
        let good = Fixture { blocks: 6, ..Fixture::good() };
        is_served_by(&good.run(), "wiremock 0.6.5");
        let [batch, steady] = [0, 1].map(|index| good.cells[index].clone());
        let churn = Cell { name: "churn".to_owned(), workload: Workload::Churn, ..steady };
        let mut run = Fixture { cells: vec![churn.clone()], ..good.clone() }.run();
        is_served_by(&run, "fast");
        run.environment.origin = "fast 0.2.0".to_owned();
        is_served_by(&run, "fast 0.2.0");

        let mut run = Fixture { cells: vec![batch, churn], ..good.clone() }.run();
        is_served_by(&run, "wiremock 0.6.5 for batch, fast for churn");
        let holds = vec![Cell::least(Workload::Hold)];
        run.schedule.holds.clone_from(&holds);
        is_served_by(&run, "wiremock 0.6.5 for batch, fast for churn and hold");
        let mut run = Fixture { cells: Vec::new(), ..good }.run();
        run.schedule.holds = holds;
        is_served_by(&run, "fast");
        let mut figures = analysis::summarize(&run, BASELINE, FLOOR).figures;
        figures.holds.as_mut().unwrap().blocks = 5;
        assert_eq!(blocks(&figures), "5 blocks", "a run that holds alone has those of its levels");
    }

    #[test]
    fn models_without_figures_for_one_reason_are_named_in_one_sentence() {
        let mut run = Fixture { blocks: 6, ..Fixture::good() }.run();
        for model in ["smol", "threads"] {
            run.turns.retain(|turn| turn.model != model || turn.cell != "steady");
            let [cell, model, reason] =
                ["steady", model, "one in flight by design"].map(str::to_owned);
            run.schedule.absent.push(Absent { cell, model, reason });
        }
        let figures = analysis::figures(&run, BASELINE, FLOOR);
        let reasons = reasons(&figures.cells[1].rows);
        assert_eq!(reasons, ["smol and threads: n/a: one in flight by design"]);
    }
}
