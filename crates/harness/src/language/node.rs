//! Node.js: a program of Rust becomes it, and it is found here.
//!
//! Where that cannot be done, models are missing, with the reason and the command that fixes it,
//! and nothing else changes. Neither names a path, since both are written down.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use record::{Missing, Model};

use super::bounded::bounded;
use super::search::{self, ANSWER, Unavailable};
use super::{Interpreter, Language};
use crate::Workspace;

/// The oldest versions that models are written for: the first that compute a CRC-32. One written in
/// JavaScript would be most of what a model costs.
const OLDEST: &str = "20.15 or 22.2";
/// What fixes a Node that is not there.
const FIX_NONE: &str = "sudo apt-get install nodejs";
/// What fixes one that is too old; a system may have no newer one.
const FIX_OLD: &str = "sudo npm install --global node@22";
/// The names under which Node is looked for, in this order.
const NAMES: [&str; 2] = ["node", "nodejs"];
/// Has Node report its version, where it is, the version of its own HTTP client, and whether it
/// computes a CRC-32; what `PATH` leads to may be a script.
const WHO: &str = "console.log(process.versions.node); console.log(process.execPath); \
                   console.log(process.versions.undici); \
                   console.log(typeof require('zlib').crc32)";

/// A Node that was found.
#[derive(Clone, Debug)]
struct Node {
    /// The program itself.
    executable: PathBuf,
    /// Such as `20.20.2`.
    version: String,
    /// That of its own HTTP client.
    undici: String,
}

/// The Node of this process's `PATH`, looked for once.
static FOUND: LazyLock<Result<Node, Unavailable>> =
    LazyLock::new(|| Node::find(&std::env::var_os("PATH").unwrap_or_default()));

/// Models in JavaScript. Their program holds their source, and is built as any other.
pub(super) const LANGUAGE: Language = Language {
    name: "Node.js",
    version: "node",
    sources: ("mjs", "//"),
    start_s: 0.2,
    build: None,
    found: Some(|| {
        FOUND.clone().map(|node| format!("Node.js {} can run models in JavaScript.", node.version))
    }),
    interpreter,
};

/// Returns the Node of a model.
///
/// # Errors
///
/// Returns why the model cannot run here.
fn interpreter(_: &Workspace, model: &Model) -> Result<Option<Interpreter>, Missing> {
    match FOUND.clone() {
        Ok(Node { executable, version, undici }) => Ok(Some(Interpreter {
            path: executable,
            is_compiler: false,
            versions: [("node", version), ("undici", undici)]
                .map(|(name, version)| (name.to_owned(), version))
                .into(),
            lists_sha256: BTreeMap::new(),
        })),
        Err(Unavailable { why, fix }) => {
            Err(Missing { model: model.name.clone(), reason: why, fix })
        }
    }
}

impl Node {
    /// Finds the first Node on a search path that models can be run by.
    fn find(path: &OsStr) -> Result<Self, Unavailable> {
        search::first(path, &NAMES, Self::try_one).map_err(|unavailable| {
            unavailable.unwrap_or_else(|| Unavailable {
                why: format!("no node was found, Node.js {OLDEST} or newer is needed"),
                fix: FIX_NONE.to_owned(),
            })
        })
    }

    /// Makes sure that models can be run by a program: they get none of the variables that whoever
    /// measures has.
    fn try_one(command: &Path, limit: Duration) -> Result<Self, Unavailable> {
        let (version, executable, more) =
            search::ask(Command::new(command).args(["--eval", WHO]), limit)?;
        let Some((undici, "function")) = more.split_once('\n') else {
            let why = format!("Node.js {version} is older than {OLDEST}");
            return Err(Unavailable { why, fix: FIX_OLD.to_owned() });
        };
        let mut alone = Command::new(&executable);
        match bounded(alone.args(["--eval", ""]).env_clear(), ANSWER) {
            Ok(_) => Ok(Self { executable, version, undici: undici.to_owned() }),
            Err(trouble) => Err(Unavailable {
                why: format!(
                    "Node.js {version} does not start without variables, which models do not get: \
                     it {}",
                    trouble.line()
                ),
                fix: "env -i $(command -v node) --version".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::executable;

    /// Looks for Node in a folder of programs with these names and scripts.
    fn find(scripts: &[(&str, &str)]) -> Result<Node, Unavailable> {
        let folder = tempfile::tempdir().unwrap();
        for (name, script) in scripts {
            executable(&folder.path().join(name), script);
        }
        Node::find(folder.path().as_os_str())
    }

    #[test]
    fn a_path_without_node_is_reported_with_what_installs_it() {
        let unavailable = find(&[("python3", "echo 3.11.7")]).unwrap_err();
        assert_eq!(unavailable.why, "no node was found, Node.js 20.15 or 22.2 or newer is needed");
        assert_eq!(unavailable.fix, FIX_NONE);
    }

    #[test]
    fn a_node_that_is_too_old_is_reported_and_hides_no_newer_one() {
        let old = "echo 18.20.4; echo /bin/true; echo 5.28.4; echo undefined";
        let unavailable = find(&[("node", old)]).unwrap_err();
        assert_eq!(unavailable.why, "Node.js 18.20.4 is older than 20.15 or 22.2");
        assert_eq!(unavailable.fix, FIX_OLD);
        let new = "echo 24.1.0; echo /bin/true; echo 7.9.0; echo function";
        assert_eq!(find(&[("node", old), ("nodejs", new)]).unwrap().version, "24.1.0");
    }

    #[test]
    fn a_node_that_does_not_answer_or_lives_on_variables_is_reported_as_found() {
        let why = |script| find(&[("node", script)]).unwrap_err().why;
        assert_eq!(why("exit 1"), "node was found and fails without a word");
        assert_eq!(why("echo hello"), "node was found and does not say who it is");
        let alone = why("echo 22.9.0; echo /bin/false; echo 6.19.8; echo function");
        assert!(alone.starts_with("Node.js 22.9.0 does not start without variables"), "{alone}");
    }
}
