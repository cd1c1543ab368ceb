//! The page can be used: by keyboard, sorted, filtered, and found again as it was left.

use serde_json::json;

use crate::chromium::Browser;
use crate::pages::{NEWEST, page};
use crate::{DESKTOP, LOOK, nothing, open};

/// The first table that can be sorted, and its heads.
const TABLE: &str = "document.querySelector('table.sortable')";

/// Opens the page.
fn opened() -> Option<(Browser, String)> {
    let mut browser = Browser::start()?;
    let address = open(&mut browser, page(&NEWEST), DESKTOP);
    Some((browser, address))
}

/// Returns a column of the first table.
fn column(browser: &mut Browser, index: usize) -> Vec<String> {
    browser.texts(&format!("look.column({TABLE}.id, {index})"))
}

/// Returns the number of the column with that head.
fn headed(browser: &mut Browser, head: &str) -> usize {
    let heads = browser.texts(&format!("[...{TABLE}.tHead.rows[0].cells].map(look.text)"));
    heads.iter().position(|name| name == head).unwrap_or_else(|| panic!("{head} in {heads:?}"))
}

/// Gives the focus to what an expression is.
fn focus(browser: &mut Browser, expression: &str) {
    browser.ask(&format!("({expression}).focus()"));
}

#[test]
fn the_keyboard_reaches_everything_in_order_and_the_focus_is_seen() {
    let Some((mut browser, _)) = opened() else { return };
    // Else the page would still be on its way when the focus is looked at.
    browser.prefer("prefers-reduced-motion", "reduce");
    let expected = browser.texts("look.reached()");
    for kind in ["a skip", "button #theme", "input #filter", "summary", "button copy"] {
        assert!(expected.iter().any(|name| name.starts_with(kind)), "{kind} in {expected:?}");
    }
    let (mut reached, mut unseen) = (Vec::new(), Vec::new());
    for _ in &expected {
        browser.press("Tab");
        let reported = browser.texts("look.focus()");
        if !reported[1].is_empty() {
            unseen.push(reported[0].clone());
        }
        reached.push(reported[0].clone());
    }
    assert_eq!(reached, expected);
    assert_eq!(unseen, nothing());
}

#[test]
fn enter_skips_to_the_answer_and_unfolds() {
    let Some((mut browser, _)) = opened() else { return };
    browser.press("Tab");
    browser.press("Enter");
    assert_eq!(browser.ask("location.hash"), "#main");
    focus(&mut browser, "document.querySelector('summary')");
    browser.press("Enter");
    assert_eq!(browser.ask("document.querySelector('details').open"), true);
}

#[test]
fn enter_on_a_head_sorts_by_number_and_what_has_none_stays_last() {
    let Some((mut browser, _)) = opened() else { return };
    for head in ["CPU a fetch, µs", "wall, ms", "errors"] {
        let index = headed(&mut browser, head);
        focus(&mut browser, &format!("{TABLE}.tHead.rows[0].cells[{index}].firstElementChild"));
        for (order, sign) in [("ascending", 1.0), ("descending", -1.0)] {
            browser.press("Enter");
            let reported = format!("{TABLE}.tHead.rows[0].cells[{index}].ariaSort");
            assert_eq!(browser.ask(&reported), order, "{head}");
            let cells = column(&mut browser, index);
            let number = |cell: &String| cell.split(' ').next()?.parse::<f64>().ok();
            let numbers: Vec<f64> = cells.iter().map_while(number).collect();
            assert!(numbers.is_sorted_by(|a, b| sign * a <= sign * b), "{head} {order} {cells:?}");
            let rest = &cells[numbers.len()..];
            assert!(rest.iter().all(|cell| number(cell).is_none()), "{head} {order} {cells:?}");
            assert!(numbers.len() > 5 && !rest.is_empty(), "{head} {cells:?}");
        }
    }
    assert_eq!(browser.ask(&format!("{TABLE}.querySelectorAll('[aria-sort]').length")), 1);
}

#[test]
fn the_filter_hides_rows_and_nothing_else() {
    let Some((mut browser, _)) = opened() else { return };
    let index = headed(&mut browser, "model");
    let all = column(&mut browser, index);
    focus(&mut browser, "document.getElementById('filter')");
    browser.write("TOKIO");
    let shown = column(&mut browser, index);
    assert!(shown.len() >= 2 && shown.len() < all.len(), "{shown:?} of {all:?}");
    assert!(shown.iter().all(|name| name.contains("tokio")), "{shown:?}");
    browser.ask(
        "{ const filter = document.getElementById('filter'); filter.value = ''; \
        filter.dispatchEvent(new Event('input')); null }",
    );
    assert_eq!(column(&mut browser, index), all);
}

#[test]
fn the_theme_is_switched_by_its_button_and_the_page_is_found_again_as_it_was_left() {
    let Some((mut browser, _)) = opened() else { return };
    browser.prefer("prefers-color-scheme", "light");
    let ground = "getComputedStyle(document.body).backgroundColor";
    let light = browser.ask(ground);
    focus(&mut browser, "document.getElementById('theme')");
    let mut names = Vec::new();
    for _ in 0..3 {
        browser.press("Enter");
        names.push(browser.ask("document.getElementById('theme').textContent"));
    }
    assert_eq!(json!(names), json!(["Theme: light", "Theme: dark", "Theme: system"]));

    browser.press("Enter");
    browser.press("Enter");
    focus(&mut browser, "document.getElementById('filter')");
    browser.write("tokio");
    let index = headed(&mut browser, "wall, ms");
    focus(&mut browser, &format!("{TABLE}.tHead.rows[0].cells[{index}].firstElementChild"));
    browser.press("Enter");
    let left = (column(&mut browser, index), browser.ask(ground));
    assert_ne!(left.1, light);
    let address = browser.ask("location.href").as_str().unwrap().to_owned();
    assert!(address.contains("theme=dark") && address.contains("filter=tokio"), "{address}");
    browser.load(&address);
    browser.ask(LOOK);
    assert_eq!((column(&mut browser, index), browser.ask(ground)), left);
    assert_eq!(browser.ask("document.getElementById('filter').value"), "tokio");
    assert_eq!(browser.ask(&format!("{TABLE}.querySelectorAll('[aria-sort]').length")), 1);
}

#[test]
fn a_link_of_the_contents_keeps_what_was_chosen_and_both_are_found_again() {
    let Some((mut browser, _)) = opened() else { return };
    browser.prefer("prefers-reduced-motion", "reduce");
    focus(&mut browser, "document.getElementById('theme')");
    browser.press("Enter");
    browser.press("Enter");
    let index = headed(&mut browser, "wall, ms");
    focus(&mut browser, &format!("{TABLE}.tHead.rows[0].cells[{index}].firstElementChild"));
    browser.press("Enter");
    browser.ask("document.querySelector('nav details').open = true");
    focus(&mut browser, "document.querySelector('nav a[href=\"#latency\"]')");
    browser.press("Enter");
    browser.settle();

    let ground = "getComputedStyle(document.body).backgroundColor";
    let left = (column(&mut browser, index), browser.ask(ground));
    let address = browser.ask("location.href").as_str().unwrap().to_owned();
    assert!(address.contains("#latency&") && address.contains("theme=dark"), "{address}");
    assert!(address.contains("sort="), "{address}");
    browser.load(&address);
    browser.ask(LOOK);
    assert_eq!((column(&mut browser, index), browser.ask(ground)), left);
    let top = "Math.abs(document.getElementById('latency').getBoundingClientRect().top) < 40";
    assert_eq!(browser.ask(top), true);
}

#[test]
fn a_link_into_what_is_folded_unfolds_it() {
    let Some((mut browser, address)) = opened() else { return };
    let folded = browser.ask("document.querySelector('details figure').id");
    let folded = folded.as_str().unwrap();
    browser.load(&format!("{address}#{folded}"));
    let opened = format!("document.getElementById('{folded}').checkVisibility()");
    assert_eq!(browser.ask(&opened), true);
}
