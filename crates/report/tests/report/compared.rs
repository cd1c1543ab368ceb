//! Promises about the pages of runs side by side and of two runs compared: as quiet, as whole and
//! as deaf to hostile text as the page of a run.

use record::{Run, StayRecord};

use crate::fixture::{BASELINE, FLOOR};
use crate::page::{HOSTILE, check_inert, check_quiet, good};

/// Returns two runs: smol costs 30 % more in the second, which has another seed.
fn pair() -> [Run; 2] {
    let mut other = good();
    other.schedule.seed += 1;
    for turn in other.turns.iter_mut().filter(|turn| turn.model == "smol") {
        let window = &mut turn.turned.as_mut().unwrap().window;
        window.cpu_ns = window.cpu_ns * 13 / 10;
    }
    [good(), other]
}

/// Returns both pages of two runs.
fn pages(runs: &[Run; 2]) -> [String; 2] {
    let merged = analysis::merge(runs, (BASELINE, FLOOR)).unwrap();
    let diff = analysis::diff(&runs[0], &runs[1]).unwrap();
    [report::merge_page(&merged), report::diff_page(&diff)]
}

/// Gives the versions of a stay, and the name of smol, a text that means harm.
fn reported(mut name: String, mut stay: StayRecord, text: &str) -> (String, StayRecord) {
    if name == "smol" {
        text.clone_into(&mut name);
    }
    stay.versions = [(text.to_owned(), text.to_owned())].into();
    (name, stay)
}

/// Gives the run, its machine, a cell and a model a name that means harm.
fn renamed(run: &mut Run, text: &str) {
    let called = |name: &mut String, old: &str| {
        if name == old {
            text.clone_into(name);
        }
    };
    run.schedule.models.iter_mut().for_each(|model| called(&mut model.name, "smol"));
    run.schedule.cells.iter_mut().for_each(|cell| called(&mut cell.name, "steady"));
    for block in &mut run.schedule.blocks {
        called(&mut block.cell, "steady");
        block.rounds.iter_mut().flatten().for_each(|name| called(name, "smol"));
    }
    for absent in &mut run.schedule.absent {
        called(&mut absent.cell, "steady");
        text.clone_into(&mut absent.reason);
    }
    for turn in &mut run.turns {
        called(&mut turn.model, "smol");
        called(&mut turn.cell, "steady");
    }
    for block in &mut run.blocks {
        let stays = std::mem::take(&mut block.stays).into_iter();
        block.stays = stays.map(|(name, stay)| reported(name, stay, text)).collect();
    }
    let machine = &mut run.environment;
    for field in [&mut machine.cpu, &mut machine.kernel, &mut machine.commit, &mut run.id] {
        text.clone_into(field);
    }
}

#[test]
fn pages_of_several_runs_ask_for_nothing_and_are_the_same_bytes_again() {
    let runs = pair();
    for page in pages(&runs) {
        check_quiet(&page);
        let (body, _) = page.split_once("<script>").unwrap();
        assert!(page.ends_with("</html>\n") && !body.contains("NaN"));
        let figures = page.split("<figure").skip(1);
        assert_eq!(figures.filter(|figure| figure.contains("class=\"interval\"")).count(), 2);
    }
    assert!(pages(&runs) == pages(&runs.clone()), "other bytes");
}

#[test]
fn hostile_text_is_no_markup_on_the_pages_of_several_runs() {
    for text in HOSTILE {
        let mut runs = pair();
        for run in &mut runs {
            renamed(run, text);
        }
        "another compiler".clone_into(&mut runs[1].environment.rustc);
        text.clone_into(&mut runs[0].environment.rustc);
        for page in pages(&runs) {
            check_inert(&page, text);
            check_quiet(&page.replace("src=x", ""));
        }
    }
}

#[test]
fn runs_side_by_side_are_columns_and_a_change_is_a_row() {
    let [merged, diff] = pages(&pair());
    for words in ["run 1<", "run 2<", "tau", "nothing is averaged", "smol, run 2</span>"] {
        assert!(merged.contains(words), "{words}");
    }
    let row = diff.split("<tr>").find(|row| row.contains(">smol<")).unwrap();
    assert!(row.contains("<td>slower") && row.contains("1.30 ("), "{row}");
    let row = diff.split("<tr>").find(|row| row.contains(">threads<")).unwrap();
    assert!(row.contains("<td>same"), "{row}");
    assert!(diff.contains("2 slower, 0 faster"));
}
