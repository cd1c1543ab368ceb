//! The build: with what, and how, every program was compiled.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cargo_config::{CargoConfig, CargoSettings};
use super::fact::{Fact, NONE};
use super::flags::Flags;
use super::profile::Profile;
use super::toolchain::Toolchain;
use super::{flags, private};

/// What is said of a setting that nobody set.
pub(super) const DEFAULT: &str = "default";

/// With what, and how, every program was compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Build {
    /// All that `rustc -vV` says; `version` is its first line.
    pub rustc: Option<BTreeMap<String, String>>,
    /// What `cargo --version` says.
    pub cargo: Fact,
    /// `RUSTFLAGS`, or `none`.
    pub rustflags: Fact,
    /// `CARGO_ENCODED_RUSTFLAGS`, or `none`; it goes before `RUSTFLAGS`.
    pub encoded_rustflags: Fact,
    /// What cargo's own configuration adds.
    pub config: CargoSettings,
    /// Every `CARGO_PROFILE_*` that is set.
    pub profile_environment: Option<BTreeMap<String, Fact>>,
    /// The table `[profile.release]` of the workspace, as it stands there.
    pub profile_release: Option<BTreeMap<String, Value>>,
    /// Optimisation across crates, or `default`.
    pub lto: Fact,
    /// The parts into which a crate is cut, or `default`.
    pub codegen_units: Fact,
    /// What a panic does, or `default`.
    pub panic: Fact,
    /// How much is optimised, or `default`.
    pub opt_level: Fact,
    /// The target.
    pub target: Fact,
    /// The CPU that is compiled for, or `default`.
    pub target_cpu: Fact,
    /// Where memory comes from.
    pub allocator: Fact,
    /// The C library.
    pub libc: Fact,
    /// The linker, or `default`, which is that of the compiler.
    pub linker: Fact,
    /// Always null: where the layout of code is drawn, each sitting has its own, and their seeds
    /// stand in the schedule.
    pub layout_seed: Option<u64>,
    /// The versions of other languages, or `none` where a program is not there.
    pub toolchains: Option<BTreeMap<String, Fact>>,
}

impl Build {
    /// Reads how programs are compiled; `root` is the folder of the workspace.
    pub(super) fn read(root: &Path) -> Self {
        let toolchain = Toolchain::ask(root);
        let config = CargoConfig::read(root);
        let profile = Profile::read(root, &config);
        let flags = Flags::in_force(&config);
        let target = target(toolchain.rustc.as_ref());

        Self {
            rustc: toolchain.rustc,
            cargo: toolchain.cargo,
            rustflags: flags::variable("RUSTFLAGS"),
            encoded_rustflags: flags::variable("CARGO_ENCODED_RUSTFLAGS"),
            lto: profile.setting("lto"),
            codegen_units: profile.setting("codegen-units"),
            panic: profile.setting("panic"),
            opt_level: profile.setting("opt-level"),
            target_cpu: flags.codegen("target-cpu").unwrap_or(DEFAULT).into(),
            allocator: allocator(&target, &toolchain.libc),
            linker: linker(&flags, &config, &target),
            layout_seed: None,
            config: config.told(),
            profile_environment: Some(profile.environment),
            profile_release: profile.table,
            target,
            libc: toolchain.libc,
            toolchains: Some(toolchain.others),
        }
    }

    /// Returns the profile in force in a few words, as the field of 1.0 has it. Programs are
    /// built by a cargo that sees the same files and the same variables.
    pub(super) fn profile_in_words(&self) -> Fact {
        let settings = [&self.opt_level, &self.lto, &self.codegen_units].map(Fact::as_str);
        if settings.contains(&Fact::default().as_str()) {
            return Fact::default();
        }
        let [opt_level, lto, units] = settings;
        let level = match opt_level {
            DEFAULT | "3" => String::new(),
            level => format!("opt-level {level}, "),
        };
        let lto = match lto {
            "true" => "fat",
            "false" | "off" => "no",
            lto => lto,
        };
        let units = match units {
            "1" => "one codegen unit".to_owned(),
            units => format!("{units} codegen units"),
        };
        format!("release, {level}{lto} LTO, {units}").into()
    }

    /// Returns `RUSTFLAGS` as the field of 1.0 has it: empty where it is not set.
    pub(super) fn rustflags_or_empty(&self) -> String {
        if self.rustflags.as_str() == NONE { String::new() } else { self.rustflags.to_string() }
    }
}

/// Returns the target: that which was asked for, else the compiler's own.
fn target(rustc: Option<&BTreeMap<String, String>>) -> Fact {
    let asked = env::var("CARGO_BUILD_TARGET").ok();
    // A target of one's own is a path.
    let asked = asked.map(|target| private::without_path(&target));
    Fact::from(asked).or_else(|| rustc.and_then(|told| told.get("host")).map(String::as_str).into())
}

/// Returns where memory comes from: no model sets an allocator of its own.
fn allocator(target: &Fact, libc: &Fact) -> Fact {
    match target.as_str() {
        target if target.ends_with("-gnu") => format!("system ({libc})").into(),
        target if target.contains("-musl") => "system (musl)".into(),
        _ => "system".into(),
    }
}

/// Returns the linker that flags, the environment or cargo's configuration name.
fn linker(flags: &Flags, config: &CargoConfig, target: &Fact) -> Fact {
    let target = target.as_str().to_uppercase().replace('-', "_");
    let variable = env::var(format!("CARGO_TARGET_{target}_LINKER")).ok();
    let named = flags.linker().map(str::to_owned).or(variable);
    let named = named.map(|path| private::last_name(&path).to_owned());
    Fact::from(named).or_else(|| config.linker()).or_else(|| DEFAULT.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is said of a profile with these settings.
    fn in_words([opt_level, lto, codegen_units]: [&str; 3]) -> String {
        let (opt_level, lto, codegen_units) = (opt_level.into(), lto.into(), codegen_units.into());
        Build { lto, codegen_units, opt_level, ..Build::default() }.profile_in_words().to_string()
    }

    #[test]
    fn the_profile_is_told_as_it_is_in_force() {
        assert_eq!(in_words(["default", "thin", "1"]), "release, thin LTO, one codegen unit");
        assert_eq!(in_words(["3", "true", "1"]), "release, fat LTO, one codegen unit");
        let slow = in_words(["0", "off", "default"]);
        assert_eq!(slow, "release, opt-level 0, no LTO, default codegen units");
        assert_eq!(Build::default().profile_in_words(), Fact::default());
    }
}
