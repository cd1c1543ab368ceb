//! How far a run is, on stderr, told between measured windows and never inside one.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use harness::Event;
use record::{Schedule, State, TrialRecord};

/// How far a run is.
pub(crate) struct Progress<'a> {
    schedule: &'a Schedule,
    began: Instant,
    trials: usize,
    ended: usize,
    valid: usize,
    is_terminal: bool,
}

impl<'a> Progress<'a> {
    /// Begins before the first trial.
    pub(crate) fn new(schedule: &'a Schedule) -> Self {
        let trials = schedule.blocks.iter().map(|block| block.order.len()).sum();
        let is_terminal = io::stderr().is_terminal();
        Self { schedule, began: Instant::now(), trials, ended: 0, valid: 0, is_terminal }
    }

    /// Tells what happens.
    pub(crate) fn tell(&mut self, event: &Event<'_>) {
        match event {
            Event::Trial(block, position) if self.is_terminal => {
                let line = format!("{} {}", block.cell, block.order[*position]);
                eprint!("\r\x1b[2K{}", self.line(block.number, &line));
                let _ = io::stderr().flush();
                self.ended += 1;
            }
            Event::Trial(..) => self.ended += 1,
            Event::Block(block, trials) => {
                let valid = |trial: &&TrialRecord| trial.state == State::Valid;
                self.valid += trials.iter().filter(valid).count();
                if !self.is_terminal {
                    eprintln!("{}", self.line(block.number, &block.cell));
                }
            }
        }
    }

    /// Ends the line on a terminal.
    pub(crate) fn end(&self) {
        if self.is_terminal {
            eprintln!("\r\x1b[2K{} trials, {} valid", self.ended, self.valid);
        }
    }

    /// Returns the line: where the run is, and how long it still takes.
    fn line(&self, block: u32, what: &str) -> String {
        let blocks = self.schedule.blocks.len();
        let percent = 100 * self.ended / self.trials.max(1);
        format!("block {} of {blocks}, {percent} %, {} left: {what}", block + 1, self.left())
    }

    /// Returns the time left, judged by the trials that have ended.
    fn left(&self) -> String {
        let (ended, left) = (self.ended, self.trials - self.ended);
        let Ok(each) = u32::try_from(ended.max(1)) else { return "?".to_owned() };
        let left = self.began.elapsed() / each * u32::try_from(left).unwrap_or(u32::MAX);
        match ended {
            0 => "?".to_owned(),
            _ => format!("{} s", Duration::as_secs(&left)),
        }
    }
}
