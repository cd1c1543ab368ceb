//! The journal: one line a trial, with a checksum, failures included.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use model_kit::Receipt;
use model_kit::pipe::Trial;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What became of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The number of its block.
    pub block: u32,
    /// Its place in the order of the block, from 0.
    pub position: u32,
    /// The name of the cell.
    pub cell: String,
    /// The name of the model.
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

/// A line: the checksum covers the exact text of the trial.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    crc32: String,
    #[serde(borrow)]
    trial: &'a RawValue,
}

impl TrialRecord {
    /// Returns the model's own figures, if they may be used.
    pub fn valid(&self) -> Option<&Trial> {
        self.trial.as_ref().filter(|_| self.state == State::Valid)
    }

    /// Returns the line that stands for it in the journal.
    pub(crate) fn to_line(&self) -> Result<String> {
        let trial = serde_json::value::to_raw_value(self).context("failed to write a trial")?;
        let line = Line { crc32: checksum(&trial), trial: &trial };
        Ok(serde_json::to_string(&line).context("failed to write a line of the journal")? + "\n")
    }

    /// Returns the trial that a line stands for.
    pub(crate) fn from_line(line: &str) -> Result<Self> {
        let line: Line<'_> = serde_json::from_str(line).context("failed to read the line")?;
        ensure!(line.crc32 == checksum(line.trial), "failed to match the checksum of the line");
        serde_json::from_str(line.trial.get()).context("failed to read the trial of the line")
    }
}

/// Returns the CRC-32 of the text, as eight hexadecimal digits.
fn checksum(text: &RawValue) -> String {
    format!("{:08x}", crc32fast::hash(text.get().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(state: State) -> TrialRecord {
        TrialRecord {
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
        }
    }

    #[test]
    fn two_lines_come_back_as_they_went_in() {
        for state in
            [State::Valid, State::Void(vec!["a".to_owned()]), State::Failed("b".to_owned())]
        {
            let record = record(state);
            assert_eq!(TrialRecord::from_line(&record.to_line().unwrap()).unwrap(), record);
        }
    }

    #[test]
    fn a_line_with_any_byte_changed_is_refused_or_means_the_same() {
        let record = record(State::Valid);
        let line = record.to_line().unwrap();
        for place in 0..line.len() - 1 {
            let mut bytes = line.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(TrialRecord::from_line(&changed).is_err(), "{changed}");
        }
    }
}
