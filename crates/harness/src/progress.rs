//! How far a run is, on stderr, told between turns and never inside one.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model_kit::plain;
use record::{Block, PrimitiveBlock, Schedule, State, TurnRecord};

use crate::Event;
use crate::forecast::cost;

/// How often a terminal is told at most: four times a second.
const BETWEEN: Duration = Duration::from_millis(250);
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
    invalid: usize,
    repeated: usize,
    /// Turns of the round under way.
    round: usize,
    /// When a terminal was told last.
    told: Instant,
    is_terminal: bool,
    /// What the turns of the block under way cost, in nanoseconds a fetch; nothing where one does
    /// not count.
    costs: Vec<(String, Option<f64>)>,
    /// The cells of which rows were shown.
    shown: Vec<String>,
}

impl<'a> Progress<'a> {
    /// Begins before the first turn of the blocks that are due.
    pub(crate) fn new(schedule: &'a Schedule, due: &[Block]) -> Self {
        Self {
            schedule,
            began: Instant::now(),
            due: due.iter().map(Block::turns).sum(),
            blocks_due: due.len(),
            blocks: 0,
            ended: 0,
            invalid: 0,
            repeated: 0,
            round: 0,
            told: Instant::now(),
            is_terminal: io::stderr().is_terminal(),
            costs: Vec::new(),
            shown: Vec::new(),
        }
    }

    /// Tells what happens.
    pub(crate) fn tell(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin(block, place) => {
                if *place == (0, 0) {
                    self.costs.clear();
                }
                if self.is_terminal && self.told.elapsed() > BETWEEN {
                    self.told = Instant::now();
                    say(&format!("\r\x1b[2K{}", self.line(&block.cell)));
                }
            }
            Event::Turn(turn) => self.count(turn),
            Event::Round(round) if round.disturbed.is_empty() => self.round = 0,
            Event::Round(_) => {
                self.repeated += 1;
                self.ended -= std::mem::take(&mut self.round);
            }
            Event::Again(block, reason) => {
                let line = format!("block {} begins anew: {reason}", block.number);
                say(&format!("{}{}\n", self.cleared(), plain(&line)));
            }
            Event::Block(block, _) => {
                self.blocks += 1;
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
    /// one turn each says, long before the table.
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
            "{}, us of CPU a fetch in its first round, one turn each, which proves nothing yet: \
             {rows}",
            block.cell
        )))
    }

    /// Ends the line on a terminal.
    pub(crate) fn end(&self) {
        if self.is_terminal {
            say(&format!("\r\x1b[2K{} turns, {} invalid\n", self.ended, self.invalid));
        }
    }

    /// Counts a turn that has ended.
    fn count(&mut self, turn: &TurnRecord) {
        self.ended += 1;
        self.round += 1;
        self.invalid += usize::from(turn.state != State::Valid);
        if turn.round == 0 && self.costs.iter().all(|(model, _)| *model != turn.model) {
            self.costs.push((turn.model.clone(), cost(turn)));
        }
    }

    /// Returns the line: where the run is, and how long it still takes.
    fn line(&self, what: &str) -> String {
        let (preset, seed) = (&self.schedule.preset, self.schedule.seed);
        let (block, blocks) = (self.blocks, self.blocks_due);
        let (percent, left) = (100 * self.ended / self.due.max(1), self.left());
        let (invalid, repeated) = (self.invalid, self.repeated);
        plain(&format!(
            "measuring {what}: {percent} %, {left} left, block {block} of {blocks}, {repeated} \
             rounds repeated, {invalid} turns invalid ({preset}, seed {seed})"
        ))
    }

    /// Returns the time left, judged by the turns that have ended.
    fn left(&self) -> String {
        let (ended, left) = (self.ended, self.due.saturating_sub(self.ended));
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
            "schema": "", "version": "", "preset": "quick", "family": "against-baseline", "seed": 1,
            "cells": [], "models": [],
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
            rounds: Vec::new(),
            session: 0,
        };
        let mut progress = Progress::new(&schedule, &[]);
        let costs = [("dear", Some(30_040.0)), ("broken", None), ("cheap", Some(20_000.0))];
        progress.costs = costs.map(|(model, cost)| (model.to_owned(), cost)).into();

        let rows = progress.first_rows(&block(0)).expect("it is the first of its cell");
        assert!(rows.ends_with(": cheap 20.0, dear 30.0, broken -"), "{rows}");
        assert!(rows.starts_with("steady, ") && rows.contains("proves nothing yet"), "{rows}");
        assert_eq!(progress.first_rows(&block(1)), None, "once is enough");
    }
}
