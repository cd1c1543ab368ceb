//! The frame of every page: its head, contents and sections.
//!
//! The policy in its head forbids everything but the one style and the one script that stand in it,
//! by their hashes, so that nothing that a model or a machine says of itself can run or fetch.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::figure::draw::signs;

/// How the page looks.
const STYLE: &str = include_str!("page.css");
/// What sorts, filters, copies and switches the theme.
const SCRIPT: &str = include_str!("page.js");

/// A section of a page.
pub(crate) struct Section {
    /// Its anchor.
    pub(crate) id: String,
    /// Its heading.
    pub(crate) title: String,
    /// What stands in it.
    pub(crate) body: Markup,
    /// Whether it is folded: who has ten seconds, or six screens, need not scroll past it.
    pub(crate) is_folded: bool,
}

impl Section {
    /// Returns a section that is open.
    pub(crate) fn new(id: &str, title: &str, body: Markup) -> Self {
        Self { id: id.to_owned(), title: title.to_owned(), body, is_folded: false }
    }

    /// Returns a section that is folded.
    pub(crate) fn folded(id: &str, title: &str, body: Markup) -> Self {
        Self { is_folded: true, ..Self::new(id, title, body) }
    }
}

/// A page before it is written: what differs between the pages of runs, which all look alike.
pub(crate) struct Frame {
    /// What a browser calls it.
    pub(crate) title: String,
    /// The version of Inflight that measured what it shows, if that is one.
    pub(crate) version: Option<String>,
    /// What was compared, or the question that it answers.
    pub(crate) question: String,
    /// What stands below that: the first screen.
    pub(crate) lead: Markup,
    /// Its sections, in their order.
    pub(crate) sections: Vec<Section>,
    /// How it ends.
    pub(crate) foot: Markup,
}

/// Returns the section of a cell on a page of several runs: its name as the title, since that
/// stands in the contents too, and its numbers below.
pub(crate) fn of_cell(place: usize, heading: &str, body: &Markup) -> Section {
    let (name, numbers) = heading.split_once(": ").unwrap_or((heading, ""));
    Section::new(&format!("cell-{place}"), name, html! { p.run { (numbers) } (body) })
}

/// Writes a page.
pub(crate) fn written(frame: &Frame) -> String {
    let version = frame.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(format!("Inflight{version}"));
                title { "Inflight: " (frame.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the answer" }
                header.top {
                    p.brand { "Inflight" span { (version) } }
                    (contents(&frame.sections))
                    button #theme type="button" hidden { "Theme" }
                }
                (signs())
                main #main {
                    h1 { (frame.question) }
                    (frame.lead)
                    @for section in &frame.sections { (written_section(section)) }
                }
                footer {
                    p { (frame.foot) }
                    p.on-paper { "Closed sections are not printed." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    crate::escape::visible(&compact(&whole_options(&markup.into_string()))) + "\n"
}

/// Writes a section.
fn written_section(section: &Section) -> Markup {
    let title = format!("{}-title", section.id);
    html! {
        section.folded[section.is_folded] id=(section.id) aria-labelledby=(title) {
            @if section.is_folded {
                details { summary { h2 id=(title) { (section.title) } } (section.body) }
            } @else {
                h2 id=(title) { (section.title) }
                (section.body)
            }
        }
    }
}

/// Keeps each option of a command on one line: a browser breaks lines at hyphens, and another sign
/// in their place would be copied.
fn whole_options(markup: &str) -> String {
    let mut parts = markup.split("<code>");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once("</code>").unwrap_or((part, ""));
        let word = |word: &str| match word.starts_with("--") {
            true => format!("<span>{word}</span>"),
            false => word.to_owned(),
        };
        let words: Vec<String> = code.split(' ').map(word).collect();
        whole += &["<code>", &words.join(" "), "</code>", rest].concat();
    }
    whole
}

/// Leaves out the ends that HTML lets one leave out, which are a tenth of a page of tables and
/// figures. Texts cannot hold them, since their signs are escaped.
fn compact(markup: &str) -> String {
    const ENDS: [&str; 6] = ["</td>", "</th>", "</tr>", "</li>", "</dt>", "</dd>"];
    const EMPTY: [&str; 5] = ["line", "use", "path", "rect", "circle"];
    let markup = markup.replace(" class=\"\"", "");
    let markup = ENDS.iter().fold(markup, |markup, end| markup.replace(end, ""));
    let empty = EMPTY.map(|name| format!("></{name}>"));
    empty.iter().fold(markup, |markup, end| markup.replace(end, "/>"))
}

/// Writes the contents.
fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Contents" {
            details {
                summary { "Contents" }
                ol {
                    @for section in sections {
                        li { a href=(format!("#{}", section.id)) { (section.title) } }
                    }
                }
            }
        }
    }
}

/// Returns the policy of the page: nothing but its own style and script.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_stays_on_one_line_and_the_text_around_it_as_it_was() {
        let markup = "<p>a --b</p> <code>run --bench x -- -y</code> <code id=\"c\">--d</code>";
        let expected = "<p>a --b</p> <code>run <span>--bench</span> x <span>--</span> -y</code> \
                        <code id=\"c\">--d</code>";
        assert_eq!(whole_options(markup), expected);
    }
}
