//! `compare`: versions of a package, or levers, against each other as participants of one run.

use analysis::Summary;
use anyhow::Result;
use harness::{FLOOR, Preset, Request};
use record::{OriginKind, Run};
use serde_json::json;

use crate::asked::Versions;
use crate::output::Output;
use crate::rows::{self, Row};
use crate::{answer, check, measure, place};

/// What a version that costs more, or whose cost is not known, exits with.
const SLOWER: u8 = 5;

/// Measures the rows against the first of them, and says what came of it.
pub(crate) fn compare(asked: &Versions, output: &mut Output) -> Result<u8> {
    let workspace = place::workspace()?.with_models(&asked.outside)?;
    let found = harness::find(&workspace, "crates")?;
    let rows = rows::rows(&asked.levers.on(&asked.rows), &found)?;
    let preset = preset(asked, &rows[0].name)?;
    let is_row = |name: &str| rows.iter().any(|row| row.name == name);
    let floor = found.iter().find(|model| model.name == FLOOR && !is_row(FLOOR));
    let results = asked.out.clone().unwrap_or_else(|| workspace.root.join("results"));
    let mut request = Request {
        workspace,
        results,
        preset,
        models: rows.iter().map(Row::named).chain(floor.cloned()).collect(),
        primitives: Vec::new(),
        seed: asked.seed,
        supersedes: None,
        origin: OriginKind::default(),
        workers: asked.workers.workers(),
    };
    // First: to prepare a row asks the network, and does away with what was there of it.
    let lock = harness::claim(&request)?;
    rows::prepare(&rows, &mut request.models, &request.workspace)?;
    let ended = harness::measure_claimed(&request, lock)?;
    let run = Run::read(&ended.path)?;
    let summary = place::summary(&run);
    match asked.md {
        true => output.say(&report::versions_table(&summary)),
        false => answer::versions(&summary, (&ended.path, &place::called(&ended.path)), output),
    }
    let [slower, lost] = held(asked, &summary, (&rows, output));
    // Last, so that a full disk does not keep the answer from being seen.
    record::write_derived(&ended.path, check::VERSION, &report::derive(&summary))?;
    output.document(&json!({
        "run": run.id, "folder": ended.path, "baseline": rows[0].name, "slower": slower,
        "lost": lost, "summary": summary,
    }));
    Ok(exit(measure::code(&ended, &run), slower.is_empty() && lost.is_empty()))
}

/// Holds the rows against the limit, if there is one, and says what came of it; the floor only if
/// it is one of them. Returns those that are slower, and those of which no turn counts.
fn held<'a>(
    asked: &Versions,
    summary: &'a Summary,
    (rows, output): (&[Row], &mut Output),
) -> [Vec<&'a str>; 2] {
    let Some(percent) = asked.fail_if_slower else { return Default::default() };
    let figures = &summary.figures;
    let all = [figures.slower_than(percent), figures.open_at(percent), figures.without_a_turn()];
    let [slower, open, lost] = all.map(|mut names| {
        names.retain(|name| rows.iter().any(|row| row.name == *name));
        names
    });
    let said = [
        (&slower, format!("slower by more than {percent} %, for sure")),
        (&open, format!("not known to be within {percent} % (more --blocks tell)")),
        (&lost, "no turn counts, so no cost is known".to_owned()),
    ];
    for (names, what) in said.into_iter().filter(|(names, _)| !names.is_empty()) {
        output.say(&format!("{what}: {}", names.join(", ")));
    }
    [slower, lost]
}

/// Returns the exit code of a comparison whose run has that one: noise can lose some turns, and
/// what is slower is so all the same.
fn exit(run: u8, is_allowed: bool) -> u8 {
    match run {
        0 | measure::NOT_SOUND if !is_allowed => SLOWER,
        code => code,
    }
}

/// Returns what is measured.
fn preset(asked: &Versions, baseline: &str) -> Result<Preset> {
    let mut preset = harness::of_versions(baseline);
    if !asked.cell.is_empty() {
        preset.cells = measure::unheld(&preset, &asked.cell)?;
    }
    preset.cells = asked.numbers.cell().map_or(preset.cells, |cell| vec![cell]);
    if let Some(blocks) = asked.blocks {
        preset.set_blocks(blocks);
    }
    Ok(preset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slower_is_said_even_if_turns_were_lost_and_never_of_a_run_that_was_cut_short() {
        let ends = [0, measure::NOT_SOUND, 130].map(|run| [exit(run, true), exit(run, false)]);
        assert_eq!(ends, [[0, SLOWER], [measure::NOT_SOUND, SLOWER], [130, 130]]);
    }
}
