//! Each model once on each cell, verified: that it works, not what it costs.

use anyhow::Result;
use model_kit::Cell;
use record::{Model, State, TrialRecord};

use crate::{Basis, Event, Preset, Programs, draw, is_of_the_machine, place, run, smoke};

/// How a model did on a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The name of the cell.
    pub cell: String,
    /// The name of the model.
    pub model: String,
    /// Whether it works.
    pub works: bool,
    /// What there is to say of it.
    pub says: String,
}

/// Runs each model once on each cell and tells how it went.
///
/// # Errors
///
/// Says why no origin could be had, or what `tell` said.
pub fn verify(
    (models, cells): (Vec<Model>, Vec<Cell>),
    programs: &Programs,
    tell: &mut dyn FnMut(&Verified) -> Result<()>,
) -> Result<Vec<Verified>> {
    let preset = Preset { cells, ..smoke() };
    let (placement, probes) = (place()?, Vec::new());
    let schedule = draw(Basis { preset, models, seed: 1, placement, probes });
    let mut verified = Vec::new();
    run((&schedule, &schedule.blocks), programs, Vec::new(), &mut |event| {
        if let Event::Trial(trial) = event {
            let one = Verified::of(trial);
            tell(&one)?;
            verified.push(one);
        }
        Ok(())
    })?;
    Ok(verified)
}

impl Verified {
    /// Judges a trial: the machine may be as busy as it likes.
    fn of(trial: &TrialRecord) -> Self {
        let (works, says) = match &trial.state {
            State::Valid => (true, String::new()),
            State::Void(reasons) => {
                (reasons.iter().all(|r| is_of_the_machine(r)), reasons.join("; "))
            }
            State::Failed(reason) => (false, reason.clone()),
        };
        Self { cell: trial.cell.clone(), model: trial.model.clone(), works, says }
    }

    /// Returns it as a line.
    pub fn line(&self) -> String {
        let (name, says) = (format!("{}/{}", self.cell, self.model), &self.says);
        match (self.works, says.is_empty()) {
            (true, true) => format!("OK    {name}"),
            (true, false) => format!("OK    {name}, though {says}"),
            (false, _) => format!("FAIL  {name}: {says}"),
        }
    }
}
