//! The commit of the source, and whether the source differs from it.
//!
//! Files are compared by what is in them with what the commit holds. git's own answer depends on
//! settings and marks that hide changes: `status.showUntrackedFiles`, `core.excludesFile`,
//! `.git/info/exclude`, `assume-unchanged`, `skip-worktree`. Only the workspace's own `.gitignore`
//! says what does not belong to it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use super::fact::Fact;
use super::program;

/// The folder of runs, which are no source.
const RESULTS: &str = "results/";
/// How a commit marks a file. A link and a repository in the repository have other marks: the
/// workspace has none, so that one of them is a change.
const FILE: &str = "100644";
/// How a commit marks a program.
const PROGRAM: &str = "100755";

/// The commit of the source.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Its hash; unknown where the workspace is no repository of its own.
    pub(super) commit: Fact,
    /// Whether the source differs from it, `yes` or `no`.
    pub(super) modified: Fact,
}

/// What a commit holds of a file.
#[derive(Debug)]
struct Held {
    mode: String,
    hash: String,
}

impl Source {
    /// Reads it; `root` is the folder of the workspace.
    pub(super) fn read(root: &Path) -> Self {
        // A copy of the source that lies in another repository is of none of its commits.
        let is_top =
            ask(root, &["rev-parse", "--show-cdup"]).is_some_and(|up| up.trim().is_empty());
        if !is_top {
            return Self::default();
        }
        let modified = differs(root).map(|differs| if differs { "yes" } else { "no" });
        Self { commit: ask(root, &["rev-parse", "HEAD"]).into(), modified: modified.into() }
    }
}

/// Returns whether what lies in a workspace differs from its commit, results aside.
fn differs(root: &Path) -> Option<bool> {
    let held = held(root)?;
    if !held.iter().all(|(path, held)| held.is_like(&root.join(path))) {
        return Some(true);
    }

    let ours = ["ls-files", "-z", "--cached", "--others", "--exclude-from=.gitignore"];
    let ours = ask(root, &ours)?;
    let is_new = |path: &str| !held.contains_key(path) && !path.starts_with(RESULTS);
    Some(ours.split_terminator('\0').any(is_new) || !are_same(root, &held)?)
}

/// Returns what the commit holds, by path, results aside.
fn held(root: &Path) -> Option<BTreeMap<String, Held>> {
    let tree = ask(root, &["ls-tree", "-r", "-z", "HEAD"])?;
    let file = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        let mut words = about.split(' ');
        let (mode, _, hash) = (words.next()?, words.next()?, words.next()?);
        let held = Held { mode: mode.to_owned(), hash: hash.to_owned() };
        (!path.starts_with(RESULTS)).then(|| (path.to_owned(), held))
    };
    Some(tree.split_terminator('\0').filter_map(file).collect())
}

/// Returns whether the files have just the bytes that the commit holds.
fn are_same(root: &Path, held: &BTreeMap<String, Held>) -> Option<bool> {
    let paths = held.keys().map(String::as_str).collect::<Vec<_>>().join("\n");
    let hash = git(root, &["hash-object", "--no-filters", "--stdin-paths"]);
    let reported = program::answer_to(hash, paths)?;
    Some(reported.lines().eq(held.values().map(|held| held.hash.as_str())))
}

impl Held {
    /// Returns whether there is a file of the same kind, whatever is in it.
    fn is_like(&self, path: &Path) -> bool {
        let Ok(found) = fs::symlink_metadata(path) else { return false };
        let may_run = found.permissions().mode() & 0o100 != 0;
        found.is_file() && [FILE, PROGRAM][usize::from(may_run)] == self.mode
    }
}

/// Asks git something of the repository that a folder belongs to.
fn ask(root: &Path, arguments: &[&str]) -> Option<String> {
    program::answer_to(git(root, arguments), String::new())
}

/// Returns the command that does so. A hook that runs this names its own repository in variables.
fn git(root: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    let variables = env::vars_os().map(|(name, _)| name);
    for name in variables.filter(|name| name.as_encoded_bytes().starts_with(b"GIT_")) {
        git.env_remove(name);
    }
    // What watches files for git may be set not to.
    git.args(["-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"]);
    git.args(arguments).current_dir(root);
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What git is set to, and what is changed then.
    type Hidden = (&'static str, fn(&Path));

    /// Carries a command of git out.
    fn run(folder: &Path, command: &str) {
        let words: Vec<&str> = command.split(' ').collect();
        let mut git = git(folder, &["-c", "user.name=a", "-c", "user.email=a@b.example"]);
        git.args(["-c", "commit.gpgSign=false"]);
        assert!(git.args(words).output().unwrap().status.success(), "git {command}");
    }

    /// Returns a repository with one commit, and its folder.
    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.rs"), "fn main() {}\n").unwrap();
        fs::write(folder.path().join(".gitignore"), "/target\n/results/*\n").unwrap();
        run(folder.path(), "init --quiet");
        run(folder.path(), "add --all");
        run(folder.path(), "commit --quiet --message first");
        folder
    }

    /// Returns whether a repository is said to differ from its commit once it was changed so.
    fn after(change: impl Fn(&Path)) -> String {
        let folder = repository();
        change(folder.path());
        let source = Source::read(folder.path());
        assert_eq!(source.commit.as_str().len(), 40, "{source:?}");
        source.modified.to_string()
    }

    #[test]
    fn a_tree_as_it_was_committed_is_not_modified_whatever_was_built_or_measured() {
        assert_eq!(after(|_| {}), "no");
        let made = |folder: &Path, name: &str| {
            fs::create_dir(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("a"), "a").unwrap();
        };
        assert_eq!(
            after(|folder| ["target", "results"].iter().for_each(|n| made(folder, n))),
            "no"
        );
        // New times are no change, though git's index knows others.
        let again = |folder: &Path| fs::write(folder.join("model.rs"), "fn main() {}\n").unwrap();
        assert_eq!(after(again), "no");
    }

    #[test]
    fn every_kind_of_change_is_one() {
        let changes: [fn(&Path); 6] = [
            |folder| fs::write(folder.join("model.rs"), "fn main() { }\n").unwrap(),
            |folder| fs::write(folder.join("new.rs"), "").unwrap(),
            |folder| fs::remove_file(folder.join("model.rs")).unwrap(),
            |folder| fs::write(folder.join(".gitignore"), "*\n").unwrap(),
            |folder| {
                let may_run = fs::Permissions::from_mode(0o755);
                fs::set_permissions(folder.join("model.rs"), may_run).unwrap();
            },
            |folder| {
                fs::write(folder.join("new.rs"), "").unwrap();
                run(folder, "add new.rs");
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            assert_eq!(after(change), "yes", "change {number}");
        }
    }

    #[test]
    fn no_setting_or_mark_of_git_hides_a_change() {
        let change = |folder: &Path| fs::write(folder.join("model.rs"), "other\n").unwrap();
        let add = |folder: &Path| fs::write(folder.join("new.rs"), "").unwrap();
        let hides: [Hidden; 6] = [
            ("update-index --assume-unchanged model.rs", change),
            ("update-index --skip-worktree model.rs", change),
            ("config core.ignoreStat true", change),
            ("config core.fileMode false", |folder| {
                let may_run = fs::Permissions::from_mode(0o755);
                fs::set_permissions(folder.join("model.rs"), may_run).unwrap();
            }),
            ("config status.showUntrackedFiles no", add),
            ("config core.excludesFile ../all", add),
        ];
        for (command, change) in hides {
            let reported = after(|folder| {
                fs::write(folder.join(".git/all"), "*\n").unwrap();
                run(folder, &command.replace("../all", ".git/all"));
                change(folder);
            });
            assert_eq!(reported, "yes", "git {command}");
        }
        let excluded = |folder: &Path| {
            fs::create_dir_all(folder.join(".git/info")).unwrap();
            fs::write(folder.join(".git/info/exclude"), "*\n").unwrap();
            fs::create_dir(folder.join("crate")).unwrap();
            // As tools write it into folders that they make.
            fs::write(folder.join("crate/.gitignore"), "*\n").unwrap();
        };
        assert_eq!(after(excluded), "yes");
    }

    #[test]
    fn a_copy_inside_another_repository_is_of_no_commit() {
        let folder = repository();
        let copy = folder.path().join("copy");
        fs::create_dir(&copy).unwrap();
        let source = Source::read(&copy);
        assert_eq!((source.commit, source.modified), (Fact::default(), Fact::default()));
    }

    #[test]
    fn a_folder_without_a_commit_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Source::read(folder.path()).commit, Fact::default());
        run(folder.path(), "init --quiet");
        let source = Source::read(folder.path());
        assert_eq!((source.commit, source.modified), (Fact::default(), Fact::default()));
    }

    #[test]
    fn a_second_checkout_of_a_repository_is_one_of_its_own() {
        let folder = repository();
        run(folder.path(), "worktree add --quiet results/other");
        let source = Source::read(&folder.path().join("results/other"));
        assert_eq!((source.commit.as_str().len(), source.modified.as_str()), (40, "no"));
    }
}
