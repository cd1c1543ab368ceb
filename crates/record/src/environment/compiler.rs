//! The compiler that cargo uses: which one, by whose choice, and through which wrapper.

use std::env;
use std::path::Path;

use super::build::DEFAULT;
use super::cargo_config::CargoConfig;
use super::fact::{Fact, NONE};
use super::private;

/// The compiler that cargo uses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compiler {
    /// How it is called.
    pub(super) program: String,
    /// What names it: `RUSTC`, `configuration`, or `default` where nothing does.
    pub(super) chosen_by: Fact,
    /// The programs that are put before it, without their paths, or `none`.
    pub(super) wrapper: Fact,
}

impl Compiler {
    /// Returns the one in force: a variable of its own goes before cargo's configuration, of which
    /// variables such as `CARGO_BUILD_RUSTC` are a part.
    pub(super) fn in_force(root: &Path, config: &CargoConfig) -> Self {
        Self::of(root, config, |name| Some(env::var_os(name)?.to_string_lossy().into_owned()))
    }

    /// Returns the one in force with these variables.
    fn of(root: &Path, config: &CargoConfig, set: impl Fn(&str) -> Option<String>) -> Self {
        let by_variable = set("RUSTC").map(|program| (program, "RUSTC"));
        let by_config = || Some((config.program(root, "rustc")?, "configuration"));
        let chosen = by_variable.or_else(by_config).filter(|(program, _)| !program.is_empty());
        let (program, chosen_by) = chosen.unwrap_or(("rustc".to_owned(), DEFAULT));

        let wrappers = [
            ("RUSTC_WRAPPER", "rustc-wrapper"),
            ("RUSTC_WORKSPACE_WRAPPER", "rustc-workspace-wrapper"),
        ];
        // An empty variable turns the configured one off.
        let wrappers = wrappers.map(|(name, key)| set(name).or_else(|| config.program(root, key)));
        let wrappers = wrappers.iter().flatten().map(|path| private::last_name(path));
        let wrappers: Vec<&str> = wrappers.filter(|name| !name.is_empty()).collect();
        let wrapper = if wrappers.is_empty() { NONE.into() } else { wrappers.join(" ").into() };
        Self { program, chosen_by: chosen_by.into(), wrapper }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Returns the compiler of a folder with this configuration and these variables.
    fn compiler(config: &str, set: &[(&str, &str)]) -> [String; 3] {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(".cargo")).unwrap();
        fs::write(root.path().join(".cargo/config.toml"), config).unwrap();
        let set = |name: &str| {
            let found = set.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let config = CargoConfig::of_folders(&[("workspace", root.path().join(".cargo"))]);
        let found = Compiler::of(root.path(), &config, set);
        let program = found.program.replace(root.path().to_str().unwrap(), "ROOT");
        [program, found.chosen_by.to_string(), found.wrapper.to_string()]
    }

    #[test]
    fn a_compiler_that_nobody_chose_is_the_default() {
        assert_eq!(compiler("", &[]), ["rustc", "default", "none"]);
    }

    #[test]
    fn a_variable_goes_before_the_configuration() {
        let config = "[build]\nrustc = \"/opt/me/rustc\"\nrustc-wrapper = \"/opt/sccache\"\n\
                      rustc-workspace-wrapper = \"tools/wrap\"\n";
        assert_eq!(compiler(config, &[]), ["/opt/me/rustc", "configuration", "sccache wrap"]);
        let set = [("RUSTC", "rustc-own"), ("RUSTC_WRAPPER", "")];
        assert_eq!(compiler(config, &set), ["rustc-own", "RUSTC", "wrap"]);
    }

    #[test]
    fn a_path_in_a_file_begins_where_the_folder_of_the_file_lies() {
        let config = "[build]\nrustc = \"tools/rustc\"\n";
        assert_eq!(compiler(config, &[])[0], "ROOT/tools/rustc");
    }
}
