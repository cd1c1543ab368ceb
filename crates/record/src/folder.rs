//! The folder of a run as it is written: once, in order, synced to disk.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::fault::{unreadable, unwritable};
use crate::{Begin, Entry, Environment, Schedule};

/// The files that the manifest covers.
pub(crate) const MEASURED: [&str; 3] = ["schedule.json", "environment.json", "journal.jsonl"];
/// The schema of the journal; its minors only add.
const JOURNAL: &str = "inflight.journal/1.4";
/// The folder of what is computed from them, and the file that lists it.
pub(crate) const DERIVED: [&str; 2] = ["derived", "DERIVED"];

/// A run that is being written.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    journal: File,
}

impl RunFolder {
    /// Creates the folder under `results` and writes machine, journal and schedule, synced to disk.
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
        fs::create_dir_all(results).with_context(|| unwritable(results))?;
        fs::create_dir(&path).with_context(|| unwritable(&path))?;

        let machine = json(environment).context("failed to write the environment")?;
        write_synced(&path.join("environment.json"), &machine)?;
        let journal = path.join("journal.jsonl");
        let journal = OpenOptions::new().create_new(true).append(true).open(&journal);
        let journal = journal.with_context(|| unwritable(&path))?;
        let mut folder = Self { path, journal };
        folder.append(&Entry::Begin(Begin { schema: JOURNAL.to_owned() }))?;
        folder.sync()?;
        // Last: a folder with a schedule is a run that can go on.
        replace(&folder.path.join("schedule.json"), &text)?;
        // The entries of the files, and of the folder itself, must survive a crash too.
        sync_folder(&folder.path)?;
        sync_folder(results)?;
        point_latest(results, &name);
        Ok(folder)
    }

    /// Opens the folder of a run that was cut short, to go on with it. A last line that was cut off
    /// is taken away: what was being written then was never promised.
    ///
    /// # Errors
    ///
    /// Names the path that could not be read or written.
    pub fn reopen(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).with_context(|| unreadable(path))?;
        let name = path.join("journal.jsonl");
        let bytes = fs::read(&name).with_context(|| unreadable(&name))?;
        let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        let mut journal =
            OpenOptions::new().write(true).open(&name).with_context(|| unwritable(&name))?;
        let end = u64::try_from(end).context("failed to measure the journal")?;
        let placed = journal.set_len(end).and_then(|()| journal.seek(SeekFrom::Start(end)));
        placed.with_context(|| unwritable(&name))?;
        Ok(Self { path, journal })
    }

    /// Returns where the run is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends to the journal. [`RunFolder::sync`] makes it last.
    ///
    /// # Errors
    ///
    /// Says that the journal could not be written; what was there before stays.
    pub fn append(&mut self, entry: &Entry) -> Result<()> {
        let line = entry.to_line()?;
        self.journal.write_all(line.as_bytes()).with_context(|| self.sentence())
    }

    /// Syncs the journal to disk.
    ///
    /// # Errors
    ///
    /// Says that it could not be, or that it is gone.
    pub fn sync(&mut self) -> Result<()> {
        // A folder that somebody has removed takes every write and keeps none.
        let there = fs::metadata(self.path.join("journal.jsonl"));
        there.and_then(|_| self.journal.sync_data()).with_context(|| self.sentence())
    }

    /// Writes the manifest: the run is complete.
    ///
    /// # Errors
    ///
    /// Names the file that could not be read or written.
    pub fn finish(mut self) -> Result<()> {
        self.sync()?;
        let line = |name: &str| {
            let path = self.path.join(name);
            let bytes = fs::read(&path).with_context(|| unreadable(&path))?;
            Ok(manifest_line(&bytes, name))
        };
        let text = MEASURED.into_iter().map(line).collect::<Result<String>>()?;
        replace(&self.path.join("MANIFEST"), text.as_bytes())?;
        sync_folder(&self.path)
    }

    /// Returns what is said when the journal cannot be written.
    fn sentence(&self) -> crate::Unwritable {
        unwritable(&self.path.join("journal.jsonl"))
    }
}

/// Writes what was computed from a run into its folder, with a list of hashes; `version` is that of
/// the program which computed it.
///
/// # Errors
///
/// Names the file that could not be written.
pub fn write_derived(path: &Path, version: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let folder = path.join(DERIVED[0]);
    // A link may lead out of the run.
    ensure!(!folder.is_symlink(), unwritable(&folder));
    for (name, bytes) in files {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).with_context(|| unwritable(parent))?;
        replace(&file, bytes)?;
    }
    replace(&folder.join(DERIVED[1]), derived_list(version, files).as_bytes())
}

/// Returns the list of what was computed: the version, then a hash a file.
pub(crate) fn derived_list(version: &str, files: &BTreeMap<String, Vec<u8>>) -> String {
    let lines = files.iter().map(|(name, bytes)| manifest_line(bytes, name));
    format!("inflight {version}\n{}", lines.collect::<String>())
}

/// Returns the line of a file in the manifest.
pub(crate) fn manifest_line(bytes: &[u8], name: &str) -> String {
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
    written.with_context(|| unwritable(path))
}

/// Writes a file under another name first, so that a crash leaves no half of it.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = path.with_extension("new");
    let written = File::create(&new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path));
    written.with_context(|| unwritable(path))
}

/// Syncs the entries of a folder.
fn sync_folder(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.with_context(|| unwritable(path))
}
