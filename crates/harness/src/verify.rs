//! Each model once on each cell, verified: that it works, not what it costs.

use std::collections::BTreeSet;
use std::mem;

use anyhow::{Context, Result, ensure};
use record::{BlockRecord, Model, PrimitiveProgram, Schedule, State, TurnRecord};
use rules::{BEST_TURNS_MIN, Reason};

use crate::disturbed::of_machine;
use crate::{Basis, Event, Preset, Programs, draw, place, run};

/// How a model did on a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The name of the cell; `all` if the model is missing.
    pub cell: String,
    /// The name of the model, or the package of the program.
    pub model: String,
    /// Whether it works; one that is missing cannot be found not to.
    pub works: bool,
    /// What there is to say of it.
    pub says: String,
}

/// Gives each model a turn on each cell of a preset, or as many as show whether a batch is fetched
/// at once, and each program turns on each of its primitives, and shows how they went. What the
/// origin or the machine disturbed is measured again, as in a run.
///
/// # Errors
///
/// Says why no origin could be had, of which models origins failed again and again, or what
/// `say` said.
pub fn verify(
    (models, primitives, preset): (Vec<Model>, Vec<PrimitiveProgram>, Preset),
    programs: &Programs,
    say: &mut dyn FnMut(&Verified) -> Result<()>,
) -> Result<Vec<Verified>> {
    let (stop, sessions, controls) = (None, Vec::new(), Vec::new());
    let preset = Preset { blocks: 1, rounds: 1, stop, sessions, controls, ..preset };
    let (placement, probes, missing) = (place()?, Vec::new(), programs.missing.clone());
    let mut schedule =
        draw(Basis { preset, models, missing, programs: primitives, seed: 1, placement, probes });
    try_often(&mut schedule);
    let mut sorted = Sorted::default();
    for missing in &schedule.missing {
        let one = Verified {
            cell: "all".to_owned(),
            model: missing.model.clone(),
            works: true,
            says: missing.to_string(),
        };
        say(&one)?;
        sorted.verified.push(one);
    }
    let ran = run((&schedule, &schedule.blocks), programs, Vec::new(), &mut |event| {
        sorted.receive(&event, &schedule, say)
    });
    match sorted.failing.is_empty() {
        true => ran?,
        false => ran.with_context(|| format!("failed to verify {}", sorted.failing.join(", ")))?,
    }
    let untried = Vec::from_iter(sorted.untried).join(", ");
    ensure!(untried.is_empty(), "failed to verify {untried}: the origin failed again and again");
    Ok(sorted.verified)
}

/// Gives the models of a batch as many turns as show that all slots fetched at once: a few do so
/// late in any of them, and where the origin holds all fetches, one turn shows it.
fn try_often(schedule: &mut Schedule) {
    for block in &mut schedule.blocks {
        let cell = schedule.cells.iter().find(|cell| cell.name == block.cell);
        if cell.is_some_and(|cell| !cell.workload.is_resident() && !cell.workload.is_held()) {
            block.rounds = vec![block.rounds.concat(); BEST_TURNS_MIN];
        }
    }
}

/// The turns of a run, sorted into what is known of models.
#[derive(Default)]
struct Sorted {
    verified: Vec<Verified>,
    /// Those of the block under way.
    turns: Vec<TurnRecord>,
    /// Models of which nothing is known: they were not tried.
    untried: BTreeSet<String>,
    /// Models of a block that begins anew.
    failing: Vec<String>,
    /// Whether others had the machine in a round of the block under way that counts all the same.
    is_busy: bool,
}

impl Sorted {
    /// Takes in what happens, and reports each model when its block has ended.
    fn receive(
        &mut self,
        event: &Event<'_>,
        schedule: &Schedule,
        say: &mut dyn FnMut(&Verified) -> Result<()>,
    ) -> Result<()> {
        match event {
            Event::Turn(turn) => self.turns.push((*turn).clone()),
            Event::Round(round) if round.disturbed.is_empty() => {
                let others = round.host.as_ref().is_some_and(|host| !of_machine(host).is_empty());
                self.is_busy |= others;
            }
            Event::Round(round) => self.turns.retain(|turn| turn.round != round.round),
            Event::Again(block, _) => {
                self.turns.clear();
                self.is_busy = false;
                self.failing = block.participants().into_iter().map(str::to_owned).collect();
            }
            Event::Block(_, block) => {
                self.failing.clear();
                let (turns, is_busy) = (mem::take(&mut self.turns), mem::take(&mut self.is_busy));
                for (mut one, is_tried) in of_block(&turns) {
                    if !is_tried {
                        self.untried.insert(one.model);
                        continue;
                    }
                    let together = together(&one, schedule, (block, &turns));
                    one.also(&together.into_iter().map(|r| by(is_busy, r)).collect::<Vec<_>>());
                    say(&one)?;
                    self.verified.push(one);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Returns one turn of each model, and whether it was tried: one that went wrong, or else one of
/// which there is nothing to say.
fn of_block(turns: &[TurnRecord]) -> Vec<(Verified, bool)> {
    let turns = turns.iter().map(|turn| (Verified::of(turn), is_tried(turn)));
    let mut turns: Vec<(Verified, bool)> = turns.collect();
    turns.sort_by_key(|(one, is_tried)| (one.works && *is_tried, !one.says.is_empty()));
    let mut known = BTreeSet::new();
    turns.retain(|(one, _)| known.insert(one.model.clone()));
    turns
}

/// Returns which laws the turns of a model broke together, in its stay and whatever became of them.
fn together(
    one: &Verified,
    schedule: &Schedule,
    (block, turns): (&BlockRecord, &[TurnRecord]),
) -> Vec<Reason> {
    let stay = block.stays.get(&one.model);
    let mut broken = stay.map(|stay| stay.invalid.clone()).unwrap_or_default();
    let own: Vec<&TurnRecord> = turns.iter().filter(|turn| turn.model == one.model).collect();
    let cell = schedule.cell(&one.cell);
    let over = cell.map(|cell| schedule.over_turns(cell, &one.model, &own)).unwrap_or_default();
    broken.extend(over.into_iter().filter(|reason| !broken.contains(reason)).collect::<Vec<_>>());
    broken
}

/// Returns a reason against all turns of a model together: where others had the machine, the best
/// of them may be no better than a single one, which is excused with more than half of the slots.
fn by(is_busy: bool, reason: Reason) -> Reason {
    match reason {
        Reason::Waves { peak, slots } if is_busy && 2 * peak > u64::from(slots) => {
            Reason::Peak { peak, slots }
        }
        reason => reason,
    }
}

/// Returns whether a model had its turn, rather than an origin that failed.
fn is_tried(turn: &TurnRecord) -> bool {
    let State::Invalid(reasons) = &turn.state else { return true };
    !reasons.iter().any(|reason| matches!(reason, Reason::OriginFailed { .. }))
}

impl Verified {
    /// Checks a turn: the machine may be as busy as it likes.
    fn of(turn: &TurnRecord) -> Self {
        let (cell, model) = (turn.cell.clone(), turn.model.clone());
        let mut one = Self { cell, model, works: true, says: String::new() };
        match &turn.state {
            State::Valid => {}
            State::Invalid(reasons) => one.also(reasons),
            State::Failed(reason) => (one.works, one.says) = (false, reason.clone()),
            State::Out => one.works = false,
        }
        one
    }

    /// Adds reasons for which figures may not be used. Of a model that does not work those alone
    /// are said that speak against it.
    fn also(&mut self, reasons: &[Reason]) {
        if self.works && reasons.iter().any(Reason::blames_the_model) {
            (self.works, self.says) = (false, String::new());
        }
        for reason in reasons.iter().filter(|reason| self.works || reason.blames_the_model()) {
            let and = if self.says.is_empty() { "" } else { "; " };
            self.says = format!("{}{and}{reason}", self.says);
        }
    }

    /// Returns it as a line.
    pub fn line(&self) -> String {
        let (name, says) = (format!("{}/{}", self.cell, self.model), &self.says);
        match (self.works, says.is_empty()) {
            (true, false) if says.starts_with("missing") => format!("--    {name}: {says}"),
            (true, true) => format!("OK    {name}"),
            (true, false) => format!("OK    {name}, though {says}"),
            (false, _) => format!("FAIL  {name}: {says}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use record::{Host, RoundRecord, Run};
    use workload::Receipt;

    use super::*;

    #[test]
    fn what_is_excused_is_said_of_a_model_that_works_and_not_against_one_that_does_not() {
        let after = |reasons: [Vec<Reason>; 2]| {
            let (cell, model) = ("steady".to_owned(), "tokio".to_owned());
            let mut one = Verified { cell, model, works: true, says: String::new() };
            for reasons in reasons {
                one.also(&reasons);
            }
            one.line()
        };
        let peak = || Reason::Peak { peak: 40, slots: 64 };
        let busy = "OK    steady/tokio, though the origin saw at most 40 of 64 in flight";
        assert_eq!(after([vec![peak()], vec![]]), busy);
        let wrong = "FAIL  steady/tokio: the window took no time";
        assert_eq!(after([vec![peak(), Reason::NoTime], vec![]]), wrong);
        assert_eq!(after([vec![peak()], vec![Reason::NoTime]]), wrong);
        assert_eq!(after([vec![Reason::NoTime], vec![peak()]]), wrong);
    }

    #[test]
    fn turns_that_are_excused_one_by_one_are_not_where_they_show_part_of_a_batch_together() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/golden/run");
        let mut run = Run::read(&golden).unwrap();
        try_often(&mut run.schedule);
        let block = run.schedule.blocks.iter().find(|block| block.cell == "batch").unwrap();
        let turn = run.turns.iter_mut().find(|turn| turn.cell == "batch").unwrap();
        turn.state = State::Invalid(vec![Reason::Connections { seen: 50, least: 64, most: 64 }]);
        let name = &turn.model;
        let often = block.rounds.iter().flatten().filter(|other| *other == name).count();
        let mut verified = |peaks: &[u64], host: Option<Host>| {
            let mut sorted = Sorted::default();
            let mut events = Vec::new();
            for &peak in peaks.iter().cycle().take(often) {
                let seen = Receipt { in_flight_peak_estimate: peak, ..Receipt::default() };
                turn.receipt = Some(seen);
                events.push(turn.clone());
            }
            let record = BlockRecord { block: block.number, stays: BTreeMap::new() };
            let round = RoundRecord { block: 0, round: 0, disturbed: Vec::new(), host };
            let ends = [Event::Round(&round), Event::Block(block, &record)];
            let events = events.iter().map(Event::Turn).chain(ends);
            for event in events {
                sorted.receive(&event, &run.schedule, &mut |_| Ok(())).unwrap();
            }
            sorted.verified.pop().unwrap().works
        };
        // Half of the slots, more than half, and all but a few in one of the turns.
        let quiet = Host { capacity_ns: 1_000_000_000, busy_ns: 100_000_000, ..Host::default() };
        for host in [None, Some(quiet)] {
            assert!(!verified(&[32, 31, 32], host));
            assert!(!verified(&[32, 40, 59], host));
            assert!(verified(&[32, 40, 59, 60], host));
        }
        // What others do to a machine makes an honest model late, but does not make waves.
        let busy = Some(Host { busy_ns: 900_000_000, ..quiet });
        assert!(verified(&[32, 40, 59], busy));
        assert!(!verified(&[32, 31, 32], busy));
    }
}
