//! A run as it is read back: whole, checked against its manifest and its schedule.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use crate::fault::{self, Unreadable, unreadable};
use crate::folder::{DERIVED, MEASURED, derived_list, manifest_line, own_name, sha256};
use crate::{Entry, Environment, PrimitiveTrials, Resume, Schedule, Stop, TrialRecord};

/// A run that was read back.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its own name, whatever its folder is called.
    pub id: String,
    /// What was decided before.
    pub schedule: Schedule,
    /// Where it ran.
    pub environment: Environment,
    /// What became of each trial of each whole block.
    pub trials: Vec<TrialRecord>,
    /// Trials of blocks that were cut short: they are left out of every figure.
    pub cut: Vec<TrialRecord>,
    /// What became of each trial of a primitive.
    pub primitives: PrimitiveTrials,
    /// Why blocks that were planned were not measured.
    pub stops: Vec<Stop>,
    /// When the run went on after it had been cut short.
    pub resumes: Vec<Resume>,
    /// Whether it is what was measured.
    pub integrity: Integrity,
    /// SHA-256 of its manifest, by which it is cited; none if it did not come to its end.
    pub content_sha256: Option<String>,
}

/// Whether a folder holds what was measured. It detects damage and casual edits; whoever alters a
/// run with care can write a manifest for it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Integrity {
    /// Every file is what the manifest says.
    Whole,
    /// There is no manifest: the run did not come to its end.
    Unfinished,
    /// These files are not what the manifest says.
    Altered(Vec<String>),
}

impl Run {
    /// Reads a run back.
    ///
    /// # Errors
    ///
    /// Names the file, and the line of the journal, that cannot be read or that the schedule does
    /// not know.
    pub fn read(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).with_context(|| unreadable(path))?;
        let integrity = Integrity::of(&path)?;
        let mut run = Self {
            id: own_name(&path),
            schedule: read_json(&path.join("schedule.json"))?,
            environment: read_json(&path.join("environment.json"))?,
            trials: Vec::new(),
            cut: Vec::new(),
            primitives: PrimitiveTrials::default(),
            stops: Vec::new(),
            resumes: Vec::new(),
            integrity,
            content_sha256: fault::read(&path.join("MANIFEST")).ok().map(|bytes| sha256(&bytes)),
        };
        run.schedule.check().with_context(|| unreadable(&path.join("schedule.json")))?;
        run.read_journal(&path.join("journal.jsonl"))?;
        run.set_cut_blocks_aside();
        run.primitives.set_cut_blocks_aside(&run.schedule.primitives);
        Ok(run)
    }

    /// Returns the number of the first block, of cells or of primitives, that has not been measured
    /// whole, if one is due.
    pub fn next_block(&self) -> Option<u32> {
        let of_primitives = self.primitives.next_block(&self.schedule.primitives);
        [self.next_block_of_cells(), of_primitives].into_iter().flatten().min()
    }

    /// Returns the number of the first block of a cell that has not been measured whole, if one is
    /// due.
    fn next_block_of_cells(&self) -> Option<u32> {
        let measured = self.trials_by_block();
        let stopped = |cell: &str| {
            self.stops.iter().any(|stop| stop.cell.as_deref().is_none_or(|name| name == cell))
        };
        let due = self.schedule.blocks.iter().filter(|block| !stopped(&block.cell));
        due.map(|block| block.number).find(|number| !measured.contains_key(number))
    }

    /// Returns the trials of whole blocks, by the number of the block.
    pub fn trials_by_block(&self) -> BTreeMap<u32, Vec<&TrialRecord>> {
        let mut blocks: BTreeMap<u32, Vec<&TrialRecord>> = BTreeMap::new();
        for trial in &self.trials {
            blocks.entry(trial.block).or_default().push(trial);
        }
        blocks
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
            Entry::Trial(trial) => {
                self.due(&trial)?;
                self.trials.push(*trial);
            }
            Entry::Primitive(trial) => {
                self.cells_are_done_before(trial.block)?;
                self.primitives.take(&self.schedule, *trial)?;
            }
            Entry::Stop(stop) => self.stops.push(stop),
            Entry::Resume(resume) => {
                self.primitives.cut_from(resume.block);
                let (cut, whole): (Vec<_>, Vec<_>) =
                    self.trials.drain(..).partition(|trial| trial.block >= resume.block);
                self.trials = whole;
                self.cut.extend(cut);
                self.resumes.push(resume);
            }
        }
        Ok(())
    }

    /// Checks that the schedule has this trial and the journal does not have it yet.
    fn due(&self, trial: &TrialRecord) -> Result<()> {
        let block = self.schedule.blocks.iter().find(|block| block.number == trial.block);
        let block = block.with_context(|| format!("the schedule has no block {}", trial.block))?;
        let position = usize::try_from(trial.position).context("the position is too large")?;
        let model = block.order.get(position);
        anyhow::ensure!(
            model == Some(&trial.model) && block.cell == trial.cell,
            "the schedule has no {} of {} at place {position} of block {}",
            trial.model,
            trial.cell,
            trial.block
        );
        anyhow::ensure!(
            self.follows(trial),
            "place {position} of block {} does not follow what stands before it",
            trial.block
        );
        Ok(())
    }

    /// Checks that every block of a cell that belongs before a block of primitives has been
    /// measured whole, or is not due.
    fn cells_are_done_before(&self, number: u32) -> Result<()> {
        let next = self.next_block_of_cells().unwrap_or(u32::MAX);
        anyhow::ensure!(number < next, "block {next} comes before {number}");
        let Some(last) = self.trials.last() else { return Ok(()) };
        let block = self.schedule.blocks.iter().find(|block| block.number == last.block);
        let is_whole = block.is_none_or(|block| block.order.len() == last.position as usize + 1);
        anyhow::ensure!(is_whole, "block {} is not whole and {number} has begun", last.block);
        Ok(())
    }

    /// Returns whether a trial comes next: in its block, or as the first of a later one after a
    /// whole one, if no block in between is due.
    fn follows(&self, trial: &TrialRecord) -> bool {
        let last = self.trials.last().map(|last| (last.block, last.position));
        if let Some((block, position)) = last.filter(|(block, _)| *block == trial.block) {
            return (block, position + 1) == (trial.block, trial.position);
        }
        let blocks = &self.schedule.blocks;
        let is_whole = |block: u32, position: u32| {
            let order = blocks.iter().find(|other| other.number == block).map(|b| b.order.len());
            order == usize::try_from(position).ok().map(|position| position + 1)
        };
        let stopped = |cell: &str| self.stops.iter().any(|stop| stop.cell.as_deref() == Some(cell));
        let next = last.map_or(0, |(block, _)| block + 1);
        let between = blocks.iter().filter(|b| (next..trial.block).contains(&b.number));
        trial.position == 0
            && last.is_none_or(|(block, position)| block < trial.block && is_whole(block, position))
            && between.into_iter().all(|block| stopped(&block.cell))
    }

    /// Sets the trials of the block aside in which the run was cut short, if it was.
    fn set_cut_blocks_aside(&mut self) {
        let whole: Vec<u32> = {
            let measured = self.trials_by_block();
            let blocks = self.schedule.blocks.iter();
            let is_whole = |number: u32, length: usize| {
                measured.get(&number).is_some_and(|trials| trials.len() == length)
            };
            let whole = blocks.filter(|block| is_whole(block.number, block.order.len()));
            whole.map(|block| block.number).collect()
        };
        let (whole, cut): (Vec<_>, Vec<_>) =
            self.trials.drain(..).partition(|trial| whole.contains(&trial.block));
        self.trials = whole;
        self.cut.extend(cut);
    }
}

impl Integrity {
    /// Compares the files of a folder with its manifest.
    fn of(path: &Path) -> Result<Self> {
        let manifest = path.join("MANIFEST");
        if !manifest.exists() {
            return Ok(Self::Unfinished);
        }

        let text = String::from_utf8(fault::read(&manifest)?);
        let text = text.with_context(|| unreadable(&manifest))?;
        let expected = |name: &str| {
            fault::read(&path.join(name)).map_or(String::new(), |bytes| manifest_line(&bytes, name))
        };
        let lines: Vec<String> = MEASURED.into_iter().map(expected).collect();
        let differs = |line: &String| line.is_empty() || !text.contains(line);
        let altered = MEASURED.iter().zip(&lines).filter(|(_, line)| differs(line));
        let mut altered: Vec<String> = altered.map(|(name, _)| (*name).to_owned()).collect();
        if altered.is_empty() && text != lines.concat() {
            altered.push("MANIFEST".to_owned());
        }
        Ok(if altered.is_empty() { Self::Whole } else { Self::Altered(altered) })
    }
}

/// Compares what is stored as computed from a run with what is computed now, by a program of the
/// given version; returns the files that differ, are missing, or should not be there.
///
/// # Errors
///
/// Says that nothing was computed, or by which other version.
pub fn differing_derived(
    path: &Path,
    version: &str,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<PathBuf>> {
    let folder = path.join(DERIVED[0]);
    let list = fault::read(&folder.join(DERIVED[1])).with_context(|| unreadable(&folder))?;
    let mut expected = files.clone();
    expected.insert(DERIVED[1].to_owned(), derived_list(version, files).into_bytes());
    let mut differing: Vec<PathBuf> = expected
        .iter()
        .filter(|(name, bytes)| fault::read(&folder.join(name)).ok().as_ref() != Some(bytes))
        .map(|(name, _)| Path::new(DERIVED[0]).join(name))
        .collect();
    let listed = String::from_utf8_lossy(&list);
    let listed = listed.lines().skip(1).filter_map(|line| line.split_once("  "));
    let gone = listed.filter(|(_, name)| !expected.contains_key(*name));
    differing.extend(gone.map(|(_, name)| Path::new(DERIVED[0]).join(name)));
    Ok(differing)
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

/// Checks that a schema is of the first major version: its minors only add.
pub(crate) fn known(schema: &str) -> Result<()> {
    let version = schema.strip_prefix("inflight.").and_then(|rest| rest.split_once('/'));
    let major = version.and_then(|(_, version)| version.split_once('.')).map(|(major, _)| major);
    anyhow::ensure!(
        major == Some("1"),
        "its schema is {schema:?}, expected major version 1: a newer Inflight may read it"
    );
    Ok(())
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
