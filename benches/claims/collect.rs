//! Measures a preset as a run does, and keeps what comes of it in memory, for the analysis.

use std::collections::BTreeMap;

use anyhow::Result;
use harness::{BASELINE, Basis, Event, FLOOR, Preset, Programs};
use record::{BlockRecord, Environment, Model, RoundRecord, Run, Schedule, TurnRecord};

use crate::Bench;

/// What has been measured of a run.
#[derive(Default)]
struct Collected {
    turns: Vec<TurnRecord>,
    rounds: Vec<RoundRecord>,
    blocks: Vec<BlockRecord>,
    /// Turns of the round that is under way.
    round: Vec<TurnRecord>,
}

/// Measures the cells of a preset with some models and returns a run that was never written;
/// `reported` learns of each turn that has ended.
pub(crate) fn measured(
    bench: &Bench,
    (preset, seed): (Preset, u64),
    models: &[&(Model, harness::Program)],
    reported: &mut dyn FnMut(&TurnRecord),
) -> Result<Run> {
    let programs = programs(bench, models);
    let models: Vec<Model> = models.iter().map(|(model, _)| model.clone()).collect();
    let placement = bench.placement.clone();
    let baseline = preset.baseline.as_deref().unwrap_or(BASELINE);
    let probes = harness::probe((&preset.cells, baseline), &models, (&programs, &placement))?;
    let missing = Vec::new();
    let schedule = harness::draw(Basis {
        preset,
        models,
        missing,
        programs: Vec::new(),
        seed,
        placement,
        probes,
    });
    let mut collected = Collected::default();
    let due = (&schedule, schedule.blocks.as_slice());
    harness::run(due, &programs, Vec::new(), &mut |event| {
        if let Event::Turn(turn) = &event {
            reported(turn);
        }
        collected.take(&event);
        Ok(())
    })?;
    Ok(collected.run(schedule))
}

/// Returns the ratio of each row of a run's cell to the baseline, in a line.
pub(crate) fn ratio_lines(run: &Run) -> Vec<String> {
    let baseline = harness::baseline_of(&run.schedule);
    let figures = analysis::figures(run, baseline, FLOOR);
    let rows = figures.cells.iter().flat_map(|cell| &cell.rows);
    let line = |row: &analysis::Row| {
        let ratio = row.figures.as_ref()?.ratio.filter(|_| row.model != baseline)?;
        let interval = ratio.interval.map_or_else(
            || "too few blocks for an interval".to_owned(),
            |interval| format!("{:.3} to {:.3}", interval.low, interval.high),
        );
        Some(format!("{:<18} {:.3} ({interval})", row.model, ratio.value))
    };
    rows.filter_map(line).collect()
}

/// Returns the programs of some models.
fn programs(bench: &Bench, models: &[&(Model, harness::Program)]) -> Programs {
    Programs {
        origin: bench.origin.clone(),
        models: models
            .iter()
            .map(|(model, program)| (model.name.clone(), program.clone()))
            .collect(),
        primitives: BTreeMap::new(),
        missing: Vec::new(),
    }
}

impl Collected {
    /// Takes what has happened.
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Turn(turn) => self.round.push((*turn).clone()),
            Event::Round(round) if round.disturbed.is_empty() => {
                self.turns.append(&mut self.round);
                self.rounds.push((*round).clone());
            }
            Event::Round(_) => self.round.clear(),
            Event::Again(block, _) => {
                self.round.clear();
                self.turns.retain(|turn| turn.block != block.number);
                self.rounds.retain(|round| round.block != block.number);
            }
            Event::Block(_, block) => self.blocks.push((*block).clone()),
            Event::Begin(..) | Event::Stop(_) => {}
        }
    }

    /// Returns what was measured as a run.
    fn run(self, schedule: Schedule) -> Run {
        let environment = Environment::read(&std::env::temp_dir(), "wiremock", BTreeMap::new());
        let (turns, rounds, blocks) = (self.turns, self.rounds, self.blocks);
        Run { turns, rounds, blocks, ..Run::new("claims".to_owned(), schedule, environment) }
    }
}
