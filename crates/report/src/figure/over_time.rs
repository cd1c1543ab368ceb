//! Every trial as a dot, in the order in which they ran; and what the machine did meanwhile.

use std::collections::BTreeMap;

use record::{Run, State, TrialRecord};

use crate::cell_trials::real;
use crate::figure::axis::Axis;
use crate::figure::data::{Data, number};
use crate::figure::look::Look;
use crate::figure::{Chart, Figure, Mark, Scene, Strip, Strips};
use crate::figures::Standing;
use crate::gates::machine::{foreign_share, stolen_share};
use crate::number::digits;
use crate::trials::cpu_us;

/// How far from its middle a strip reaches, as a factor.
const REACH: f64 = 1.5;
/// The height of a strip with dots, in pixels.
const HEIGHT: u32 = 38;

/// A share that is read off a trial.
type Share<'a> = &'a dyn Fn(&TrialRecord) -> Option<f64>;

/// Draws the cost of each trial of a cell beside the model's median.
pub(crate) fn trials(scene: &Scene<'_>) -> Figure {
    let mut by_block: BTreeMap<(u32, u32), Vec<String>> = BTreeMap::new();
    let rows = scene.cell.rows.iter().filter(|row| row.standing != Standing::NotApplicable);
    let rows: Vec<_> = rows.collect();
    let mut strips = Vec::new();
    for (column, row) in rows.iter().enumerate() {
        let middle = row.figures.as_ref().map(|figures| figures.cpu_us.value);
        let note =
            middle.map_or_else(String::new, |middle| format!("median {} µs", digits(middle)));
        let mut strip = Strip::new(&row.model, note, scene.look(&row.model));
        strip.height = HEIGHT;
        strip.marks.push(Mark::Level(0.5));
        for (place, trial) in in_order(scene.run) {
            if trial.cell != scene.cell.cell.name || trial.model != row.model {
                continue;
            }
            strip.marks.push(dot(place, trial, middle));
            let columns = rows.len();
            let turn = scene.run.trials.iter().filter(|other| same_block(other, trial));
            let turn = turn.take_while(|other| other.position < trial.position).count();
            let turn = u32::try_from(turn).unwrap_or(u32::MAX);
            let line = by_block.entry((trial.block, turn)).or_insert(vec![String::new(); columns]);
            line[column] = match &trial.state {
                State::Valid => cpu_us(trial).map_or_else(String::new, number),
                State::Void(_) => "void".to_owned(),
                State::Failed(_) => "failed".to_owned(),
            };
        }
        strips.push(strip);
    }

    let names: Vec<&str> = ["block"].into_iter().chain(rows.iter().map(|r| &*r.model)).collect();
    let mut data = Data::new(&names);
    for ((block, _), line) in by_block {
        data.push([vec![block.to_string()], line].concat());
    }
    Figure {
        id: scene.id("trials"),
        title: "Did anything drift?".to_owned(),
        caption: format!(
            "Every trial in the order in which they ran: CPU time per fetch against the model's \
             median, from {} to {} times; beyond, at the edge. A cross is void or failed; every \
             other block is shaded. What moves all strips alike is the machine; ratios cancel it.",
            digits(1.0 / REACH),
            digits(REACH)
        ),
        chart: match data.rows.is_empty() {
            true => Chart::Missing("no trial was measured in this cell".to_owned()),
            false => Chart::Strips(over(scene.run, strips, Some(&scene.cell.cell.name))),
        },
        data,
    }
}

/// Draws what the machine did during each trial.
pub(crate) fn machine(run: &Run) -> Figure {
    let speed = |trial: &TrialRecord| {
        trial.host.as_ref().map(|host| real(host.probe_per_ms)).filter(|speed| *speed > 0.0)
    };
    let fastest = run.trials.iter().filter_map(speed).fold(0.0, f64::max);
    let shares: [(&str, Share<'_>); 3] = [
        ("stolen by the hypervisor", &|trial| stolen_share(trial.host.as_ref()?)),
        ("used by other processes", &|trial| foreign_share(trial)),
        ("speed of a fixed loop", &|trial| Some(speed(trial)? / fastest)),
    ];
    let mut data = Data::new(&["trial", "stolen_share", "foreign_share", "speed_share"]);
    for (place, trial) in in_order(run) {
        let told = shares.iter().map(|(_, share)| share(trial).map_or(String::new(), number));
        data.push([format!("{place}")].into_iter().chain(told).collect());
    }
    let strip = |(name, share): &(&str, Share<'_>)| {
        let told: Vec<(f64, f64)> =
            in_order(run).filter_map(|(place, trial)| Some((place, share(trial)?))).collect();
        let worst = told.iter().map(|(_, share)| *share);
        let note = match *name {
            "speed of a fixed loop" => {
                format!("slowest {:.0} %", 100.0 * worst.fold(1.0, f64::min))
            }
            _ => format!("most {:.1} %", 100.0 * worst.fold(0.0, f64::max)),
        };
        let mut strip = Strip::new(name, note, Look::default());
        strip.height = 52;
        let dots = told.iter().map(|&(place, share)| Mark::Dot(place, 0.82 - 0.64 * share));
        strip.marks = dots.collect();
        (!told.is_empty()).then_some(strip)
    };
    let strips: Vec<Strip> = shares.iter().filter_map(strip).collect();
    Figure {
        id: "machine".to_owned(),
        title: "What did the machine do meanwhile?".to_owned(),
        caption: "A dot a trial, from 0 at the bottom to 100 % at the top: CPU time that the \
                  hypervisor gave to others, CPU time that other processes used, and how fast a \
                  fixed loop ran just before, of the fastest. Every other block is shaded."
            .to_owned(),
        chart: match strips.is_empty() {
            true => Chart::Missing("the run does not tell what the machine did".to_owned()),
            false => Chart::Strips(over(run, strips, None)),
        },
        data,
    }
}

/// Returns the trials with their places in the order in which they ran, from 1.
fn in_order(run: &Run) -> impl Iterator<Item = (f64, &TrialRecord)> {
    run.trials.iter().enumerate().map(|(index, trial)| (real(index as u64 + 1), trial))
}

/// Returns whether a trial is of the same model, cell and block as another.
fn same_block(trial: &TrialRecord, other: &TrialRecord) -> bool {
    (&trial.model, &trial.cell, trial.block) == (&other.model, &other.cell, other.block)
}

/// Draws a trial.
fn dot(place: f64, trial: &TrialRecord, middle: Option<f64>) -> Mark {
    match (cpu_us(trial), middle) {
        (Some(cost), Some(middle)) => {
            let away = (cost / middle).ln() / REACH.ln();
            Mark::Dot(place, 0.5 - 0.46 * away.clamp(-1.0, 1.0))
        }
        _ => Mark::Cross(place, 0.5),
    }
}

/// Returns from where to where every other block of a cell reaches, or of all cells if none is
/// named.
fn every_other_block(run: &Run, cell: Option<&str>) -> Vec<(f64, f64)> {
    let mut blocks: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for (place, trial) in in_order(run).filter(|(_, trial)| cell.is_none_or(|it| trial.cell == it))
    {
        blocks.entry(trial.block).or_insert((place - 0.5, place)).1 = place + 0.5;
    }
    blocks.into_values().step_by(2).collect()
}

/// Returns strips over the trials of a run, in which the blocks of a cell or of all are marked.
fn over(run: &Run, strips: Vec<Strip>, cell: Option<&str>) -> Strips {
    let count = real(run.trials.len() as u64);
    let ticks = (0..=4).map(|quarter| (count * f64::from(quarter) / 4.0).round().max(1.0));
    let axis =
        Axis::between("trial, in the order in which they ran", (0.0, count + 1.0), ticks.collect());
    Strips { axis, rules: Vec::new(), bands: every_other_block(run, cell), rows: strips }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::MadeUp;

    #[test]
    fn the_blocks_are_marked_from_their_first_trial_to_their_last() {
        let run = MadeUp { blocks: 3, ..MadeUp::good() }.run();
        // Seven trials a block; batch and steady take turns.
        assert_eq!(every_other_block(&run, Some("steady")), [(7.5, 14.5), (35.5, 42.5)]);
        assert_eq!(every_other_block(&run, None), [(0.5, 7.5), (14.5, 21.5), (28.5, 35.5)]);
        let figures = crate::figures(&run, crate::made_up::BASELINE, crate::made_up::FLOOR);
        let charts = crate::figure::Charts::of(&run, &figures);
        for figure in [&charts.cells[1].trials, &charts.machine] {
            let Chart::Strips(strips) = &figure.chart else { panic!("it is drawn") };
            assert!(strips.bands.len() > 1 && figure.caption.contains("block"), "{}", figure.id);
        }
    }
}
