//! `doctor`: what this machine would do to a result.

use anyhow::Result;
use harness::Health;
use serde_json::json;

use crate::output::{Output, Tone};
use crate::place;

/// What a machine that would be refused exits with.
const REFUSED: u8 = 6;

/// Reports what this machine would do to a result, and what fixes it.
pub(crate) fn doctor(output: &mut Output) -> Result<u8> {
    let workspace = place::workspace()?;
    let quick = harness::quick();
    let models = quick.takes(&harness::find(&workspace, "crates")?);
    let findings = harness::doctor(&workspace, &quick.cells, &models);
    for finding in &findings {
        let (tone, mark) = match finding.state {
            Health::Good => (Tone::Good, "good  "),
            Health::Doubtful => (Tone::Doubtful, "doubt "),
            Health::Bad => (Tone::Bad, "BAD   "),
        };
        output.mark(tone, &format!("{mark} {:<22} {}", finding.name, finding.says));
        if let Some(fix) = finding.fix.as_ref().filter(|_| finding.state != Health::Good) {
            output.say(&format!("{:30}{fix}", ""));
        }
    }
    let bad = findings.iter().any(|finding| finding.state == Health::Bad);
    output.document(&json!({ "findings": findings, "bad": bad }));
    Ok(if bad { REFUSED } else { 0 })
}
