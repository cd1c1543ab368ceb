//! A run as it is read back: whole, checked against its manifest and its schedule.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rules::Reason;
use serde::de::DeserializeOwned;

use crate::fault::{self, Unreadable, unreadable};
use crate::folder::sha256;
use crate::name::own_name;
use crate::{
    Again, BlockRecord, Entry, Environment, Integrity, Resume, RoundRecord, Schedule, State,
    StayRecord, Stop, TurnRecord,
};

/// A run that was read back.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its own name, whatever its folder is called.
    pub id: String,
    /// What was decided before.
    pub schedule: Schedule,
    /// Where it ran.
    pub environment: Environment,
    /// What became of each turn of each round that counts, of each whole block.
    pub turns: Vec<TurnRecord>,
    /// The rounds that count, of whole blocks.
    pub rounds: Vec<RoundRecord>,
    /// What became of each whole block.
    pub blocks: Vec<BlockRecord>,
    /// Turns of rounds that were disturbed and measured again: they are left out of every figure.
    pub repeated: Vec<TurnRecord>,
    /// What disturbed these rounds.
    pub disturbed: Vec<RoundRecord>,
    /// Turns of blocks that were cut short: they are left out of every figure.
    pub cut: Vec<TurnRecord>,
    /// Why no turn of a participant in a cell may be used, by cell and participant: laws for which
    /// single blocks have too few turns.
    pub over_blocks: BTreeMap<(String, String), Vec<Reason>>,
    /// Why blocks were begun anew.
    pub again: Vec<Again>,
    /// Why blocks that were planned were not measured.
    pub stops: Vec<Stop>,
    /// When the run went on after it had been cut short.
    pub resumes: Vec<Resume>,
    /// Whether it is what was measured.
    pub integrity: Integrity,
    /// SHA-256 of its manifest, by which it is cited; none if it did not come to its end.
    pub content_sha256: Option<String>,
}

impl Run {
    /// Returns a run in which nothing was measured yet.
    pub fn new(id: String, schedule: Schedule, environment: Environment) -> Self {
        Self {
            id,
            schedule,
            environment,
            turns: Vec::new(),
            rounds: Vec::new(),
            blocks: Vec::new(),
            repeated: Vec::new(),
            disturbed: Vec::new(),
            cut: Vec::new(),
            over_blocks: BTreeMap::new(),
            again: Vec::new(),
            stops: Vec::new(),
            resumes: Vec::new(),
            integrity: Integrity::Whole,
            content_sha256: None,
        }
    }

    /// Reads a run back.
    ///
    /// # Errors
    ///
    /// Names the file, and the line of the journal, that cannot be read or that the schedule does
    /// not know.
    pub fn read(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).with_context(|| unreadable(path))?;
        let integrity = Integrity::of(&path)?;
        let schedule = read_json(&path.join("schedule.json"))?;
        let environment = read_json(&path.join("environment.json"))?;
        let mut run = Self {
            integrity,
            content_sha256: fault::read(&path.join("MANIFEST")).ok().map(|bytes| sha256(&bytes)),
            ..Self::new(own_name(&path), schedule, environment)
        };
        run.schedule.check().with_context(|| unreadable(&path.join("schedule.json")))?;
        run.read_journal(&path.join("journal.jsonl"))?;
        run.set_cut_blocks_aside();
        run.hold_over_stays();
        run.hold_over_blocks();
        Ok(run)
    }

    /// Returns the number of the first block that has not been measured whole, if one is due.
    pub fn next_block(&self) -> Option<u32> {
        let measured: Vec<u32> = self.blocks.iter().map(|block| block.block).collect();
        let due = self.schedule.blocks.iter().filter(|block| !self.has_stopped(&block.cell));
        due.map(|block| block.number).find(|number| !measured.contains(number))
    }

    /// Returns whether no further block of a cell is due: it has enough, or the fetches have had
    /// their time.
    pub fn has_stopped(&self, cell: &str) -> bool {
        let ends = |stop: &Stop| match &stop.cell {
            Some(name) => name == cell,
            None => self.schedule.fetches(cell),
        };
        self.stops.iter().any(ends)
    }

    /// Returns the turns of whole blocks, by the number of the block.
    pub fn turns_by_block(&self) -> BTreeMap<u32, Vec<&TurnRecord>> {
        let mut blocks: BTreeMap<u32, Vec<&TurnRecord>> = BTreeMap::new();
        for turn in &self.turns {
            blocks.entry(turn.block).or_default().push(turn);
        }
        blocks
    }

    /// Returns whether the figures are what was asked for: no model did anything wrong, and of no
    /// participant of a cell more than half of the turns were disturbed.
    pub fn is_sound(&self) -> bool {
        let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
        for turn in &self.turns {
            let (valid, all) = counts.entry((&turn.cell, &turn.model)).or_default();
            *valid += usize::from(turn.state == State::Valid);
            *all += 1;
        }
        self.turns.iter().all(|turn| !turn.state.blames_the_model())
            && counts.values().all(|(valid, all)| 2 * valid >= *all)
    }

    /// Returns the stays of a participant in the blocks of a cell.
    pub fn stays(&self, cell: &str, model: &str) -> Vec<(u32, &StayRecord)> {
        let of_cell = |number: u32| {
            let block = self.schedule.block(number);
            block.is_some_and(|block| block.cell == cell)
        };
        let blocks = self.blocks.iter().filter(|block| of_cell(block.block));
        blocks.filter_map(|block| Some((block.block, block.stays.get(model)?))).collect()
    }

    /// Returns the versions that a model reported, if it ever reported any.
    pub fn versions(&self, model: &str) -> BTreeMap<String, String> {
        let mut stays = self.blocks.iter().filter_map(|block| block.stays.get(model));
        let reported = stays.find(|stay| !stay.versions.is_empty());
        reported.map(|stay| stay.versions.clone()).unwrap_or_default()
    }

    /// Reads the journal. The last line of a run that did not come to its end may be cut off: what
    /// was being written when it ended was never promised.
    fn read_journal(&mut self, path: &Path) -> Result<()> {
        let bytes = fault::read(path)?;
        let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        let whole = if self.integrity == Integrity::Unfinished { &bytes[..end] } else { &bytes };
        let whole = str::from_utf8(whole).with_context(|| unreadable(path))?;
        for (line, number) in whole.lines().zip(1..) {
            let place = || Unreadable(format!("{}, line {number}", path.display()));
            let entry = Entry::from_line(line).with_context(place)?;
            self.take(entry).with_context(place)?;
        }
        Ok(())
    }

    /// Takes what a line of the journal says.
    fn take(&mut self, entry: Entry) -> Result<()> {
        match entry {
            Entry::Begin(begin) => known(&begin.schema)?,
            Entry::Turn(turn) => {
                self.due(&turn)?;
                self.turns.push(*turn);
            }
            Entry::Round(round) => self.take_round(round)?,
            Entry::Block(block) => self.take_block(*block)?,
            Entry::Again(again) => {
                self.cut_from(again.block);
                self.again.push(again);
            }
            Entry::Stop(stop) => self.stops.push(stop),
            Entry::Resume(resume) => {
                self.cut_from(resume.block);
                self.resumes.push(resume);
            }
        }
        Ok(())
    }

    /// Takes the end of a round: it counts, or its turns are set aside.
    fn take_round(&mut self, round: RoundRecord) -> Result<()> {
        let place = (round.block, round.round);
        let of_round = |turn: &TurnRecord| (turn.block, turn.round) == place;
        let length = self.round_length(place).context("the schedule has no such round")?;
        let ended = self.turns.iter().rev().take_while(|turn| of_round(turn)).count();
        anyhow::ensure!(
            ended == length && !self.has_round(place),
            "round {} of block {} has {ended} turns of {length}, or ended before",
            round.round,
            round.block
        );
        if round.disturbed.is_empty() {
            self.rounds.push(round);
        } else {
            let first = self.turns.len() - ended;
            self.repeated.extend(self.turns.split_off(first));
            self.disturbed.push(round);
        }
        Ok(())
    }

    /// Takes the end of a block.
    fn take_block(&mut self, block: BlockRecord) -> Result<()> {
        let planned = self.schedule.block(block.block);
        let planned =
            planned.with_context(|| format!("the schedule has no block {}", block.block))?;
        let ended = self.rounds.iter().filter(|round| round.block == block.block).count();
        anyhow::ensure!(
            ended == planned.rounds.len() && !self.is_whole(block.block),
            "block {} has {ended} rounds of {}, or ended before",
            block.block,
            planned.rounds.len()
        );
        let names: Vec<&str> = block.stays.keys().map(String::as_str).collect();
        anyhow::ensure!(
            names == planned.participants(),
            "block {} has other participants than the schedule",
            block.block
        );
        self.blocks.push(block);
        Ok(())
    }

    /// Sets everything aside that was measured from a block on.
    fn cut_from(&mut self, number: u32) {
        let (cut, whole): (Vec<_>, Vec<_>) =
            self.turns.drain(..).partition(|turn| turn.block >= number);
        self.turns = whole;
        self.cut.extend(cut);
        self.rounds.retain(|round| round.block < number);
        self.blocks.retain(|block| block.block < number);
    }

    /// Returns whether a block has come to its end.
    fn is_whole(&self, number: u32) -> bool {
        self.blocks.iter().any(|block| block.block == number)
    }

    /// Returns whether a round counts.
    fn has_round(&self, (block, round): (u32, u32)) -> bool {
        self.rounds.iter().any(|other| (other.block, other.round) == (block, round))
    }

    /// Returns how many turns a round of the schedule has.
    fn round_length(&self, (block, round): (u32, u32)) -> Option<usize> {
        let block = self.schedule.block(block)?;
        Some(block.rounds.get(usize::try_from(round).ok()?)?.len())
    }

    /// Checks that the schedule has this turn and that it is the next one.
    fn due(&self, turn: &TurnRecord) -> Result<()> {
        let block = self.schedule.block(turn.block);
        let block = block.with_context(|| format!("the schedule has no block {}", turn.block))?;
        let [round, position] = [turn.round, turn.position].map(|place| place as usize);
        let model = block.rounds.get(round).and_then(|order| order.get(position));
        anyhow::ensure!(
            model == Some(&turn.model) && block.cell == turn.cell,
            "the schedule has no {} of {} at place {position} of round {round} of block {}",
            turn.model,
            turn.cell,
            turn.block
        );
        anyhow::ensure!(
            self.follows(turn),
            "place {position} of round {round} of block {} does not follow what stands before it",
            turn.block
        );
        Ok(())
    }

    /// Returns whether a turn comes next: in its round; as the first of a round after one that
    /// counts; or as the first of a later block after a whole one, if none in between is due.
    fn follows(&self, turn: &TurnRecord) -> bool {
        let Some(last) = self.turns.last() else {
            return (turn.round, turn.position) == (0, 0) && self.none_due_before(0, turn.block);
        };
        if (last.block, last.round) == (turn.block, turn.round) {
            return last.position + 1 == turn.position;
        }
        if last.block == turn.block {
            let ended = self.has_round((last.block, last.round));
            return ended && turn.position == 0 && last.round + 1 == turn.round;
        }
        (turn.round, turn.position) == (0, 0)
            && last.block < turn.block
            && self.is_whole(last.block)
            && self.none_due_before(last.block + 1, turn.block)
    }

    /// Returns whether no block from one number on and before another is due.
    fn none_due_before(&self, first: u32, number: u32) -> bool {
        let blocks = &self.schedule.blocks;
        let mut between = blocks.iter().filter(|b| (first..number).contains(&b.number));
        between.all(|block| self.has_stopped(&block.cell))
    }

    /// Sets the turns of the block aside in which the run was cut short, if it was.
    fn set_cut_blocks_aside(&mut self) {
        let whole: Vec<u32> = self.blocks.iter().map(|block| block.block).collect();
        let (kept, cut): (Vec<_>, Vec<_>) =
            self.turns.drain(..).partition(|turn| whole.contains(&turn.block));
        self.turns = kept;
        self.cut.extend(cut);
        self.rounds.retain(|round| whole.contains(&round.block));
    }
}

/// Reads a value from a file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fault::read(path)?;
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).with_context(|| unreadable(path))?;
    let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or_default();
    known(schema).with_context(|| unreadable(path))?;
    serde_json::from_value(value).with_context(|| unreadable(path))
}

/// Checks that a schema is of the second major version: its minors only add.
pub(crate) fn known(schema: &str) -> Result<()> {
    let version = schema.strip_prefix("inflight.").and_then(|rest| rest.split_once('/'));
    let major = version.and_then(|(_, version)| version.split_once('.')).map(|(major, _)| major);
    anyhow::ensure!(
        major != Some("1"),
        "its schema is {schema:?}: only Inflight 0.1 reads it, and this is a later version"
    );
    anyhow::ensure!(
        major == Some("2"),
        "its schema is {schema:?}, expected major version 2: a newer Inflight may read it"
    );
    Ok(())
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
