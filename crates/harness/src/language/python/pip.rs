//! Has pip install packages into a virtual environment, by our settings and by nobody else's.
//!
//! A user's settings may send packages to another folder, or take others. Of them only those hold
//! that say how packages are reached, such as a mirror or a proxy: what comes has its hash.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::super::bounded::{Trouble, bounded};
use super::ANSWER;

/// How packages are reached: the settings of a user that hold.
const REACH: [&str; 13] = [
    "cache-dir",
    "cert",
    "client-cert",
    "default-timeout",
    "extra-index-url",
    "find-links",
    "index-url",
    "keyring-provider",
    "no-index",
    "proxy",
    "retries",
    "timeout",
    "trusted-host",
];
/// The sections of pip's configuration for what we do, the weakest first.
const SECTIONS: [&str; 3] = ["global", "install", ":env:"];

/// What pip says, and what is the matter then; the first that fits.
const CAUSES: [(&str, &str); 13] = [
    ("No space left on device", "the disk is full"),
    ("Disk quota exceeded", "the disk is full"),
    ("Read-only file system", "the build directory cannot be written"),
    ("Permission denied", "the build directory cannot be written"),
    ("DO NOT MATCH THE HASHES", "what came does not have the hashes of the list"),
    ("CERTIFICATE_VERIFY_FAILED", "the certificate of the index was not accepted"),
    ("ProxyError", "the proxy could not be used"),
    ("name resolution", "is PyPI within reach?"),
    ("NewConnectionError", "is PyPI within reach?"),
    ("Connection refused", "is PyPI within reach?"),
    ("timed out", "is PyPI within reach?"),
    ("Network is unreachable", "is PyPI within reach?"),
    ("No matching distribution", "the index has no such package for this Python and machine"),
];

/// Installs some lists of packages, by their paths in a folder, for an interpreter.
pub(super) fn install(
    python: &Path,
    (root, lists): (&Path, &[String]),
    limit: Duration,
) -> Result<(), Trouble> {
    let mut ask = Command::new(python);
    let reported =
        bounded(ask.args(["-I", "-m", "pip", "config", "list"]), ANSWER).unwrap_or_default();
    let mut pip = Command::new(python);
    pip.args(["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-input", "--require-hashes", "--only-binary", ":all:", "--retries", "1"]);
    pip.args(lists.iter().flat_map(|list| ["-r", list])).current_dir(root);

    let variables = env::vars_os().map(|(name, _)| name);
    for name in variables.filter(|name| name.as_encoded_bytes().starts_with(b"PIP_")) {
        pip.env_remove(name);
    }
    pip.env("PIP_CONFIG_FILE", "/dev/null").envs(reach(&reported));
    bounded(&mut pip, limit).map(drop)
}

/// Says why pip could not install.
pub(super) fn cause(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Failed(said) => {
            let known = CAUSES.iter().find(|(words, _)| said.contains(words));
            known.map_or_else(|| trouble.line(), |(_, cause)| (*cause).to_owned())
        }
        other => format!("it {other}"),
    }
}

/// Returns as variables what a list of pip's settings says of how packages are reached.
fn reach(reported: &str) -> Vec<(String, String)> {
    let settings = reported.lines().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let (section, name) = key.rsplit_once('.')?;
        REACH.contains(&name).then(|| (section, name, unquoted(value)))
    });
    let settings: Vec<_> = settings.collect();
    let of_section = |wanted| settings.iter().filter(move |(section, ..)| *section == wanted);
    let ordered = SECTIONS.into_iter().flat_map(of_section);
    let variable = |name: &str| format!("PIP_{}", name.to_uppercase().replace('-', "_"));
    ordered.map(|(_, name, value)| (variable(name), value.clone())).collect()
}

/// Returns a text that pip shows in quotes, on one line.
fn unquoted(shown: &str) -> String {
    let quotes = ['\'', '"'];
    let text = shown.trim().trim_start_matches(quotes).trim_end_matches(quotes);
    text.replace("\\n", " ").replace("\\\\", "\\").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_say_how_packages_are_reached_hold_and_no_others() {
        let reported = ":env:.index-url='http://b.example/'\n:env:.target='/home/me'\n\
                    global.extra-index-url='\\nhttp://c.example/\\nhttp://d.example/'\n\
                    global.index-url='http://a.example/'\nglobal.user='true'\n\
                    install.no-binary=':all:'\ndownload.proxy='http://e.example/'\nnonsense\n";
        let expected = [
            ("PIP_EXTRA_INDEX_URL", "http://c.example/ http://d.example/"),
            ("PIP_INDEX_URL", "http://a.example/"),
            ("PIP_INDEX_URL", "http://b.example/"),
        ];
        assert_eq!(reach(reported), expected.map(|(name, v)| (name.to_owned(), v.to_owned())));
    }

    #[test]
    fn each_failure_of_pip_is_reported_by_its_cause() {
        let cases = [
            (
                "WARNING: Retrying: Failed to establish a new connection: [Errno 111] Connection \
              refused\nERROR: No matching distribution found for a",
                "is PyPI within reach?",
            ),
            ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
            (
                "ERROR: No matching distribution found for a==1",
                "the index has no such package for this Python and machine",
            ),
            ("ERROR: something in /home/me/x", "fails: ERROR: something in x"),
        ];
        for (said, reported) in cases {
            assert_eq!(cause(&Trouble::Failed(said.to_owned())), reported);
        }
        assert_eq!(cause(&Trouble::Late(ANSWER)), "it does not end within 20 s");
    }
}
