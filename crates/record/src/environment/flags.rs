//! Flags of the compiler that come from outside the workspace's own files.

use std::env;

use super::cargo_config::CargoConfig;
use super::fact::{Fact, NONE};
use super::private;

/// The flags that are in force, word by word.
#[derive(Debug)]
pub(super) struct Flags(Vec<String>);

impl Flags {
    /// Returns the flags in force for a target: cargo takes them from one place only, the first
    /// variable that is set, if only to nothing, else its configuration.
    pub(super) fn in_force(config: &CargoConfig, target: &str) -> Self {
        let variables = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"];
        let set = variables.iter().find(|name| env::var_os(name).is_some());
        Self(set.map_or_else(|| config.rustflags(target), |name| words(name)))
    }

    /// Returns them.
    pub(super) fn words(self) -> Vec<String> {
        self.0
    }

    /// Returns all of them without paths, as one text.
    pub(super) fn reported(&self) -> String {
        let reported: Vec<String> = self.0.iter().map(|word| private::without_path(word)).collect();
        reported.join(" ")
    }

    /// Returns the last value of a code generation option, given as `-Cname=value` in any form.
    pub(super) fn codegen(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter_map(|word| {
            let option = word.strip_prefix("-C").or_else(|| word.strip_prefix("--codegen="));
            option.unwrap_or(word).strip_prefix(name)?.strip_prefix('=')
        });
        values.next_back()
    }

    /// Returns the linker, or what the linker is set to be.
    pub(super) fn linker(&self) -> Option<&str> {
        let mut chosen = self.0.iter().filter_map(|word| word.split("-fuse-ld=").nth(1));
        chosen.next_back().or_else(|| self.codegen("linker"))
    }
}

/// Returns what a variable holds, without paths, or "none".
pub(super) fn variable(name: &str) -> Fact {
    let reported = Flags(words(name)).reported();
    if reported.is_empty() { NONE.into() } else { reported.into() }
}

/// Returns the flags in a variable, which cargo divides by one character or by spaces.
fn words(name: &str) -> Vec<String> {
    let text = env::var_os(name).unwrap_or_default().to_string_lossy().into_owned();
    let divider = if name == "CARGO_ENCODED_RUSTFLAGS" { '\u{1f}' } else { ' ' };
    text.split(divider).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the flags of a line.
    fn flags(line: &str) -> Flags {
        Flags(line.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn an_option_is_found_in_each_of_its_forms_and_the_last_holds() {
        for line in ["-Ctarget-cpu=v3", "-C target-cpu=v3", "--codegen=target-cpu=v3"] {
            assert_eq!(flags(line).codegen("target-cpu"), Some("v3"), "{line}");
        }
        assert_eq!(flags("-Ctarget-cpu=a -Ctarget-cpu=b").codegen("target-cpu"), Some("b"));
        assert_eq!(flags("-Ctarget-cpu-x=a").codegen("target-cpu"), None);
    }

    #[test]
    fn the_linker_is_what_the_driver_is_reported_to_use() {
        let line = "-Clinker=clang -Clink-arg=-fuse-ld=mold";
        assert_eq!(flags(line).linker(), Some("mold"));
        assert_eq!(flags("-Clinker=clang").linker(), Some("clang"));
    }
}
