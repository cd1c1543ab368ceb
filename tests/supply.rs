//! What Inflight is built from: `deny.toml` is kept, by `cargo deny` where it is installed, and by
//! what cargo says of the tree everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use cargo_metadata::{Metadata, MetadataCommand, PackageId};
use spdx::{Expression, ParseMode};
use toml::Table;

use crate::support::skip::{noted, skipped};

/// The page that says what may be.
static DENY: LazyLock<Table> = LazyLock::new(|| {
    let text = fs::read_to_string(root().join("deny.toml")).expect("it is there");
    text.parse().expect("it is TOML")
});

/// The tree for the first of the targets that `deny.toml` names, as the lock file has it.
static TREE: LazyLock<Metadata> = LazyLock::new(|| {
    let target = listed("graph", "targets", "").remove(0);
    let options = ["--locked", "--filter-platform", &target].map(str::to_owned);
    let mut command = MetadataCommand::new();
    command.current_dir(root()).other_options(options).exec().expect("cargo describes it")
});

/// Returns the folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the texts in a list of `deny.toml`; of tables, those under `key`.
fn listed(section: &str, list: &str, key: &str) -> Vec<String> {
    let values = DENY[section][list].as_array().expect("it is a list");
    let text = |value: &toml::Value| {
        value.as_str().or_else(|| value.get(key)?.as_str()).map(str::to_owned)
    };
    values.iter().map(|value| text(value).expect("it is a text")).collect()
}

/// Returns the names of the workspace's packages that reach a package of that name.
fn reach(name: &str) -> BTreeSet<String> {
    let resolve = TREE.resolve.as_ref().expect("cargo resolves it");
    let arrows: BTreeMap<&PackageId, &[PackageId]> =
        resolve.nodes.iter().map(|node| (&node.id, node.dependencies.as_slice())).collect();
    let reaches = |from: &PackageId| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(id) = next.pop() {
            if seen.insert(id) {
                next.extend(arrows[id]);
            }
        }
        seen.into_iter().any(|id| TREE[id].name == name)
    };
    let members = TREE.workspace_packages().into_iter();
    members.filter(|member| reaches(&member.id)).map(|member| member.name.to_string()).collect()
}

#[test]
fn the_only_exception_is_async_std_with_a_date_and_a_reason() {
    assert_eq!(listed("advisories", "ignore", "id"), ["RUSTSEC-2025-0052"]);
    let reason = listed("advisories", "ignore", "reason").remove(0);
    let (date, why) = reason.split_once(": ").expect("a date and a reason");
    let is_date = date.len() == 10 && date.split('-').all(|part| part.parse::<u16>().is_ok());
    assert!(is_date && why.len() > 40, "{reason}");
}

#[test]
fn async_std_is_reached_from_what_measures_it_alone() {
    let measure = ["model-async-std", "model-async-std-hyper", "primitives-async-std"];
    assert_eq!(reach("async-std"), BTreeSet::from(measure.map(str::to_owned)));
}

#[test]
fn every_licence_is_one_that_is_allowed() {
    let allowed = listed("licenses", "allow", "");
    for package in &TREE.packages {
        let licence = package.license.as_deref().unwrap_or_default();
        // Old manifests write a slash for a choice.
        let expression = Expression::parse_mode(licence, ParseMode::LAX);
        let expression = expression.unwrap_or_else(|error| panic!("{}: {error}", package.name));
        let is_allowed = |id: &str| allowed.iter().any(|allowed| allowed == id);
        // A licence with an exception to it is another licence.
        let holds = expression.evaluate(|asked| {
            asked.addition.is_none() && asked.license.id().is_some_and(|id| is_allowed(id.name))
        });
        assert!(holds, "{} {}: {licence}", package.name, package.version);
    }
}

#[test]
fn every_package_comes_from_the_registry_or_from_here() {
    let registry = format!("registry+{}", listed("sources", "allow-registry", "").remove(0));
    let members: BTreeSet<&PackageId> = TREE.workspace_members.iter().collect();
    for package in &TREE.packages {
        let source = package.source.as_ref().map(|source| source.repr.as_str());
        let expected = (!members.contains(&package.id)).then_some(registry.as_str());
        assert_eq!(source, expected, "{}", package.name);
    }
}

#[test]
fn nothing_that_speaks_tls_is_in_the_lock_file() {
    let banned = listed("bans", "deny", "name");
    assert!(
        ["native-tls", "openssl-sys", "rustls"]
            .iter()
            .all(|tls| banned.contains(&(*tls).to_owned()))
    );
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("it is there");
    for name in banned {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name}");
    }
}

#[test]
fn cargo_deny_finds_nothing_where_it_is_installed() {
    let deny = |check: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(["deny", "--offline", "--locked", "check"]).args(check).current_dir(root());
        let output = command.output().expect("cargo starts");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    if !deny(&["--help"]).0 {
        return skipped("cargo-deny is not installed");
    }
    let (ok, said) = deny(&["--hide-inclusion-graph", "bans", "licenses", "sources"]);
    assert!(ok, "{said}");
    let (ok, said) = deny(&["--hide-inclusion-graph", "advisories"]);
    // The list of advisories is downloaded by whoever wants to, not by a test.
    match !ok && said.contains("advisory-db") {
        true => noted("advisories were not checked: `cargo deny fetch` downloads them"),
        false => assert!(ok, "{said}"),
    }
}
