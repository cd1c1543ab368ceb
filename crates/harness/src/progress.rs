//! How far a run is, on stderr, reported between turns and never inside one.
//!
//! On a terminal the line of a phase, and below it the ratios so far, are drawn again between
//! rounds; elsewhere each block is a line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use record::{Block, Schedule, StopRule, TurnRecord};
use workload::plain;

use crate::Event;
use crate::forecast::{block_s, cost};
use crate::live::Live;
use crate::terminal::screen;

/// How often a terminal is drawn again at most: four times a second.
const BETWEEN: Duration = Duration::from_millis(250);
/// What stands before the phases of a run.
const PHASES: [&str; 3] = ["[1/3] ", "[2/3] ", "[3/3] "];
/// Whether nothing is reported.
static QUIET: AtomicBool = AtomicBool::new(false);
/// How many lines at the end of the terminal are drawn again.
static DRAWN: AtomicUsize = AtomicUsize::new(0);

/// Reports nothing more of how far a run is; errors are still reported.
pub fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Says that the report of a run is written, which is its last phase.
pub fn writing_report() {
    show(&[format!("{}writing the report", PHASES[2])]);
}

/// How many programs are built.
pub(crate) struct Building {
    phase: &'static str,
    due: usize,
    begun: usize,
    /// What was built jointly, and need not be reported again.
    built: BTreeSet<String>,
}

impl Building {
    /// Begins before the first of so many programs, which are all that is asked for.
    pub(crate) fn alone(due: usize) -> Self {
        Self { phase: "", due, begun: 0, built: BTreeSet::new() }
    }

    /// Begins before the first of so many programs of a run.
    pub(crate) fn of_run(due: usize) -> Self {
        Self { phase: PHASES[0], due, begun: 0, built: BTreeSet::new() }
    }

    /// Passes over one that cannot be built here.
    pub(crate) fn pass_over(&mut self) {
        self.begun += 1;
    }

    /// Reports which one is built next, unless it was built already.
    pub(crate) fn next(&mut self, package: &str) {
        if !self.built.contains(package) {
            self.begun += 1;
            self.show("building", package);
        }
    }

    /// Reports that one was built, whose turn comes later.
    pub(crate) fn built(&mut self, package: &str) {
        if self.built.insert(package.to_owned()) {
            self.begun += 1;
            self.show("built", package);
        }
    }

    fn show(&self, does: &str, package: &str) {
        let Self { phase, due, begun, .. } = self;
        let name = package.strip_prefix("model-").unwrap_or(package);
        show(&[format!("{phase}{does} {begun} of {due}: {name}")]);
    }
}

/// How far a run is.
pub(crate) struct Progress<'a> {
    schedule: &'a Schedule,
    began: Instant,
    /// About how long a turn of each block takes, in seconds: those of fetches are longer.
    turn_s: BTreeMap<u32, f64>,
    /// About how long all take that are due, and those that have ended.
    due_s: f64,
    ended_s: f64,
    blocks_due: usize,
    blocks: usize,
    ended: usize,
    invalid: usize,
    repeated: usize,
    /// Turns of the round under way.
    round: usize,
    /// When a terminal was drawn last.
    drawn: Instant,
    /// What the turns of the block under way cost, in nanoseconds a fetch; nothing where one does
    /// not count.
    costs: Vec<(String, Option<f64>)>,
    /// The cells of which rows were shown.
    shown: Vec<String>,
    live: Live,
}

impl<'a> Progress<'a> {
    /// Begins before the first turn of the blocks that are due; `done` are the turns of those that
    /// were measured earlier.
    pub(crate) fn new(schedule: &'a Schedule, due: &[Block], done: &[TurnRecord]) -> Self {
        let mut live = Live::of(schedule);
        for turn in done {
            live.take(turn);
        }
        Self {
            schedule,
            began: Instant::now(),
            due_s: due_s(schedule, due),
            turn_s: due.iter().map(|block| (block.number, turn_s(schedule, block))).collect(),
            ended_s: 0.0,
            blocks_due: due.len(),
            blocks: 0,
            ended: 0,
            invalid: 0,
            repeated: 0,
            round: 0,
            drawn: Instant::now(),
            costs: Vec::new(),
            shown: Vec::new(),
            live,
        }
    }

    /// Reports what happens.
    pub(crate) fn show(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin(block, place) => {
                if *place == (0, 0) {
                    self.costs.clear();
                    self.live.begin(block.number);
                }
            }
            Event::Turn(turn) => self.count(turn),
            Event::Round(round) => {
                let turns = std::mem::take(&mut self.round);
                if !round.disturbed.is_empty() {
                    self.repeated += 1;
                    self.ended -= turns;
                    self.ended_s -= real(turns) * self.turn_s(round.block);
                    self.live.repeat(round.round);
                }
                if self.drawn.elapsed() > BETWEEN {
                    self.draw(round.block);
                }
            }
            Event::Again(block, reason) => {
                self.live.begin(block.number);
                say(&format!(
                    "{}\n",
                    plain(&format!("block {} begins anew: {reason}", block.number))
                ));
            }
            Event::Block(block, _) => {
                self.blocks += 1;
                if screen().is_some() {
                    self.draw(block.number);
                } else if self.is_shown(block) {
                    let rows = self.first_rows(block).map_or_else(String::new, |rows| rows + "\n");
                    say(&format!("{}\n{rows}", self.line(&block.cell)));
                }
            }
            Event::Stop(stop) => {
                let what = plain(stop.cell.as_deref().unwrap_or("the run"));
                let (blocks, reason) = (stop.blocks, plain(&stop.reason));
                say(&format!("{what} ends after {blocks} blocks: {reason}\n"));
            }
        }
    }

    /// Draws the line of the phase on a terminal, and the ratios so far of the cell of a block.
    fn draw(&mut self, block: u32) {
        let Some((_, height)) = screen() else { return };
        self.drawn = Instant::now();
        let Some(block) = self.schedule.blocks.iter().find(|other| other.number == block) else {
            return;
        };
        let mut lines = vec![self.line(&block.cell)];
        if self.schedule.fetches(&block.cell) {
            lines.extend(self.live.table(self.schedule, &block.cell));
        }
        // The line of the prompt needs its place too.
        lines.truncate(height.saturating_sub(1));
        show(&lines);
    }

    /// Returns the first rows of a cell once its first block has ended, the cheapest first: what
    /// one turn each says, long before the answer.
    fn first_rows(&mut self, block: &Block) -> Option<String> {
        if self.shown.contains(&block.cell) || !self.schedule.fetches(&block.cell) {
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

    /// Ends the phase.
    pub(crate) fn end(&self) {
        if screen().is_some() {
            let (phase, ended) = (PHASES[1], self.ended);
            say(&format!("{phase}measured {ended} turns{}\n", self.invalid()));
        }
    }

    /// Counts a turn that has ended.
    fn count(&mut self, turn: &TurnRecord) {
        self.ended += 1;
        self.ended_s += self.turn_s(turn.block);
        self.round += 1;
        self.invalid += usize::from(turn.state.blames_the_model());
        self.live.take(turn);
        if turn.round == 0 && self.costs.iter().all(|(model, _)| *model != turn.model) {
            self.costs.push((turn.model.clone(), cost(turn)));
        }
    }

    /// Returns the line: where the run is, and how long it still takes.
    fn line(&self, what: &str) -> String {
        let (phase, left) = (PHASES[1], left(self.began.elapsed(), self.share()));
        let (block, blocks) = (self.blocks, self.blocks_due);
        let percent = 100.0 * self.share();
        let (repeated, invalid) = (counted(self.repeated, "round", "repeated"), self.invalid());
        plain(&format!(
            "{phase}measuring {what}: {percent:.0} %, {left} left, block {block} of \
             {blocks}{repeated}{invalid}"
        ))
    }

    /// Returns how many turns are invalid by what their model did; others are measured again.
    fn invalid(&self) -> String {
        counted(self.invalid, "turn", "invalid")
    }

    /// Returns which share has ended of all that is due.
    fn share(&self) -> f64 {
        (self.ended_s / self.due_s.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }

    /// Returns about how long a turn of a block takes, in seconds.
    fn turn_s(&self, block: u32) -> f64 {
        self.turn_s.get(&block).copied().unwrap_or_default()
    }

    /// Returns whether the end of a block is a line: those of operations are many and short.
    fn is_shown(&self, block: &Block) -> bool {
        let is_last = self.blocks == self.blocks_due;
        self.schedule.fetches(&block.cell) || is_last || self.blocks.is_multiple_of(10)
    }
}

/// Writes the time left, judged by what share has ended meanwhile.
fn left(meanwhile: Duration, share: f64) -> String {
    let left_s = meanwhile.as_secs_f64() * (1.0 - share) / share;
    match left_s {
        _ if share <= 0.0 => "?".to_owned(),
        ..100.0 => format!("{left_s:.0} s"),
        _ => format!("{:.0} min", left_s / 60.0),
    }
}

/// Returns about how long some blocks take, in seconds: those of fetches at most as long as the
/// rule allows by which they end.
fn due_s(schedule: &Schedule, due: &[Block]) -> f64 {
    let of = |fetches: bool| {
        let own = due.iter().filter(|block| schedule.fetches(&block.cell) == fetches);
        own.map(|block| block_s(schedule, block)).sum::<f64>()
    };
    let most = |rule: &StopRule| 60.0 * f64::from(rule.minutes_max);
    of(true).min(schedule.stop.as_ref().map_or(f64::INFINITY, most)) + of(false)
}

/// Returns about how long a turn of a block takes, in seconds.
fn turn_s(schedule: &Schedule, block: &Block) -> f64 {
    block_s(schedule, block) / real(block.turns().max(1))
}

/// Returns a length as a real number.
#[expect(clippy::cast_precision_loss, reason = "a run has few turns")]
fn real(length: usize) -> f64 {
    length as f64
}

/// Writes behind a comma how many things are in a state, if any is.
fn counted(number: usize, thing: &str, state: &str) -> String {
    match number {
        0 => String::new(),
        1 => format!(", 1 {thing} {state}"),
        _ => format!(", {number} {thing}s {state}"),
    }
}

/// Shows lines: on a terminal in place of those that were shown before, elsewhere below them.
fn show(lines: &[String]) {
    let Some((width, _)) = screen() else { return say(&(lines.join("\n") + "\n")) };
    let before = DRAWN.swap(lines.len(), Ordering::Relaxed);
    write(&(erased(before) + &cut(lines, width)));
}

/// Says something on stderr that stays.
pub(crate) fn say(text: &str) {
    write(&(erased(DRAWN.swap(0, Ordering::Relaxed)) + text));
}

/// Returns lines, each short enough that a terminal does not break it, which would make it two.
fn cut(lines: &[String], width: usize) -> String {
    let letters = width.saturating_sub(1);
    lines.iter().map(|line| line.chars().take(letters).collect::<String>() + "\n").collect()
}

/// Returns what takes away so many lines above the cursor.
fn erased(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\r\x1b[{lines}A\x1b[J") }
}

/// Writes a text on stderr; whoever closed it does not want to know.
fn write(text: &str) {
    if QUIET.load(Ordering::Relaxed) {
        return;
    }
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a schedule without a block.
    fn schedule() -> Schedule {
        let schedule = serde_json::from_value(serde_json::json!({
            "schema": "", "version": "", "preset": "quick", "family": "against-baseline", "seed": 1,
            "cells": [{ "name": "steady", "workload": "steady", "in_flight": 1, "warmup": 1,
                        "fetches": 1, "delay_ms": [0, 0], "body_bytes": 0 }],
            "models": [], "absent": [], "blocks": [],
            "placement": {
                "model_cpus": [], "origin_cpus": [], "workers": 1, "shards": 1, "awake": false
            },
        }));
        schedule.expect("it has its fields")
    }

    #[test]
    fn a_cell_has_rows_as_soon_as_its_first_block_has_ended() {
        let schedule = schedule();
        let block = |number| Block {
            number,
            cell: "steady".to_owned(),
            seed: 1,
            rounds: Vec::new(),
            session: 0,
        };
        let mut progress = Progress::new(&schedule, &[], &[]);
        let costs = [("costly", Some(30_040.0)), ("broken", None), ("cheap", Some(20_000.0))];
        progress.costs = costs.map(|(model, cost)| (model.to_owned(), cost)).into();

        let rows = progress.first_rows(&block(0)).expect("it is the first of its cell");
        assert!(rows.ends_with(": cheap 20.0, costly 30.0, broken -"), "{rows}");
        assert!(rows.starts_with("steady, ") && rows.contains("proves nothing yet"), "{rows}");
        assert_eq!(progress.first_rows(&block(1)), None, "once is enough");
    }

    #[test]
    fn a_line_names_the_phase_and_what_is_not_as_it_should_be() {
        let schedule = schedule();
        let mut progress = Progress::new(&schedule, &[], &[]);
        (progress.due_s, progress.blocks_due) = (20.0, 28);
        let line = progress.line("steady");
        assert_eq!(line, "[2/3] measuring steady: 0 %, ? left, block 0 of 28");
        (progress.ended, progress.blocks, progress.repeated) = (82, 11, 3);
        (progress.ended_s, progress.invalid) = (8.2, 1);
        let line = progress.line("steady");
        assert!(line.starts_with("[2/3] measuring steady: 41 %, "), "{line}");
        assert!(
            line.ends_with(" left, block 11 of 28, 3 rounds repeated, 1 turn invalid"),
            "{line}"
        );
    }

    #[test]
    fn what_is_due_is_no_longer_than_the_rule_that_ends_it() {
        let block = |number| {
            let (cell, rounds) = ("steady".to_owned(), Vec::new());
            Block { number, cell, seed: 1, rounds, session: 0 }
        };
        let blocks: Vec<Block> = (0..1_000).map(block).collect();
        let mut schedule = schedule();
        let all_s = due_s(&schedule, &blocks);
        assert!(all_s > 120.0, "{all_s}");
        let stop = |minutes_max| StopRule { blocks_min: 1, half_width_permille: 1, minutes_max };
        schedule.stop = Some(stop(1));
        assert!((due_s(&schedule, &blocks) - 60.0).abs() < 1e-9);
        schedule.stop = Some(stop(60));
        assert!((due_s(&schedule, &blocks) - all_s).abs() < 1e-9);
    }

    #[test]
    fn the_time_left_is_what_the_rest_takes_at_the_pace_so_far() {
        for (meanwhile_s, share, text) in
            [(0, 0.0, "?"), (30, 0.5, "30 s"), (90, 0.9, "10 s"), (300, 0.25, "15 min")]
        {
            assert_eq!(left(Duration::from_secs(meanwhile_s), share), text);
        }
    }

    #[test]
    fn lines_are_drawn_over_those_before_and_never_broken() {
        let lines = ["[2/3] measuring steady".to_owned(), "smol".to_owned()];
        assert_eq!(cut(&lines, 80), "[2/3] measuring steady\nsmol\n");
        assert_eq!(cut(&lines, 10), "[2/3] mea\nsmol\n");
        assert_eq!((erased(0), erased(2)), (String::new(), "\r\x1b[2A\x1b[J".to_owned()));
    }
}
