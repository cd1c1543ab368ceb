//! What the teaching page says, and what a run says of it, as a table.

use analysis::ideas::Idea;

use crate::form::{Form, joined};
use crate::table::drawn;

/// Writes them for people.
pub(crate) fn ideas_text(ideas: &[Idea], form: Form) -> String {
    let title = "What the teaching page says, measured";
    let title = match form {
        Form::Terminal => title.to_owned(),
        Form::Markdown => format!("### {title}\n"),
    };
    let row = |idea: &Idea| vec![idea.says.to_owned(), idea.answer()];
    let rows: Vec<Vec<String>> = ideas.iter().map(row).collect();
    joined(vec![title, drawn(&["the page", "this run"], &rows, form)], form)
}
