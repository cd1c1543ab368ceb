//! The page can be read: without its script, in both themes, on a phone, on paper, and by a machine
//! that reads it out.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::chromium::{Browser, on_path};
use crate::pages::{NEWEST, both, page};
use crate::support::skip::skipped_but_in_ci;
use crate::{DESKTOP, LOOK, PHONE, THEMES, nothing, open, unfold};

/// The least contrast of text and of what else must be seen: WCAG 2.2, 1.4.3 and 1.4.11.
const TEXT_CONTRAST: f64 = 4.5;
const MARK_CONTRAST: f64 = 3.0;
/// What `.ci/run` puts there.
const AXE: &str = "target/browser/node_modules/axe-core/axe.min.js";

#[test]
fn the_page_is_whole_without_its_script() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, page(&NEWEST), DESKTOP);
    let scripted = browser.texts("look.whole()");
    assert!(browser.texts("look.idle()").len() > 2);
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    open(&mut browser, page(&NEWEST), DESKTOP);
    assert_eq!(browser.ask("document.querySelector('.tools')"), Value::Null);
    assert_eq!(browser.texts("look.whole()"), scripted);
    assert_eq!(browser.texts("look.idle()"), nothing());
    assert!(scripted.len() > 100, "{} parts", scripted.len());
}

#[test]
fn the_page_says_how_to_read_it_what_it_does_not_show_and_where_it_leans() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, page(&NEWEST), DESKTOP);
    let heads = browser.texts("[...document.querySelectorAll('#reading h3')].map(look.text)");
    assert_eq!(heads, ["How to read it", "Method", "What this does not show", "Bias"]);
    let points = browser.texts("[...document.querySelectorAll('#reading li')].map(look.text)");
    assert!(points.len() > 12 && points.iter().all(|point| point.len() > 20), "{points:?}");
}

#[test]
fn text_and_marks_have_contrast_in_both_themes() {
    let Some(mut browser) = Browser::start() else { return };
    let mut grounds = BTreeSet::new();
    for theme in THEMES {
        browser.prefer("prefers-color-scheme", theme);
        open(&mut browser, page(&NEWEST), DESKTOP);
        unfold(&mut browser);
        assert_eq!(browser.texts(&format!("look.faint({TEXT_CONTRAST})")), nothing(), "{theme}");
        let marks = browser.texts(&format!("look.faintMarks({MARK_CONTRAST})"));
        assert_eq!(marks, nothing(), "{theme}");
        assert!(browser.ask("look.markCount()").as_u64().unwrap() > 100);
        grounds.insert(browser.ask("getComputedStyle(document.body).backgroundColor").to_string());
    }
    assert_eq!(grounds.len(), 2, "the themes differ");
}

#[test]
fn a_phone_shows_everything_without_scrolling_sideways() {
    let Some(mut browser) = Browser::start() else { return };
    let wide = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth";
    for (preset, files) in both() {
        open(&mut browser, page(files), PHONE);
        unfold(&mut browser);
        assert_eq!((browser.ask("innerWidth"), browser.ask(wide)), (json!(360), json!(0)));
        for look in ["look.outside()", "look.spilling()", "look.tooSmall(10)"] {
            assert_eq!(browser.texts(look), nothing(), "{preset}: {look}");
        }
    }
}

#[test]
fn no_two_letters_of_an_axis_overlap_at_either_size() {
    let Some(mut browser) = Browser::start() else { return };
    for ((preset, files), size) in both().flat_map(|own| [(own, DESKTOP), (own, PHONE)]) {
        open(&mut browser, page(files), size);
        unfold(&mut browser);
        assert_eq!(browser.texts("look.overlapping()"), nothing(), "{preset}, {size:?}");
    }
}

#[test]
fn no_letter_of_a_figure_is_cut_off() {
    let Some(mut browser) = Browser::start() else { return };
    browser.resize(DESKTOP);
    let figures = both().flat_map(|(_, files)| files).filter(|(name, _)| name.contains(".svg"));
    for (name, bytes) in figures {
        browser.show(name, bytes);
        browser.ask(LOOK);
        assert_eq!(browser.texts("look.cut()"), nothing(), "{name}");
    }
}

#[test]
fn nothing_moves_for_a_reader_who_does_not_want_it() {
    let Some(mut browser) = Browser::start() else { return };
    browser.prefer("prefers-reduced-motion", "reduce");
    open(&mut browser, page(&NEWEST), DESKTOP);
    assert_eq!(browser.texts("look.restless()"), nothing());
    browser.prefer("prefers-reduced-motion", "no-preference");
    assert_eq!(browser.texts("look.restless()").len(), 1, "the page alone scrolls smoothly");
}

#[test]
fn paper_shows_what_is_open_and_how_to_read_it_on_at_most_12_pages() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, page(&NEWEST), DESKTOP);
    browser.ask("document.documentElement.dataset.theme = 'dark'");
    let pdf = print(&mut browser);
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 50_000, "{} bytes", pdf.len());
    browser.call("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    let ground = browser.ask("getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, "rgb(253, 252, 250)", "paper is light in every theme");
    let Some(text) = text_of(&pdf) else {
        return skipped_but_in_ci("no pdftotext to read the print with");
    };
    let pages = text.matches('\u{c}').count();
    assert!((4..=12).contains(&pages), "{pages} pages");
    let on_paper: BTreeSet<&str> = text.split_whitespace().collect();
    let wanted = browser.texts(
        "[...document.querySelectorAll('h2,h3,caption,th,td,summary')]
        .filter((part) => !part.closest('thead button,nav') && part.checkVisibility())
        .flatMap((part) => \
        look.text(part).split(' ')).filter((word) => word.length < 16)",
    );
    let wanted: BTreeSet<String> = wanted.into_iter().filter(|word| !word.is_empty()).collect();
    // The end of a line may break a name at its hyphen, which the reader may take for its own.
    let is_there = |word: &str| {
        let joined = word.replace('-', "");
        on_paper.contains(word)
            || on_paper.contains(joined.as_str())
            || word.split_inclusive('-').all(|part| on_paper.contains(part))
    };
    let lost: Vec<&String> = wanted.iter().filter(|word| !is_there(word)).collect();
    assert!(wanted.len() > 200, "{} words", wanted.len());
    assert_eq!(lost, Vec::<&String>::new());

    let folded = "The models, one by one";
    assert!(text.contains("What this does not show") && !text.contains(folded));
    browser.ask("document.querySelector('#models>details').open = true");
    let text = text_of(&print(&mut browser)).unwrap();
    assert!(text.contains(folded), "who opens a section prints it");
}

/// Returns the page as it is printed.
fn print(browser: &mut Browser) -> Vec<u8> {
    let printed = browser.call("Page.printToPDF", &json!({ "printBackground": false }));
    BASE64_STANDARD.decode(printed["data"].as_str().unwrap()).unwrap()
}

/// Returns the text of a PDF, if there is a program that reads it.
fn text_of(pdf: &[u8]) -> Option<String> {
    let mut program = Command::new(on_path("pdftotext")?);
    program.args(["-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = program.spawn().unwrap();
    program.stdin.take().unwrap().write_all(pdf).unwrap();
    Some(String::from_utf8(program.wait_with_output().unwrap().stdout).unwrap())
}

#[test]
fn a_checker_of_accessibility_finds_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let Ok(axe) = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(AXE)) else {
        return skipped_but_in_ci(&format!("no axe-core at {AXE}; .ci/run puts it there"));
    };
    // The checker adds styles of its own to what it looks at.
    browser.call("Page.setBypassCSP", &json!({ "enabled": true }));
    for (theme, size) in [(THEMES[0], DESKTOP), (THEMES[1], PHONE)] {
        browser.prefer("prefers-color-scheme", theme);
        open(&mut browser, page(&NEWEST), size);
        unfold(&mut browser);
        browser.ask(&format!("{axe}; null"));
        let found = browser.texts(
            "axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', \
             'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((reported) => \
             reported.violations.flatMap((rule) => rule.nodes.map((node) => \
             `${rule.id}: ${node.target} ${node.failureSummary}`)))",
        );
        assert_eq!(found, nothing(), "{theme} {size:?}");
    }
}
