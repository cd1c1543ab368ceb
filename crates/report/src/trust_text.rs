//! May a run be believed? Its badges, checks and proofs, for people.

use analysis::trust::Trust;

use crate::checks_table::checks_table;
use crate::form::{Form, spaced};
use crate::proof_text::proof_text;

/// Writes for people whether a run may be believed.
pub fn trust_text(of: &Trust, form: Form) -> String {
    let badges = match of.badges.is_empty() {
        true => "No badge: nothing speaks against the figures.".to_owned(),
        false => format!("Badges: {}", of.badges.join(", ")),
    };
    let proofs: String = of.proofs.iter().map(|proof| proof_text(proof, form)).collect();
    let text = format!("{badges}\n{}{proofs}", checks_table(&of.checks, form));
    match form {
        Form::Terminal => text,
        Form::Markdown => format!("### May this be believed?\n\n{}", spaced(&text)),
    }
}
