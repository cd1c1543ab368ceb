//! Promises of `inflight compare` about versions that are published. The registry is a folder, so
//! that without a network all is done that cargo does for one: it reads an index, chooses a
//! version, fetches and unpacks a package.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use crate::support::shell::{check, text};
use crate::support::{WORKSPACE, alone, built};
use crate::versions::{argument, change, git, measured, model, took_turns};

/// The versions of `mine` that are published, each with what its function is made of. What the
/// third says is no text, and the archive of the last one is lost.
const PUBLISHED: [(&str, Option<&str>); 4] = [
    ("0.1.0", Some("\"0.1.0\".to_owned()")),
    ("0.2.0", Some("\"0.2.0\".to_owned()")),
    ("0.3.0", Some("3")),
    ("0.0.1", None),
];
/// Where cargo keeps what it has of each registry, below its own folder.
const KEPT: [&str; 3] = ["index", "cache", "src"];

/// A registry in a folder, with a model beside it that asks for a package of it, and for another
/// package that does so too.
struct Registry {
    folder: TempDir,
    /// The registries that cargo knew before.
    known: BTreeSet<OsString>,
}

impl Registry {
    /// Publishes all versions, and writes the model.
    fn new() -> Self {
        let registry = Self { folder: tempfile::tempdir().expect("it is made"), known: known() };
        let index = registry.path().join("index");
        let lines = PUBLISHED.map(|(version, made_of)| registry.publish(version, made_of));
        fs::create_dir_all(index.join("mi/ne")).expect("it is ours");
        fs::write(index.join("mi/ne/mine"), lines.concat()).expect("it is ours");
        let dl = format!("file://{}/{{crate}}-{{version}}.crate", registry.path().display());
        fs::write(index.join("config.json"), json!({ "dl": dl }).to_string()).expect("it is ours");
        git(&index, &["init", "--quiet", "--initial-branch", "main"]);
        git(&index, &["add", "."]);
        git(&index, &["commit", "--quiet", "-m", "publish"]);
        model(&registry.path().join("bench"), "{ version = \"0.1\", registry = \"local\" }");
        let between =
            "[dependencies]\nmine = { version = \">=0.1, <0.4\", registry = \"local\" }\n";
        let folder = registry.package("between", ("0.1.0", between), "pub use mine::built;\n");
        change(&registry.path().join("bench/model-mine/Cargo.toml"), "[dependencies]", |found| {
            format!("{found}\nbetween = {{ path = {:?} }}", argument(&folder))
        });
        forget();
        registry
    }

    /// Returns its folder.
    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a package, and returns its folder.
    fn package(&self, name: &str, (version, rest): (&str, &str), code: &str) -> PathBuf {
        let folder = self.path().join(format!("{name}-{version}"));
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2024\"\n\n{rest}"
        );
        fs::create_dir_all(folder.join("src")).expect("it is ours");
        fs::write(folder.join("Cargo.toml"), manifest).expect("it is ours");
        fs::write(folder.join("src/lib.rs"), code).expect("it is ours");
        folder
    }

    /// Packs a version, if it is made of something, and returns its line of the index.
    fn publish(&self, version: &str, made_of: Option<&str>) -> String {
        let archive = self.path().join(format!("mine-{version}.crate"));
        if let Some(made_of) = made_of {
            let code = format!("pub fn built() -> String {{\n    {made_of}\n}}\n");
            let folder = self.package("mine", (version, ""), &code);
            let mut tar = Command::new("tar");
            tar.args(["--create", "--gzip", "--file", argument(&archive)]);
            tar.arg(folder.file_name().expect("it has one")).current_dir(self.path());
            assert!(tar.status().expect("tar starts").success());
        }
        let cksum = record::sha256(&fs::read(&archive).unwrap_or_default());
        let line = json!({
            "name": "mine", "vers": version, "deps": [], "cksum": cksum, "features": {},
            "yanked": false,
        });
        format!("{line}\n")
    }

    /// Compares two versions of the model, where cargo takes a folder below for the index.
    fn compare(&self, index: &str, versions: [&str; 2], rest: &[&str]) -> Output {
        let bench = self.path().join("bench");
        let mut compare = Command::new(built("inflight").path);
        compare.arg("compare").args(versions.map(|version| format!("mine@{version}")));
        compare.args(["--models", argument(&bench)]).args(rest).current_dir(&WORKSPACE.root);
        let address = format!("file://{}", self.path().join(index).display());
        compare.env("CARGO_REGISTRIES_LOCAL_INDEX", address).output().expect("it starts")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        forget();
        // Nobody asks cargo for this registry again.
        for name in known().difference(&self.known) {
            for kept in KEPT {
                let _ = fs::remove_dir_all(of_cargo().join(kept).join(name));
            }
        }
    }
}

/// Returns where cargo keeps what it has of registries.
fn of_cargo() -> PathBuf {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = set.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    home.expect("there is a home").join("registry")
}

/// Returns the registries in folders that cargo knows: it names others after their hosts first.
fn known() -> BTreeSet<OsString> {
    let kept = fs::read_dir(of_cargo().join(KEPT[0])).into_iter().flatten().flatten();
    let names = kept.map(|entry| entry.file_name());
    names.filter(|name| name.as_encoded_bytes().starts_with(b"-")).collect()
}

/// Returns the folder in which a version of the model is built.
fn prepared(version: &str) -> PathBuf {
    WORKSPACE.target.join("inflight/versions").join(format!("mine_{version}"))
}

/// Removes what was prepared, which would be kept where it was there before.
fn forget() {
    for version in PUBLISHED.map(|(version, _)| version).into_iter().chain(["9.9.9"]) {
        let _ = fs::remove_dir_all(prepared(version));
    }
}

#[test]
fn published_versions_are_rows_of_one_run_and_what_differs_is_said_before_they_are_built() {
    let _alone = alone();
    let registry = Registry::new();
    let out = registry.path().join("results");
    let rest = ["--md", "--blocks", "1", "--seed", "7", "--out", argument(&out)];
    let output = registry.compare("index", ["0.1.0", "0.2.0"], &rest);
    let (_, run) = measured(&out, &output);
    let said = String::from_utf8_lossy(&output.stderr);
    for version in ["0.1.0", "0.2.0"] {
        let name = format!("mine@{version}");
        // One version for all that ask for the package: what lies between would have the third.
        let line = said.lines().find(|line| line.starts_with(&format!("{name}: ")));
        let line = line.unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(&format!(", mine {version}, new")), "{line}");
        assert_eq!(line.matches(", mine ").count(), 1, "{line}");
        took_turns(&run, &name);
        let variant = run.schedule.model(&name).and_then(|model| model.variant.as_ref());
        let variant = variant.expect("it says which version it has");
        assert_eq!((&variant.package[..], &variant.version[..]), ("mine", version));
        assert!(!variant.is_checkout);
        for (asked, what) in [("mine", "it asks for"), ("built", "it is built with")] {
            assert_eq!(run.versions(&name).get(asked).map(String::as_str), Some(version), "{what}");
        }
        assert!(text(&output).contains(&name), "{}", text(&output));
        assert!(prepared(version).exists(), "a run that is cut short goes on with it");
    }
    assert_eq!(run.schedule.baseline.as_deref(), Some("mine@0.1.0"));
}

#[test]
fn a_version_that_cannot_be_had_or_built_is_said_in_a_sentence_and_nothing_half_built_is_left() {
    let _alone = alone();
    let registry = Registry::new();
    let away = "is not on this machine, and there is no network to fetch it by";
    let (lost, nowhere) = (format!("mine 0.0.1 {away}"), format!("mine 0.1.0 {away}"));
    for (index, versions, words) in [
        ("index", ["0.1.0", "9.9.9"], "there is no mine 9.9.9; there are 0.3.0, 0.2.0, 0.1.0"),
        ("index", ["0.1.0", "0.0.1"], lost.as_str()),
        ("nowhere", ["0.1.0", "0.2.0"], nowhere.as_str()),
    ] {
        check(&registry.compare(index, versions, &[]), 2, words);
        assert!(!versions.into_iter().any(|version| prepared(version).exists()), "{words}");
    }

    let out = registry.path().join("results");
    let output = registry.compare("index", ["0.3.0", "0.1.0"], &["--out", argument(&out)]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let words = "model-mine does not build with mine 0.3.0: failed to build model-mine";
    assert!(said.contains("mismatched types"), "the compiler says why: {said}");
    assert!(said.trim_end().lines().last().is_some_and(|last| last.contains(words)), "{said}");
    for version in ["0.3.0", "0.1.0"] {
        assert!(!prepared(version).exists(), "{version}");
    }
    assert!(!out.exists(), "a folder that was made for its run goes with it");
}
