//! The toolchain: what compilers and interpreters say of their versions.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::thread;

use super::fact::{Fact, NONE};
use super::program;

/// Programs that other languages need, and how each is asked for its version.
const OTHERS: [(&str, &[&str]); 3] =
    [("go", &["version"]), ("node", &["--version"]), ("python3", &["--version"])];

/// What compilers and interpreters say of their versions.
#[derive(Debug)]
pub(super) struct Toolchain {
    /// All that the compiler says; `version` is its first line.
    pub(super) rustc: Option<BTreeMap<String, String>>,
    /// The version of cargo.
    pub(super) cargo: Fact,
    /// The C library.
    pub(super) libc: Fact,
    /// The versions of other languages, or "none" where a program is not there.
    pub(super) others: BTreeMap<String, Fact>,
}

impl Toolchain {
    /// Asks all of them at once, in the folder of the workspace, which may choose a version; of
    /// compilers the one that cargo uses, and of cargos the one that builds.
    pub(super) fn ask(root: &Path, compiler: &str) -> Self {
        let builder = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let ask = |program, arguments| program::answer(program, arguments, root);
        thread::scope(|scope| {
            let others = OTHERS.map(|(name, arguments)| {
                (name, scope.spawn(move || program::answer(name, arguments, root)))
            });
            let cargo = scope.spawn(|| ask(&builder, &["--version"]));
            let libc = scope.spawn(|| ask("getconf", &["GNU_LIBC_VERSION"]));
            let rustc = ask(compiler, &["-vV"]);

            let version = |text: Option<String>| text.map_or(NONE.into(), Fact::from);
            Self {
                rustc: rustc.as_deref().map(lines),
                cargo: cargo.join().unwrap_or_default().into(),
                libc: libc.join().unwrap_or_default().into(),
                others: others
                    .into_iter()
                    .map(|(name, text)| (name.to_owned(), version(text.join().unwrap_or_default())))
                    .collect(),
            }
        })
    }
}

/// Returns the lines of `rustc -vV` by their names.
pub(super) fn lines(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| match line.split_once(": ") {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => ("version".to_owned(), line.to_owned()),
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_compiler_keep_their_names() {
        let reported =
            lines("rustc 1.95.0 (5980 2026-04-14)\nhost: x86_64\nLLVM version: 22.1.2\n");
        assert_eq!(reported["version"], "rustc 1.95.0 (5980 2026-04-14)");
        assert_eq!(
            (reported["host"].as_str(), reported["LLVM version"].as_str()),
            ("x86_64", "22.1.2")
        );
    }
}
