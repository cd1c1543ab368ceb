//! What is quoted and shared of a run: citations in every form, runs of several machines side by
//! side, and the formats of other programs.

use std::fs;

use record::{Family, Model, Run, State};
use rules::Reason;
use serde_json::Value;

use crate::support;
use crate::support::WORKSPACE;
use crate::support::shell::{
    check, each_turn, inflight, published, small_run, text, whole, written,
};

/// The forms of a citation.
const FORMS: [&str; 5] = ["bibtex", "cff", "latex", "markdown", "methods"];

/// Changes a run into one of another machine, of a preset that ranks models.
fn elsewhere(run: &mut Run) {
    "Another CPU".clone_into(&mut run.environment.cpu);
    ranked(run);
    run.schedule.seed += 1;
}

/// Changes a run into one of a preset that ranks models.
fn ranked(run: &mut Run) {
    "standard".clone_into(&mut run.schedule.preset);
    run.schedule.family = Family::AllPairs;
}

/// Lets a model cost as many times what it did.
fn more_expensive(model: &str, percent: u64) -> impl FnOnce(&mut Run) {
    each_turn(move |trial| {
        if let (true, Some(reported)) = (trial.model == model, &mut trial.turned) {
            reported.window.cpu_ns = reported.window.cpu_ns * percent / 100;
        }
    })
}

#[test]
fn a_run_is_cited_in_every_form_by_its_name_its_hash_and_what_measured_it() {
    let (_folder, path) = small_run();
    let name = path.to_str().expect("our paths are UTF-8");
    let run = Run::read(&path).expect("it reads");
    let hash = run.content_sha256.expect("it is complete")[..12].to_owned();
    for form in FORMS {
        let output = inflight(&path, &["cite", name, "--as", form]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        for words in
            [&run.id, &hash, env!("CARGO_PKG_VERSION"), &run.environment.commit[..12], "estimates"]
        {
            assert!(said.contains(words), "{form} has no {words}: {said}");
        }
    }
    // What most want, without asking for a form: the entry and the sentence.
    let usual = text(&inflight(&path, &["cite", name]));
    assert!(
        usual.starts_with("@misc{inflight-2026") && usual.contains("Hodges-Lehmann"),
        "{usual}"
    );
}

#[test]
fn invalid_rows_resumes_and_a_modified_tree_stand_in_the_citation_itself() {
    let folder = tempfile::tempdir().expect("it is made");
    written(folder.path(), |run| {
        run.environment.modified = "yes".to_owned();
        for trial in run.turns.iter_mut().filter(|trial| trial.model == "smol") {
            trial.state = State::Invalid(vec![Reason::NoTime]);
        }
    });
    for form in FORMS {
        let said = text(&inflight(folder.path(), &["cite", "latest", "--as", form]));
        for words in ["modified tree", "invalid or failed", "smol in steady (invalid)"] {
            assert!(said.contains(words), "{form} has no {words}: {said}");
        }
    }
}

#[test]
fn a_run_without_a_manifest_is_not_cited_and_has_no_citation_beside_it() {
    let (folder, path) = small_run();
    fs::remove_file(path.join("MANIFEST")).expect("it is ours");
    check(&inflight(folder.path(), &["cite", "latest"]), 2, "it has no MANIFEST");
    fs::remove_dir_all(path.join("derived")).expect("it is ours");
    assert!(inflight(folder.path(), &["report"]).status.success());
    let has = |name: &str| path.join("derived").join(name).exists();
    assert!(has("tables.csv") && !has("citation.bib") && !has("CITATION.cff"));
}

#[test]
fn an_altered_run_is_neither_cited_nor_exported_nor_merged() {
    let (folder, path) = small_run();
    let other = tempfile::tempdir().expect("it is made");
    let other = written(other.path(), elsewhere);
    let environment = path.join("environment.json");
    let text = fs::read_to_string(&environment).expect("it reads");
    fs::write(&environment, text.replace("AMD EPYC", "Another")).expect("it is ours");
    let out = folder.path().join("merged");
    let [other, out] = [&other, &out].map(|path| path.to_str().expect("our paths are UTF-8"));
    for arguments in [
        &["cite", "latest"][..],
        &["export", "latest", "--to", "csv"],
        &["merge", "latest", other, "--out", out],
    ] {
        check(&inflight(folder.path(), arguments), 7, "altered after it was measured");
    }
}

#[test]
fn nothing_that_is_derived_names_the_host_the_user_or_a_path() {
    for path in published() {
        for file in support::shell::files_below(&path.join("derived")) {
            let text = fs::read_to_string(&file).expect("it is text");
            let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let root = WORKSPACE.root.to_string_lossy();
            let secrets = [host.trim(), "/home/", "/root", "/tmp/", &root];
            for secret in secrets.iter().filter(|secret| secret.len() > 3) {
                assert!(!text.contains(secret), "{secret} in {}", file.display());
            }
        }
    }
}

#[test]
fn every_trial_of_a_run_is_a_row_of_its_raw_samples() {
    let (_folder, path) = small_run();
    let run = Run::read(&path).expect("it reads");
    let output = inflight(&path, &["export", path.to_str().expect("UTF-8"), "--to", "csv"]);
    let said = text(&output);
    let mut lines = said.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|other| *other == name).expect("a column");
    let (cpu, model) = (column("cpu_ns"), column("model"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), run.turns.len() + run.cut.len());
    for (row, trial) in rows.iter().zip(&run.turns) {
        let reported = trial.turned.as_ref().map(|reported| reported.window.cpu_ns.to_string());
        assert_eq!((row[cpu], row[model]), (&*reported.unwrap_or_default(), &*trial.model));
    }
}

#[test]
fn bencher_gets_its_metric_format() {
    let (_folder, path) = small_run();
    let output = inflight(&path, &["export", path.to_str().expect("UTF-8"), "--to", "bencher"]);
    let reported: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    // bencher.dev/bmf.json: benchmarks of measures of a value with two optional bounds.
    let benchmarks = reported.as_object().expect("an object");
    assert!(benchmarks.len() > 20);
    for (benchmark, measures) in benchmarks {
        assert!(benchmark.len() <= 1024 && !measures.as_object().expect("measures").is_empty());
        for (measure, metric) in measures.as_object().expect("measures") {
            assert!(measure.len() <= 64);
            let metric = metric.as_object().expect("a metric");
            let number = |key: &str| metric.get(key).map(|number| number.as_f64().expect(key));
            let value = number("value").expect("a metric has a value");
            assert!(number("lower_value").is_none_or(|low| low <= value), "{benchmark}");
            assert!(number("upper_value").is_none_or(|high| high >= value), "{benchmark}");
            let known = ["value", "lower_value", "upper_value"];
            assert!(metric.keys().all(|key| known.contains(&key.as_str())));
        }
    }
}

#[test]
fn github_action_benchmark_gets_results_of_which_smaller_is_better() {
    let (_folder, path) = small_run();
    let arguments = ["export", path.to_str().expect("UTF-8"), "--to", "github-action-benchmark"];
    let reported: Value =
        serde_json::from_slice(&inflight(&path, &arguments).stdout).expect("JSON");
    let results = reported.as_array().expect("an array");
    assert!(results.len() > 60);
    // The action reads the number after the sign by this expression.
    let range = regex::Regex::new(r"^± (\d.+)$").expect("it is an expression");
    for result in results {
        assert!(result["name"].is_string() && result["unit"].is_string(), "{result}");
        assert!(result["value"].is_number() && result["extra"].is_string(), "{result}");
        if let Some(text) = result["range"].as_str() {
            let half = range.captures(text).and_then(|found| found[1].parse::<f64>().ok());
            assert!(half.is_some_and(|half| half >= 0.0), "{text}");
        }
    }
}

#[test]
fn models_in_every_language_are_followed_over_commits() {
    let (_folder, path) = small_run();
    let run = Run::read(&path).expect("it reads");
    let has_figures = |model: &&Model| {
        let mut trials = run.turns.iter().filter(|trial| trial.model == model.name);
        trials.any(|trial| trial.state == State::Valid)
    };
    let models: Vec<&Model> = run.schedule.models.iter().filter(has_figures).collect();
    assert!(models.iter().any(|model| model.language.is_some()), "{models:?}");
    for form in ["bencher", "github-action-benchmark"] {
        let arguments = ["export", path.to_str().expect("UTF-8"), "--to", form];
        let said = text(&inflight(&path, &arguments));
        for name in models.iter().map(|model| format!("batch/{}", model.name)) {
            let is_reported = ["\"", " "].iter().any(|end| said.contains(&format!("{name}{end}")));
            assert!(is_reported, "{form} has no {name}");
        }
    }
}

#[test]
fn runs_of_two_machines_stand_side_by_side_and_nothing_is_averaged() {
    let (here, there) = (tempfile::tempdir(), tempfile::tempdir());
    let (here, there) = (here.expect("it is made"), there.expect("it is made"));
    let one = whole(here.path(), ranked);
    // There, smol costs three times what it does here, so its place is another one.
    let other = whole(there.path(), |run| {
        elsewhere(run);
        more_expensive("smol", 300)(run);
    });
    let out = here.path().join("merged");
    let [one, other, dir] = [&one, &other, &out].map(|path| path.to_str().expect("UTF-8"));
    let output = inflight(here.path(), &["merge", one, other, "--out", dir, "--json"]);
    let reported: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(output.status.code(), Some(0), "{reported}");

    let of_run = |path: &str| {
        let run = Run::read(path.as_ref()).expect("it reads");
        analysis::figures(&run, harness::BASELINE, harness::FLOOR)
    };
    let figures = [of_run(one), of_run(other)];
    for cell in reported["merge"]["cells"].as_array().expect("cells") {
        for row in cell["rows"].as_array().expect("rows") {
            for (entry, figures) in row["entries"].as_array().expect("entries").iter().zip(&figures)
            {
                let own = figures.cells.iter().find(|own| cell["cell"]["name"] == *own.cell.name);
                let mut rows = own.expect("both have it").rows.iter();
                let own = rows.find(|own| row["model"] == *own.model).expect("both have it");
                let ratio = own.figures.as_ref().and_then(|figures| figures.ratio);
                let (reported, ratio) = (entry["ratio"]["value"].as_f64(), ratio.map(|r| r.value));
                let both = reported.zip(ratio);
                assert!(reported.is_some() == ratio.is_some(), "{entry}");
                assert!(
                    both.is_none_or(|(reported, own)| (reported / own - 1.0).abs() < 1e-5),
                    "{entry}"
                );
            }
        }
        let stability = &cell["stability"][0];
        let tau = stability["tau"].as_f64().expect("both rank their models");
        assert!(tau > 0.0 && tau < 1.0, "{stability}");
        let pairs = stability["contradictions"].to_string();
        assert!(pairs.contains("smol"), "{stability}");
    }
    let markdown = fs::read_to_string(out.join("merge.md")).expect("it is written");
    assert!(markdown.contains("| smol ") && markdown.contains("Kendall's tau"), "{markdown}");
    assert!(markdown.contains("nothing is averaged") && markdown.contains("Another CPU"));
    let page = fs::read_to_string(out.join("merge.html")).expect("it is written");
    assert!(page.contains("<th scope=\"row\">smol<") && page.contains("Another CPU"));
    let stored = fs::read_to_string(out.join("merge.json")).expect("it is written");
    let stored: Value = serde_json::from_str(&stored).expect("it is JSON");
    assert_eq!((&stored, &stored["schema"]), (&reported["merge"], &"inflight.merge/2.0".into()));
}

#[test]
fn runs_that_have_little_in_common_say_so_side_by_side() {
    let (folder, path) = small_run();
    let other = tempfile::tempdir().expect("it is made");
    let other = written(other.path(), |run| {
        elsewhere(run);
        for cell in run.schedule.cells.iter_mut().filter(|cell| cell.name == "steady") {
            cell.body_bytes = 256;
        }
        run.environment.irq_time_accounting = "on".to_owned();
    });
    let out = folder.path().join("merged");
    let [one, other, out] = [&path, &other, &out].map(|path| path.to_str().expect("UTF-8"));
    let said = text(&inflight(folder.path(), &["merge", one, other, "--out", out]));
    assert!(said.contains("steady is other work in some runs, which stand apart"), "{said}");
    assert!(said.contains("The IRQ time accounting differs: off, on."), "{said}");
    assert!(said.contains("no Kendall's tau: a run below the preset standard"), "{said}");

    check(&inflight(folder.path(), &["merge", one, "--out", out]), 2, "name at least two");
    check(&inflight(folder.path(), &["merge", one, one, "--out", out]), 2, "is named twice");
    let nowhere = ["merge", one, other, "--out", "/proc/nowhere"];
    check(&inflight(folder.path(), &nowhere), 8, "failed to write /proc/nowhere");
}

#[test]
fn two_runs_compared_are_a_table_for_a_pull_request() {
    let (folder, _) = small_run();
    let said = text(&inflight(folder.path(), &["diff", "latest", "latest", "--as", "markdown"]));
    let rows = said.lines().filter(|line| line.starts_with("| tokio "));
    assert!(rows.count() == 2 && said.contains("### batch: "), "{said}");
}

#[test]
fn two_runs_compared_are_a_page_that_works_from_disk() {
    let (folder, _) = small_run();
    let said = text(&inflight(folder.path(), &["diff", "latest", "latest", "--as", "html"]));
    assert!(said.starts_with("<!DOCTYPE html>") && said.ends_with("</html>\n"), "{said}");
    assert!(said.contains("default-src 'none'") && said.contains("<td>same<"), "{said}");
}
