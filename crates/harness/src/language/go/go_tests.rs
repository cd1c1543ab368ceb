//! Promises of how Go is found, kept with scripts that stand for it.

use super::*;
use crate::fixture::executable;
use crate::skip::skipped;

/// Writes a program, which is a script.
fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    executable(path, text);
}

/// Returns folders for a search path, in each of which a `go` reports this version; what it leads
/// to does what the second script says.
fn found(programs: &[(&str, &str)]) -> Result<Go, Unavailable> {
    let folder = tempfile::tempdir().unwrap();
    let folders = programs.iter().enumerate().map(|(at, (version, real))| {
        let root = folder.path().join(at.to_string());
        script(&root.join("go"), &format!("echo {version}; echo {}", root.display()));
        script(&root.join("bin/go"), real);
        root
    });
    Go::find(&std::env::join_paths(folders).unwrap())
}

#[test]
fn a_path_without_go_is_reported() {
    assert_eq!(found(&[]).unwrap_err().why, "no go was found");
}

#[test]
fn a_go_that_is_too_old_is_reported_and_hides_no_newer_one() {
    let old = ("go1.21.13", "exit 0");
    assert_eq!(found(&[old]).unwrap_err().why, "Go 1.21.13 is older than 1.24");
    for (version, reported) in [
        ("go1.24.0", "1.24.0"),
        ("go1.30rc1", "1.30rc1"),
        ("'go1.27.3 X:nogreenteagc'", "1.27.3"),
        ("go2.0", "2.0"),
    ] {
        assert_eq!(found(&[old, (version, "exit 0")]).unwrap().version, reported);
    }
}

#[test]
fn a_go_that_does_not_answer_or_lives_on_variables_is_reported_as_found() {
    let why = |version| found(&[(version, "exit 0")]).unwrap_err().why;
    assert_eq!(why("; exit 1"), "go was found and fails without a word");
    assert_eq!(why("; exit 0"), "go was found and does not say who it is");
    let real = "test -n \"$CARGO_MANIFEST_DIR$HOME\" || exit 127";
    let alone = found(&[("go1.24.1", real)]).unwrap_err().why;
    assert!(alone.starts_with("Go 1.24.1 does not start without variables"), "{alone}");
}

#[test]
fn a_toolchain_without_its_compiler_is_passed_over() {
    let broken = ("go1.27.3", "test $1 = version");
    assert!(found(&[broken]).is_err());
    assert_eq!(found(&[broken, ("go1.25.0", "exit 0")]).unwrap().version, "1.25.0");
}

#[test]
fn where_none_is_found_and_none_can_be_set_up_both_are_said_with_what_fixes_it() {
    if let Err(unavailable) = Python::on_path() {
        return skipped(&unavailable.why);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    workspace.root = folder.path().to_owned();
    workspace.target = folder.path().join("target");
    let list = folder.path().join(LIST);
    fs::create_dir_all(list.parent().unwrap()).unwrap();
    let none = "0".repeat(64);
    let text = format!("--index-url http://127.0.0.1:9/\ngo-bin==1.27.3 --hash=sha256:{none}\n");
    fs::write(list, text).unwrap();

    let old = found(&[("go1.21.13", "exit 0")]).unwrap_err();
    let unavailable = Go::set_up(&workspace, &old).unwrap_err();
    assert!(unavailable.why.starts_with("Go 1.21.13 is older than 1.24, and "), "{unavailable:?}");
    assert!(!unavailable.fix.is_empty());
}

#[test]
fn a_program_is_whole_with_all_its_sections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    let own = fs::read(std::env::current_exe().unwrap()).unwrap();
    for (length, is_expected) in [(own.len(), true), (own.len() / 2, false), (0, false)] {
        fs::write(&path, &own[..length]).unwrap();
        assert_eq!(is_whole(&path), is_expected, "{length}");
    }
}
