//! Texts that others have written, on one line: labels, versions, reasons and what a machine says
//! of itself are theirs, and may hold anything. Nothing that is shown steers a terminal.

/// The longest name or reason that is shown, in characters.
const LONGEST: usize = 400;
/// The longest paragraph that is made of them.
const LONGEST_TEXT: usize = 8_000;
/// What stands where the rest of a text was left out.
const CUT: char = '…';

/// Returns a name or a reason on one line: runs of white space are one space, whatever steers a
/// terminal or turns the direction of writing is gone, and what is too long is cut.
pub fn line(text: &str) -> String {
    bounded(text, LONGEST)
}

/// Returns a paragraph on one line, likewise.
pub fn paragraph(text: &str) -> String {
    bounded(text, LONGEST_TEXT)
}

/// Returns a text on one line of at most so many characters.
fn bounded(text: &str, longest: usize) -> String {
    let words = text.chars().map(|character| match character {
        character if character.is_whitespace() => ' ',
        character => character,
    });
    let mut line = String::new();
    for character in words.filter(|character| !steers(*character)) {
        if character != ' ' || !(line.is_empty() || line.ends_with(' ')) {
            line.push(character);
        }
    }
    let line = line.trim_end();
    match line.char_indices().nth(longest) {
        Some((end, _)) => line[..end].trim_end().to_owned() + &CUT.to_string(),
        None => line.to_owned(),
    }
}

/// Returns whether a character is not shown but does something: controls, marks of direction,
/// invisible operators, byte order marks.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}')
        || matches!(character, '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}')
        || u32::from(character) & 0xfffe == 0xfffe
        || matches!(character, '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_is_one_line_and_steers_nothing(
            text in "[a-c \u{2028}\u{202e}\u{1b}\u{feff}\n\t]{0,40}|\\PC{0,500}"
        ) {
            let line = line(&text);
            prop_assert!(!line.chars().any(steers) && !line.contains("  "));
            prop_assert!(line.chars().count() <= LONGEST + 1);
            prop_assert_eq!(super::line(&line), line);
        }
    }
}
