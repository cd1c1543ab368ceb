//! The journal: what happened, in order, one line each with a checksum, failures included.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use model_kit::Receipt;
use model_kit::pipe::Trial;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::PrimitiveRecord;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The first line.
    Begin(Begin),
    /// A trial has ended.
    Trial(Box<TrialRecord>),
    /// A trial of a primitive has ended.
    Primitive(Box<PrimitiveRecord>),
    /// A cell has enough blocks, or the run has had its time.
    Stop(Stop),
    /// The run went on after it had been cut short.
    Resume(Resume),
}

/// How the lines that follow are to be read. Journals of 1.0 have no such line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// `inflight.journal/1.4`.
    pub schema: String,
}

/// What became of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The number of its block.
    pub block: u32,
    /// Its place in the order of the block, from 0.
    pub position: u32,
    /// The name of the cell.
    pub cell: String,
    /// The name of the model, or of the control.
    pub model: String,
    /// When it began, in UTC.
    pub started_utc: String,
    /// How long it took with everything around it, in milliseconds.
    pub spent_ms: u64,
    /// Whether its figures may be used.
    pub state: State,
    /// The versions that the model told.
    pub versions: BTreeMap<String, String>,
    /// What the model told, if it told anything.
    pub trial: Option<Trial>,
    /// What the origin saw, if it could say.
    pub receipt: Option<Receipt>,
    /// What the machine did meanwhile, if it could be read.
    #[serde(default)]
    pub host: Option<Host>,
}

/// Whether a trial's figures may be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its story is the origin's.
    Valid,
    /// It ended, and these facts forbid its use.
    Void(Vec<String>),
    /// It did not end as it should have, for this reason.
    Failed(String),
}

/// What the machine did while a trial ran, everything around its window included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// CPU time that all CPUs together had, in nanoseconds.
    pub capacity_ns: u64,
    /// The part of it in which they were busy.
    pub busy_ns: u64,
    /// The part of it that the hypervisor gave to others.
    pub steal_ns: u64,
    /// CPU time of the model's process from start to end.
    pub model_ns: u64,
    /// CPU time of the harness, which keeps CPUs awake.
    pub harness_ns: u64,
    /// The most memory that the model's process held at once, in KiB.
    pub memory_peak_kib: u64,
    /// How fast a model's CPU went through a fixed loop just before, in loops per millisecond.
    pub probe_per_ms: u64,
    /// How much further the time of day went than the monotonic clock, in milliseconds: the machine
    /// slept or was paused, or its clock was set.
    #[serde(default)]
    pub clock_jump_ms: i64,
    /// How often the control group that was hit most withheld the CPU from its processes; null
    /// where no group tells.
    #[serde(default)]
    pub throttled: Option<u64>,
}

/// Why blocks that were planned were not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The cell that has enough; none stands for the whole run.
    pub cell: Option<String>,
    /// After so many blocks of the cell, or of the run.
    pub blocks: u32,
    /// Why.
    pub reason: String,
}

/// A run went on after it had been cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// When, in UTC.
    pub at_utc: String,
    /// The first block that is measured now. Trials before this line that belong to it were cut:
    /// they stay, and are left out of every figure.
    pub block: u32,
    /// The sitting to which that block belongs.
    #[serde(default)]
    pub sitting: u32,
    /// SHA-256 of each program that ran from then on, by package.
    #[serde(default)]
    pub programs_sha256: BTreeMap<String, String>,
}

impl TrialRecord {
    /// Returns the model's own figures, if they may be used.
    pub fn valid(&self) -> Option<&Trial> {
        self.trial.as_ref().filter(|_| self.state == State::Valid)
    }
}

impl Entry {
    /// Returns the line that stands for it in the journal. The checksum covers the exact text of
    /// what the line is about.
    ///
    /// # Errors
    ///
    /// Says what cannot be written.
    pub fn to_line(&self) -> Result<String> {
        let whole = serde_json::to_string(self).context("failed to write a line of the journal")?;
        let content = content(&whole)?;
        Ok(format!("{{\"crc32\":\"{}\",{}\n", checksum(content), &whole[1..]))
    }

    /// Returns what a line stands for.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the line.
    pub fn from_line(line: &str) -> Result<Self> {
        let (told, whole) = split(line).context("failed to read the line")?;
        ensure!(told == checksum(content(&whole)?), "failed to match the checksum of the line");
        serde_json::from_str(&whole).context("failed to read what the line is about")
    }
}

/// Splits a line into its checksum and what the line is without it.
fn split(line: &str) -> Option<(&str, String)> {
    let rest = line.strip_prefix("{\"crc32\":\"")?;
    let (told, rest) = rest.split_at_checked(8)?;
    let rest = rest.strip_prefix("\",")?;
    Some((told, format!("{{{rest}")))
}

/// Returns the text that the checksum covers: the value of the one field.
fn content(whole: &str) -> Result<&str> {
    let fields: BTreeMap<&str, &RawValue> =
        serde_json::from_str(whole).context("failed to read the line")?;
    ensure!(fields.len() == 1, "failed to read the line: it is about {} things", fields.len());
    Ok(fields.into_values().next().map_or("", RawValue::get))
}

/// Returns the CRC-32 of a text, as eight hexadecimal digits.
fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(state: State) -> Entry {
        Entry::Trial(Box::new(TrialRecord {
            block: 1,
            position: 2,
            cell: "steady".to_owned(),
            model: "tokio".to_owned(),
            started_utc: "2026-11-22T10:15:02Z".to_owned(),
            spent_ms: 950,
            state,
            versions: BTreeMap::new(),
            trial: None,
            receipt: None,
            host: Some(Host::default()),
        }))
    }

    #[test]
    fn every_kind_of_line_comes_back_as_it_went_in() {
        let stop = Stop { cell: None, blocks: 3, reason: "40 minutes are over".to_owned() };
        let resume = Resume {
            at_utc: "2026-11-22T10:15:02Z".to_owned(),
            block: 7,
            sitting: 0,
            programs_sha256: BTreeMap::new(),
        };
        let entries = [
            Entry::Begin(Begin { schema: "inflight.journal/1.1".to_owned() }),
            trial(State::Valid),
            trial(State::Void(vec!["a".to_owned()])),
            trial(State::Failed("b".to_owned())),
            Entry::Stop(stop),
            Entry::Resume(resume),
        ];
        for entry in entries {
            assert_eq!(Entry::from_line(&entry.to_line().unwrap()).unwrap(), entry);
        }
    }

    #[test]
    fn a_line_with_any_byte_changed_is_refused() {
        let line = trial(State::Valid).to_line().unwrap();
        for place in 0..line.len() - 1 {
            let mut bytes = line.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(Entry::from_line(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_line_about_two_things_or_none_is_refused() {
        for line in ["", "{}", "[1]", "{\"crc32\":\"00000000\",\"a\":1,\"b\":2}"] {
            assert!(Entry::from_line(line).is_err(), "{line}");
        }
    }
}
