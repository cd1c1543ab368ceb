//! Where programs are built: that it can be written, and that what is still to be built has room.
//!
//! How much is needed is reckoned from what is not there yet, and rather too low: a build that may
//! succeed is not refused.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use record::Model;
use record::environment::target_folders;

use super::text::unseen;
use super::work::{existing, free_mib};
use super::{Opinion, Readings};
use crate::language;

/// What is written where all is built: programs are kept under their hashes.
const KEPT_MIB: u64 = 16;
/// What the origin took where this program had been built.
const ORIGIN_MIB: u64 = 64;
/// What the least of the models took where the origin had been built, and its copy.
const MODEL_MIB: u64 = 3;
/// Building every program once took 775 MiB; what tests build comes on top.
const ALL_MIB: u64 = 2_048;
/// What builds elsewhere.
pub(crate) const ELSEWHERE: &str = "export CARGO_TARGET_DIR=/var/tmp/inflight";

/// What was read of it.
#[derive(Default)]
pub(super) struct Build {
    /// Free space.
    pub(super) free_mib: Option<u64>,
    /// What is still to be built takes as much.
    pub(super) needed_mib: u64,
    /// Which folder cannot be written, and why.
    pub(super) write_error: Option<String>,
}

impl Build {
    /// Reads it for some models.
    pub(super) fn read((root, target): (&Path, &Path), models: &[Model]) -> Self {
        let of_targets = target_folders(root).into_iter().map(PathBuf::from);
        let below: Vec<PathBuf> = [PathBuf::new()].into_iter().chain(of_targets).collect();
        let releases = || below.iter().map(|below| target.join(below).join("release"));
        let is_due = |package: &str| !releases().any(|release| release.join(package).exists());
        let is_model_due = |model: &&Model| match language::folder(model) {
            Some(folder) => !target.join(folder).join(&model.package).exists(),
            None => is_due(&model.package),
        };
        let due = models.iter().filter(is_model_due).count() as u64;
        let origin_mib = if is_due("origin") { ORIGIN_MIB } else { KEPT_MIB };
        let folders = releases().chain([target.join("inflight")]);
        Self {
            free_mib: free_mib(existing(target)),
            needed_mib: origin_mib + MODEL_MIB * due,
            write_error: folders.map(|folder| create(existing(&folder))).find_map(Result::err),
        }
    }
}

/// Makes a file without a byte and removes it, or says which folder does not let it, and why: how
/// many bytes have room is asked of the disk.
fn create(folder: &Path) -> Result<(), String> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let made: io::Result<()> = File::create_new(&path).and_then(|_| fs::remove_file(&path));
    made.map_err(|error| format!("{}: {error}", folder.display()))
}

/// Checks where programs are built.
pub(super) fn room(readings: &Readings) -> Opinion {
    let Build { free_mib, needed_mib, write_error } = &readings.build;
    if let Some(error) = write_error {
        return Opinion::refusal(format!(
            "Nothing can be written where programs are built ({error})."
        ))
        .fix(ELSEWHERE);
    }
    let Some(mib) = *free_mib else {
        return Opinion::good(unseen("Free space for programs", "builds may fail"));
    };
    let found = format!("{mib} MiB are free where programs are built");
    match mib {
        mib if mib < *needed_mib => Opinion::refusal(format!(
            "{found}, and what is not built yet needs {needed_mib}: make room, or build elsewhere."
        ))
        .fix(ELSEWHERE),
        ..ALL_MIB => Opinion::doubtful(format!(
            "{found}, and building every program may take {ALL_MIB}: builds may fail."
        ))
        .fix("cargo clean"),
        _ => Opinion::good(format!("{found}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::faults::Folder;
    use super::*;
    use crate::fixture::model;

    #[test]
    fn what_is_not_built_yet_needs_room_and_what_is_built_does_not() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let models = [model("tokio"), model("smol")];
        let needed = |files: &[(&str, &str)]| {
            let target = Folder::with(files);
            let build = Build::read((&root, target.path()), &models);
            assert_eq!(build.write_error, None);
            assert!(target.path().read_dir().unwrap().count() <= 1, "nothing is left behind");
            build.needed_mib
        };
        let (origin, tokio) = (("release/origin", ""), ("release/model-tokio", ""));
        assert_eq!(needed(&[]), ORIGIN_MIB + 2 * MODEL_MIB);
        assert_eq!(needed(&[origin, tokio]), KEPT_MIB + MODEL_MIB);
        assert_eq!(needed(&[origin, tokio, ("release/model-smol", "")]), KEPT_MIB);

        // What another than cargo builds is looked for where that puts it.
        let go = Model { language: Some("Go".to_owned()), ..model("go") };
        for (built, needed) in [("release/model-go", MODEL_MIB), ("inflight/go/model-go", 0)] {
            let target = Folder::with(&[("release/origin", ""), (built, "")]);
            let build = Build::read((&root, target.path()), std::slice::from_ref(&go));
            assert_eq!(build.needed_mib, KEPT_MIB + needed, "{built}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let build = Build::read((&root, Path::new("/proc/target")), &[]);
        assert!(build.write_error.is_some_and(|error| error.starts_with("/proc: ")));
    }
}
