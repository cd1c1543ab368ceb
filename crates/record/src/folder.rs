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
use crate::name::HASH_DIGITS;
use crate::{Begin, Entry, Environment, INFLIGHT, Schedule, Unwritable};

/// The files that the manifest covers.
pub(crate) const MEASURED: [&str; 3] = ["schedule.json", "environment.json", "journal.jsonl"];
/// The schema of the journal; its minors only add.
const JOURNAL: &str = "inflight.journal/2.0";
/// The folder of what is computed from them, and the file that lists it.
pub(crate) const DERIVED: [&str; 2] = ["derived", "DERIVED"];

/// A run that is being written.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    journal: File,
    /// Bytes that were written since it was last synced.
    unsynced: usize,
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
        let name = format!("{time}-{}-{}", environment.class(), &sha256(&text)[..HASH_DIGITS]);
        let path = results.join(&name);
        fs::create_dir_all(results).with_context(|| unwritable(results))?;
        fs::create_dir(&path).with_context(|| unwritable(&path))?;

        let folder = Self::begun(&path, (&name, &text, environment)).inspect_err(|_| {
            // Nothing was measured, and half a folder would look like a run.
            let _ = fs::remove_dir_all(&path);
        })?;
        sync_folder(results)?;
        point_latest(results, &name);
        Ok(folder)
    }

    /// Writes machine, journal and schedule into a folder that is new.
    fn begun(
        path: &Path,
        (name, schedule, environment): (&str, &[u8], &Environment),
    ) -> Result<Self> {
        let machine = json(environment).context("failed to write the environment")?;
        write_synced(&path.join("environment.json"), &machine)?;
        let journal = path.join("journal.jsonl");
        let (schema, run) = (JOURNAL.to_owned(), Some(name.to_owned()));
        let begin = Entry::Begin(Begin { schema, run }).to_line()?;
        write_synced(&journal, begin.as_bytes())?;
        let journal = OpenOptions::new().append(true).open(&journal);
        let journal = journal.with_context(|| unwritable(path))?;
        let folder = Self { path: path.to_owned(), journal, unsynced: 0 };
        // Last: a folder with a schedule is a run that can go on.
        replace(&folder.path.join("schedule.json"), schedule)?;
        // The entries of the files, and of the folder itself, must survive a crash too.
        sync_folder(&folder.path)?;
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
        Ok(Self { path, journal, unsynced: 0 })
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
        let written = self.journal.write_all(line.as_bytes());
        self.unsynced += line.len();
        let no_room = || Unwritable::of(&self.path.join("journal.jsonl"), line.len());
        written.with_context(no_room).with_context(|| self.go_on())
    }

    /// Syncs the journal to disk.
    ///
    /// # Errors
    ///
    /// Says that it could not be, or that it is gone.
    pub fn sync(&mut self) -> Result<()> {
        // A folder that somebody has removed takes every write and keeps none.
        let path = self.path.join("journal.jsonl");
        fs::metadata(&path).with_context(|| unwritable(&path))?;
        let no_room = || Unwritable::of(&path, self.unsynced);
        let synced = self.journal.sync_data().with_context(no_room);
        synced.with_context(|| self.go_on())?;
        self.unsynced = 0;
        Ok(())
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
        let written = replace(&self.path.join("MANIFEST"), text.as_bytes());
        written.and_then(|()| sync_folder(&self.path)).with_context(|| self.go_on())
    }

    /// Says what to type once there is room again.
    fn go_on(&self) -> String {
        let folder = self.path.display();
        format!(
            "what was measured is kept: make room and go on with `{INFLIGHT} run --resume \
             {folder}`, or see it with `{INFLIGHT} report {folder}`"
        )
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
    let list = derived_list(version, files);
    let list = (DERIVED[1], list.as_bytes());
    let files = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    for (name, bytes) in files.chain([list]) {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(&folder);
        let written = fs::create_dir_all(parent).with_context(|| unwritable(parent));
        written.and_then(|()| replace(&file, bytes)).with_context(|| {
            let run = path.display();
            format!("make room and compute the rest with `{INFLIGHT} report {run}`")
        })?;
    }
    Ok(())
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
    written.with_context(|| Unwritable::of(path, bytes.len()))
}

/// Writes a file under another name first, so that a crash leaves no half of it.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = path.with_extension("new");
    let written = File::create(&new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path))
        .inspect_err(|_| {
            // The half of it takes room that is missing already.
            let _ = fs::remove_file(&new);
        });
    written.with_context(|| Unwritable::of(path, bytes.len()))
}

/// Syncs the entries of a folder.
fn sync_folder(path: &Path) -> Result<()> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.with_context(|| unwritable(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stop;

    /// Returns a line of a journal.
    fn stop() -> Entry {
        Entry::Stop(Stop { cell: None, blocks: 1, reason: "enough".to_owned() })
    }

    /// Returns a run that is being written, and its folder for as long as it is to be there.
    fn begun() -> (tempfile::TempDir, RunFolder) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        for name in MEASURED {
            fs::write(path.join(name), "").unwrap();
        }
        let journal = File::create(path.join("journal.jsonl")).unwrap();
        (folder, RunFolder { path, journal, unsynced: 0 })
    }

    /// Checks that an error says what to type, and names the bytes of a file.
    fn says(error: &anyhow::Error, wanted: &str) {
        let said = format!("{error:#}");
        assert!(said.contains("what was measured is kept: make room and go on with "), "{said}");
        assert!(said.contains(&format!("`{INFLIGHT} run --resume /")), "{said}");
        let reports = said.contains(&format!("`{INFLIGHT} report /"));
        assert!(reports && said.contains(wanted), "{said}");
        assert!(error.downcast_ref::<Unwritable>().is_some(), "{said}");
    }

    #[test]
    fn what_does_not_reach_the_disk_is_named_with_its_bytes_and_what_to_type() {
        let (_kept, mut folder) = begun();
        // A pipe takes what is written, and has nothing to sync it to: as a disk that is full only
        // when the kernel empties its cache.
        let (_reader, writer) = std::io::pipe().unwrap();
        folder.journal = File::from(std::os::fd::OwnedFd::from(writer));
        folder.append(&stop()).unwrap();
        folder.append(&stop()).unwrap();
        let bytes = 2 * stop().to_line().unwrap().len();
        says(&folder.sync().unwrap_err(), &format!("journal.jsonl ({bytes} bytes): "));
    }

    #[test]
    fn a_manifest_without_room_is_named_with_its_bytes_and_what_to_type() {
        let (kept, mut folder) = begun();
        folder.append(&stop()).unwrap();
        fs::create_dir(kept.path().join("MANIFEST.new")).unwrap();
        says(&folder.finish().unwrap_err(), "MANIFEST (");
    }
}
