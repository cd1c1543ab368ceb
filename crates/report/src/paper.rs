//! The tables of a run for a paper or a page: LaTeX with booktabs, Markdown, and tidy CSV. The
//! caption says what a reader of the table alone must know.

use analysis::Estimate;
use analysis::Summary;
use analysis::cell_figures::{CellFigures, Row, RowFigures};
use analysis::checks::badges_of;
use analysis::checks::question::ValidityCheck;
use analysis::figures::Figures;
use analysis::line::{line, paragraph};
use analysis::number::{digits, with_interval};
use rules::METRICS;

use crate::citation::Citation;
use crate::escape;
use crate::table::{TAIL, UNEQUAL, heading, in_flight, places, state_word, verdict};

/// The columns of a table for a paper.
const COLUMNS: [&str; 7] =
    ["rank", "model", "CPU/fetch", "in flight", "against", "verdict", "above floor"];
/// Characters of a reason that fit into a row.
const LONGEST: usize = 80;
/// What the tidy table calls the ratio to the baseline, which alone has a verdict.
const RATIO: &str = "cpu_ratio";
/// The columns of the tidy table.
const TIDY: [&str; 14] = [
    "run",
    "cell",
    "model",
    "metric",
    "unit",
    "estimate",
    "low",
    "high",
    "verdict",
    "rank_best",
    "rank_worst",
    "state",
    "reason",
    "badges",
];

/// A row of a table for a paper.
struct Line {
    place: String,
    model: String,
    /// Its figures, or why it has none.
    rest: Result<[String; 5], String>,
}

/// Writes a table with its caption a cell, in LaTeX.
pub(crate) fn latex(citation: &Citation, figures: &Figures, checks: &[ValidityCheck]) -> String {
    let header = headings(figures).map(|heading| escape::latex(&heading)).join(" & ");
    let table = |cell: &CellFigures| {
        let rows: String = rows(cell, figures).into_iter().map(latex_row).collect();
        let caption = escape::latex(&caption(citation, (cell, figures), checks));
        let label = label(&cell.cell.name);
        format!(
            "\\begin{{table}}\n\\caption{{{caption}}}\n\\label{{tab:inflight-{label}}}\n\
             \\centering\n\\small\n\\begin{{tabular}}{{llrrrlr}}\n\
             \\toprule\n{header} \\\\\n\\midrule\n{rows}\
             \\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
        )
    };
    let tables = figures.cells.iter().map(table);
    ["% Needs \\usepackage{booktabs}.\n".to_owned()].into_iter().chain(tables).collect()
}

/// Writes a row in LaTeX.
fn latex_row(line: Line) -> String {
    let [place, model] = [&line.place, &line.model].map(|text| escape::latex(text));
    let rest = match line.rest {
        Ok(columns) => columns.map(|column| escape::latex(&column)).join(" & "),
        Err(why) => format!("\\multicolumn{{5}}{{l}}{{{}}}", escape::latex(&why)),
    };
    format!("{place} & {model} & {rest} \\\\\n")
}

/// Writes a table with its caption a cell, in Markdown.
pub(crate) fn markdown(citation: &Citation, figures: &Figures, checks: &[ValidityCheck]) -> String {
    let tables = figures.cells.iter().map(|cell| {
        let line = |columns: [String; 7]| format!("| {} |\n", columns.join(" | "));
        let rows = rows(cell, figures).into_iter();
        let rows = rows.map(|Line { place, model, rest }| {
            let [cpu, in_flight, against, verdict, over] = rest.unwrap_or_else(|why| {
                let nothing = String::new;
                [nothing(), nothing(), nothing(), why, nothing()]
            });
            let columns = [place, model, cpu, in_flight, against, verdict, over];
            line(columns.map(|column| escape::markdown(&column)))
        });
        let header = headings(figures).map(|heading| escape::markdown(&heading));
        format!(
            "{}| --- | --- | ---: | ---: | ---: | --- | ---: |\n{}\n{}\n",
            line(header),
            rows.collect::<String>(),
            escape::markdown(&caption(citation, (cell, figures), checks)),
        )
    });
    tables.collect::<Vec<_>>().join("\n")
}

/// Returns the headings of the columns, with their units.
fn headings(figures: &Figures) -> [String; 7] {
    let [rank, model, cpu, in_flight, against, verdict, over] = COLUMNS;
    [
        rank.to_owned(),
        model.to_owned(),
        format!("{cpu} (us)"),
        format!("{in_flight} (ms)"),
        format!("{against} {}", figures.baseline),
        verdict.to_owned(),
        format!("{over} (us)"),
    ]
}

/// Returns the rows of a cell, in the order of the report.
fn rows(cell: &CellFigures, all: &Figures) -> Vec<Line> {
    let row = |(row, place): (&Row, String)| {
        let rest = row.figures.as_ref().ok_or_else(|| why(row)).map(|figures| {
            let is_baseline = row.model == all.baseline;
            let is_floor = row.model == all.floor;
            [
                with_interval(&figures.cpu_us) + if figures.unequal_rate { UNEQUAL } else { "" },
                in_flight(figures),
                if is_baseline { "1".to_owned() } else { ratio(figures) },
                if is_baseline { "baseline" } else { verdict(figures) }.to_owned(),
                if is_floor { "floor".to_owned() } else { written(figures.excess_us.as_ref()) },
            ]
        });
        Line { place, model: line(&row.model), rest }
    };
    cell.rows.iter().zip(places(&cell.rows)).map(row).collect()
}

/// Returns why a row has no figures, in at most a line of a table.
fn why(row: &Row) -> String {
    let reason: String =
        row.reason.iter().flat_map(|reason| reason.chars()).take(LONGEST).collect();
    if reason.is_empty() { state_word(row.state).to_owned() } else { line(&reason) }
}

/// Writes the ratio to the baseline, marked where rare expensive blocks would change it.
fn ratio(figures: &RowFigures) -> String {
    written(figures.ratio.as_ref()) + if figures.tail_sensitive { TAIL } else { "" }
}

/// Writes an estimate, if there is one.
fn written(estimate: Option<&Estimate>) -> String {
    estimate.map_or_else(|| "-".to_owned(), with_interval)
}

/// Writes what the reader of a table alone must know.
fn caption(
    citation: &Citation,
    (cell, figures): (&CellFigures, &Figures),
    checks: &[ValidityCheck],
) -> String {
    let badges = match badges_of(checks, &cell.cell.name) {
        badges if badges.is_empty() => String::new(),
        badges => format!(" Badges: {}.", badges.join(", ")),
    };
    let marks = marks(cell, &figures.baseline);
    let noise = cell
        .noise
        .as_ref()
        .and_then(|noise| noise.missed_below)
        .map_or_else(String::new, |share| {
            format!(" Differences below {} % may be missed.", digits(100.0 * share))
        });
    paragraph(&format!(
        "CPU time per fetch, {}. {} blocks; ratios to {} with simultaneous 95 % intervals, and \
         its median over blocks times them; lower is better; in flight: from sending a fetch to \
         its verified reply, mean of a block, median over blocks.{marks}{noise}{badges} {}; {}. {}",
        heading(&cell.cell),
        cell.blocks,
        figures.baseline,
        citation.machine,
        citation.identity(),
        citation.caution(),
    ))
}

/// Explains the marks that a table has.
fn marks(cell: &CellFigures, baseline: &str) -> String {
    let any = |is: fn(&RowFigures) -> bool| {
        cell.rows.iter().filter_map(|row| row.figures.as_ref()).any(is)
    };
    let marks = [
        (
            cell.rows.iter().any(|row| row.rank.is_some()),
            "Models that share a rank (=) are tied.".to_owned(),
        ),
        (
            any(|figures| figures.unequal_rate),
            format!("{UNEQUAL}: at another rate than {baseline}: not comparable with it."),
        ),
        (
            any(|figures| figures.tail_sensitive),
            format!("{TAIL}: the ratio of total costs lies outside the ratio's own 95 % interval."),
        ),
    ];
    marks.into_iter().filter(|(is, _)| *is).flat_map(|(_, text)| [" ".to_owned(), text]).collect()
}

/// Returns a name as a label of LaTeX.
fn label(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(100).collect()
}

/// Writes one row a model, cell and metric, as CSV. A model without figures has its rows too, with
/// the reason in the place of the estimates.
pub(crate) fn tidy(run: &Summary) -> Vec<u8> {
    let figures = &run.figures;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let badges = escape::cell(&run.trust.badges.join(" "));
    let mut write = |columns: [String; 14]| {
        writer.write_record(columns).expect("memory takes every record of as many fields");
    };
    write(TIDY.map(str::to_owned));
    for cell in &figures.cells {
        for row in &cell.rows {
            for (name, unit, estimate) in measures(cell, row, &figures.floor) {
                write([
                    escape::cell(&run.id),
                    escape::cell(&cell.cell.name),
                    escape::cell(&row.model),
                    name.to_owned(),
                    unit.to_owned(),
                    number(estimate.map(|estimate| estimate.value)),
                    number(interval(estimate).map(|interval| interval.low)),
                    number(interval(estimate).map(|interval| interval.high)),
                    if name == RATIO { compared(row) } else { String::new() },
                    row.rank.map_or_else(String::new, |rank| rank.best.to_string()),
                    row.rank.map_or_else(String::new, |rank| rank.worst.to_string()),
                    row.state.key().to_owned(),
                    escape::cell(row.reason.as_deref().unwrap_or_default()),
                    badges.clone(),
                ]);
            }
        }
    }
    writer.into_inner().expect("memory is written at once")
}

/// Returns the metrics of a row, and what is computed of its CPU time, with their units.
fn measures<'a>(
    cell: &'a CellFigures,
    row: &'a Row,
    floor: &str,
) -> impl Iterator<Item = (&'static str, &'static str, Option<&'a Estimate>)> {
    let figures = row.figures.as_ref();
    let metrics = METRICS.into_iter().map(move |metric| {
        (metric.field, metric.unit, figures.and_then(|figures| figures.metric(metric)))
    });
    // The floor's excess over itself says nothing.
    let excess = figures.filter(|_| row.model != floor);
    let excess = excess.and_then(|figures| figures.excess_us.as_ref());
    let footprint = cell.footprints.iter().find(|footprint| footprint.model == row.model);
    let computed = [
        (RATIO, "1", figures.and_then(|figures| figures.ratio.as_ref())),
        ("cpu_mean_ratio", "1", figures.and_then(|figures| figures.mean_ratio.as_ref())),
        ("cpu_excess_us_per_fetch", "us per fetch", excess),
        ("client_overhead", "1", footprint.map(|footprint| &footprint.ratio)),
        ("in_flight_ms", "ms", figures.and_then(|figures| figures.in_flight_ms.as_ref())),
    ];
    metrics.chain(computed)
}

/// Returns the interval of an estimate, if it has one.
fn interval(estimate: Option<&Estimate>) -> Option<analysis::Interval> {
    estimate.and_then(|estimate| estimate.interval)
}

/// Writes the verdict of a row, if there is one.
fn compared(row: &Row) -> String {
    row.figures
        .as_ref()
        .and_then(|figures| figures.verdict)
        .map_or_else(String::new, |verdict| analysis::number::word(verdict).to_owned())
}

/// Writes a number with six significant digits, or nothing.
fn number(value: Option<f64>) -> String {
    value.and_then(analysis::figure::rounded).map_or_else(String::new, |value| value.to_string())
}
