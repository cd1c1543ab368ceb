//! Each model once on each cell, verified: that it works, not what it costs.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use record::{Model, PrimitiveProgram, State, TurnRecord};
use rules::{BATCH_TURNS_MIN, Reason};

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
/// origin or the machine disturbed is measured again, as
/// in a run.
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
    for block in &mut schedule.blocks {
        let cell = schedule.cells.iter().find(|cell| cell.name == block.cell);
        if cell.is_some_and(|cell| !cell.workload.is_resident()) {
            block.rounds = vec![block.rounds.concat(); BATCH_TURNS_MIN as usize];
        }
    }
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
        sorted.receive(&event, say)
    });
    match sorted.failing.is_empty() {
        true => ran?,
        false => ran.with_context(|| format!("failed to verify {}", sorted.failing.join(", ")))?,
    }
    let untried = Vec::from_iter(sorted.untried).join(", ");
    ensure!(untried.is_empty(), "failed to verify {untried}: the origin failed again and again");
    Ok(sorted.verified)
}

/// The turns of a run, sorted into what is known of models.
#[derive(Default)]
struct Sorted {
    verified: Vec<Verified>,
    /// Those of the block under way, each with its round and whether its origin lived.
    turns: Vec<(u32, Verified, bool)>,
    /// Models of which nothing is known: they were not tried.
    untried: BTreeSet<String>,
    /// Models of a block that begins anew.
    failing: Vec<String>,
}

impl Sorted {
    /// Takes in what happens, and reports each model when its block has ended.
    fn receive(
        &mut self,
        event: &Event<'_>,
        say: &mut dyn FnMut(&Verified) -> Result<()>,
    ) -> Result<()> {
        match event {
            Event::Turn(turn) => self.take(turn),
            Event::Round(round) if !round.disturbed.is_empty() => {
                self.turns.retain(|(of, ..)| *of != round.round);
            }
            Event::Again(block, _) => {
                self.turns.clear();
                self.failing = block.participants().into_iter().map(str::to_owned).collect();
            }
            Event::Block(_, block) => {
                self.failing.clear();
                for (mut one, is_tried) in self.of_block() {
                    if !is_tried {
                        self.untried.insert(one.model);
                        continue;
                    }
                    let broken = block.stays.get(&one.model).map(|stay| stay.invalid.as_slice());
                    one.also(broken.unwrap_or_default());
                    say(&one)?;
                    self.verified.push(one);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps a turn.
    fn take(&mut self, turn: &TurnRecord) {
        self.turns.push((turn.round, Verified::of(turn), is_tried(turn)));
    }

    /// Returns one turn of each model and takes all away: one that went wrong, or else one of which
    /// there is nothing to say.
    fn of_block(&mut self) -> Vec<(Verified, bool)> {
        let rank = |(_, one, is_tried): &(u32, Verified, bool)| {
            (one.works && *is_tried, !one.says.is_empty())
        };
        self.turns.sort_by_key(rank);
        let mut known = BTreeSet::new();
        let turns = self.turns.drain(..).map(|(_, one, is_tried)| (one, is_tried));
        turns.filter(|(one, _)| known.insert(one.model.clone())).collect()
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
}
