//! The release profile: where its settings stand, and which of them is in force.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use super::build::DEFAULT;
use super::cargo_config::CargoConfig;
use super::fact::Fact;
use super::private;

/// The release profile, by the places where it is set.
#[derive(Debug)]
pub(super) struct Profile {
    /// Every `CARGO_PROFILE_*` that is set.
    pub(super) environment: BTreeMap<String, Fact>,
    /// What cargo's configuration sets.
    config: BTreeMap<String, Value>,
    /// The table in the workspace's manifest.
    pub(super) table: Option<BTreeMap<String, Value>>,
}

impl Profile {
    /// Reads the profile of a workspace.
    pub(super) fn read(root: &Path, config: &CargoConfig) -> Self {
        let set = env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let value = private::without_path(&value.to_string_lossy());
            name.starts_with("CARGO_PROFILE_").then(|| (name, value.into()))
        });
        let manifest = fs::read_to_string(root.join("Cargo.toml")).ok();
        Self {
            environment: set.collect(),
            config: config.release_profile(),
            table: manifest.and_then(|text| release_table(&text)),
        }
    }

    /// Returns the value of a setting that is in force, as cargo decides it: the environment, then
    /// the configuration, then the manifest.
    pub(super) fn setting(&self, name: &str) -> Fact {
        let variable = format!("CARGO_PROFILE_RELEASE_{}", name.to_uppercase().replace('-', "_"));
        let set = Fact::from(self.environment.get(&variable).cloned());
        let set = set.or_else(|| self.config.get(name).map(text).into());
        let set =
            set.or_else(|| self.table.as_ref().and_then(|table| table.get(name)).map(text).into());
        set.or_else(|| if self.table.is_some() { DEFAULT.into() } else { Fact::default() })
    }
}

impl Profile {
    /// Returns the settings that variables or cargo's configuration make other than the manifest.
    pub(super) fn overrides(&self) -> BTreeMap<String, Fact> {
        let of_variables = self.environment.keys().filter_map(|name| {
            Some(name.strip_prefix("CARGO_PROFILE_RELEASE_")?.to_lowercase().replace('_', "-"))
        });
        let names = of_variables.chain(self.config.keys().cloned());
        let set = names.map(|name| (self.setting(&name), name));
        let in_manifest = |name: &str| self.table.as_ref()?.get(name).map(text);
        let set = set.filter(|(value, name)| in_manifest(name).as_deref() != Some(value.as_str()));
        set.map(|(value, name)| (name, value)).collect()
    }
}

/// Returns the table `[profile.release]` of a manifest, which is empty if it is not there.
fn release_table(manifest: &str) -> Option<BTreeMap<String, Value>> {
    let manifest: Value = toml::from_str(manifest).ok()?;
    let table = manifest.pointer("/profile/release").and_then(Value::as_object).cloned();
    Some(table.unwrap_or_default().into_iter().collect())
}

/// Returns a value without quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a profile that is set in three places.
    fn profile() -> Profile {
        let manifest = "[profile.release]\nlto = \"thin\"\ncodegen-units = 1\ndebug = false\n";
        Profile {
            environment: [("CARGO_PROFILE_RELEASE_CODEGEN_UNITS".to_owned(), "4".into())].into(),
            config: [("lto".to_owned(), "fat".into()), ("codegen-units".to_owned(), 2.into())]
                .into(),
            table: release_table(manifest),
        }
    }

    #[test]
    fn the_environment_goes_before_the_configuration_and_that_before_the_manifest() {
        let settings = ["codegen-units", "lto", "debug", "panic"];
        let reported = settings.map(|name| profile().setting(name).to_string());
        assert_eq!(reported, ["4", "fat", "false", "default"]);
    }

    #[test]
    fn what_is_set_otherwise_than_in_the_manifest_is_reported_and_what_is_set_the_same_is_not() {
        let reported = profile().overrides();
        let reported: Vec<String> =
            reported.iter().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(reported, ["codegen-units 4", "lto fat"]);
        let same = [("CARGO_PROFILE_RELEASE_LTO".to_owned(), "thin".into())].into();
        let profile = Profile { environment: same, config: BTreeMap::new(), ..profile() };
        assert!(profile.overrides().is_empty());
    }

    #[test]
    fn without_a_manifest_no_setting_is_known() {
        let profile = Profile { config: BTreeMap::new(), table: None, ..profile() };
        assert_eq!(profile.setting("lto"), Fact::default());
    }
}
