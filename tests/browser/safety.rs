//! The page asks for nothing, complains of nothing, and executes nothing that a run says.

use serde_json::{Value, json};

use crate::chromium::Browser;
use crate::pages::{HOSTILE, NEWEST, TEXT, page};
use crate::{DESKTOP, LOOK, PHONE, THEMES, open, unfold};

/// What a page says when something is wrong with it.
const COMPLAINTS: [&str; 3] =
    ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"];

/// Returns what went wrong since the page was loaded.
fn complaints(browser: &mut Browser) -> Vec<Value> {
    COMPLAINTS.iter().flat_map(|event| browser.received(event)).collect()
}

#[test]
fn no_request_leaves_the_page() {
    let Some(mut browser) = Browser::start() else { return };
    for files in [&NEWEST, &HOSTILE] {
        let address = open(&mut browser, page(files), DESKTOP);
        unfold(&mut browser);
        let asked = browser.received("Network.requestWillBeSent");
        let asked: Vec<&Value> = asked.iter().map(|reported| &reported["request"]["url"]).collect();
        assert_eq!(asked, [&json!(address)]);
    }
}

#[test]
fn the_policy_of_the_page_stops_a_request() {
    let Some(mut browser) = Browser::start() else { return };
    let page = String::from_utf8(page(&NEWEST).to_vec()).unwrap();
    let leak = "<body><img src=\"http://127.0.0.1:9/leak\">";
    let address = open(&mut browser, page.replacen("<body>", leak, 1).as_bytes(), DESKTOP);
    assert!(!complaints(&mut browser).is_empty(), "{address}");
}

#[test]
fn the_page_says_nothing_on_the_console_in_both_themes_at_both_sizes() {
    let Some(mut browser) = Browser::start() else { return };
    for (theme, size) in THEMES.iter().flat_map(|theme| [(theme, DESKTOP), (theme, PHONE)]) {
        browser.prefer("prefers-color-scheme", theme);
        open(&mut browser, page(&NEWEST), size);
        unfold(&mut browser);
        assert_eq!(complaints(&mut browser), [Value::Null; 0], "{theme} {size:?}");
    }
}

#[test]
fn an_address_that_was_mangled_on_its_way_still_opens_the_page() {
    let Some(mut browser) = Browser::start() else { return };
    let address = open(&mut browser, page(&NEWEST), DESKTOP);
    let shown = "[...document.querySelector('table.sortable').rows].map(look.text)";
    let rows = browser.texts(shown);
    let table = browser.ask("document.querySelector('table.sortable').id");
    let table = table.as_str().unwrap();
    for place in [
        "%".to_owned(),
        "%ff&theme=%ff".to_owned(),
        "nowhere&theme=blue&filter=%20".to_owned(),
        format!("sort={table}.-1.ascending"),
        format!("sort={table}.99.ascending"),
        format!("sort={table}.item.ascending"),
        format!("sort={table}.1.sideways"),
        "&&==&sort=".to_owned(),
    ] {
        browser.load(&format!("{address}#{place}"));
        browser.ask(LOOK);
        assert_eq!(complaints(&mut browser), [Value::Null; 0], "{place}");
        assert_eq!(browser.texts(shown), rows, "{place}");
        assert_eq!(browser.ask("document.getElementById('theme').hidden"), false, "{place}");
    }
}

#[test]
fn hostile_text_is_shown_and_never_executed() {
    let Some(mut browser) = Browser::start() else { return };
    let trap = "for (const name of ['alert', 'confirm', 'prompt', 'open']) \
        globalThis[name] = () => { globalThis.caught = name; };";
    browser.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": trap }));
    open(&mut browser, page(&HOSTILE), DESKTOP);
    unfold(&mut browser);
    assert_eq!(browser.ask("globalThis.caught ?? null"), Value::Null);
    assert_eq!(browser.received("Page.javascriptDialogOpening"), [Value::Null; 0]);
    assert_eq!(complaints(&mut browser), [Value::Null; 0]);
    assert_eq!(browser.ask("document.querySelectorAll('img,iframe,object,embed').length"), 0);
    assert_eq!(browser.ask("document.scripts.length"), 1);
    // It is there to be read, all but what nobody can see.
    let shown = TEXT.replace(['\u{202e}', '\u{1b}', '\u{7}'], "").replace('\u{2028}', " ");
    let body = browser.ask("look.text(document.body)");
    assert!(body.as_str().unwrap().matches(shown.trim()).count() > 20);
}

#[test]
fn every_figure_opens_in_a_browser_and_executes_nothing_either() {
    let Some(mut browser) = Browser::start() else { return };
    let figures = HOSTILE.iter().filter(|(name, _)| name.contains(".svg"));
    let mut seen = 0;
    for (name, bytes) in figures {
        let address = browser.show(name, bytes);
        assert_eq!(browser.ask("document.documentElement.localName"), "svg", "{name}");
        assert_eq!(browser.ask("document.querySelectorAll('parsererror,script').length"), 0);
        assert_eq!(browser.received("Page.javascriptDialogOpening"), [Value::Null; 0], "{name}");
        assert_eq!(complaints(&mut browser), [Value::Null; 0], "{name}");
        let asked = browser.received("Network.requestWillBeSent");
        assert!(asked.iter().all(|reported| reported["request"]["url"] == address), "{name}");
        seen += 1;
    }
    assert!(seen > 10, "{seen} figures");
}
