//! Turns what was computed of a run into text, Markdown, HTML, pictures, CSV and LaTeX. It computes
//! nothing: the same numbers give the same bytes.

mod escape;
mod footprint_text;
mod form;
mod hold_text;
mod ideas_text;
mod json;
mod percent;
mod primitives_text;
mod proof_text;
mod quirks_text;
mod responses;
mod summary;
mod sweep_text;
mod table;
mod trust_text;
mod wake_ups;
mod words;

mod answer;
mod checks_table;
mod diff_table;
mod merge_table;
mod rank_text;

mod figure;
mod html;
mod ideas_page;

mod citation;
mod cite;
mod export;
mod index;
mod paper;

mod derive;

pub use crate::answer::answer;
pub use crate::answer::findings::findings;
pub use crate::answer::place::{Place, page_of};
pub use crate::answer::versions::{versions, versions_table};
pub use crate::checks_table::checks_table;
pub use crate::citation::NotCitable;
pub use crate::cite::{CiteForm, cite};
pub use crate::derive::derive;
pub use crate::diff_table::diff_table;
pub use crate::export::{ExportForm, export};
pub use crate::footprint_text::footprints_text;
pub use crate::form::Form;
pub use crate::html::diff::diff_page;
pub use crate::html::merge::merge_page;
pub use crate::html::site::site_page;
pub use crate::ideas_page::ideas_page;
pub use crate::index::index;
pub use crate::merge_table::merge_table;
pub use crate::primitives_text::primitives_text;
pub use crate::proof_text::proof_text;
pub use crate::rank_text::ranking_text;
pub use crate::summary::summary;
pub use crate::table::heading;
pub use crate::trust_text::trust_text;
