//! What is derived for citing and sharing, held against the formats' own programs: cffconvert,
//! bibtex, biber and pdflatex. Where one is not installed, its tests are skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support;
use crate::support::shell::{check, inflight, published, small_run, text, written};
use crate::support::skip::skipped;

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
            skipped(&format!("{program} is not installed"));
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
    // A run that compares nothing, such as one of `hold`, has a head and no rows.
    let script = "import csv, glob\n\
                  rows = list(csv.reader(open('tables.csv', newline='')))\n\
                  least = 100 if glob.glob('figures/ratio-*.svg') else 1\n\
                  assert len(rows) >= least and {len(row) for row in rows} == {14}, len(rows)\n\
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
fn a_site_has_a_page_for_each_published_run_and_no_link_that_leads_nowhere() {
    let (folder, path) = small_run();
    let other = written(folder.path(), |run| {
        run.id = "20261201T000000Z-2c-container-00000002".to_owned();
    });
    written(folder.path(), |run| run.schedule.seed += 1);
    let names = [&path, &other].map(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        format!("[page]({name}/derived/report.html)")
    });
    fs::write(path.with_file_name("README.md"), names.concat()).expect("it is written");
    content(&inflight(folder.path(), &["report", "--site", "public"]), "the published runs");

    let site = folder.path().join("public");
    let index = fs::read_to_string(site.join("index.html")).expect("it is written");
    let links: Vec<&str> =
        index.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() >= 10, "{links:?}");
    for link in links {
        let (file, place) = link.split_once('#').unwrap_or((link, ""));
        let file = if file.is_empty() { "index.html" } else { file };
        let page = fs::read_to_string(site.join(file)).unwrap_or_else(|_| panic!("{link}"));
        assert!(place.is_empty() || page.contains(&format!("id=\"{place}\"")), "{link}");
    }
    for run in [&path, &other] {
        let id = run.file_name().expect("it has a name");
        let page = |folder: &Path| fs::read(folder.join("report.html")).expect("it is written");
        assert_eq!(page(&site.join(id)), page(&run.join("derived")), "the page of the run itself");
        let figures = fs::read_dir(site.join(id).join("figures")).expect("they are written");
        let figures = figures.map(|entry| entry.expect("it reads").path());
        let is_svg = |path: &PathBuf| path.extension().is_some_and(|end| end == "svg");
        let drawn: Vec<_> = figures.filter(is_svg).collect();
        assert!(drawn.len() > 10 && drawn.iter().all(|svg| svg.with_extension("png").exists()));
    }
    assert_eq!(fs::read_dir(&site).expect("it is written").count(), 3, "two runs and the index");
    assert!(index.contains("What does it cost to keep many HTTP requests in flight?"));
    assert!(index.contains("<svg"), "the newest comparison is drawn");
}

#[test]
fn a_site_without_runs_or_of_an_altered_one_is_refused_in_a_sentence() {
    let empty = tempfile::tempdir().expect("it is made");
    fs::create_dir(empty.path().join("results")).expect("it is made");
    let output = inflight(empty.path(), &["report", "--site", "public"]);
    check(&output, 2, "name runs, as in `cargo run --release -- report latest --site DIR`");

    let (folder, path) = small_run();
    let journal = path.join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("it reads");
    fs::write(&journal, text.replacen("\"ok\":64", "\"ok\":63", 1)).expect("it is written");
    let output =
        inflight(folder.path(), &["report", path.to_str().expect("UTF-8"), "--site", "public"]);
    check(&output, 7, "checksum");
    assert!(!folder.path().join("public").exists(), "nothing is written");
}
