//! What a fetch costs, and how that compares: an interval a model.

use analysis::cell_figures::{LanguageFigures, Row, RowFigures};
use analysis::family::MARGIN;
use analysis::number::{digits, word};
use analysis::{Family, Rival, Verdict};

use crate::figure::axis::Axis;
use crate::figure::data::{Data, estimate};
use crate::figure::drawing::{Chart, Figure, Mark, Strip, Strips, Words, reach};
use crate::figure::look::Look;
use crate::figure::percent::{more, range};
use crate::figure::scene::Scene;
use crate::figure::title::{ends, in_cell};
use crate::table::state_word;

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
    let reached = measured(rows).flat_map(|(_, figures)| reach(&figures.cpu_us));
    let axis = Axis::from_zero("CPU time per fetch, µs", reached);
    let rules = floor.map(|floor| (floor, "floor".to_owned())).into_iter().collect();
    let finding = scene.findings.cpu_us_per_fetch.map_or_else(
        || "CPU time per fetch, µs".to_owned(),
        |costs| format!("A fetch takes {} of CPU, by model", ends(costs, " µs")),
    );
    Figure {
        id: scene.id("cost"),
        title: in_cell(&finding, &scene.cell.cell),
        caption: format!(
            "CPU time of the model's process per fetch: of {}, the median over blocks with its own \
             95 % interval (sign test); of each other model, that median times its ratio, which \
             compares inside rounds, and the interval of the ratio. The line is the floor, {}: a \
             hand-written loop. Ranks, where there are any, are from the best place to the worst \
             that the verdicts on all pairs leave open.",
            scene.all.baseline, scene.all.floor
        ),
        chart: plain(data.rows.is_empty(), (axis, rules, strips)),
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
    let reached = measured(&of.rows).flat_map(|(_, figures)| reach(&figures.cpu_us));
    let axis = Axis::from_zero("CPU time per fetch, µs", reached);
    let rules = baseline.into_iter().collect();
    let costs = scene.findings.languages_cpu_us_per_fetch.get(&of.language).map_or_else(
        || "CPU time per fetch, µs".to_owned(),
        |costs| format!("a fetch takes {} of CPU, by model", ends(*costs, " µs")),
    );
    Figure {
        id: scene.id(&format!("cost-{}", of.language.to_lowercase())),
        title: in_cell(&format!("In {}, {costs}", of.language), &scene.cell.cell),
        caption: format!(
            "The same fetches by models in {}: context, not a contest. Language, client and \
             runtime differ at once. The line is {}, which is compiled.",
            of.language, scene.all.baseline
        ),
        chart: plain(data.rows.is_empty(), (axis, rules, strips)),
        data,
    }
}

/// Draws the ratios to the baseline, the least first, with the range in which models are called
/// equivalent.
pub(crate) fn ratio(scene: &Scene<'_>) -> Figure {
    let rows = &scene.cell.rows;
    let baseline = &scene.all.baseline;
    let mut data = Data::new(&["model", "ratio", "low", "high", "verdict"]);
    let mut strips: Vec<(f64, Strip)> = Vec::new();
    for row in rows {
        let Some(figures) = &row.figures else {
            strips.extend(empty(scene, row).map(|strip| (f64::INFINITY, strip)));
            continue;
        };
        if row.model == *baseline {
            let mut strip = Strip::new(baseline, "baseline".to_owned(), scene.look(baseline));
            strip.marks.push(Mark::Point(1.0));
            strips.push((1.0, strip));
        }
        let Some(ratio) = &figures.ratio else { continue };
        let verdict = figures.verdict.map_or("", word);
        let note = format!("{} {}", more(ratio), sign(figures.verdict));
        let strip = Strip::new(&row.model, note.trim_end().to_owned(), scene.look(&row.model));
        strips.push((ratio.value, strip.estimate(ratio)));
        let [value, low, high] = estimate(Some(ratio));
        data.push(vec![row.model.clone(), value, low, high, verdict.to_owned()]);
    }
    strips.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ratios = measured(rows).filter_map(|(_, figures)| figures.ratio.as_ref());
    let ends = ratios.flat_map(reach);
    let axis = Axis::of_changes(&format!("CPU per fetch against {baseline}, %"), ends.chain([1.0]));
    let words = &Words { estimate: "ratio and its 95 % interval", ..Words::USUAL };
    Figure {
        id: scene.id("ratio"),
        title: in_cell(&ratio_title(scene), &scene.cell.cell),
        caption: ratio_caption(scene),
        chart: chart(
            data.rows.is_empty(),
            Strips {
                axis,
                rules: vec![(1.0, baseline.clone())],
                bands: vec![((-MARGIN).exp(), MARGIN.exp())],
                rows: strips.into_iter().map(|(_, strip)| strip).collect(),
                words,
            },
        ),
        data,
    }
}

/// Says which of the compared models costs the least against the baseline and which the most, of
/// those that differ for sure.
fn ratio_title(scene: &Scene<'_>) -> String {
    let answer = scene.run.answer_of(&scene.cell.cell.name);
    let rivals = answer.map_or(&[][..], |answer| &answer.rivals);
    let is_sure = |rival: &&Rival| rival.verdict == Verdict::Different;
    let different: Vec<&Rival> = rivals.iter().filter(is_sure).collect();
    let written = |rival: &Rival| format!("{} {}", rival.model, range(&[rival.ratio.value]));
    let found = match &different[..] {
        [] if rivals.is_empty() => "no model to compare".to_owned(),
        [] => "no sure difference between models".to_owned(),
        [only] => written(only),
        [least, .., most] => format!("{}, {}", written(least), written(most)),
    };
    format!("CPU per fetch against {}: {found}", scene.all.baseline)
}

/// Writes how to read the ratios.
fn ratio_caption(scene: &Scene<'_>) -> String {
    let level = match scene.all.family {
        Family::AgainstBaseline => "all models at once",
        Family::AllPairs => "all pairs of models at once",
    };
    let estimator = &scene.run.estimator;
    format!(
        "CPU time per fetch in times {}'s, compared inside blocks: {} with intervals that hold for \
         {level} with 95 % ({}; Bonferroni). A model is called different where its interval \
         excludes 1 and it is more than {:.0} % away (shaded). ? cannot be distinguished here.",
        scene.all.baseline,
        estimator.estimates,
        estimator.interval,
        100.0 * MARGIN
    )
}

/// Returns strips without a shaded range as a chart, if anything is drawn in them.
pub(crate) fn plain(
    is_empty: bool,
    (axis, rules, rows): (Axis, Vec<(f64, String)>, Vec<Strip>),
) -> Chart {
    let words = &Words::USUAL;
    chart(is_empty, Strips { axis, rules, bands: Vec::new(), rows, words })
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
    use analysis::cell_figures::RowState::NotApplicable;
    let shown = row.state != NotApplicable;
    let look = Look { colour: None, ..scene.look(&row.model) };
    shown.then(|| Strip::new(&row.model, state_word(row.state).to_owned(), look))
}

/// Returns the models that have figures.
pub(crate) fn measured(rows: &[Row]) -> impl Iterator<Item = (&str, &RowFigures)> {
    rows.iter().filter_map(|row| Some((row.model.as_str(), row.figures.as_ref()?)))
}

/// Writes a verdict as a sign.
fn sign(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Inconclusive) => "?",
        Some(Verdict::Equivalent) => "=",
        Some(Verdict::Different) | None => "",
    }
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use crate::figure::Charts;

    /// Returns the title of the ratios of a run of these models beside baseline and floor.
    fn title(models: &[(&'static str, f64)]) -> String {
        let models = [&[(FLOOR, 0.9), (BASELINE, 1.0)], models].concat();
        let quiet = Fixture { noise: 0.0005, controls: Vec::new(), ..Fixture::good() };
        let run = Fixture { models, ..quiet }.run();
        let charts = Charts::of(&analysis::summarize(&run, BASELINE, FLOOR));
        let (title, _) = charts.cells[1].ratio.title.split_once("; steady, ").unwrap();
        title.replace('\u{a0}', " ")
    }

    #[test]
    fn the_title_of_the_ratios_says_which_model_costs_the_least_and_which_the_most() {
        let models = [("threads", 1.5), ("smol", 1.2), ("rayon", 1.3), ("threads-ureq", 4.0)];
        assert_eq!(title(&models), "CPU per fetch against tokio: smol +20 %, threads +50 %");
        assert_eq!(title(&[("smol", 0.8)]), "CPU per fetch against tokio: smol \u{2212}20 %");
        let equal = "CPU per fetch against tokio: no sure difference between models";
        assert_eq!(title(&[("smol", 1.0)]), equal);
        assert_eq!(title(&[]), "CPU per fetch against tokio: no model to compare");
    }
}
