//! What a fetch costs, and how that compares: an interval a model.

use stats::verdict::Verdict;

use crate::estimator::Estimator;
use record::Family;

use crate::family::MARGIN;
use crate::figure::axis::Axis;
use crate::figure::data::{Data, estimate};
use crate::figure::look::Look;
use crate::figure::{Chart, Figure, Scene, Strip, Strips};
use crate::figures::{LanguageFigures, Row, RowFigures};
use crate::number::{digits, with_interval, word};
use crate::table::standing;

/// What is said where no model has figures.
const NO_MODEL: &str = "no model has a valid turn in this cell";

/// Draws CPU time per fetch, with the floor as a line.
pub(crate) fn cost(scene: &Scene<'_>) -> Figure {
    let rows = &scene.cell.rows;
    let floor = rows.iter().find(|row| row.model == scene.all.floor);
    let floor = floor.and_then(|row| row.figures.as_ref()).map(|figures| figures.cpu_us.value);

    let columns = ["model", "rank_best", "rank_worst", "cpu_us_per_fetch", "low", "high"];
    let mut data = Data::new(&columns);
    let mut strips = Vec::new();
    for row in rows {
        let Some(figures) = &row.figures else {
            strips.extend(empty(scene, row));
            continue;
        };
        let note = format!("{} µs{}", digits(figures.cpu_us.value), rank(row));
        let strip = Strip::new(&row.model, note, scene.look(&row.model));
        strips.push(strip.estimate(&figures.cpu_us));
        let [value, low, high] = estimate(Some(&figures.cpu_us));
        let [best, worst] = row.rank.map_or_else(Default::default, |rank| {
            [rank.best, rank.worst].map(|place| place.to_string())
        });
        data.push(vec![row.model.clone(), best, worst, value, low, high]);
    }
    let ends = measured(rows).flat_map(|(_, figures)| reach(&figures.cpu_us));
    let axis = Axis::from_zero("CPU time per fetch, µs", ends);
    let rules = floor.map(|floor| (floor, "floor".to_owned())).into_iter().collect();
    Figure {
        id: scene.id("cost"),
        title: "What does a fetch cost?".to_owned(),
        caption: format!(
            "CPU time of the model's process per fetch: median over blocks with its own 95 % \
             interval (sign test). The line is the floor, {}: a hand-written loop. Ranks, \
             where there are any, are from the best place to the worst that the verdicts on all \
             pairs leave open. They come from the ratios below, which compare inside blocks; these \
             intervals may overlap and the models differ.",
            scene.all.floor
        ),
        chart: chart(data.rows.is_empty(), Strips { axis, rules, bands: Vec::new(), rows: strips }),
        data,
    }
}

/// Writes from which place to which a model may be, if it is ranked.
fn rank(row: &Row) -> String {
    match row.rank {
        None => String::new(),
        Some(rank) if rank.best == rank.worst => format!("  rank {}", rank.best),
        Some(rank) => format!("  rank {}–{}", rank.best, rank.worst),
    }
}

/// Draws CPU time per fetch of the models in another language.
pub(crate) fn language(scene: &Scene<'_>, of: &LanguageFigures) -> Figure {
    let mut data = Data::new(&["model", "cpu_us_per_fetch", "low", "high"]);
    let mut strips = Vec::new();
    for row in &of.rows {
        let Some(figures) = &row.figures else {
            strips.extend(empty(scene, row));
            continue;
        };
        let note = format!("{} µs", digits(figures.cpu_us.value));
        let strip = Strip::new(&row.model, note, scene.look(&row.model));
        strips.push(strip.estimate(&figures.cpu_us));
        let [value, low, high] = estimate(Some(&figures.cpu_us));
        data.push(vec![row.model.clone(), value, low, high]);
    }
    let baseline = measured(&scene.cell.rows).find(|(model, _)| *model == scene.all.baseline);
    let baseline = baseline.map(|(model, figures)| (figures.cpu_us.value, model.to_owned()));
    let ends = measured(&of.rows).flat_map(|(_, figures)| reach(&figures.cpu_us));
    let axis = Axis::from_zero("CPU time per fetch, µs", ends);
    let rules = baseline.into_iter().collect();
    Figure {
        id: scene.id(&format!("cost-{}", of.language.to_lowercase())),
        title: format!("And in {}?", of.language),
        caption: format!(
            "The same fetches by models in {}: context, not a contest. Language, client and \
             runtime differ at once. The line is {}, which is compiled.",
            of.language, scene.all.baseline
        ),
        chart: chart(data.rows.is_empty(), Strips { axis, rules, bands: Vec::new(), rows: strips }),
        data,
    }
}

/// Draws the ratios to the baseline, with the range in which models are called equivalent.
pub(crate) fn ratio(scene: &Scene<'_>) -> Figure {
    let rows = &scene.cell.rows;
    let baseline = &scene.all.baseline;
    let mut data = Data::new(&["model", "ratio", "low", "high", "verdict"]);
    let mut strips = Vec::new();
    for row in rows {
        let Some(figures) = &row.figures else {
            strips.extend(empty(scene, row));
            continue;
        };
        let Some(ratio) = &figures.ratio else { continue };
        let verdict = figures.verdict.map_or("", word);
        let note = format!("{} {}", with_interval(ratio), sign(figures.verdict));
        strips.push(Strip::new(&row.model, note, scene.look(&row.model)).estimate(ratio));
        let [value, low, high] = estimate(Some(ratio));
        data.push(vec![row.model.clone(), value, low, high, verdict.to_owned()]);
    }
    let ends = measured(rows).filter_map(|(_, figures)| figures.ratio.as_ref()).flat_map(reach);
    let axis = Axis::of_factors(&format!("times {baseline}"), ends.chain([1.0]));
    let level = match scene.all.family {
        Family::AgainstBaseline => "all models at once",
        Family::AllPairs => "all pairs of models at once",
    };
    let estimator = Estimator::of(scene.run);
    Figure {
        id: scene.id("ratio"),
        title: format!("Who differs from {baseline}, and by how much?"),
        caption: format!(
            "CPU time per fetch in times {baseline}'s, compared inside blocks: {} with \
             intervals that hold for {level} with 95 % ({}; Bonferroni). A model is called \
             different only where its interval excludes 1. \
             Shaded: within {:.0} %, where two models are as good as equal. ? cannot be told apart \
             here.",
            estimator.estimates,
            estimator.interval,
            100.0 * MARGIN
        ),
        chart: chart(
            data.rows.is_empty(),
            Strips {
                axis,
                rules: vec![(1.0, baseline.clone())],
                bands: vec![((-MARGIN).exp(), MARGIN.exp())],
                rows: strips,
            },
        ),
        data,
    }
}

/// Returns strips as a chart, if anything is drawn in them.
pub(crate) fn chart(is_empty: bool, strips: Strips) -> Chart {
    match is_empty {
        true => Chart::Missing(NO_MODEL.to_owned()),
        false => Chart::Strips(strips),
    }
}

/// Returns the strip of a model without figures: it says why, unless it could not have any.
pub(crate) fn empty(scene: &Scene<'_>, row: &Row) -> Option<Strip> {
    use crate::figures::Standing::NotApplicable;
    let shown = row.standing != NotApplicable;
    let look = Look { colour: None, ..scene.look(&row.model) };
    shown.then(|| Strip::new(&row.model, standing(row.standing).to_owned(), look))
}

/// Returns the models that have figures.
pub(crate) fn measured(rows: &[Row]) -> impl Iterator<Item = (&str, &RowFigures)> {
    rows.iter().filter_map(|row| Some((row.model.as_str(), row.figures.as_ref()?)))
}

/// Returns the values that an axis has to hold for an estimate to be seen whole.
pub(crate) fn reach(estimate: &stats::Estimate) -> Vec<f64> {
    let ends = estimate.interval.map(|interval| [interval.low, interval.high]);
    ends.into_iter().flatten().chain([estimate.value]).collect()
}

/// Writes a verdict as a sign.
fn sign(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Inconclusive) => "?",
        Some(Verdict::Equivalent) => "=",
        Some(Verdict::Different) | None => "",
    }
}
