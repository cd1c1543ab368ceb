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
    /// Whether it is what was measured.
    pub integrity: Integrity,
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
        // The entries of the files, and of the folder itself, must survive a crash too.
        sync_folder(&path)?;
        sync_folder(results)?;
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
            Ok(manifest_line(&bytes, name))
        };
        let text = MEASURED.into_iter().map(line).collect::<Result<String>>()?;
        // Under another name first: a crash must not leave half a manifest.
        let (new, manifest) = (self.path.join("MANIFEST.new"), self.path.join("MANIFEST"));
        write_synced(&new, text.as_bytes())?;
        fs::rename(&new, &manifest).with_context(|| failed_to_write(&manifest))?;
        sync_folder(&self.path)
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
        let integrity = Integrity::of(&path)?;
        Ok(Self {
            id: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            schedule: read_json(&path.join("schedule.json"))?,
            environment: read_json(&path.join("environment.json"))?,
            trials: read_journal(&path.join("journal.jsonl"), &integrity)?,
            integrity,
        })
    }
}

impl Integrity {
    /// Compares the files of a folder with its manifest.
    fn of(path: &Path) -> Result<Self> {
        let manifest = path.join("MANIFEST");
        if !manifest.exists() {
            return Ok(Self::Unfinished);
        }

        let text = fs::read_to_string(&manifest).with_context(|| failed_to_read(&manifest))?;
        let differs = |name: &&str| {
            let line = fs::read(path.join(name)).map(|bytes| manifest_line(&bytes, name));
            line.map_or(true, |line| !text.contains(&line))
        };
        let mut altered: Vec<&str> =
            MEASURED.iter().copied().filter(|name| differs(name)).collect();
        if text.lines().count() != MEASURED.len() {
            altered.push("MANIFEST");
        }
        let altered: Vec<String> = altered.into_iter().map(str::to_owned).collect();
        Ok(if altered.is_empty() { Self::Whole } else { Self::Altered(altered) })
    }
}

/// Reads a journal. The last line of a run that did not come to its end may be cut off: what was
/// being written when it ended was never promised.
fn read_journal(path: &Path, integrity: &Integrity) -> Result<Vec<TrialRecord>> {
    let bytes = fs::read(path).with_context(|| failed_to_read(path))?;
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let whole = if *integrity == Integrity::Unfinished { &bytes[..end] } else { &bytes };
    let whole = str::from_utf8(whole).with_context(|| failed_to_read(path))?;
    let trials = whole.lines().zip(1..).map(|(line, number)| {
        let place = || format!("failed to read {}, line {number}", path.display());
        TrialRecord::from_line(line).with_context(place)
    });
    trials.collect()
}

/// Returns the line of a file in the manifest.
fn manifest_line(bytes: &[u8], name: &str) -> String {
    format!("{}  {name}\n", sha256(bytes))
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

/// Syncs the entries of a folder.
fn sync_folder(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.with_context(|| failed_to_write(path))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Placement, State};

    /// Writes a small run and returns its folder, kept as long as the first value is.
    fn written() -> (tempfile::TempDir, PathBuf) {
        let results = tempfile::tempdir().unwrap();
        let placement = Placement {
            model_cpus: vec![1],
            origin_cpus: vec![0],
            workers: 1,
            shards: 1,
            awake: true,
        };
        let schedule = Schedule {
            schema: "inflight.schedule/1.0".to_owned(),
            version: "0.1.0".to_owned(),
            preset: "test".to_owned(),
            seed: 1,
            placement,
            cells: Vec::new(),
            models: Vec::new(),
            absent: Vec::new(),
            blocks: Vec::new(),
        };
        let environment = Environment::read(results.path(), "none", BTreeMap::new());
        let mut folder = RunFolder::create(results.path(), &schedule, &environment).unwrap();
        for block in 0..3 {
            folder.append(&[trial(block)]).unwrap();
        }
        let path = folder.path().to_owned();
        folder.finish().unwrap();
        (results, path)
    }

    /// Returns a trial of a block.
    fn trial(block: u32) -> TrialRecord {
        TrialRecord {
            block,
            position: 0,
            cell: "steady".to_owned(),
            model: "tokio".to_owned(),
            started_utc: "2026-11-22T10:15:02Z".to_owned(),
            spent_ms: 950,
            state: State::Failed("it hung".to_owned()),
            versions: BTreeMap::new(),
            trial: None,
            receipt: None,
        }
    }

    #[test]
    fn a_run_is_read_back_as_it_was_written() {
        let (_results, path) = written();
        let run = Run::read(&path).unwrap();
        assert_eq!(run.integrity, Integrity::Whole);
        assert_eq!(run.trials, [trial(0), trial(1), trial(2)]);
    }

    #[test]
    fn the_name_of_a_run_ends_in_the_hash_of_its_schedule() {
        let (_results, path) = written();
        let hash = sha256(&fs::read(path.join("schedule.json")).unwrap());
        assert!(path.to_string_lossy().ends_with(&hash[..8]));
    }

    #[test]
    fn any_changed_byte_of_any_file_is_noticed() {
        let (_results, path) = written();
        for name in [&MEASURED[..], &["MANIFEST"]].concat() {
            let file = path.join(name);
            let good = fs::read(&file).unwrap();
            for place in (0..good.len()).step_by(7) {
                let mut bytes = good.clone();
                bytes[place] ^= 1;
                fs::write(&file, &bytes).unwrap();
                let whole = Run::read(&path).is_ok_and(|run| run.integrity == Integrity::Whole);
                assert!(!whole, "{name}, byte {place}");
            }
            fs::write(&file, &good).unwrap();
        }
    }

    #[test]
    fn a_run_that_was_cut_keeps_every_line_that_was_whole() {
        let (_results, path) = written();
        fs::remove_file(path.join("MANIFEST")).unwrap();
        let journal = path.join("journal.jsonl");
        let text = fs::read(&journal).unwrap();
        fs::write(&journal, &text[..text.len() - 10]).unwrap();
        let run = Run::read(&path).unwrap();
        assert_eq!(run.integrity, Integrity::Unfinished);
        assert_eq!(run.trials, [trial(0), trial(1)]);
    }

    #[test]
    fn a_journal_line_that_is_lost_doubled_or_swapped_is_noticed() {
        let (_results, path) = written();
        let journal = path.join("journal.jsonl");
        let text = fs::read_to_string(&journal).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for order in [&[0, 1][..], &[0, 1, 1, 2], &[1, 0, 2]] {
            let changed: Vec<&str> = order.iter().map(|&line| lines[line]).collect();
            fs::write(&journal, changed.join("\n") + "\n").unwrap();
            let altered = Integrity::Altered(vec!["journal.jsonl".to_owned()]);
            assert_eq!(Run::read(&path).unwrap().integrity, altered);
        }
    }
}
