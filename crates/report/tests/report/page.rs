//! Promises about the page and the figures: whole, quiet, small, and deaf to hostile text.

use std::collections::BTreeMap;
use std::path::Path;

use record::{Absent, Run};
use rules::Reason;

use crate::fixture::{
    BASELINE, CONNECTIONS, FLOOR, LATE, RunFixture, batch, invalid, schedule, steady,
};

/// What the page of a default run may take, in bytes.
const PAGE_MAX: usize = 300 * 1024;
/// What somebody may call a model, a version or an error.
pub(crate) const HOSTILE: [&str; 6] = [
    "</script><img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "=cmd|'/c calc'!A0",
    "a\u{2028}b\u{1b}]0;c\u{7}d",
    "{{7*7}} ${x} %n &amp; ' \"",
];

/// Returns what is computed from a run.
fn derived(run: &Run) -> BTreeMap<String, Vec<u8>> {
    report::derive(&analysis::summarize(run, BASELINE, FLOOR))
}

/// Returns the page of a run.
fn page(run: &Run) -> String {
    String::from_utf8(derived(run).remove("report.html").unwrap()).unwrap()
}

/// Checks that a page asks for nothing from outside.
pub(crate) fn check_quiet(page: &str) {
    for outside in ["src=", "@import", "url(", "fetch(", "<link", "<iframe", "http://"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // Only the names of the SVG vocabulary and nothing else look like an address.
    assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("https://"));
    assert!(page.contains("default-src 'none'"));
}

/// Checks that a page on which everything is called `text` has no markup from it.
pub(crate) fn check_inert(page: &str, text: &str) {
    assert_eq!(page.matches("<script").count(), 1, "{text}");
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        assert!(!["img", "iframe", "link", "object"].contains(&name), "<{tag}> of {text}");
        // Without the values of its attributes, which are quoted and whose quotes are escaped.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.contains(" on") && !names.contains("/on"), "<{tag}> of {text}");
    }
    assert!(!page.contains("href=\"javascript:"), "{text}");
    assert!(!page.contains('\u{1b}'), "{text:?}");
}

/// Returns a run of a batch and a steady cell.
pub(crate) fn good() -> Run {
    RunFixture::by(schedule("quick", &[(batch(), 12), (steady(), 12)])).run()
}

/// Returns a run in which every text that a model, a machine or an error decides is hostile.
fn hostile(text: &str) -> Run {
    let mut run = good();
    for turn in &mut run.turns {
        if turn.model == "threads" {
            invalid(turn, Reason::Unruly { why: text.to_owned() });
        }
        if turn.model == "smol" {
            turn.turned.as_mut().unwrap().total.errors = [(text.to_owned(), 3)].into();
        }
    }
    for stay in run.blocks.iter_mut().flat_map(|block| block.stays.values_mut()) {
        stay.versions = [(text.to_owned(), text.to_owned())].into();
    }
    for model in &mut run.schedule.models {
        text.clone_into(&mut model.label);
        text.clone_into(&mut model.unit);
        model.env = [(text.to_owned(), text.to_owned())].into();
    }
    let cell = "steady".to_owned();
    run.schedule.absent =
        vec![Absent { cell, model: "iterator".to_owned(), reason: text.to_owned() }];
    text.clone_into(&mut run.environment.cpu);
    text.clone_into(&mut run.environment.rustc);
    text.clone_into(&mut run.environment.commit);
    text.clone_into(&mut run.environment.modified);
    run.environment.programs_sha256 = [("model-tokio".to_owned(), text.to_owned())].into();
    run
}

#[test]
fn the_page_asks_for_nothing_from_outside() {
    check_quiet(&page(&good()));
}

#[test]
fn hostile_text_is_shown_and_never_markup() {
    for text in HOSTILE {
        check_inert(&page(&hostile(text)), text);
        for (name, bytes) in derived(&hostile(text)) {
            let written = String::from_utf8(bytes).unwrap();
            if name.contains(".svg") {
                roxmltree::Document::parse(&written).unwrap_or_else(|why| panic!("{name}: {why}"));
            }
        }
    }
}

#[test]
fn the_name_of_a_cell_cannot_leave_the_folder() {
    let mut run = good();
    run.schedule.cells[1].name = "../../x".to_owned();
    for turn in run.turns.iter_mut().filter(|turn| turn.cell == "steady") {
        turn.cell = "../../x".to_owned();
    }
    for name in derived(&run).keys() {
        assert!(!name.contains(".."), "{name}");
    }
}

#[test]
fn every_figure_stands_on_the_page_and_beside_it_with_its_numbers() {
    let run = good();
    let page = page(&run);
    let files = derived(&run);
    let figures =
        files.keys().filter_map(|name| name.strip_prefix("figures/")?.strip_suffix(".svg"));
    let figures: Vec<&str> = figures.collect();
    assert!(figures.len() >= 14, "{figures:?}");
    for figure in figures {
        // Memory and switches of cells that the answer is not about stand beside the page.
        let beside = ["memory-batch", "switches-batch"].contains(&figure);
        let shown = page.contains(&format!("<figure id=\"{figure}\""));
        assert!(shown != beside, "{figure}");
        let svg = String::from_utf8(files[&format!("figures/{figure}.svg")].clone()).unwrap();
        let parsed = roxmltree::Document::parse(&svg).unwrap();
        let has = |name: &str| parsed.root_element().children().any(|n| n.has_tag_name(name));
        assert!(has("title") && has("desc") || svg.contains("<title"), "{figure}");
        assert!(!svg.contains("NaN") && svg.contains(&run.id), "{figure}");
        let csv = String::from_utf8(files[&format!("figures/{figure}.csv")].clone()).unwrap();
        assert!(csv.lines().count() > 1, "{figure}");
    }
    let (body, _) = page.split_once("<script>").unwrap();
    assert!(!body.contains("NaN"));
}

#[test]
fn a_figure_or_a_table_that_leaves_the_report_says_what_must_be_known_of_it() {
    let mut run = good();
    let turns = run.turns.iter_mut().filter(|t| t.model == "threads" && t.cell == "steady");
    turns.take(2).for_each(|turn| invalid(turn, LATE));
    run.environment.commit = "cb0e75ac709a69417f21".to_owned();
    let files = derived(&run);
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let source = |of: &str| format!("Inflight 0.2.0 (commit cb0e75ac709a), run {}{of}.", run.id);
    for (figure, of, is_invalid) in [
        ("cost-steady", ", cell steady, 12 blocks", true),
        ("stays-batch", ", cell batch, 12 blocks", false),
        ("baseline-against-itself", "", true),
    ] {
        let svg = text(&format!("figures/{figure}.svg"));
        let (_, reported) = svg.split_once("<desc").unwrap();
        let (reported, _) = reported.split_once("</desc>").unwrap();
        assert!(reported.contains(&source(of)) && reported.contains(" An estimate."), "{reported}");
        assert_eq!(reported.contains(" Badges: INVALID"), is_invalid, "{reported}");
        assert!(svg.matches("cb0e75ac709a").count() > 1, "it is drawn and not only described");
    }
    let tables = text("tables.tex");
    let (batch, steady) = tables.split_once("\\end{table}").unwrap();
    assert!(!batch.contains("INVALID") && steady.contains(" Badges: INVALID"), "{tables}");
}

#[test]
fn a_figure_without_data_says_so_in_a_line() {
    let mut run = good();
    for stay in run.blocks.iter_mut().flat_map(|block| block.stays.values_mut()) {
        stay.latencies_ns.clear();
    }
    let page = page(&run);
    assert!(page.contains("Not drawn: no valid stay in this cell reports its latencies."));
    assert!(page.contains("Not measured in this run"));
}

#[test]
fn an_invalid_model_stays_a_row_with_its_reason() {
    let mut run = good();
    for turn in run.turns.iter_mut().filter(|turn| turn.model == "threads") {
        invalid(turn, CONNECTIONS);
    }
    let page = page(&run);
    assert!(
        page.contains("<b>threads</b> has no numbers in steady: invalid: the origin accepted 65")
    );
    assert!(page.contains("href=\"#model-threads\""));
}

#[test]
fn the_first_screen_answers_and_says_how_far_to_trust_it() {
    let page = page(&good());
    let (_, below) = page.split_once("<h1>").unwrap();
    let (first, _) = below.split_once("</figure>").unwrap();
    let (title, first) = first.split_once("</h1>").unwrap();
    assert!(title.starts_with("CPU per fetch: ") && title.contains("tokio"), "{title}");
    assert!(page.contains(&format!("<title>Inflight: {title}</title>")));
    let (sentence, first) = first.split_once("</p>").unwrap();
    assert!(sentence.contains("tokio") && sentence.ends_with('.'), "{sentence}");
    // What is within the margin is called no difference, however well it is known.
    assert!(first.contains("differences below 2.0 % may be missed"), "{first}");
    let (trust, figure) = first.split_once("<figure id=\"ratio-steady\"").unwrap();
    assert!(trust.contains(": 24 rounds, differences below"), "{trust}");
    assert!(figure.contains("class=\"legend\"") && figure.contains("Inflight 0.2.0, run "));
}

#[test]
fn a_model_that_cannot_be_distinguished_from_another_is_given_no_place_before_it() {
    // Three blocks show nothing: no interval excludes 1.
    let run = RunFixture::by(schedule("quick", &[(steady(), 3)])).run();
    let page = page(&run);
    let (_, sentence) = page.split_once("<p class=\"which\">").unwrap();
    let (sentence, _) = sentence.split_once("</p>").unwrap();
    assert!(sentence.contains("cannot be distinguished"), "{sentence}");
    for claim in ["uses the least", " more", " less"] {
        assert!(!sentence.contains(claim), "{sentence}");
    }
    assert!(page.contains("No two models of steady differ for sure"));
    let title = "<h2>CPU per fetch against tokio: ";
    assert!(page.contains(title), "the title of the ratios");
}

#[test]
fn whether_to_believe_it_stands_on_the_page_with_what_its_brackets_are() {
    let mut run = good();
    let turns = run.turns.iter_mut().filter(|t| t.model == "threads" && t.cell == "steady");
    turns.take(2).for_each(|turn| invalid(turn, LATE));
    run.environment.governor = "powersave".to_owned();
    for stay in run.blocks.iter_mut().filter_map(|block| block.stays.get_mut("tokio")) {
        stay.versions = [("tokio".to_owned(), "1.54.1".to_owned())].into();
    }
    let page = page(&run);

    let (_, believe) = page.split_once("id=\"believe\"").unwrap();
    let (believe, _) = believe.split_once("</section>").unwrap();
    for words in
        ["passed", ">INVALID</span> steady: ", ">FREQ</span> the whole run: the CPU changed"]
    {
        assert!(believe.contains(words), "{words}: {believe}");
    }
    assert!(believe.contains(&format!("{} of {} turns", run.turns.len() - 2, run.turns.len())));
    assert!(believe.contains(&format!("threads in steady, invalid: {LATE} (2 of 24 turns)")));

    let (_, machine) = page.split_once("Where it was measured</h2>").unwrap();
    let (machine, _) = machine.split_once("</p>").unwrap();
    assert!(machine.contains(", tokio 1.54.1"));
    assert!(machine.contains(&run.environment.rustc) && machine.contains(&run.environment.origin));
    for word in ["fetch", "model", "cell", "turn", "round", "block"] {
        assert!(page.contains(&format!("<b>{word}</b>")), "{word} is explained");
    }
    let kinds = "Hodges-Lehmann estimates over blocks, signed-rank test, simultaneous for the";
    assert!(page.contains(kinds) && page.contains("have no ranks: this preset compares each"));
}

#[test]
fn a_run_without_a_valid_turn_still_has_a_page() {
    let mut run = good();
    for turn in &mut run.turns {
        invalid(turn, LATE);
    }
    assert!(page(&run).contains("No model has a valid turn in steady, so nothing is compared"));
    run.turns.clear();
    assert!(page(&run).contains("Not drawn"));
}

#[test]
fn a_run_of_primitives_alone_has_a_page() {
    let mut run = good();
    run.schedule.cells.clear();
    run.schedule.blocks.clear();
    run.turns.clear();
    let page = page(&run);
    assert!(page.contains("This run measured no cost of a fetch"));
    assert!(page.contains("Not measured in this run: no cell of fetches."));
}

#[test]
fn the_page_of_a_default_run_is_small() {
    let size = page(&good()).len();
    assert!(size <= PAGE_MAX, "{size} bytes");
}

/// Returns whether a folder is a whole run that this version reads: those of schema 1 are read by
/// Inflight 0.1.
fn is_ours(path: &Path) -> bool {
    let schedule = std::fs::read_to_string(path.join("schedule.json")).unwrap_or_default();
    path.join("MANIFEST").exists() && !schedule.contains("\"inflight.schedule/1.")
}

#[test]
fn every_published_run_is_run_again_by_a_command_that_can_be_typed() {
    let crate_path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runs = std::fs::read_dir(crate_path.join("../../results")).unwrap();
    let runs = runs.map(|entry| entry.unwrap().path()).filter(|path| !path.is_symlink());
    let golden = crate_path.join("tests/golden/run");
    let mut shown = 0;
    for run in runs.chain([golden]).filter(|path| is_ours(path)) {
        let page = page(&Run::read(&run).unwrap());
        let (_, again) = page.split_once("<code id=\"again\">").unwrap();
        let (again, _) = again.split_once("</code>").unwrap();
        let [checkout, measure] = again.lines().collect::<Vec<_>>()[..] else {
            panic!("{again}: two commands");
        };
        assert!(checkout.starts_with("git checkout "), "{again}");
        let is_bench = measure == "cargo bench" || measure.starts_with("cargo bench --bench ");
        let ways = ["run", "compare"].map(|way| format!("cargo run --release -- {way} "));
        let is_run = ways.iter().any(|way| measure.starts_with(way));
        assert!(is_bench || is_run && measure.contains(" --seed "), "{again}");
        assert!(!measure.contains("PATH"), "{again}");
        shown += 1;
    }
    assert!(shown > 0);
}

#[test]
fn of_several_sessions_no_text_says_that_all_blocks_were_one_sample() {
    let mut fixture = RunFixture::of("citable", 60);
    for block in &mut fixture.schedule.blocks {
        block.session = block.number / 20;
    }
    let page = page(&fixture.run());
    let estimates = "means over 3 sessions of their Hodges-Lehmann estimates";
    // The answer, the ratios, the pairs, the breakdown, how to read it, and the sentence for a
    // paper.
    assert!(page.matches(estimates).count() >= 6, "{}", page.matches(estimates).count());
    assert!(!page.replace(estimates, "").contains("Hodges-Lehmann"));
    let intervals = page.matches("signed-rank test").count();
    assert_eq!(page.matches("signed-rank test over all blocks, or Student's t").count(), intervals);
}
