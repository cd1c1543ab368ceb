//! May a run be believed? Its badges, its gates, and for each cell the proof that the origin was
//! not what was measured.

use record::Run;
use serde::Serialize;

use crate::gates::{Gate, badges, gates, gates_table};
use crate::proof::{Proof, proof, proof_text};
use crate::summary::{Form, spaced};

/// The schema of the gates as JSON; its minors only add.
const SCHEMA: &str = "inflight.gates/2.0";

/// Whether a run may be believed.
#[derive(Clone, Debug, Serialize)]
pub struct Trust {
    /// `inflight.gates/2.0`.
    pub schema: &'static str,
    /// The run.
    pub run: String,
    /// What stands below every figure of the run.
    pub badges: Vec<String>,
    /// Every gate.
    pub gates: Vec<Gate>,
    /// The proof of each cell.
    pub proofs: Vec<Proof>,
}

impl Trust {
    /// Computes it; `baseline` and `floor` name models.
    pub fn of(run: &Run, (baseline, floor): (&str, &str)) -> Self {
        let gates = gates(run, baseline, floor);
        let proofs = run.schedule.cells.iter().map(|cell| proof(run, cell, baseline));
        Self {
            schema: SCHEMA,
            run: run.id.clone(),
            badges: badges(&gates),
            proofs: proofs.collect(),
            gates,
        }
    }

    /// Writes it for people.
    pub fn text(&self, form: Form) -> String {
        let badges = match self.badges.is_empty() {
            true => "No badge: nothing speaks against the figures.".to_owned(),
            false => format!("Badges: {}", self.badges.join(", ")),
        };
        let proofs: String = self.proofs.iter().map(|proof| proof_text(proof, form)).collect();
        let text = format!("{badges}\n{}{proofs}", gates_table(&self.gates, form));
        match form {
            Form::Terminal => text,
            Form::Markdown => format!("### May this be believed?\n\n{}", spaced(&text)),
        }
    }
}
