//! The folder of a run: written once, in order, and read back whole.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{Environment, Schedule, TrialRecord};

/// The files that the manifest covers.
const MEASURED: [&str; 3] = ["schedule.json", "environment.json", "journal.jsonl"];

/// A run that is being written.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    journal: File,
}

/// A run that was read back.
#[derive(Clone, Debug)]
pub struct Run {
    /// The name of its folder.
    pub id: String,
    /// What was decided before.
    pub schedule: Schedule,
    /// Where it ran.
    pub environment: Environment,
    /// What became of each trial.
    pub trials: Vec<TrialRecord>,
    /// Whether it came to its end.
    pub complete: bool,
}

impl RunFolder {
    /// Creates the folder under `results` and writes the schedule, synced to disk.
    ///
    /// # Errors
    ///
    /// Names the path that could not be written.
    pub fn create(results: &Path, schedule: &Schedule, environment: &Environment) -> Result<Self> {
        let text = json(schedule).context("failed to write the schedule")?;
        let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let time = time.replace(['-', ':'], "");
        let name = format!("{time}-{}-{}", environment.class(), &sha256(&text)[..8]);
        let path = results.join(&name);
        fs::create_dir_all(results).with_context(|| failed_to_write(results))?;
        fs::create_dir(&path).with_context(|| failed_to_write(&path))?;

        write_synced(&path.join("schedule.json"), &text)?;
        let text = json(environment).context("failed to write the environment")?;
        write_synced(&path.join("environment.json"), &text)?;
        let journal = path.join("journal.jsonl");
        let journal = OpenOptions::new().create_new(true).append(true).open(&journal);
        let journal = journal.with_context(|| failed_to_write(&path))?;
        // The folder's own entry must survive a crash too.
        File::open(&path).and_then(|folder| folder.sync_all()).context(failed_to_write(&path))?;
        point_latest(results, &name);
        Ok(Self { path, journal })
    }

    /// Returns where the run is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends trials to the journal and syncs it.
    ///
    /// # Errors
    ///
    /// Says that the journal could not be written; what was there before stays.
    pub fn append(&mut self, trials: &[TrialRecord]) -> Result<()> {
        let mut text = String::new();
        for trial in trials {
            text += &trial.to_line()?;
        }
        let written = self.journal.write_all(text.as_bytes());
        written.and_then(|()| self.journal.sync_data()).with_context(|| failed_to_write(&self.path))
    }

    /// Writes the manifest: the run is complete.
    ///
    /// # Errors
    ///
    /// Names the file that could not be read or written.
    pub fn finish(self) -> Result<()> {
        let line = |name: &str| {
            let path = self.path.join(name);
            let bytes = fs::read(&path).with_context(|| failed_to_read(&path))?;
            Ok(format!("{}  {name}\n", sha256(&bytes)))
        };
        let text = MEASURED.into_iter().map(line).collect::<Result<String>>()?;
        write_synced(&self.path.join("MANIFEST"), text.as_bytes())
    }
}

impl Run {
    /// Reads a run back.
    ///
    /// # Errors
    ///
    /// Names the file, and the line of the journal, that cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).with_context(|| failed_to_read(path))?;
        let journal = path.join("journal.jsonl");
        let text = fs::read_to_string(&journal).with_context(|| failed_to_read(&journal))?;
        let trials = text.lines().zip(1..).map(|(line, number)| {
            TrialRecord::from_line(line)
                .with_context(|| format!("failed to read {}, line {number}", journal.display()))
        });
        Ok(Self {
            id: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            schedule: read_json(&path.join("schedule.json"))?,
            environment: read_json(&path.join("environment.json"))?,
            trials: trials.collect::<Result<_>>()?,
            complete: path.join("MANIFEST").exists(),
        })
    }
}

/// Returns the SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Lets `latest` point to the newest run; where links cannot be made, it is only missing.
fn point_latest(results: &Path, name: &str) {
    let link = results.join("latest");
    if link.is_symlink() {
        let _ = fs::remove_file(&link);
    }
    let _ = symlink(name, link);
}

/// Returns a value as a text that a person can read.
fn json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Writes a new file and syncs it.
fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.with_context(|| failed_to_write(path))
}

/// Reads a value from a file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| failed_to_read(path))?;
    serde_json::from_str(&text).with_context(|| failed_to_read(path))
}

/// Returns the sentence for a path that cannot be written.
fn failed_to_write(path: &Path) -> String {
    format!("failed to write {}", path.display())
}

/// Returns the sentence for a path that cannot be read.
fn failed_to_read(path: &Path) -> String {
    format!("failed to read {}", path.display())
}
