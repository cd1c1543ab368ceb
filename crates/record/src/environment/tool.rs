//! The tool: which source measured, and by which command.

use std::path::Path;
use std::{env, fs};

use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::git::Source;
use super::private;

/// Which source measured, and by which command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Tool {
    /// `inflight`.
    pub name: Fact,
    /// Its version.
    pub version: Fact,
    /// The commit of the source.
    pub git_commit: Fact,
    /// Whether the tree differed from the commit, results aside.
    pub modified: Fact,
    /// Whether this program was built from another source than what lies in the tree, `yes` or
    /// `no`; unknown where cargo's list of its sources is not beside it.
    pub built_before_source: Fact,
    /// SHA-256 of `Cargo.lock`.
    pub cargo_lock_sha256: Fact,
    /// The program with its arguments; `PATH` stands where a path stood.
    pub command_line: Fact,
}

impl Tool {
    /// Reads which source measures; `root` is the folder of the workspace.
    pub(super) fn read(root: &Path) -> Self {
        let lock = fs::read(root.join("Cargo.lock")).ok();
        let source = Source::read(root);
        let arguments = env::args_os().map(|word| word.to_string_lossy().into_owned());
        Self {
            name: "inflight".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            git_commit: source.commit,
            modified: source.modified,
            built_before_source: env::current_exe().map_or(Fact::default(), |p| is_older(&p, root)),
            cargo_lock_sha256: lock.map(|bytes| crate::folder::sha256(&bytes)).into(),
            command_line: private::command(arguments).into(),
        }
    }
}

/// Returns whether a program is older than one of the sources that cargo lists beside it, as cargo
/// itself decides whether to build it anew, or was built from another folder.
fn is_older(program: &Path, root: &Path) -> Fact {
    let list = fs::read_to_string(program.with_extension("d"));
    let (Ok(list), Ok(root)) = (list, fs::canonicalize(root)) else { return Fact::default() };
    let built = fs::metadata(program).and_then(|program| program.modified());
    let Ok(built) = built else { return Fact::default() };

    let is_of_it = |source: &String| {
        let Ok(source) = fs::canonicalize(root.join(source)) else { return false };
        let changed = fs::metadata(&source).and_then(|source| source.modified());
        source.starts_with(&root) && changed.is_ok_and(|changed| changed <= built)
    };
    if sources(&list).iter().all(is_of_it) { "no".into() } else { "yes".into() }
}

/// Returns the sources in a list as make reads it: `program: one two\\ words`.
fn sources(list: &str) -> Vec<String> {
    let first = list.lines().next().unwrap_or_default();
    let (_, listed) = first.split_once(": ").unwrap_or_default();
    let whole = listed.replace("\\ ", "\0");
    whole.split_whitespace().map(|path| path.replace('\0', " ")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// Returns what is reported of a program with two sources, of which one was changed later by so
    /// much.
    fn reported(later: i64, change: impl Fn(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let sources = ["a source.rs", "b.rs"];
        for name in ["program", sources[0], sources[1]] {
            fs::write(path(name), name).unwrap();
        }
        let escaped = path(sources[0]).to_str().unwrap().replace(' ', "\\ ");
        fs::write(path("program.d"), format!("{}: {escaped} b.rs\n", path("program").display()))
            .unwrap();
        let at = |seconds: i64| {
            SystemTime::UNIX_EPOCH
                + Duration::from_secs(1_000_000_000_u64.saturating_add_signed(seconds))
        };
        for (name, seconds) in [("program", 0), (sources[0], -9), (sources[1], later)] {
            fs::File::open(path(name)).unwrap().set_modified(at(seconds)).unwrap();
        }
        change(folder.path());
        is_older(&path("program"), folder.path()).to_string()
    }

    #[test]
    fn a_program_is_of_its_source_until_that_changes_or_is_gone() {
        assert_eq!(reported(-1, |_| {}), "no");
        assert_eq!(reported(1, |_| {}), "yes");
        assert_eq!(reported(-1, |folder| fs::remove_file(folder.join("b.rs")).unwrap()), "yes");
    }

    #[test]
    fn a_program_that_was_built_from_another_folder_is_not_of_this_one() {
        let elsewhere = |folder: &Path| {
            fs::write(folder.join("program.d"), "program: /bin/sh\n").unwrap();
        };
        assert_eq!(reported(-1, elsewhere), "yes");
    }

    #[test]
    fn of_a_program_without_a_list_nothing_is_known() {
        assert_eq!(
            reported(1, |folder| fs::remove_file(folder.join("program.d")).unwrap()),
            "unknown"
        );
    }
}
