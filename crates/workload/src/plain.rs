//! Text that others wrote, as it may be shown: nothing in it moves a cursor, hides, or reorders
//! what stands beside it.

/// Returns a text in which every letter that a terminal would obey, or that reorders letters around
/// it, is spelled out as `\u{1b}`. Line feeds and tabs stay.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => plain.push(letter),
            _ if is_obeyed(letter) => plain.extend(letter.escape_unicode()),
            _ => plain.push(letter),
        }
    }
    plain
}

/// Returns a text as [`plain`] does, on one line and with no more than so many letters.
pub fn plain_line(text: &str, letters_max: usize) -> String {
    let mut letters = text.trim().chars();
    let line: String = letters.by_ref().take(letters_max).collect();
    let more = if letters.next().is_some() { " …" } else { "" };
    plain(&line).replace(['\n', '\t'], " ") + more
}

/// Returns whether a letter is a command rather than a letter: the control codes, the separators of
/// lines and paragraphs, and those that change the direction of writing (Unicode UAX #9).
fn is_obeyed(letter: char) -> bool {
    let is_direction = matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') || is_direction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(plain("a\u{1b}[31mb\u{7}\r\u{9b}2J"), "a\\u{1b}[31mb\\u{7}\\u{d}\\u{9b}2J");
        assert_eq!(plain("a\u{2028}b\u{202e}c"), "a\\u{2028}b\\u{202e}c");
        assert_eq!(plain("größer\n\tals 5 µs"), "größer\n\tals 5 µs");
    }

    #[test]
    fn a_line_stays_one_line_and_ends() {
        assert_eq!(plain_line(" a\nb\tc ", 10), "a b c");
        assert_eq!(plain_line("ab\u{1b}cd", 3), "ab\\u{1b} …");
    }
}
