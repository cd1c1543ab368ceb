//! The build: with what, and how, every program was compiled.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cargo_config::{CargoConfig, CargoSettings};
use super::compiler::Compiler;
use super::fact::{Fact, NONE};
use super::flags::Flags;
use super::profile::Profile;
use super::toolchain::Toolchain;
use super::{flags, private, program, toolchain};

/// What is said of a setting that nobody set.
pub(super) const DEFAULT: &str = "default";

/// Settings of the profile that its few words always name.
const IN_WORDS: [&str; 3] = ["opt-level", "lto", "codegen-units"];

/// With what, and how, every program was compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Build {
    /// All that `rustc -vV` says; `version` is its first line.
    pub rustc: Option<BTreeMap<String, String>>,
    /// What names the compiler: `RUSTC`, `configuration`, or `default` where nothing does.
    pub rustc_chosen_by: Fact,
    /// The programs that are put before the compiler, or `none`.
    pub rustc_wrapper: Fact,
    /// `RUSTC_BOOTSTRAP`, which lets packages use what a stable compiler refuses, or `none`.
    pub rustc_bootstrap: Fact,
    /// What `cargo --version` says.
    pub cargo: Fact,
    /// The compiler flags in force, whatever sets them, or `none`.
    pub flags_in_force: Fact,
    /// `RUSTFLAGS`, or `none`.
    pub rustflags: Fact,
    /// `CARGO_ENCODED_RUSTFLAGS`, or `none`; it goes before `RUSTFLAGS`.
    pub encoded_rustflags: Fact,
    /// `on` where programs are built incrementally, which parts them otherwise, or `none`.
    pub incremental: Fact,
    /// What cargo's own configuration adds.
    pub config: CargoSettings,
    /// Every `CARGO_PROFILE_*` that is set.
    pub profile_environment: Option<BTreeMap<String, Fact>>,
    /// The table `[profile.release]` of the workspace, as it stands there.
    pub profile_release: Option<BTreeMap<String, Value>>,
    /// The settings of that profile which variables or cargo's configuration make other than it.
    pub profile_overrides: Option<BTreeMap<String, Fact>>,
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
    /// Always null: where the layout of code is drawn, each session has its own, and their seeds
    /// stand in the schedule.
    pub layout_seed: Option<u64>,
    /// The versions of other languages, or `none` where a program is not there.
    pub toolchains: Option<BTreeMap<String, Fact>>,
}

impl Build {
    /// Reads how programs are compiled; `root` is the folder of the workspace.
    pub(super) fn read(root: &Path) -> Self {
        let config = CargoConfig::read(root);
        let compiler = Compiler::in_force(root, &config);
        let toolchain = Toolchain::ask(root, &compiler.program);
        let profile = Profile::read(root, &config);
        let target = target(&config, toolchain.rustc.as_ref());
        let flags = Flags::in_force(&config, target.as_str());
        let reported = flags.reported();

        Self {
            rustc: toolchain.rustc,
            rustc_chosen_by: compiler.chosen_by,
            rustc_wrapper: compiler.wrapper,
            rustc_bootstrap: flags::variable("RUSTC_BOOTSTRAP"),
            flags_in_force: if reported.is_empty() { NONE.into() } else { reported.into() },
            cargo: toolchain.cargo,
            rustflags: flags::variable("RUSTFLAGS"),
            incremental: incremental(env::var("CARGO_INCREMENTAL").ok().as_deref(), &config).into(),
            encoded_rustflags: flags::variable("CARGO_ENCODED_RUSTFLAGS"),
            lto: profile.setting("lto"),
            codegen_units: profile.setting("codegen-units"),
            panic: profile.setting("panic"),
            opt_level: profile.setting("opt-level"),
            target_cpu: flags.codegen("target-cpu").unwrap_or(DEFAULT).into(),
            allocator: allocator(&target, &toolchain.libc),
            linker: linker(&flags, &config, &target),
            layout_seed: None,
            config: config.reported(target.as_str()),
            profile_overrides: Some(profile.overrides()),
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
        let others = self.profile_overrides.iter().flatten();
        let others = others.filter(|(name, _)| !IN_WORDS.contains(&name.as_str()));
        let others = others.map(|(name, value)| format!("{name} {value}"));
        let reported = [format!("release, {level}{lto} LTO, {units}")].into_iter().chain(others);
        reported.collect::<Vec<_>>().join(", ").into()
    }

    /// Returns the flags in force as the field of 1.0 has them: empty where there are none.
    pub(super) fn flags_or_empty(&self) -> String {
        if self.flags_in_force.as_str() == NONE {
            String::new()
        } else {
            self.flags_in_force.to_string()
        }
    }

    /// Returns how programs are built otherwise than the workspace's own files say, a few words for
    /// each.
    pub fn differences(&self) -> Vec<String> {
        let profile = self.profile_overrides.iter().flatten();
        let profile =
            profile.filter_map(|(name, value)| set(&format!("the profile's {name}"), value));
        let flags = set("the flags", &self.flags_in_force);
        let rest = [
            set("the linker", &self.linker),
            set("incremental builds", &self.incremental),
            set("other sources of dependencies by", &self.config.replacements),
        ];
        let rest = rest.into_iter().flatten();
        flags.into_iter().chain(self.choices()).chain(rest).chain(profile).collect()
    }

    /// Returns those of the differences that put another compiler in the place of the workspace's,
    /// or have it work otherwise: by a variable, or by cargo's configuration.
    pub fn choices(&self) -> Vec<String> {
        let host = self.rustc.as_ref().and_then(|reported| reported.get("host"));
        let is_other = host.is_some_and(|host| *host != self.target.as_str());
        let choices = [
            set("a compiler chosen by", &self.rustc_chosen_by),
            set("the wrapper", &self.rustc_wrapper),
            set("RUSTC_BOOTSTRAP", &self.rustc_bootstrap),
            set("the target", &self.target).filter(|_| is_other),
            set("variables of cargo's configuration:", &self.config.variables),
        ];
        choices.into_iter().flatten().collect()
    }
}

/// Returns the compiler flags in force for the programs of a workspace, word by word: whoever adds
/// to them has to name them all.
pub fn flags_in_force(root: &Path) -> Vec<String> {
    let config = CargoConfig::read(root);
    let compiler = Compiler::in_force(root, &config);
    let rustc = program::answer(&compiler.program, &["-vV"], root);
    let target = target(&config, rustc.as_deref().map(toolchain::lines).as_ref());
    Flags::in_force(&config, target.as_str()).words()
}

/// Returns a few words for a setting that somebody set.
fn set(what: &str, fact: &Fact) -> Option<String> {
    let is_set = fact.is_known() && ![NONE, DEFAULT].contains(&fact.as_str());
    is_set.then(|| format!("{what} {fact}"))
}

/// Returns whether programs are built incrementally, `on` or `none`: a variable goes before the
/// configuration. What a profile says of it is one of its settings.
fn incremental(variable: Option<&str>, config: &CargoConfig) -> &'static str {
    let is_on = variable.map(|value| value == "1").or_else(|| config.incremental());
    if is_on == Some(true) { "on" } else { NONE }
}

/// Returns the target: that which was asked for, else the compiler's own.
fn target(config: &CargoConfig, rustc: Option<&BTreeMap<String, String>>) -> Fact {
    // A target of one's own is a path.
    let asked = config.target().map(private::without_path);
    Fact::from(asked)
        .or_else(|| rustc.and_then(|reported| reported.get("host")).map(String::as_str).into())
}

/// Returns where memory comes from, but in a model that has a lever for it.
fn allocator(target: &Fact, libc: &Fact) -> Fact {
    match target.as_str() {
        target if target.ends_with("-gnu") => format!("system ({libc})").into(),
        target if target.contains("-musl") => "system (musl)".into(),
        _ => "system".into(),
    }
}

/// Returns the linker that flags, the environment or cargo's configuration name.
fn linker(flags: &Flags, config: &CargoConfig, target: &Fact) -> Fact {
    let named = flags.linker().map(private::last_name);
    Fact::from(named).or_else(|| config.linker(target.as_str())).or_else(|| DEFAULT.into())
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
    fn another_target_than_the_compiler_s_own_and_features_of_a_nightly_are_differences() {
        let rustc = |host: &str| Some([("host".to_owned(), host.to_owned())].into());
        let target = "x86_64-unknown-linux-musl";
        let built = |host| Build { rustc: rustc(host), target: target.into(), ..Build::default() };
        assert_eq!(built(target).differences(), [""; 0]);
        assert_eq!(
            built("x86_64-unknown-linux-gnu").differences(),
            [format!("the target {target}")]
        );
        let unstable = Build { rustc_bootstrap: "1".into(), ..Build::default() };
        assert_eq!(unstable.differences(), ["RUSTC_BOOTSTRAP 1"]);
        let incremental = Build { incremental: "on".into(), ..Build::default() };
        assert_eq!(incremental.differences(), ["incremental builds on"]);
        let says = |variable| super::incremental(variable, &CargoConfig::default());
        assert_eq!([Some("1"), Some("0"), None].map(says), ["on", NONE, NONE]);
        let stable = Build { rustc_bootstrap: NONE.into(), ..Build::default() };
        assert_eq!(stable.differences(), [""; 0]);
    }

    #[test]
    fn the_profile_is_reported_as_it_is_in_force() {
        assert_eq!(in_words(["default", "thin", "1"]), "release, thin LTO, one codegen unit");
        assert_eq!(in_words(["3", "true", "1"]), "release, fat LTO, one codegen unit");
        let slow = in_words(["0", "off", "default"]);
        assert_eq!(slow, "release, opt-level 0, no LTO, default codegen units");
        assert_eq!(Build::default().profile_in_words(), Fact::default());
        let [opt_level, lto, codegen_units] = ["default", "thin", "1"].map(Fact::from);
        let profile_overrides = Some([("overflow-checks".to_owned(), "true".into())].into());
        let checked =
            Build { profile_overrides, lto, codegen_units, opt_level, ..Build::default() };
        let reported = checked.profile_in_words().to_string();
        assert_eq!(reported, "release, thin LTO, one codegen unit, overflow-checks true");
    }
}
