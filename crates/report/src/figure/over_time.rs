//! Every stay in a block as a dot, in the order of the blocks; and what the machine did meanwhile.

use std::collections::BTreeMap;

use analysis::cell_figures::RowState;
use analysis::counts::real;
use analysis::number::digits;
use analysis::timeline::{MachinePoint, StayPoint, StayState, Timeline, Worst};

use crate::figure::axis::Axis;
use crate::figure::data::{Data, number};
use crate::figure::drawing::{Chart, Figure, Mark, Strip, Strips, Words};
use crate::figure::look::Look;
use crate::figure::scene::Scene;
use crate::figure::title::in_cell;

/// How far from its middle a strip reaches, as a factor.
const REACH: f64 = 1.5;
/// The height of a strip with dots, in pixels.
const HEIGHT: u32 = 38;

/// A share of what the machine did.
type Share = fn(&MachinePoint) -> Option<f64>;

/// Draws the cost of each stay in a cell beside what the model costs.
pub(crate) fn stays(scene: &Scene<'_>) -> Figure {
    let mut by_block: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let rows = scene.cell.rows.iter().filter(|row| row.state != RowState::NotApplicable);
    let rows: Vec<_> = rows.collect();
    let mut strips = Vec::new();
    for (column, row) in rows.iter().enumerate() {
        let middle = row.figures.as_ref().map(|figures| figures.cpu_us.value);
        let note = middle.map_or_else(String::new, |middle| format!("{} µs", digits(middle)));
        let mut strip = Strip::new(&row.model, note, scene.look(&row.model));
        strip.height = HEIGHT;
        strip.marks.push(Mark::Level(0.5));
        for stay in &scene.timeline.stays {
            if stay.cell != scene.cell.cell.name || stay.model != row.model {
                continue;
            }
            strip.marks.push(dot(stay));
            let columns = rows.len();
            let line = by_block.entry(stay.block).or_insert(vec![String::new(); columns]);
            line[column] = match stay.state {
                StayState::Valid => stay.cpu_us.map_or_else(String::new, number),
                StayState::Invalid => "invalid".to_owned(),
                StayState::Failed => "failed".to_owned(),
            };
        }
        strips.push(strip);
    }

    let names: Vec<&str> = ["block"].into_iter().chain(rows.iter().map(|r| &*r.model)).collect();
    let mut data = Data::new(&names);
    for (block, line) in by_block {
        data.push([vec![block.to_string()], line].concat());
    }
    Figure {
        id: scene.id("stays"),
        title: in_cell(&drift(scene), &scene.cell.cell),
        caption: format!(
            "Every stay in a block by its middle turn, in the order of the blocks: CPU time per \
             fetch against what the model costs, from {} to {} times; a triangle lies beyond the \
             edge, a cross is invalid or failed, every other block is shaded. What moves all \
             strips alike is the machine; ratios cancel it.",
            digits(1.0 / REACH),
            digits(REACH)
        ),
        chart: match data.rows.is_empty() {
            true => Chart::Missing("no turn was measured in this cell".to_owned()),
            false => Chart::Strips(over(scene.timeline, strips, Some(&scene.cell.cell.name))),
        },
        data,
    }
}

/// Says how far stays lie from what their model costs.
fn drift(scene: &Scene<'_>) -> String {
    let own = scene.timeline.drifts.iter().find(|drift| drift.cell == scene.cell.cell.name);
    match own.and_then(|drift| drift.within) {
        Some(within) => {
            format!("9 of 10 stays lie within {:.0} % of what their model costs", 100.0 * within)
        }
        None => "CPU time per fetch of every stay, against what its model costs".to_owned(),
    }
}

/// Draws what the machine did during each round.
pub(crate) fn machine(timeline: &Timeline) -> Figure {
    let points = &timeline.machine;
    let at_most = |share: Option<f64>| share.map(|it| format!("at most {:.1}\u{a0}%", 100.0 * it));
    let slowest = timeline.worst.speed.map(|it| format!("at least {:.0}\u{a0}%", 100.0 * it));
    let shares: [(&str, Share, Option<String>); 3] = [
        ("stolen CPU time", |point| point.stolen, at_most(timeline.worst.stolen)),
        ("other processes", |point| point.foreign, at_most(timeline.worst.foreign)),
        ("fixed loop, speed", |point| point.speed, slowest),
    ];
    let mut data = Data::new(&["place", "stolen_share", "foreign_share", "speed_share"]);
    for point in points {
        let reported =
            shares.iter().map(|(_, share, _)| share(point).map_or(String::new(), number));
        data.push([format!("{}", point.place)].into_iter().chain(reported).collect());
    }
    let watched = shares.into_iter().filter_map(|(name, share, note)| {
        note.map(|note| watched(Strip::new(name, note, Look::default()), share, points))
    });
    let strips: Vec<Strip> = watched.collect();
    Figure {
        id: "machine".to_owned(),
        title: busy(&timeline.worst),
        caption: "A dot a stay, from 0 % at the lower line to 100 % at the upper one: CPU time \
                  that the hypervisor gave to others, CPU time that other processes used, and how \
                  fast a fixed loop ran just before, of the fastest. Every other block is shaded."
            .to_owned(),
        chart: match strips.is_empty() {
            true => Chart::Missing("the run does not say what the machine did".to_owned()),
            false => Chart::Strips(over(timeline, strips, None)),
        },
        data,
    }
}

/// Draws a share of what the machine did, between 0 and 100 %.
fn watched(mut strip: Strip, share: Share, points: &[MachinePoint]) -> Strip {
    strip.height = 52;
    let up = |share: f64| 0.88 - 0.76 * share.clamp(0.0, 1.0);
    let reported = points.iter().filter_map(|point| Some((point.place, share(point)?)));
    let dots = reported.map(|(place, share)| Mark::Dot(place, up(share)));
    let levels = [0.0, 1.0].map(|share| Mark::Level(up(share)));
    strip.marks = levels.into_iter().chain(dots).collect();
    strip
}

/// Says what others took of the machine at most.
fn busy(worst: &Worst) -> String {
    let slowest = worst
        .speed
        .map_or_else(String::new, |speed| format!("; the CPU slowed to {:.0} %", 100.0 * speed));
    match (worst.stolen, worst.foreign) {
        (Some(stolen), Some(foreign)) => format!(
            "Other processes took at most {:.1} %, other machines {:.1} %{slowest}",
            100.0 * foreign,
            100.0 * stolen
        ),
        _ => "What the machine did for others, in percent of its CPU".to_owned(),
    }
}

/// Draws a stay.
fn dot(stay: &StayPoint) -> Mark {
    let place = stay.place;
    let Some(times) = stay.of_typical else { return Mark::Cross(place, 0.5) };
    let away = times.ln() / REACH.ln();
    match away.abs() > 1.0 {
        true => Mark::Beyond(place, away > 0.0),
        false => Mark::Dot(place, 0.5 - 0.46 * away),
    }
}

/// Returns from where to where every other block of a cell reaches, or of all cells if none is
/// named.
fn every_other_block(timeline: &Timeline, cell: Option<&str>) -> Vec<(f64, f64)> {
    let mut blocks: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for stay in timeline.stays.iter().filter(|stay| cell.is_none_or(|it| stay.cell == it)) {
        let place = stay.place;
        blocks.entry(stay.block).or_insert((place - 0.5, place)).1 = place + 0.5;
    }
    blocks.into_values().step_by(2).collect()
}

/// Returns strips over the turns of a run, in which the blocks of a cell or of all are marked.
fn over(timeline: &Timeline, strips: Vec<Strip>, cell: Option<&str>) -> Strips {
    let count = real(timeline.stays.len() as u64);
    let ticks = (0..=4).map(|quarter| (count * f64::from(quarter) / 4.0).round().max(1.0));
    let axis =
        Axis::between("stays in the order of the blocks", (0.0, count + 1.0), ticks.collect());
    let words = &Words { dot: "a stay in a block", band: "every other block", ..Words::USUAL };
    Strips {
        axis,
        rules: Vec::new(),
        bands: every_other_block(timeline, cell),
        rows: strips,
        words,
    }
}

#[cfg(test)]
mod tests {
    use analysis::fixture::{BASELINE, FLOOR, Fixture};

    use super::*;

    #[test]
    fn the_blocks_are_marked_from_their_first_stay_to_their_last() {
        let run = Fixture { blocks: 3, ..Fixture::good() }.run();
        // Seven stays a block; batch and steady take turns.
        let summary = analysis::summarize(&run, BASELINE, FLOOR);
        let timeline = &summary.figures.timeline;
        assert_eq!(every_other_block(timeline, Some("steady")), [(7.5, 14.5), (35.5, 42.5)]);
        assert_eq!(every_other_block(timeline, None), [(0.5, 7.5), (14.5, 21.5), (28.5, 35.5)]);
        let charts = crate::figure::Charts::of(&summary);
        for figure in [&charts.cells[1].stays, &charts.machine] {
            let Chart::Strips(strips) = &figure.chart else { panic!("it is drawn") };
            assert!(strips.bands.len() > 1 && figure.caption.contains("block"), "{}", figure.id);
        }
    }
}
