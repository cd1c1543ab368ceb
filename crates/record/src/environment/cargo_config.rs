//! Cargo's own configuration: files beside and above the workspace that change every build, and the
//! variables that stand for what such a file may hold.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fact::{Fact, NONE};
use super::private;

/// What cargo's configuration adds to a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CargoSettings {
    /// Where there is such configuration: `environment`, `workspace`, `above`, `home`, or `none`.
    pub found: Fact,
    /// The compiler flags in it, or `none`.
    pub rustflags: Fact,
    /// Whether its files change the release profile, `yes` or `no`.
    pub release_profile: Fact,
}

/// Cargo's configuration, nearest first, each part with the word for its place.
#[derive(Debug)]
pub(super) struct CargoConfig(Vec<(&'static str, Value)>);

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
        let files = places.filter_map(|(place, folder)| Some((place, file(&folder)?)));
        Self(variables.map(|told| ("environment", told)).into_iter().chain(files).collect())
    }

    /// Returns what a reader should know of it.
    pub(super) fn told(&self) -> CargoSettings {
        let mut places: Vec<&str> = self.0.iter().map(|(place, _)| *place).collect();
        places.dedup();
        let flags = self.rustflags();
        let flags: Vec<String> = flags.iter().map(|flag| private::without_path(flag)).collect();
        let none_if_empty =
            |text: String| if text.is_empty() { NONE.into() } else { Fact::from(text) };
        CargoSettings {
            found: none_if_empty(places.join(", ")),
            rustflags: none_if_empty(flags.join(" ")),
            release_profile: if self.release_profile().is_some() { "yes" } else { "no" }.into(),
        }
    }

    /// Returns all compiler flags in it, whichever target they are for.
    pub(super) fn rustflags(&self) -> Vec<String> {
        let of_build = self.0.iter().filter_map(|(_, file)| file.pointer("/build/rustflags"));
        let of_targets = self.targets().filter_map(|target| target.get("rustflags"));
        of_targets.chain(of_build).flat_map(words).collect()
    }

    /// Returns the linker that it names, without its path.
    pub(super) fn linker(&self) -> Fact {
        let linker = self.targets().find_map(|target| target.get("linker")?.as_str());
        linker.map(private::last_name).into()
    }

    /// Returns the nearest table `[profile.release]`.
    pub(super) fn release_profile(&self) -> Option<&Value> {
        self.0.iter().find_map(|(_, file)| file.pointer("/profile/release"))
    }

    /// Returns the tables of targets.
    fn targets(&self) -> impl Iterator<Item = &Value> {
        let tables = self.0.iter().filter_map(|(_, file)| file.get("target")?.as_object());
        tables.flat_map(|table| table.values())
    }
}

/// Returns the folder of cargo's configuration of the user.
fn home() -> Option<PathBuf> {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| env::home_dir().map(|home| home.join(".cargo")))
}

/// Returns the compiler flags that variables set for all targets or for one, in the form of a file.
fn of_variables(variables: impl Iterator<Item = (String, String)>) -> Option<Value> {
    let is_of_flags = |name: &str| {
        let of_target = name.starts_with("CARGO_TARGET_") && name.ends_with("_RUSTFLAGS");
        of_target || name == "CARGO_BUILD_RUSTFLAGS"
    };
    let set = variables.filter(|(name, value)| is_of_flags(name) && !value.trim().is_empty());
    let mut flags: Vec<String> = set.map(|(_, flags)| flags).collect();
    flags.sort();
    (!flags.is_empty()).then(|| json!({ "build": { "rustflags": flags.join(" ") } }))
}

/// Returns the configuration in a folder; one that cannot be read counts as empty.
fn file(folder: &Path) -> Option<Value> {
    let mut texts = ["config.toml", "config"].map(|name| fs::read_to_string(folder.join(name)));
    let text = texts.iter_mut().find_map(|text| text.as_mut().ok())?;
    Some(toml::from_str(text).unwrap_or_default())
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

    #[test]
    fn flags_linker_and_profile_are_found_in_a_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(".cargo");
        fs::create_dir(&folder).unwrap();
        let text = "[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n[target.'cfg(unix)']\n\
                    linker = \"/opt/me/mold\"\nrustflags = \"-L /home/me\"\n\
                    [profile.release]\nlto = \"fat\"\n";
        fs::write(folder.join("config.toml"), text).unwrap();

        let config = CargoConfig(vec![("workspace", file(&folder).unwrap())]);
        assert_eq!(config.linker().as_str(), "mold");
        let told = config.told();
        assert_eq!(told.found.as_str(), "workspace");
        assert_eq!(told.rustflags.as_str(), "-L PATH -Ctarget-cpu=native");
        assert_eq!(told.release_profile.as_str(), "yes");
    }

    #[test]
    fn flags_in_variables_of_cargo_are_found_and_others_are_not() {
        let set = [
            ("CARGO_BUILD_RUSTFLAGS", "-Copt-level=1"),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-Clto=off"),
            ("CARGO_TARGET_DIR", "/home/me"),
            ("RUSTFLAGS", "-g"),
        ];
        let told = of_variables(set.map(|(name, value)| (name.into(), value.into())).into_iter());
        let told = CargoConfig(vec![("environment", told.unwrap())]).told();
        assert_eq!(told.rustflags.as_str(), "-Clto=off -Copt-level=1");
        assert_eq!(of_variables([].into_iter()), None);
    }

    #[test]
    fn no_file_adds_nothing() {
        let told = CargoConfig(Vec::new()).told();
        let told = [told.found, told.rustflags, told.release_profile].map(String::from);
        assert_eq!(told, ["none", "none", "no"]);
    }
}
