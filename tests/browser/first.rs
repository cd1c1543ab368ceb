//! What a reader with ten seconds sees: the first screen of a laptop and of a phone, and how far
//! the rest scrolls.

use crate::chromium::Browser;
use crate::pages::{NEWEST, both, page};
use crate::{PHONE as NARROW, nothing, open};

/// The windows of a small laptop, of a larger one, and of a common phone, in CSS pixels.
const LAPTOP: (u32, u32) = (1366, 768);
const LARGER: (u32, u32) = (1440, 900);
const PHONE: (u32, u32) = (390, 844);
/// What the first screen holds.
const FIRST: [&str; 4] = ["h1", ".which", ".trust-line", "main > figure .strips"];

#[test]
fn the_first_screen_holds_the_answer_the_ratios_and_how_far_to_trust_them() {
    let Some(mut browser) = Browser::start() else { return };
    for ((preset, files), size) in both().flat_map(|own| [(own, LAPTOP), (own, PHONE)]) {
        open(&mut browser, page(files), size);
        for part in FIRST {
            let ends = format!(
                "{{ const part = document.querySelector('{part}'); \
                 look.seen(part) && look.text(part) ? part.getBoundingClientRect().bottom : 1e6 }}"
            );
            let bottom = browser.ask(&ends).as_f64().unwrap();
            let height = f64::from(size.1);
            assert!(bottom <= height, "{preset}: {part} ends at {bottom} of {size:?}");
        }
        // One figure, of all models that were measured.
        let strips = browser.ask("document.querySelectorAll('main > figure .strip').length");
        assert!(strips.as_u64().unwrap() > 5, "{preset}: {strips}");
        assert_eq!(browser.ask("document.querySelectorAll('main > figure').length"), 1);
    }
}

#[test]
fn what_is_not_folded_takes_at_most_six_screens_of_a_laptop() {
    let Some(mut browser) = Browser::start() else { return };
    for (preset, files) in both() {
        // A run of more cells, all pairs of which are compared, has a section more.
        let size = if preset == "quick" { LAPTOP } else { LARGER };
        open(&mut browser, page(files), size);
        let height = browser.ask("document.documentElement.scrollHeight").as_u64().unwrap();
        assert!(height <= 6 * u64::from(size.1), "{preset}: {height} pixels");
        for part in ["#answer", "#breakdown", "#memory", "#latency", "#trust", "#origin", "#cite"] {
            let own = format!("document.querySelector('{part} > :last-child').checkVisibility()");
            assert_eq!(browser.ask(&own), true, "{preset}: {part} is not folded as a whole");
        }
    }
}

#[test]
fn a_phone_shows_every_interval_of_the_tables_without_scrolling_them() {
    let Some(mut browser) = Browser::start() else { return };
    for ((preset, files), size) in both().flat_map(|own| [(own, PHONE), (own, NARROW)]) {
        open(&mut browser, page(files), size);
        crate::unfold(&mut browser);
        assert!(browser.ask("look.intervals().length").as_u64().unwrap() > 100);
        assert_eq!(browser.texts("look.cutOff()"), nothing(), "{preset}, {size:?}");
    }
}

#[test]
fn the_filter_reaches_the_rows_of_other_languages_too() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, page(&NEWEST), LAPTOP);
    crate::unfold(&mut browser);
    let shown = "[...document.querySelectorAll('[id^=\"table-steady-in-\"] tbody tr')]\
        .filter(look.seen).map(look.text)";
    let all = browser.texts(shown);
    assert!(all.len() > 2, "{all:?}");
    browser.ask("document.getElementById('filter').focus()");
    browser.write("aiohttp");
    let left = browser.texts(shown);
    assert!(!left.is_empty() && left.len() < all.len(), "{left:?} of {all:?}");
    assert!(left.iter().all(|row| row.contains("aiohttp")), "{left:?}");
}

#[test]
fn every_figure_has_a_legend_and_a_credit_to_copy() {
    let Some(mut browser) = Browser::start() else { return };
    let unlabelled = "[...document.querySelectorAll('figure')]\
        .filter((own) => !own.querySelector('.missing'))\
        .filter((own) => !own.querySelector('.legend li') \
            || !document.getElementById(own.querySelector('button.copy').dataset.of)\
                .textContent.includes(', run '))\
        .map((own) => own.id)";
    for (preset, files) in both() {
        open(&mut browser, page(files), LAPTOP);
        assert_eq!(browser.texts(unlabelled), nothing(), "{preset}");
    }
}

#[test]
fn no_mark_lies_outside_its_picture() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, page(&NEWEST), LAPTOP);
    crate::unfold(&mut browser);
    let outside = browser.texts(
        "[...document.querySelectorAll('.panels svg')].flatMap((picture) => {
            const box = picture.getBoundingClientRect();
            return [...picture.querySelectorAll('.thick,.range')].filter((curve) => {
                const own = curve.getBoundingClientRect();
                return own.top < box.top || own.right > box.right || own.bottom > box.bottom;
            }).map(look.name);
        })",
    );
    assert_eq!(outside, nothing());
}
