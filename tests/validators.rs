//! What is derived for citing and sharing, held against the formats' own programs: cffconvert,
//! bibtex, biber, pdflatex and rsvg-convert. Each runs where it is installed, and says so where it
//! is not.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use support::built;
use support::shell::{check, inflight, published, small_run, text, written};

/// Texts that have done harm elsewhere, for every field that a machine or a model fills.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)> {{7*7}} }} , note = { \
                       \\input{/etc/passwd} %$#_{}~^\\ \u{1b}]0;t\u{7} =cmd|'/c calc'!A0 \
                       a\u{2028}b\u{202e}c !!python x: - \
                       [l](javascript:x) | ` \"q\" é 中";

/// Runs a program, or says that it is missing.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(folder).output() {
        Ok(output) => Some(output),
        Err(_) => {
            eprintln!("skipped: {program} is not installed");
            None
        }
    }
}

/// Checks that a program is content.
fn content(output: &Output, what: &str) {
    let said = [&output.stdout[..], &output.stderr].concat();
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&said));
}

/// Returns folders with what is derived: of every published run, and of one with hostile texts.
fn derived() -> Vec<(tempfile::TempDir, String)> {
    let folder = tempfile::tempdir().expect("it is made");
    let bad = || HOSTILE.to_owned();
    let hostile = written(folder.path(), |run| {
        run.environment.cpu = bad();
        run.environment.commit = bad();
        run.environment.kernel = bad();
        run.schedule.version = bad();
        run.schedule.cells[0].name = bad();
        for block in run.schedule.blocks.iter_mut().filter(|block| block.cell == "batch") {
            block.cell = bad();
        }
        for trial in run.turns.iter_mut().filter(|trial| trial.cell == "batch") {
            trial.cell = bad();
            if trial.model == "smol" {
                trial.state = record::State::Failed(bad());
            }
        }
    });
    let runs = published().into_iter().chain([hostile]);
    runs.map(|run| {
        let copy = tempfile::tempdir().expect("it is made");
        for name in ["CITATION.cff", "citation.bib", "tables.tex", "tables.csv"] {
            fs::copy(run.join("derived").join(name), copy.path().join(name)).expect("it is there");
        }
        (copy, run.display().to_string())
    })
    .collect()
}

#[test]
fn cffconvert_finds_every_citation_file_valid() {
    let root = &support::WORKSPACE.root;
    let check = |folder: &Path, what: &str| {
        run("cffconvert", &["--validate", "-i", "CITATION.cff"], folder)
            .inspect(|output| content(output, what))
            .is_some()
    };
    if check(root, "the tool's own") {
        for (folder, run) in derived() {
            check(folder.path(), &run);
        }
    }
}

#[test]
fn the_citation_of_the_tool_has_the_version_of_the_workspace() {
    let citation = fs::read_to_string(support::WORKSPACE.root.join("CITATION.cff"));
    let version = format!("version: \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(citation.expect("it is there").lines().any(|line| line == version), "{version}");
}

#[test]
fn latex_with_bibtex_prints_the_tables_and_the_entry() {
    for (folder, run_path) in derived() {
        let document = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n\
                        \\nocite{*}\\input{tables.tex}\n\
                        \\bibliographystyle{plain}\\bibliography{citation}\n\\end{document}\n";
        fs::write(folder.path().join("paper.tex"), document).expect("it is written");
        let latex = ["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper"];
        let Some(first) = run("pdflatex", &latex, folder.path()) else { return };
        content(&first, &run_path);
        let Some(bibtex) = run("bibtex", &["paper"], folder.path()) else { return };
        content(&bibtex, &run_path);
        assert!(!text(&bibtex).contains("Warning"), "{}", text(&bibtex));
        content(&run("pdflatex", &latex, folder.path()).expect("it ran before"), &run_path);
        let set = fs::read_to_string(folder.path().join("paper.bbl")).expect("it is set");
        assert!(set.contains("The Inflight authors") && set.contains("SHA-256"), "{set}");
        let log = fs::read(folder.path().join("paper.log")).expect("it is kept");
        assert!(!String::from_utf8_lossy(&log).contains("/etc/passwd)"), "nothing is read");
    }
}

#[test]
fn biber_finds_the_entry_valid() {
    for (folder, run_path) in derived() {
        let arguments = ["--tool", "--validate-datamodel", "citation.bib"];
        let Some(output) = run("biber", &arguments, folder.path()) else { return };
        content(&output, &run_path);
        let said = text(&output);
        assert!(!said.contains("ERROR") && !said.contains("WARN"), "{said}");
    }
}

#[test]
fn a_reader_of_csv_sees_as_many_fields_in_every_row_and_no_formula() {
    let script = "import csv, sys\n\
                  rows = list(csv.reader(open('tables.csv', newline='')))\n\
                  assert len(rows) > 100 and {len(row) for row in rows} == {14}, len(rows)\n\
                  number = lambda f: f[1:].replace('.', '', 1).replace('e-', '').isdigit()\n\
                  bad = [f for row in rows for f in row if f[:1] in '=+-@' and f]\n\
                  bad = [f for f in bad if not number(f)]\n\
                  assert not bad, bad\n";
    for (folder, run_path) in derived() {
        let Some(output) = run("python3", &["-c", script], folder.path()) else { return };
        content(&output, &run_path);
    }
}

#[test]
fn every_figure_becomes_a_picture_on_request_and_the_run_still_checks() {
    if run("rsvg-convert", &["--version"], Path::new(".")).is_none() {
        return;
    }
    let (folder, path) = small_run();
    let name = path.to_str().expect("UTF-8");
    let formats: [(&str, &[u8]); 2] = [("pdf", b"%PDF-"), ("png", b"\x89PNG")];
    for (format, magic) in formats {
        let output = inflight(folder.path(), &["report", name, "--figures", format]);
        content(&output, format);
        let figures = fs::read_dir(path.join("derived/figures")).expect("figures are derived");
        let figures = figures.map(|entry| entry.expect("it reads").path());
        let svg = figures.filter(|path| path.extension().is_some_and(|e| e == "svg"));
        let mut count = 0;
        for figure in svg {
            let picture = fs::read(figure.with_extension(format)).expect("it is made");
            assert!(picture.starts_with(magic), "{}", figure.display());
            count += 1;
        }
        assert!(count > 10, "{count} figures");
    }
    let checked = inflight(folder.path(), &["check", name]);
    content(&checked, "pictures beside the figures");
}

#[test]
fn a_picture_without_the_program_that_makes_it_is_told_with_what_installs_it() {
    let (folder, path) = small_run();
    let mut command = Command::new(built("inflight").path);
    command.args(["report", path.to_str().expect("UTF-8"), "--figures", "pdf"]);
    let output = command.current_dir(folder.path()).env("PATH", "/nowhere").output();
    check(&output.expect("it starts"), 1, "`apt-get install librsvg2-bin` installs it");
    assert!(path.join("derived/report.html").exists(), "the rest is there");
}
