//! What a run works with: the disk, the tree, the compiler, and programs that some models need.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use nix::unistd::Uid;
use record::Environment;

use crate::language::{self, FIX_VENV, Python, Unavailable};

use super::clock::known;
use super::text::{text, unseen};
use super::{Opinion, Readings};

/// A run writes a few MiB: with less than this no run comes to its end.
const RUN_MIB: u64 = 16;
/// With less than this, whatever else writes may fill the disk before a run has ended.
const DISK_MIB: u64 = 100;
/// The names of browsers that draw without a screen.
const BROWSERS: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// What was read of it.
#[derive(Default)]
pub(super) struct Work {
    /// Free space where results are written.
    pub(super) free_mib: Option<u64>,
    /// Why nothing can be written there.
    pub(super) write_error: Option<String>,
    /// Whether the tree differs from its commit: `yes` or `no`.
    pub(super) modified: Option<String>,
    /// What the compiler calls itself.
    pub(super) rustc: Option<String>,
    /// The oldest compiler that the workspace is written for.
    pub(super) rust_version: Option<String>,
    /// How programs are built otherwise than the workspace's own files say.
    pub(super) otherwise: Vec<String>,
    /// The variables that do so, of those that are set.
    pub(super) variables: Vec<String>,
    /// Whether this program was built before its source changed: `yes` or `no`.
    pub(super) is_older: Option<String>,
    /// The version of the Python that models run in, or why there is none.
    pub(super) python: Option<Result<String, Unavailable>>,
    /// Whether it can make virtual environments.
    pub(super) has_venv: Option<bool>,
    /// What there is for other languages: the name of each for a finding and in a sentence.
    pub(super) languages: Vec<(&'static str, &'static str, Result<String, Unavailable>)>,
    /// Where a browser was found.
    pub(super) browser: Option<PathBuf>,
    /// Whether this is root.
    pub(super) is_root: bool,
}

impl Work {
    /// Reads it.
    pub(super) fn read(root: &Path, environment: &Environment) -> Self {
        let results = root.join("results");
        let results = existing(&results);
        let python = Python::on_path();
        Self {
            write_error: probe(results).err().map(|error| error.to_string()),
            modified: known(&environment.modified),
            is_older: known(environment.tool.built_before_source.as_str()),
            has_venv: python.as_ref().ok().map(Python::can_make_venv),
            python: Some(python.map(|python| python.version)),
            languages: language::found(),
            browser: BROWSERS.iter().find_map(|name| on_path(name)),
            is_root: Uid::effective().is_root(),
            free_mib: free_mib(results),
            ..Self::tools(root, environment)
        }
    }

    /// Reads how much room there is for results alone.
    pub(super) fn of_results(folder: &Path) -> Self {
        Self { free_mib: free_mib(existing(folder)), ..Self::default() }
    }

    /// Reads what programs are built with alone.
    pub(super) fn tools(root: &Path, environment: &Environment) -> Self {
        let manifest = text(root.join("Cargo.toml")).unwrap_or_default();
        Self {
            rustc: known(&environment.rustc),
            rust_version: rust_version(&manifest),
            otherwise: environment.build.differences(),
            variables: variables(
                std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()),
            ),
            ..Self::default()
        }
    }
}

/// Checks with whose rights models run.
pub(super) fn user(readings: &Readings) -> Opinion {
    match readings.work.is_root {
        true => Opinion::doubtful(
            "This is root, so that every model and whatever it is built on has all rights here, of \
             which it needs none: measure as another user.",
        ),
        false => Opinion::good("Models run without the rights of root."),
    }
}

/// Checks where results are written.
pub(super) fn disk(readings: &Readings) -> Opinion {
    let work = &readings.work;
    if let Some(error) = &work.write_error {
        return Opinion::bad(format!("Nothing can be written to results/ ({error}): a run ends."))
            .fix("sudo chown -R \"$USER\" results");
    }
    let Some(mib) = work.free_mib else {
        return Opinion::good(unseen("Free space on the disk", "a probe was written to results/"));
    };
    let found = format!("{mib} MiB are free where a run writes");
    match mib {
        ..RUN_MIB => Opinion::refusal(format!("{found}, and it needs {RUN_MIB}: make room."))
            .fix("cargo clean"),
        RUN_MIB..DISK_MIB => {
            Opinion::bad(format!("{found}: a run would end when they are full.")).fix("cargo clean")
        }
        _ => Opinion::good(format!("{found}.")),
    }
}

/// Checks the tree.
pub(super) fn tree(readings: &Readings) -> Opinion {
    if readings.work.is_older.as_deref() == Some("yes") {
        return Opinion::doubtful(
            "This program was built from another source than what lies here, so the commit says \
             nothing of how it measures.",
        )
        .fix("cargo build --release");
    }
    match readings.work.modified.as_deref() {
        Some("no") => Opinion::good("The tree is that of its commit."),
        Some(_) => Opinion::doubtful(
            "The tree differs from its commit, so nobody else can build what was measured.",
        )
        .fix("git stash --include-untracked"),
        None => Opinion::doubtful(unseen(
            "The commit of the tree",
            "figures cannot be traced to a source",
        )),
    }
}

/// Checks the compiler.
pub(super) fn toolchain(readings: &Readings) -> Opinion {
    let work = &readings.work;
    let Some(rustc) = &work.rustc else {
        let opinion = Opinion::refusal("No compiler answers, so that models cannot be built.");
        return match work.variables.is_empty() {
            true => opinion.fix("rustup default stable"),
            false => opinion.fix(format!("unset {}", work.variables.join(" "))),
        };
    };
    let oldest = work.rust_version.as_deref().unwrap_or_default();
    if version(rustc).zip(version(oldest)).is_some_and(|(found, oldest)| found < oldest) {
        return Opinion::refusal(format!(
            "The compiler {rustc} is older than {oldest}, so that models cannot be built."
        ))
        .fix("rustup update stable");
    }
    if rustc.contains("-nightly") || rustc.contains("-beta") || rustc.contains("-dev") {
        return Opinion::doubtful(format!(
            "The compiler {rustc} is no release: its code may differ from what others would build."
        ))
        .fix("rustup default stable");
    }
    if work.otherwise.is_empty() {
        return Opinion::good(format!("The compiler {rustc} is a release."));
    }
    let opinion = Opinion::doubtful(format!(
        "Models are built otherwise than elsewhere, with {}.",
        work.otherwise.join(", ")
    ));
    match work.variables.is_empty() {
        true => opinion.fix("cat ~/.cargo/config.toml .cargo/config.toml"),
        false => opinion.fix(format!("unset {}", work.variables.join(" "))),
    }
}

/// Returns those variables that change how cargo builds.
fn variables(set: impl Iterator<Item = String>) -> Vec<String> {
    let names = [
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_BOOTSTRAP",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTC",
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_INCREMENTAL",
        "CARGO_INCREMENTAL",
    ];
    let changes = |name: &String| {
        let of_target = name.ends_with("_RUSTFLAGS") || name.ends_with("_LINKER");
        names.contains(&name.as_str())
            || name.starts_with("CARGO_PROFILE_RELEASE_")
            || name.starts_with("CARGO_TARGET_") && of_target
    };
    let mut changing: Vec<String> = set.filter(changes).collect();
    changing.sort();
    changing
}

/// Checks Python, which only some models need.
pub(super) fn python(readings: &Readings) -> Opinion {
    let work = &readings.work;
    match (&work.python, work.has_venv) {
        (Some(Ok(version)), Some(false)) => Opinion::doubtful(format!(
            "Python {version} cannot make virtual environments: models that need packages of it \
             cannot be run."
        ))
        .fix(FIX_VENV),
        (Some(Ok(version)), _) => {
            Opinion::good(format!("Python {version} can run models in Python."))
        }
        (Some(Err(Unavailable { why, fix })), _) => {
            Opinion::doubtful(format!("Models in Python cannot be run: {why}.")).fix(fix)
        }
        (None, _) => Opinion::doubtful(unseen("Python", "models in it may be missing")),
    }
}

/// Checks what runs or builds models in another language, which only they need.
pub(super) fn language((name, found): (&str, &Result<String, Unavailable>)) -> Opinion {
    match found {
        Ok(says) => Opinion::good(says),
        Err(Unavailable { why, fix }) => {
            Opinion::doubtful(format!("Models in {name} cannot be run: {why}.")).fix(fix)
        }
    }
}

/// Checks the browser, which no figure needs.
pub(super) fn browser(readings: &Readings) -> Opinion {
    match &readings.work.browser {
        Some(path) => {
            Opinion::good(format!("Pictures of reports can be drawn by {}.", path.display()))
        }
        None => Opinion::doubtful(
            "No Chromium was found, which no figure needs: only pictures of reports are left out.",
        )
        .fix("sudo apt-get install chromium"),
    }
}

/// Returns a folder, or the nearest one above it that exists.
pub(crate) fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."))
}

/// Returns the space that whoever is not root may still use; nothing where there is no disk, as
/// below `/proc`.
pub(crate) fn free_mib(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok().filter(|disk| disk.blocks() > 0)?;
    Some(disk.blocks_available() * disk.fragment_size() / (1024 * 1024))
}

/// Writes a file, syncs it as a run does, and removes it.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".doctor-{}", std::process::id()));
    let mut file = File::create_new(&path)?;
    let written = file.write_all(b"probe\n").and_then(|()| file.sync_data());
    fs::remove_file(&path)?;
    written
}

/// Returns the oldest compiler that a manifest allows.
fn rust_version(manifest: &str) -> Option<String> {
    let line = manifest.lines().find(|line| line.starts_with("rust-version"))?;
    line.split('"').nth(1).map(ToOwned::to_owned)
}

/// Returns the first version in a text, by its two first numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let numbers = |word: &str| {
        let mut parts = word.split('.').map(|part| part.parse().ok());
        Some((parts.next()??, parts.next()??))
    };
    text.split_whitespace().find_map(numbers)
}

/// Returns where a program is found.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::super::faults::Folder;
    use super::*;

    #[test]
    fn a_version_is_the_first_word_with_two_numbers() {
        assert_eq!(version("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert_eq!(version("1.95"), Some((1, 95)));
        assert_eq!(version("rustc"), None);
    }

    #[test]
    fn the_oldest_compiler_stands_in_the_manifest() {
        let manifest = "[workspace.package]\nrust-version = \"1.95\"\n";
        assert_eq!(rust_version(manifest).as_deref(), Some("1.95"));
        assert_eq!(rust_version("rust-version.workspace = true"), None);
    }

    #[test]
    fn variables_that_change_how_cargo_builds_are_distinguished_from_others() {
        let set = [
            "RUSTFLAGS",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "CARGO_TARGET_DIR",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_PROFILE_DEV_LTO",
            "PATH",
        ];
        let reported = variables(set.map(str::to_owned).into_iter());
        let linker = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER";
        assert_eq!(reported, ["CARGO_PROFILE_RELEASE_LTO", linker, "RUSTFLAGS"]);
    }

    #[test]
    fn a_probe_leaves_nothing_behind_and_a_missing_folder_refuses_it() {
        let folder = Folder::with(&[]);
        probe(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let absent = folder.path().join("results/absent");
        assert_eq!(existing(&absent), folder.path());
        assert!(probe(&absent).is_err());
    }
}
