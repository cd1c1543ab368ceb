//! Sentences that a terminal shows too: what they put between backticks is to be typed.
//!
//! A terminal and Markdown show the backticks, and a page shows code. Who wrote the sentence does
//! not matter: it is escaped all the same.

use maud::{Markup, html};

/// Writes a sentence, and as code what stands between backticks in it.
pub(crate) fn quoted(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick that none closes is a letter like any other.
    let (parts, open) = match parts.len() % 2 {
        0 => (&parts[..parts.len() - 1], parts.last()),
        _ => (&parts[..], None),
    };
    html! {
        @for (place, part) in parts.iter().enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
        @if let Some(rest) = open { "`" (rest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_escaped_like_all_else() {
        for (text, markup) in [
            ("type `a --b` now", "type <code>a --b</code> now"),
            ("`<x>`", "<code>&lt;x&gt;</code>"),
            ("no code", "no code"),
            ("one ` alone", "one ` alone"),
            ("`a` and ` alone", "<code>a</code> and ` alone"),
        ] {
            assert_eq!(quoted(text).into_string(), markup);
        }
    }
}
