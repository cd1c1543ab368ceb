//! Cargo's own configuration: files beside and above the workspace that change every build, and the
//! variables that stand for what such a file may hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fact::{Fact, NONE};
use super::private;

/// What cargo's configuration adds to a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct CargoSettings {
    /// Where there is such configuration: `environment`, `workspace`, `above`, `home`, or `none`.
    pub found: Fact,
    /// The compiler flags in it, or `none`.
    pub rustflags: Fact,
    /// Whether its files change the release profile, `yes` or `no`.
    pub release_profile: Fact,
    /// The tables in it that put other sources in the place of dependencies, or `none`.
    pub replacements: Fact,
    /// The variables that it sets for the compiler, or `none`.
    pub variables: Fact,
}

/// Cargo's configuration, what goes before the rest first.
#[derive(Debug, Default)]
pub(super) struct CargoConfig(Vec<Part>);

/// A part of the configuration.
#[derive(Debug)]
struct Part {
    /// The word for where it stands.
    place: &'static str,
    /// The folder in which it stands, if it is a file's.
    folder: Option<PathBuf>,
    /// What it says.
    value: Value,
}

/// How deep files may include others.
const INCLUDES_MAX: u8 = 8;

/// Returns the folders below that of all builds into which cargo puts the programs of a workspace
/// whose configuration names targets: none where it names none.
pub fn target_folders(root: &Path) -> Vec<String> {
    let config = CargoConfig::read(root);
    config.named_targets().into_iter().map(target_folder).collect()
}

impl CargoConfig {
    /// Reads what holds for a workspace.
    pub(super) fn read(root: &Path) -> Self {
        let variables = of_variables(env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        }));
        let above = root.ancestors().skip(1).map(|folder| ("above", folder.join(".cargo")));
        let folders = [("workspace", root.join(".cargo"))].into_iter().chain(above);
        let home = home();
        let not_home = folders.filter(|(_, folder)| Some(folder) != home.as_ref());
        let places = not_home.chain(home.clone().map(|folder| ("home", folder)));
        let files = Self::of_folders(&places.collect::<Vec<_>>());
        let variables = variables.map(|value| Part { place: "environment", folder: None, value });
        Self(variables.into_iter().chain(files.0).collect())
    }

    /// Reads the files in some folders, each with the word for its place.
    pub(super) fn of_folders(folders: &[(&'static str, PathBuf)]) -> Self {
        let files = folders.iter().flat_map(|(place, folder)| {
            // Of two files cargo reads the one without the extension.
            let mut paths = ["config", "config.toml"].map(|name| folder.join(name)).into_iter();
            paths.find(|path| path.is_file()).map(|path| file(place, &path, 0)).unwrap_or_default()
        });
        Self(files.collect())
    }

    /// Returns what a reader should know of it, where programs are built for a target.
    pub(super) fn reported(&self, target: &str) -> CargoSettings {
        let mut places: Vec<&str> = self.0.iter().map(|part| part.place).collect();
        places.dedup();
        let flags = self.rustflags(target);
        let flags: Vec<String> = flags.iter().map(|flag| private::without_path(flag)).collect();
        let none_if_empty =
            |text: String| if text.is_empty() { NONE.into() } else { Fact::from(text) };
        let changes_profile = !self.release_profile().is_empty();
        CargoSettings {
            found: none_if_empty(places.join(", ")),
            rustflags: none_if_empty(flags.join(" ")),
            release_profile: if changes_profile { "yes" } else { "no" }.into(),
            replacements: none_if_empty(self.replacements().join(", ")),
            variables: none_if_empty(self.variables().join(", ")),
        }
    }

    /// Returns the compiler flags in it for a target: its own, else those of all builds.
    /// Lists of several files are joined, the nearest last.
    pub(super) fn rustflags(&self, target: &str) -> Vec<String> {
        let of_target = self.targets(target).into_iter().rev();
        let of_target: Vec<String> =
            of_target.filter_map(|table| table.get("rustflags")).flat_map(words).collect();
        if !of_target.is_empty() {
            return of_target;
        }
        let of_build =
            self.0.iter().rev().filter_map(|part| part.value.pointer("/build/rustflags"));
        of_build.flat_map(words).collect()
    }

    /// Returns the linker that it names for a target, without its path.
    pub(super) fn linker(&self, target: &str) -> Fact {
        let mut tables = self.targets(target).into_iter();
        let linker = tables.find_map(|table| table.get("linker")?.as_str());
        linker.map(private::last_name).into()
    }

    /// Returns the target that programs are built for, if it names one.
    pub(super) fn target(&self) -> Option<&str> {
        self.named_targets().into_iter().next()
    }

    /// Returns the targets that it names: one, or a list.
    fn named_targets(&self) -> Vec<&str> {
        let Some((_, named)) = self.build("target") else { return Vec::new() };
        let listed = named.as_array().map_or(std::slice::from_ref(named), Vec::as_slice);
        listed.iter().filter_map(Value::as_str).collect()
    }

    /// Returns the program that it names under a key of its table `build`. A path with a slash
    /// begins beside the folder of its file, and that of a variable in the workspace.
    pub(super) fn program(&self, root: &Path, key: &str) -> Option<String> {
        let (folder, value) = self.build(key)?;
        let named = value.as_str()?;
        if !named.contains('/') {
            return Some(named.to_owned());
        }
        let beside = folder.and_then(Path::parent).unwrap_or(root);
        Some(beside.join(named).to_string_lossy().into_owned())
    }

    /// Returns the settings of the release profile in it.
    pub(super) fn release_profile(&self) -> BTreeMap<String, Value> {
        let tables = self.0.iter().rev();
        let tables = tables.filter_map(|part| part.value.pointer("/profile/release")?.as_object());
        tables.flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns what it says of incremental builds, if anything.
    pub(super) fn incremental(&self) -> Option<bool> {
        let (_, value) = self.build("incremental")?;
        // A variable is a text.
        value.as_bool().or_else(|| value.as_str().map(|text| text == "true"))
    }

    /// Returns the tables in it that replace dependencies with other code. Mirrors (`source`) do
    /// not: cargo holds what they give against the lock file.
    fn replacements(&self) -> Vec<&'static str> {
        let has = |name: &&str| self.0.iter().any(|part| part.value.get(name).is_some());
        ["paths", "patch"].into_iter().filter(has).collect()
    }

    /// Returns the names of the variables that it sets for the compiler.
    fn variables(&self) -> Vec<String> {
        let tables = self.0.iter().filter_map(|part| part.value.get("env")?.as_object());
        let mut names: Vec<String> = tables.flat_map(|table| table.keys().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns what stands first under a key of the table `build`, and in which folder.
    fn build(&self, key: &str) -> Option<(Option<&Path>, &Value)> {
        let mut found = self.0.iter().filter_map(|part| {
            let value = part.value.get("build")?.get(key)?;
            Some((part.folder.as_deref(), value))
        });
        found.next()
    }

    /// Returns the tables that hold for a target: its own, and those with a condition, which are
    /// taken to be met.
    fn targets(&self, target: &str) -> Vec<&Value> {
        let variable = in_variables(target);
        let holds = |name: &str| name == target || name == variable || name.starts_with("cfg(");
        let tables = self.0.iter().filter_map(|part| part.value.get("target")?.as_object());
        let tables = tables.flatten().filter(|(name, _)| holds(name));
        tables.map(|(_, table)| table).collect()
    }
}

/// Returns the folder of a target: its name, or that of the file that describes it.
fn target_folder(target: &str) -> String {
    let described = Path::new(target).file_name().and_then(|name| name.to_str());
    let described = described.and_then(|name| name.strip_suffix(".json"));
    described.unwrap_or(target).to_owned()
}

/// Returns how a target is written in the names of variables.
pub(super) fn in_variables(target: &str) -> String {
    target.to_uppercase().replace(['-', '.'], "_")
}

/// Returns the folder of cargo's configuration of the user.
fn home() -> Option<PathBuf> {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

/// Returns what variables set of the tables `build` and `target`, in the form of a file.
fn of_variables(variables: impl Iterator<Item = (String, String)>) -> Option<Value> {
    let (mut build, mut target) = (Map::new(), Map::new());
    for (name, value) in variables {
        let of_build = [
            "INCREMENTAL",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
            "TARGET",
        ];
        match (name.strip_prefix("CARGO_BUILD_"), name.strip_prefix("CARGO_TARGET_")) {
            (Some(key), _) if of_build.contains(&key) => {
                build.insert(key.to_lowercase().replace('_', "-"), json!(value));
            }
            (_, Some(rest)) => {
                let settings = ["RUSTFLAGS", "LINKER"].into_iter();
                let mut settings = settings
                    .filter_map(|key| Some((rest.strip_suffix(key)?.strip_suffix('_')?, key)));
                if let Some((name, key)) = settings.next() {
                    let table = target.entry(name).or_insert_with(|| json!({}));
                    table[key.to_lowercase()] = json!(value);
                }
            }
            _ => {}
        }
    }
    let is_set = !build.is_empty() || !target.is_empty();
    is_set.then(|| json!({ "build": build, "target": target }))
}

/// Returns a file of the configuration, and after it those that it includes, the last first; what
/// cannot be read counts as empty.
fn file(place: &'static str, path: &Path, depth: u8) -> Vec<Part> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value: Value = toml::from_str(&text).unwrap_or_default();
    let folder = path.parent().map(Path::to_owned);
    let included = value.get("include").map(included).unwrap_or_default();
    let included = included.into_iter().filter(|_| depth < INCLUDES_MAX).rev();
    let included = included.map(|name| folder.as_deref().unwrap_or(Path::new("")).join(name));
    let included: Vec<Part> = included.flat_map(|path| file(place, &path, depth + 1)).collect();
    [Part { place, folder, value }].into_iter().chain(included).collect()
}

/// Returns the paths that a file includes: one, or a list, in which each may be a table.
fn included(value: &Value) -> Vec<String> {
    let listed = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let path = |one: &Value| Some(one.get("path").unwrap_or(one).as_str()?.to_owned());
    listed.iter().filter_map(path).collect()
}

/// Returns the words of a value that is a string or a list of strings.
fn words(value: &Value) -> Vec<String> {
    let listed = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let listed = listed.iter().filter_map(Value::as_str).map(str::to_owned);
    let spelled = value.as_str().unwrap_or_default().split_whitespace().map(str::to_owned);
    spelled.chain(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The target that is built for.
    const TARGET: &str = "x86_64-unknown-linux-gnu";

    /// Returns the configuration of files, nearest first.
    fn files(texts: &[&str]) -> CargoConfig {
        let root = tempfile::tempdir().unwrap();
        let folder = |(number, text): (usize, &&str)| {
            let folder = root.path().join(number.to_string());
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("config.toml"), text).unwrap();
            ("workspace", folder)
        };
        CargoConfig::of_folders(&texts.iter().enumerate().map(folder).collect::<Vec<_>>())
    }

    /// Returns the flags for the target.
    fn flags(config: &CargoConfig) -> String {
        config.rustflags(TARGET).join(" ")
    }

    /// Returns the configuration of variables.
    fn variables(set: &[(&str, &str)]) -> CargoConfig {
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let part =
            of_variables(set).map(|value| Part { place: "environment", folder: None, value });
        CargoConfig(part.into_iter().collect())
    }

    #[test]
    fn flags_linker_and_profile_are_found_in_a_file() {
        let config = files(&["[target.'cfg(unix)']\nlinker = \"/opt/me/mold\"\n\
                              rustflags = \"-L /home/me\"\n[profile.release]\nlto = \"fat\"\n"]);
        assert_eq!(config.linker(TARGET).as_str(), "mold");
        let reported = config.reported(TARGET);
        assert_eq!(reported.found.as_str(), "workspace");
        assert_eq!(reported.rustflags.as_str(), "-L PATH");
        assert_eq!(reported.release_profile.as_str(), "yes");
    }

    #[test]
    fn flags_of_the_target_go_before_those_of_all_builds_and_other_targets_have_none() {
        let build = "[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n";
        assert_eq!(flags(&files(&[build])), "-Ctarget-cpu=native");
        let other = format!("{build}[target.riscv64gc-unknown-linux-gnu]\nrustflags = \"-a\"\n");
        assert_eq!(flags(&files(&[&other])), "-Ctarget-cpu=native");
        let own = format!("{build}[target.{TARGET}]\nrustflags = \"-b\"\n");
        assert_eq!(flags(&files(&[&own])), "-b");
    }

    #[test]
    fn targets_are_one_or_a_list_and_each_has_a_folder_of_its_name() {
        let named = |value: &str| files(&[&format!("build.target = {value}\n")]);
        assert_eq!(named("\"a\"").named_targets(), ["a"]);
        let list = named("[\"thumbv8m.main-none-eabi\", \"specs/own.json\"]");
        assert_eq!(list.target(), Some("thumbv8m.main-none-eabi"));
        let folders: Vec<String> = list.named_targets().into_iter().map(target_folder).collect();
        assert_eq!(folders, ["thumbv8m.main-none-eabi", "own"]);
        assert_eq!(variables(&[("CARGO_BUILD_TARGET", "b")]).named_targets(), ["b"]);
        assert_eq!(files(&["build.jobs = 1\n"]).named_targets(), [""; 0]);
    }

    #[test]
    fn lists_of_flags_are_joined_and_settings_of_the_profile_are_the_nearest() {
        let near = "[build]\nrustflags = \"-near\"\n[profile.release]\nlto = false\n";
        let far =
            "[build]\nrustflags = \"-far\"\n[profile.release]\nlto = true\npanic = \"abort\"\n";
        let config = files(&[near, far]);
        assert_eq!(flags(&config), "-far -near");
        let profile = config.release_profile();
        assert_eq!((&profile["lto"], &profile["panic"]), (&json!(false), &json!("abort")));
    }

    #[test]
    fn what_a_file_includes_holds_unless_the_file_says_otherwise() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        write("config.toml", "include = [\"a.toml\", { path = \"b.toml\" }, \"absent.toml\"]\n");
        write("a.toml", "build.rustc = \"a\"\nbuild.target = \"a\"\ninclude = \"config.toml\"\n");
        write("b.toml", "build.rustc = \"b\"\n");
        let config = CargoConfig::of_folders(&[("home", root.path().to_owned())]);
        assert_eq!(config.program(root.path(), "rustc").as_deref(), Some("b"));
        assert_eq!(config.target(), Some("a"));
        // Of two files in a folder, cargo reads the one without the extension.
        write("config", "build.rustc = \"c\"\n");
        let config = CargoConfig::of_folders(&[("home", root.path().to_owned())]);
        assert_eq!(
            (config.program(root.path(), "rustc").as_deref(), config.target()),
            (Some("c"), None)
        );
    }

    #[test]
    fn variables_of_cargo_are_its_configuration_and_others_are_not() {
        let config = variables(&[
            ("CARGO_BUILD_RUSTFLAGS", "-Copt-level=1"),
            ("CARGO_BUILD_RUSTC_WRAPPER", "sccache"),
            ("CARGO_TARGET_DIR", "/home/me"),
            ("RUSTFLAGS", "-g"),
        ]);
        assert_eq!(config.reported(TARGET).rustflags.as_str(), "-Copt-level=1");
        assert_eq!(config.program(Path::new("/"), "rustc-wrapper").as_deref(), Some("sccache"));
        let of_target = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
        let config = variables(&[("CARGO_BUILD_RUSTFLAGS", "-a"), (of_target, "-Clto=off")]);
        assert_eq!(flags(&config), "-Clto=off");
        let linker = variables(&[("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "/opt/clang")]);
        assert_eq!(linker.linker(TARGET).as_str(), "clang");
        assert!(variables(&[("CARGO_TARGET_DIR", "/home/me")]).0.is_empty());
    }

    #[test]
    fn incremental_builds_replaced_dependencies_and_variables_are_reported() {
        let config = files(&[
            "paths = [\"/home/me/tokio\"]\n[build]\nincremental = true\n",
            "[patch.crates-io]\ntokio = { path = \"tokio\" }\n[env]\nRUSTC_BOOTSTRAP = \"1\"\n",
        ]);
        assert_eq!(config.incremental(), Some(true));
        let reported = config.reported(TARGET);
        assert_eq!(reported.replacements.as_str(), "paths, patch");
        assert_eq!(reported.variables.as_str(), "RUSTC_BOOTSTRAP");
        let set = |value| variables(&[("CARGO_BUILD_INCREMENTAL", value)]).incremental();
        assert_eq!([set("true"), set("false")], [Some(true), Some(false)]);
        // A mirror gives what the lock file says.
        let mirror = files(&["[source.crates-io]\nreplace-with = \"mirror\"\n"]);
        assert_eq!(mirror.reported(TARGET).replacements.as_str(), "none");
        assert_eq!(mirror.incremental(), None);
    }

    #[test]
    fn no_file_adds_nothing() {
        let reported = CargoConfig::default().reported(TARGET);
        let reported =
            [reported.found, reported.rustflags, reported.release_profile].map(String::from);
        assert_eq!(reported, ["none", "none", "no"]);
    }
}
