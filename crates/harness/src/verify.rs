//! Each model once on each cell, verified: that it works, not what it costs.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use record::{Model, PrimitiveRecord, State, TrialRecord};

use crate::judge::ORIGIN_FAILED;
use crate::{Basis, Event, Preset, Programs, draw, is_of_the_machine, place, run};

/// How often a trial is made again whose origin failed.
const TRIES_MAX: u32 = 3;

/// How a model did on a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The name of the cell; `all` if the model is missing.
    pub cell: String,
    /// The name of the model.
    pub model: String,
    /// Whether it works; one that is missing cannot be found not to.
    pub works: bool,
    /// What there is to say of it.
    pub says: String,
}

/// Runs each model once on each cell of a preset and tells how it went. A trial whose origin failed
/// says nothing of its model and is made again.
///
/// # Errors
///
/// Says why no origin could be had, that origins failed again and again, or what `tell` said.
pub fn verify(
    (models, preset): (Vec<Model>, Preset),
    programs: &Programs,
    tell: &mut dyn FnMut(&Verified) -> Result<()>,
) -> Result<Vec<Verified>> {
    let preset = Preset { blocks: 1, stop: None, sittings: Vec::new(), ..preset };
    let (placement, probes, missing) = (place()?, Vec::new(), programs.missing.clone());
    let schedule = draw(Basis { preset, models, missing, seed: 1, placement, probes });
    let (mut due, mut verified) = (schedule.blocks.clone(), Vec::new());
    for missing in &schedule.missing {
        let one = Verified {
            cell: "all".to_owned(),
            model: missing.model.clone(),
            works: true,
            says: missing.to_string(),
        };
        tell(&one)?;
        verified.push(one);
    }
    for _ in 0..TRIES_MAX {
        let mut again = due.clone();
        for block in &mut again {
            block.order.clear();
        }
        run((&schedule, &due), programs, Vec::new(), &mut |event| {
            let Event::Trial(trial) = event else { return Ok(()) };
            if is_of_the_origin(trial) {
                if let Some(block) = again.iter_mut().find(|block| block.number == trial.block) {
                    block.order.push(trial.model.clone());
                }
                return Ok(());
            }
            let one = Verified::of(trial);
            tell(&one)?;
            verified.push(one);
            Ok(())
        })?;
        again.retain(|block| !block.order.is_empty());
        if again.is_empty() {
            return Ok(verified);
        }
        due = again;
    }
    let models: BTreeSet<&str> = due.iter().flat_map(|b| &b.order).map(String::as_str).collect();
    let models = Vec::from_iter(models).join(", ");
    bail!("failed to verify {models}: the origin died or stopped {TRIES_MAX} times");
}

/// Returns whether a trial failed by its origin, whatever its model did.
fn is_of_the_origin(trial: &TrialRecord) -> bool {
    let State::Void(reasons) = &trial.state else { return false };
    reasons.iter().any(|reason| reason.starts_with(ORIGIN_FAILED))
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

    /// Judges a trial of a primitive; what is void for being short or cheap works all the same.
    pub fn of_primitive(trial: &PrimitiveRecord) -> Self {
        let (works, says) = match &trial.state {
            State::Valid => (true, String::new()),
            State::Void(reasons) => (true, reasons.join("; ")),
            State::Failed(reason) => (false, reason.clone()),
        };
        let cell = format!("primitives/{}", trial.primitive.name());
        Self { cell, model: trial.program.clone(), works, says }
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
