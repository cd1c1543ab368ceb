//! How far a run is, on stderr, told between measured windows and never inside one.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model_kit::plain;
use record::{Block, PrimitiveBlock, Schedule, State, TrialRecord};

use crate::Event;
use crate::forecast::cost;

/// Whether nothing is told.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Tells nothing more of how far a run is; errors are still told.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Tells that a block of primitives has ended, as the one of so many with this number: on a
/// terminal each, elsewhere every tenth and the last.
pub(crate) fn primitives(block: &PrimitiveBlock, (ended, due): (usize, usize)) {
    let line = format!("primitives: {ended} of {due} blocks, {}", block.primitive.name());
    match (io::stderr().is_terminal(), ended == due) {
        (true, false) => say(&format!("\r\x1b[2K{line}")),
        (true, true) => say(&format!("\r\x1b[2K{line}\n")),
        (false, last) if last || ended % 10 == 0 => say(&format!("{line}\n")),
        (false, _) => {}
    }
}

/// How far a run is.
pub(crate) struct Progress<'a> {
    schedule: &'a Schedule,
    began: Instant,
    due: usize,
    blocks_due: usize,
    blocks: usize,
    ended: usize,
    valid: usize,
    is_terminal: bool,
    /// What the trials of the block under way cost, in nanoseconds a fetch; nothing where one does
    /// not count.
    costs: Vec<(String, Option<f64>)>,
    /// The cells of which rows were shown.
    shown: Vec<String>,
}

impl<'a> Progress<'a> {
    /// Begins before the first trial of the blocks that are due.
    pub(crate) fn new(schedule: &'a Schedule, due: &[Block]) -> Self {
        Self {
            schedule,
            began: Instant::now(),
            due: due.iter().map(|block| block.order.len()).sum(),
            blocks_due: due.len(),
            blocks: 0,
            ended: 0,
            valid: 0,
            is_terminal: io::stderr().is_terminal(),
            costs: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// Tells what happens.
    pub(crate) fn tell(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin(block, position) => {
                if *position == 0 {
                    self.blocks += 1;
                    self.costs.clear();
                }
                if !self.is_terminal {
                    return;
                }
                let line = format!("{} {}", block.cell, block.order[*position]);
                say(&format!("\r\x1b[2K{}", self.line(&line)));
            }
            Event::Trial(trial) => self.count(trial),
            Event::Block(block) => {
                if !self.is_terminal {
                    say(&(self.line(&block.cell) + "\n"));
                }
                if let Some(rows) = self.first_rows(block) {
                    say(&format!("{}{rows}\n", self.cleared()));
                }
            }
            Event::Stop(stop) => {
                let what = stop.cell.as_deref().unwrap_or("the run");
                let clear = self.cleared();
                let (what, reason) = (plain(what), plain(&stop.reason));
                let blocks = stop.blocks;
                say(&format!("{clear}{what} ends after {blocks} blocks: {reason}\n"));
            }
        }
    }

    /// Returns what makes room for a line where the one on a terminal is written again and again.
    fn cleared(&self) -> &'static str {
        if self.is_terminal { "\r\x1b[2K" } else { "" }
    }

    /// Returns the first rows of a cell once its first block has ended, the cheapest first: what
    /// one trial each says, long before the table.
    fn first_rows(&mut self, block: &Block) -> Option<String> {
        if self.shown.contains(&block.cell) {
            return None;
        }
        self.shown.push(block.cell.clone());
        let order = |cost: Option<f64>| cost.unwrap_or(f64::INFINITY);
        self.costs.sort_by(|a, b| order(a.1).total_cmp(&order(b.1)));
        let row = |(model, cost): &(String, Option<f64>)| match cost {
            Some(ns) => format!("{model} {:.1}", ns / 1e3),
            None => format!("{model} -"),
        };
        let rows = self.costs.iter().map(row).collect::<Vec<_>>().join(", ");
        Some(plain(&format!(
            "{}, us of CPU a fetch in its first block, one trial each, which proves nothing yet: \
             {rows}",
            block.cell
        )))
    }

    /// Ends the line on a terminal.
    pub(crate) fn end(&self) {
        if self.is_terminal {
            say(&format!("\r\x1b[2K{} trials, {} valid\n", self.ended, self.valid));
        }
    }

    /// Counts a trial that has ended.
    fn count(&mut self, trial: &TrialRecord) {
        self.ended += 1;
        self.valid += usize::from(trial.state == State::Valid);
        self.costs.push((trial.model.clone(), cost(trial)));
    }

    /// Returns the line: where the run is, and how long it still takes.
    fn line(&self, what: &str) -> String {
        let (preset, seed) = (&self.schedule.preset, self.schedule.seed);
        let (block, blocks) = (self.blocks, self.blocks_due);
        let (percent, left) = (100 * self.ended / self.due.max(1), self.left());
        let (valid, not) = (self.valid, self.ended - self.valid);
        plain(&format!(
            "{preset} {seed}, block {block} of {blocks}, {percent} %, {left} left, {valid} valid, \
             {not} not: {what}"
        ))
    }

    /// Returns the time left, judged by the trials that have ended.
    fn left(&self) -> String {
        let (ended, left) = (self.ended, self.due - self.ended);
        let Ok(each) = u32::try_from(ended.max(1)) else { return "?".to_owned() };
        let left = self.began.elapsed() / each * u32::try_from(left).unwrap_or(u32::MAX);
        match ended {
            0 => "?".to_owned(),
            _ => format!("{} s", Duration::as_secs(&left)),
        }
    }
}

/// Says something on stderr; whoever closed it does not want to know.
pub(crate) fn say(text: &str) {
    if QUIET.load(Ordering::Relaxed) {
        return;
    }
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_rows_as_soon_as_its_first_block_has_ended() {
        let schedule = serde_json::from_value(serde_json::json!({
            "schema": "", "version": "", "preset": "quick", "seed": 1, "cells": [], "models": [],
            "absent": [], "blocks": [],
            "placement": {
                "model_cpus": [], "origin_cpus": [], "workers": 1, "shards": 1, "awake": false
            },
        }));
        let schedule: Schedule = schedule.expect("it has its fields");
        let block = |number| Block {
            number,
            cell: "steady".to_owned(),
            seed: 1,
            order: Vec::new(),
            sitting: 0,
        };
        let mut progress = Progress::new(&schedule, &[]);
        let costs = [("dear", Some(30_040.0)), ("void", None), ("cheap", Some(20_000.0))];
        progress.costs = costs.map(|(model, cost)| (model.to_owned(), cost)).into();

        let rows = progress.first_rows(&block(0)).expect("it is the first of its cell");
        assert!(rows.ends_with(": cheap 20.0, dear 30.0, void -"), "{rows}");
        assert!(rows.starts_with("steady, ") && rows.contains("proves nothing yet"), "{rows}");
        assert_eq!(progress.first_rows(&block(1)), None, "once is enough");
    }
}
