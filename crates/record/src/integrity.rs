//! Whether the files of a run are what was measured, and what was computed from it is still that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::fault::{self, unreadable};
use crate::folder::{DERIVED, MEASURED, derived_list, manifest_line};

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

impl Integrity {
    /// Compares the files of a folder with its manifest.
    pub(crate) fn of(path: &Path) -> Result<Self> {
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
