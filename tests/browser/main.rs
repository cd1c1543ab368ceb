//! Promises about the report's page, in a real browser: silent, whole, legible, usable by keyboard,
//! printable, and deaf to hostile text. Where no browser is, each says so; where `CI` is `true`,
//! it fails.

#![expect(clippy::unwrap_used, reason = "what a test cannot do without is there")]

mod chromium;
mod first;
mod pages;
mod reading;
mod safety;
mod seeing;
mod using;

#[path = "../support/mod.rs"]
mod support;

use chromium::Browser;

/// The sizes of a desktop's and a phone's window, in CSS pixels.
const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);
/// The themes.
const THEMES: [&str; 2] = ["light", "dark"];
/// Asks a page what a reader would look at.
const LOOK: &str = include_str!("look.js");

/// Opens a page in a window of that size, and returns its address.
fn open(browser: &mut Browser, page: &[u8], size: (u32, u32)) -> String {
    browser.resize(size);
    let address = browser.show("report.html", page);
    browser.ask(LOOK);
    address
}

/// Opens everything that is folded on the page.
fn unfold(browser: &mut Browser) {
    browser.ask("look.unfold()");
    browser.settle();
}

/// Returns nothing: what a promise finds wrong.
fn nothing() -> Vec<String> {
    Vec::new()
}
