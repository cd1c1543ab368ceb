//! Texts that others have written, as they stand in a format: labels, versions, reasons and what a
//! machine says of itself are theirs, and may hold anything.
//!
//! Whatever is shown passes [`analysis::line::line`] first, which leaves one line of bounded
//! length without anything that steers a terminal; then the escape of its format, so that a reader
//! of the format sees the same text again and nothing in it is carried out.

use analysis::line::paragraph;

/// What stands for a character that a format cannot show.
const REPLACED: char = '?';

/// Returns a text without what cannot be seen but may act: control characters, and signs that turn
/// the direction of reading.
pub(crate) fn visible(text: &str) -> String {
    let acts = |c: char| {
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (c.is_control() && c != '\n')
    };
    text.chars().filter(|&c| !acts(c)).collect()
}

/// Returns a text as LaTeX shows it, in the text of a document and in a field of BibTeX: braces are
/// balanced, for BibTeX counts those too that a backslash precedes. What is not ASCII becomes a
/// question mark, for which of it compiles depends on the document.
pub(crate) fn latex(text: &str) -> String {
    let mut escaped = String::new();
    for character in paragraph(text).chars() {
        match character {
            '\\' => escaped += "\\textbackslash{}",
            '{' => escaped += "\\textbraceleft{}",
            '}' => escaped += "\\textbraceright{}",
            '~' => escaped += "\\textasciitilde{}",
            '^' => escaped += "\\textasciicircum{}",
            '<' => escaped += "\\textless{}",
            '>' => escaped += "\\textgreater{}",
            '|' => escaped += "\\textbar{}",
            '"' => escaped += "\\char34{}",
            // An opening bracket after the end of a row would be an argument.
            '[' => escaped += "{[}",
            ']' => escaped += "{]}",
            '`' => escaped += "\\textasciigrave{}",
            '$' | '%' | '&' | '#' | '_' => escaped.extend(['\\', character]),
            '…' => escaped += "\\ldots{}",
            character if character.is_ascii() => escaped.push(character),
            _ => escaped.push(REPLACED),
        }
    }
    escaped
}

/// Returns a text as a quoted scalar of YAML, which is one of JSON too; what is not ASCII is
/// written as its number, for not every reader takes all of it.
pub(crate) fn yaml(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in paragraph(text).chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_ascii() => quoted.push(character),
            character => {
                let units = character.encode_utf16(&mut [0; 2]).to_vec();
                quoted.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a text as Markdown shows it, in a paragraph and in a cell of a table: nothing in it is a
/// link, code, emphasis, HTML or the end of the cell.
pub(crate) fn markdown(text: &str) -> String {
    in_markdown(&paragraph(text))
}

/// Returns a line as Markdown shows it, likewise. Nothing is escaped that means nothing where it
/// stands, for tables are read unrendered too.
pub(crate) fn in_markdown(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let at = |place: usize| characters.get(place).copied();
    let mut escaped = String::new();
    for (place, &character) in characters.iter().enumerate() {
        let (before, after) = (place.checked_sub(1).and_then(at), at(place + 1));
        if is_marked(character, before, after) {
            escaped.push('\\');
        }
        escaped.push(character);
        let is_word = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
        if character == '@' && !is_word(before) && is_word(after) {
            // Sites call whoever is named behind an @; a space without width keeps them asleep.
            escaped += "&#8203;";
        }
    }
    escaped
}

/// Returns a line as Markdown shows it where it begins a paragraph: it is no heading, list, quote,
/// rule, or definition of a link either.
pub(crate) fn line_in_markdown(line: &str) -> String {
    let mut escaped = in_markdown(line);
    let digits = escaped.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &escaped[digits..];
    if rest.starts_with(['.', ')']) && !rest[1..].starts_with(|c: char| !c.is_whitespace()) {
        // Without digits these begin nothing, and a point may be escaped all the same.
        escaped.insert(digits, '\\');
    } else if escaped.starts_with(['#', '>', '+', '-', '*', '=', '_', ':', '[']) {
        escaped.insert(0, '\\');
    }
    escaped
}

/// Returns whether Markdown would take a character for more than itself, by those beside it.
fn is_marked(character: char, before: Option<char>, after: Option<char>) -> bool {
    let is_followed = |by: &str| after.is_some_and(|after| by.contains(after));
    let is_word = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
    // Emphasis begins where something stands right behind its mark; what never begins cannot end.
    let begins = after.is_some_and(|after| !after.is_whitespace());
    match character {
        '\\' | '`' | '|' | '^' | '$' => true,
        '*' | '~' => begins,
        '_' => begins && !is_word(before),
        '[' => is_followed("["),
        ']' => is_followed("([{"),
        '<' => is_word(after) || is_followed("/!?"),
        '&' => is_word(after) || is_followed("#"),
        ':' => is_followed("/"),
        _ => false,
    }
}

/// Returns a text for a cell of CSV that a spreadsheet opens: one that would be a formula there
/// begins with an apostrophe. Quotes are put by the writer.
pub(crate) fn cell(text: &str) -> String {
    let line = paragraph(text);
    match line.starts_with(['=', '+', '-', '@', '\'']) {
        true => format!("'{line}"),
        false => line,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use analysis::line::line;
    use proptest::prelude::*;

    use super::*;

    /// Texts that have done harm elsewhere.
    pub(crate) const HOSTILE: [&str; 16] = [
        "</script><img src=x onerror=alert(1)>",
        "{{7*7}}",
        "javascript:alert(1)",
        "\"><svg/onload=alert(1)>",
        "a\u{2028}b\u{2029}c\u{202e}d\u{feff}",
        "\u{1b}]0;title\u{7}\u{1b}[31mred",
        "=cmd|'/c calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\\input{/etc/passwd} %$#_{}~^\\",
        "}}, note = {",
        "a | b ` c ``` d",
        "!!python/object/apply:os.system [\"id\"]",
        "[link](javascript:alert(1)) <https://example.org> ![i](x)",
        "key: value\n- item\r\n\ttab",
    ];

    /// Any text, and often one that is made of what harms.
    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[\\\\{}~^<>|\"\\[\\]`'$%&#_=+@!*:()\\-\u{2028}\u{202e}\u{1b}\n a-c]{0,40}",
            proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        ]
    }

    /// Reads what [`latex`] has written.
    fn read_latex(text: &str) -> String {
        let names = [
            ("\\textbackslash{}", "\\"),
            ("\\textbraceleft{}", "{"),
            ("\\textbraceright{}", "}"),
            ("\\textasciitilde{}", "~"),
            ("\\textasciicircum{}", "^"),
            ("\\textless{}", "<"),
            ("\\textgreater{}", ">"),
            ("\\textbar{}", "|"),
            ("\\char34{}", "\""),
            ("\\textasciigrave{}", "`"),
            ("\\ldots{}", "…"),
            ("{[}", "["),
            ("{]}", "]"),
            ("\\$", "$"),
            ("\\%", "%"),
            ("\\&", "&"),
            ("\\#", "#"),
            ("\\_", "_"),
        ];
        let (mut read, mut rest) = (String::new(), text);
        while let Some(character) = rest.chars().next() {
            match names.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, meant)) => {
                    read += meant;
                    rest = &rest[name.len()..];
                }
                None => {
                    assert!(!"\\{}~^<>|\"[]`$%&#_".contains(character), "{text}");
                    read.push(character);
                    rest = &rest[character.len_utf8()..];
                }
            }
        }
        read
    }

    /// Returns what a reader of Markdown sees of a paragraph, and whether it is nothing but text.
    pub(crate) fn read_markdown(text: &str) -> (String, bool) {
        use pulldown_cmark::{Event, Options, Parser, Tag};
        let (mut read, mut plain) = (String::new(), true);
        // Smart punctuation changes how a quote looks, by intention.
        let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
        for event in Parser::new_ext(text, options) {
            match event {
                Event::Text(text) => read += &text,
                Event::Start(Tag::Paragraph) | Event::End(_) => {}
                _ => plain = false,
            }
        }
        // What was put behind an @ is not seen.
        (read.replace('\u{200b}', ""), plain)
    }

    proptest! {
        #[test]
        fn latex_reads_back_and_its_braces_are_balanced(text in any_text()) {
            let escaped = latex(&text);
            let shown = |c: char| if c.is_ascii() || c == '…' { c } else { REPLACED };
            let expected: String = paragraph(&text).chars().map(shown).collect();
            prop_assert_eq!(read_latex(&escaped), expected);
            let mut depth = 0_i32;
            for character in escaped.chars() {
                depth += i32::from(character == '{') - i32::from(character == '}');
                prop_assert!(depth >= 0);
            }
            prop_assert_eq!(depth, 0);
        }

        #[test]
        fn yaml_reads_back_and_is_ascii(text in any_text()) {
            let quoted = yaml(&text);
            prop_assert!(quoted.is_ascii() && !quoted.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), paragraph(&text));
        }

        #[test]
        fn markdown_is_seen_as_it_was_meant(text in any_text()) {
            let (read, plain) = read_markdown(&format!("x {} x", markdown(&text)));
            prop_assert!(plain, "{}", markdown(&text));
            prop_assert_eq!(read, format!("x {} x", paragraph(&text)));
        }

        #[test]
        fn a_line_of_markdown_is_a_paragraph_and_nothing_else(text in any_text()) {
            let text = paragraph(&text);
            let (read, plain) = read_markdown(&line_in_markdown(&text));
            prop_assert!(plain, "{}", line_in_markdown(&text));
            prop_assert_eq!(read, text);
        }

        #[test]
        fn a_cell_is_never_a_formula_and_reads_back(text in any_text()) {
            let written = cell(&text);
            prop_assert!(!written.starts_with(['=', '+', '-', '@']));
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record([&written, "end"]).unwrap();
            let bytes = writer.into_inner().unwrap();
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&record[0], &written);
            let read = record[0].strip_prefix('\'').unwrap_or(&record[0]);
            prop_assert_eq!(read, paragraph(&text));
        }
    }

    #[test]
    fn what_means_nothing_in_markdown_stays_as_it_is() {
        for text in [
            "0.97 (0.80 to 1.07)~",
            "async-std-hyper + 5 %, python_threads, x86_64",
            "665*",
            "model CPU [1], origin CPU [0] (wiremock 0.6.5), a < b & c: ~2 * 3",
        ] {
            let expected = text.replace("~2", "\\~2");
            assert_eq!(line_in_markdown(text), expected);
        }
        assert_eq!(in_markdown("@rust a@b https://x"), "@&#8203;rust a@b https\\://x");
        assert_eq!(line_in_markdown("* a mark"), "\\* a mark");
        assert_eq!(line_in_markdown("~ a mark"), "~ a mark");
        assert_eq!(line_in_markdown("12. x"), "12\\. x");
        assert_eq!(line_in_markdown("1.2 x"), "1.2 x");
    }

    #[test]
    fn a_name_of_a_megabyte_is_cut() {
        let name = "x".repeat(1 << 20);
        for escaped in [line(&name), latex(&name), yaml(&name), markdown(&name), cell(&name)] {
            assert!(escaped.len() < 9_000, "{}", escaped.len());
        }
    }
}
