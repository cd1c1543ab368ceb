//! What a text is written for, and how its parts are joined.

/// What a text is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A terminal.
    Terminal,
    /// Markdown, for a file or a pull request.
    Markdown,
}

/// Joins the parts of a text, each on lines of its own.
pub(crate) fn joined(parts: Vec<String>, form: Form) -> String {
    let text: String = parts.into_iter().map(|part| part.trim_end().to_owned() + "\n").collect();
    match form {
        Form::Terminal => text,
        Form::Markdown => spaced(&text),
    }
}

/// Puts an empty line between the parts of a Markdown text, but not inside a table.
pub(crate) fn spaced(text: &str) -> String {
    let mut spaced = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        spaced += line;
        spaced.push('\n');
        let in_table = line.starts_with('|') && lines.peek().is_some_and(|l| l.starts_with('|'));
        if !in_table && !line.is_empty() {
            spaced.push('\n');
        }
    }
    spaced.trim_end().to_owned() + "\n"
}
