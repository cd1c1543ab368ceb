//! Promises of how Python is found and set up, kept with scripts that stand for one and with the
//! real one of this machine.

use std::fs;
use std::thread;

use super::setup::sums;
use super::*;
use crate::doctor::ELSEWHERE;
use crate::fixture::executable;
use crate::skip::skipped;

/// Returns a folder with programs of these names and scripts.
fn folder(scripts: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in scripts {
        executable(&folder.path().join(name), script);
    }
    folder
}

/// Returns a workspace of nothing but a list of packages.
fn workspace(list: &str) -> (tempfile::TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("list.txt"), list).unwrap();
    let mut workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    folder.path().clone_into(&mut workspace.root);
    workspace.target = folder.path().join("target");
    (folder, workspace)
}

/// Returns the Python of this machine; where models can be run by none, the test is skipped.
fn found() -> Option<Python> {
    let found = FOUND.clone();
    found.inspect_err(|unavailable| skipped(&unavailable.why)).ok()
}

/// Returns it where it makes virtual environments.
fn found_with_venv() -> Option<Python> {
    let python = found()?;
    if !python.can_make_venv() {
        skipped("this Python makes no virtual environments");
        return None;
    }
    Some(python)
}

/// Sets a list of packages up.
fn set_up(python: &Python, workspace: &Workspace) -> Result<Interpreter, Unavailable> {
    let lists = ["list.txt".to_owned()];
    python.set_up(workspace, of(&lists))
}

/// Returns lists of packages with nothing besides to be tried.
fn of(lists: &[String]) -> Packages<'_> {
    Packages { lists, check: |_, _| Ok(()), mib_min: 0 }
}

#[test]
fn a_path_without_python_is_reported_with_what_installs_it() {
    let folder = folder(&[("python2", "echo 2.7.18; echo /usr/bin/python2")]);
    let unavailable = Python::find(folder.path().as_os_str()).unwrap_err();
    assert_eq!(unavailable.why, "no python3 was found, Python 3.11 or newer is needed");
    assert_eq!(unavailable.fix, FIX_NONE);
}

#[test]
fn a_python_that_is_too_old_is_reported_and_hides_no_newer_one() {
    let old = "echo 3.9.2; echo /usr/bin/python3.9";
    let unavailable = Python::find(folder(&[("python3", old)]).path().as_os_str()).unwrap_err();
    assert_eq!(
        (unavailable.why.as_str(), unavailable.fix.as_str()),
        ("Python 3.9.2 is older than 3.11", FIX_OLD)
    );

    let new = "echo 3.14.0rc1; echo /bin/true";
    let both = folder(&[("python3", old), ("python3.14", new)]);
    let found = Python::find(both.path().as_os_str()).unwrap();
    assert_eq!(found.executable, Path::new("/bin/true"));
}

#[test]
fn a_python_that_does_not_answer_is_reported_as_found_with_what_it_says() {
    let reported = |script: &str| {
        let folder = folder(&[("python3", script)]);
        let unavailable = Python::find(folder.path().as_os_str()).unwrap_err();
        assert_eq!(unavailable.fix, "python3 --version");
        unavailable.why
    };
    assert_eq!(reported("exit 1"), "python3 was found and fails without a word");
    assert_eq!(reported("echo hello"), "python3 was found and does not say who it is");
    let missing = "echo '/home/me/python3: libpython3.12.so: cannot open' >&2; exit 127";
    let why = "python3 was found and fails: python3: libpython3.12.so: cannot open";
    assert_eq!(reported(missing), why);

    let slow = folder(&[("python3", "exec sleep 60")]);
    let unavailable = Python::ask(slow.path().join("python3"), Duration::ZERO).unwrap_err();
    assert_eq!(unavailable.why, "python3 was found and does not end within 0 s");
}

#[test]
fn a_python_that_lives_on_variables_of_the_user_is_passed_over_and_reported() {
    // It starts where somebody's variables are, and there are always some in a test.
    let executable = folder(&[("real", "test -n \"$CARGO_MANIFEST_DIR$HOME\" || exit 127")]);
    let real = executable.path().join("real");
    let script = format!("echo 3.12.1; echo {}", real.display());
    let unavailable = Python::find(folder(&[("python3", &script)]).path().as_os_str()).unwrap_err();
    assert!(
        unavailable.why.contains("Python 3.12.1 does not start without variables"),
        "{unavailable:?}"
    );
    assert!(unavailable.fix.starts_with("sudo ldconfig "), "{unavailable:?}");

    let both = folder(&[("python3", &script), ("python3.11", "echo 3.11.9; echo /bin/true")]);
    assert_eq!(Python::find(both.path().as_os_str()).unwrap().version, "3.11.9");
}

#[test]
fn a_python_without_venv_runs_what_needs_no_package_and_is_reported_for_the_rest() {
    let Some(real) = found() else { return };
    let refuses = "echo 'ensurepip is not available' >&2; exit 1";
    let real = real.executable.display();
    let script = format!("case \"$*\" in *venv*) {refuses};; esac; exec {real} \"$@\"");
    let folder = folder(&[("python3", &script)]);
    let python = Python::find(folder.path().as_os_str()).unwrap();

    let (_kept, workspace) = workspace("# nothing\n");
    assert!(python.set_up(&workspace, of(&[])).is_ok());
    let unavailable = set_up(&python, &workspace).unwrap_err();
    assert!(unavailable.why.ends_with("cannot make a virtual environment"), "{unavailable:?}");
    assert_eq!(unavailable.fix, FIX_VENV);
}

#[test]
fn a_disk_without_room_for_packages_is_reported_with_what_they_need() {
    let (_scripts, python) = scripted("{}");
    let (_kept, workspace) = workspace("# nothing\n");
    let lists = ["list.txt".to_owned()];
    let many = Packages { mib_min: 1 << 40, ..of(&lists) };
    let unavailable = python.set_up(&workspace, many).unwrap_err();
    let words = "its packages need 1099511627776 MiB or more where programs are built, and ";
    assert!(unavailable.why.starts_with(words), "{unavailable:?}");
    assert!(unavailable.why.ends_with(" are free"), "{unavailable:?}");
    assert_eq!(unavailable.fix, ELSEWHERE);

    // It may become full meanwhile, which only who writes there is told.
    for step in ["venv", "install"] {
        let full = "echo \"Error: [Errno 28] No space left on device: '/home/me/x'\" >&2; exit 1";
        let (_scripts, python) = failing(&format!("*{step}*) {full};;"));
        let some = Packages { mib_min: 28, ..of(&lists) };
        let unavailable = python.set_up(&workspace, some).unwrap_err();
        let words = "its packages need 28 MiB or more where programs are built, and ";
        assert!(unavailable.why.starts_with(words), "{step}: {unavailable:?}");
        assert_eq!(unavailable.fix, ELSEWHERE);
    }
}

#[test]
fn an_index_out_of_reach_is_reported_and_leaves_nothing_that_looks_whole() {
    let Some(python) = found() else { return };
    let none = "0".repeat(64);
    let list = format!("--index-url http://127.0.0.1:9/\nuvloop==0.23.0 --hash=sha256:{none}\n");
    let (_kept, workspace) = workspace(&list);
    let unavailable = set_up(&python, &workspace).unwrap_err();
    // Without venv there is no pip to fail.
    let expected = ["pip could not install list.txt", "cannot make a virtual environment"];
    assert!(expected.iter().any(|words| unavailable.why.contains(words)), "{unavailable:?}");
    assert_eq!(set_up(&python, &workspace).unwrap_err(), unavailable);
}

#[test]
fn two_at_once_set_up_one_and_what_an_interrupted_one_left_is_made_again() {
    let Some(python) = found_with_venv() else { return };
    let (_kept, workspace) = workspace("# nothing\n");
    let key = python.key(&sums(&workspace.root, &["list.txt".to_owned()]).unwrap());
    let folder = workspace.target.join("inflight/python").join(key);
    fs::create_dir_all(folder.with_extension("new").join("bin")).unwrap();

    let both = thread::scope(|scope| {
        let set_up = || scope.spawn(|| set_up(&python, &workspace));
        [set_up(), set_up()].map(|one| one.join().unwrap())
    });
    let [one, other] = both.map(|one| one.expect("its packages are none"));
    assert_eq!(one, other);
    assert_eq!(one.versions, BTreeMap::from([("python".to_owned(), python.version.clone())]));
    let said = bounded(Command::new(&one.path).args(["-I", "-c", WHO]), ANSWER).unwrap();
    assert!(said.starts_with(&python.version), "{said}");
    assert!(!folder.with_extension("new").exists());
}

/// Returns a Python whose virtual environments are scripts that report these packages.
fn scripted(packages: &str) -> (tempfile::TempDir, Python) {
    failing(&format!("*importlib*) echo '{packages}';;"))
}

/// Returns a Python that does what these cases of a shell say, and so do its virtual environments.
fn failing(cases: &str) -> (tempfile::TempDir, Python) {
    let inside = format!("case \"$*\" in {cases} esac");
    let scripts = folder(&[("inside", &inside)]);
    let inside = scripts.path().join("inside").display().to_string();
    let script = format!(
        "case \"$*\" in\n{cases}\n*venv*) for last; do :; done\n\
         mkdir -p \"$last/bin\" && cp {inside} \"$last/bin/python\";;\n\
         *) echo 3.12.1; echo {inside};;\nesac"
    );
    let command = folder(&[("python3", &script)]);
    let python = Python::find(command.path().as_os_str()).unwrap();
    let python = Python { command: scripts.path().join("python3"), ..python };
    executable(&python.command, &script);
    (scripts, python)
}

#[test]
fn what_was_set_up_is_tried_before_each_use_and_made_again_if_it_is_broken() {
    let (_scripts, python) = scripted("{\"yarl\": \"1.2\"}");
    let (_kept, workspace) = workspace("yarl==1.2 --hash=sha256:00\n");
    let first = set_up(&python, &workspace).unwrap();
    assert_eq!(first.versions["yarl"], "1.2");
    let corrupt: [fn(&Path); 3] = [
        |python| fs::remove_file(python).unwrap(),
        |python| fs::write(python, "").unwrap(),
        |python| fs::write(python, "#!/bin/sh\nexit 1\n").unwrap(),
    ];
    for corrupt in corrupt {
        corrupt(&first.path);
        assert_eq!(set_up(&python, &workspace).unwrap(), first);
        assert!(bounded(Command::new(&first.path).args(["-c", "importlib"]), ANSWER).is_ok());
    }
}

#[test]
fn what_is_no_module_is_tried_too_and_made_again_if_it_is_broken() {
    let (_scripts, python) = scripted("{\"yarl\": \"1.2\"}");
    let (_kept, workspace) = workspace("yarl==1.2 --hash=sha256:00\n");
    let lists = ["list.txt".to_owned()];
    // It stands for a tool that comes with a package.
    let check = |folder: &Path, _| match folder.join("bin/python").exists() {
        true if !folder.join("broken").exists() => Ok(()),
        _ => Err(Trouble::Failed("broken".to_owned())),
    };
    let packages = Packages { check, ..of(&lists) };
    let first = python.set_up(&workspace, packages).unwrap();
    let folder = first.path.ancestors().nth(2).unwrap();
    fs::write(folder.join("broken"), "").unwrap();
    assert_eq!(python.set_up(&workspace, packages).unwrap(), first);
    assert!(!folder.join("broken").exists());

    let packages = Packages { check: |_, _| Err(Trouble::Failed("no go".to_owned())), ..packages };
    let unavailable = python.set_up(&workspace, packages).unwrap_err();
    let why = "its packages could not be set up: what was set up fails: no go";
    assert_eq!(unavailable.why, why);
}

#[test]
fn an_environment_without_what_its_list_pins_is_not_kept() {
    // As where pip was set to put packages elsewhere.
    for packages in ["{}", "{\"yarl\": \"1.1\"}", "malformed"] {
        let (_scripts, python) = scripted(packages);
        let (_kept, workspace) = workspace("yarl==1.2 --hash=sha256:00\n");
        let unavailable = set_up(&python, &workspace).unwrap_err();
        assert!(
            unavailable.why.starts_with("its packages could not be set up: "),
            "{unavailable:?}"
        );
        let key = python.key(&sums(&workspace.root, &["list.txt".to_owned()]).unwrap());
        assert!(!workspace.target.join("inflight/python").join(key).exists());
    }
}

#[test]
fn an_environment_that_is_late_is_said_to_be_and_kept() {
    let (_scripts, python) = scripted("{\"yarl\": \"1.2\"}");
    let (_kept, workspace) = workspace("yarl==1.2 --hash=sha256:00\n");
    let first = set_up(&python, &workspace).unwrap();
    let whole = fs::read(&first.path).unwrap();
    executable(&first.path, "exec sleep 60");

    let folder = first.path.ancestors().nth(2).unwrap();
    let lists = ["list.txt".to_owned()];
    let packages = python.packages(folder, (&workspace.root, of(&lists)), Duration::ZERO);
    let late = packages.unwrap_err();
    assert_eq!(late.why, "its packages do not load within 0 s here, though they are set up");
    assert!(fs::read_to_string(&first.path).unwrap().contains("sleep"), "it was not made again");
    fs::write(&first.path, whole).unwrap();
    assert_eq!(set_up(&python, &workspace).unwrap(), first);
}

#[test]
fn a_python_that_takes_seconds_to_answer_is_found() {
    // As a script does that looks for the version that a project wants.
    let slow = folder(&[("python3", "sleep 4; echo 3.12.1; echo /bin/true")]);
    let found = Python::find(slow.path().as_os_str()).unwrap();
    assert_eq!((found.version.as_str(), found.executable), ("3.12.1", "/bin/true".into()));
}

/// Writes a package as pip installs it, and returns a list that pins it.
fn packed(python: &Path, folder: &Path) -> String {
    let script = "import sys, zipfile\n\
                  with zipfile.ZipFile(sys.argv[1], 'w') as wheel:\n \
                  about = 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n'\n \
                  kind = 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'\n \
                  wheel.writestr('tiny.py', '')\n \
                  wheel.writestr('tiny-1.0.dist-info/METADATA', about)\n \
                  wheel.writestr('tiny-1.0.dist-info/WHEEL', kind)\n \
                  wheel.writestr('tiny-1.0.dist-info/RECORD', 'tiny.py,,\\n')\n";
    let wheel = folder.join("tiny-1.0-py3-none-any.whl");
    bounded(Command::new(python).args(["-I", "-c", script]).arg(&wheel), ANSWER).unwrap();
    let sum = record::sha256(&fs::read(&wheel).unwrap());
    let folder = folder.display();
    format!("--no-index\n--find-links {folder}\ntiny==1.0 --hash=sha256:{sum}\n")
}

#[test]
fn packages_go_where_they_belong_whatever_a_user_has_set_for_pip_and_wherever_temporary_files_go() {
    let name = "packages_go_where_they_belong_";
    let Some(python) = found_with_venv() else { return };
    let Some(elsewhere) = std::env::var_os("INFLIGHT_ELSEWHERE") else {
        // Variables are those of a process, which other tests share.
        let elsewhere = tempfile::tempdir().unwrap();
        let mut own = Command::new(std::env::current_exe().unwrap());
        own.args([name, "--nocapture"]).env("INFLIGHT_ELSEWHERE", elsewhere.path());
        own.env("PIP_TARGET", elsewhere.path()).env("PIP_USER", "1").env("PIP_NO_BINARY", ":all:");
        own.env("PIP_PREFIX", elsewhere.path())
            .env("PIP_DRY_RUN", "1")
            .env("PIP_REQUIRE_VENV", "0");
        own.env("TMPDIR", elsewhere.path().join("absent"));
        let output = own.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
        return;
    };
    let work = tempfile::tempdir_in("/tmp").unwrap();
    let mut workspace = Workspace::of(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    workspace.root = work.path().to_owned();
    workspace.target = work.path().join("target");
    fs::write(work.path().join("list.txt"), packed(&python.executable, work.path())).unwrap();
    let interpreter = set_up(&python, &workspace).unwrap();
    assert_eq!(interpreter.versions["tiny"], "1.0");
    assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 0, "nothing went there");
}
