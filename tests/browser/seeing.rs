//! What the other tests look for would be seen: a page is broken in one way after the other.

use serde_json::{Value, json};

use crate::chromium::Browser;
use crate::pages::{NEWEST, page};
use crate::{DESKTOP, PHONE, nothing, open};

#[test]
fn what_is_wrong_with_a_page_is_seen() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, page(&NEWEST), PHONE);
    let one = "const one = (name) => document.querySelector(name)";
    for (corrupt, look) in [
        ("one('p').style.color = '#888'", "look.faint(4.5)"),
        ("one('.interval').style.stroke = '#ccc'", "look.faintMarks(3)"),
        ("one('p').style.fontSize = '9px'", "look.tooSmall(10)"),
        ("one('.lead p').style.width = '600px'", "look.outside()"),
        ("one('main').append(one('table').cloneNode(true))", "look.spilling()"),
        ("one('.axis text').parentElement.style.width = '20px'", "look.overlapping()"),
        ("one('td .ci').style.paddingLeft = '600px'", "look.cutOff()"),
        ("one('p').style.transition = 'color 1s'", "look.restless()"),
    ] {
        // The page itself scrolls smoothly, which one look counts.
        browser.prefer("prefers-reduced-motion", "reduce");
        assert_eq!(browser.texts(look), nothing(), "before {corrupt}");
        browser.ask(&format!("{{ {one}; {corrupt}; null }}"));
        assert_ne!(browser.texts(look), nothing(), "{corrupt}");
    }
}

#[test]
fn a_page_that_lets_text_act_would_be_caught() {
    let Some(mut browser) = Browser::start() else { return };
    let trap = json!({ "source": "globalThis.alert = () => { globalThis.caught = 'alert'; };" });
    browser.call("Page.addScriptToEvaluateOnNewDocument", &trap);
    let careless = b"<!doctype html><img src=x onerror=alert(1)><p>careless</p>";
    open(&mut browser, careless, DESKTOP);
    assert_eq!(browser.ask("globalThis.caught ?? null"), "alert");
    assert!(browser.received("Network.requestWillBeSent").len() > 1);
    assert_ne!(browser.received("Log.entryAdded"), [Value::Null; 0]);
}
