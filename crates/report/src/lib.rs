//! Turns a run into tables. Everything here is a function of the run's folder: the same run gives
//! the same bytes.

mod figures;

mod cell;
mod consequence;
mod cost_model;
mod estimator;
mod family;
mod primitives;
mod primitives_json;
mod primitives_known;
mod primitives_steady;
mod primitives_text;
mod sweep;
mod sweep_json;
mod sweep_text;
mod turns;
mod wake_ups;

mod apart;
mod comparable;
mod diff;
mod diff_table;

mod merge;
mod merge_table;

mod cell_turns;
mod gates;
mod proof;
mod trust;

mod answer;
mod escape;
mod footprint;
mod number;
mod order;
mod quirks;
mod rank;
mod rank_json;
mod summary;
mod table;
mod words;

mod figure;
mod html;
mod ideas;
mod ideas_page;

mod citation;
mod cite;
mod export;
mod index;
mod openmetrics;
mod paper;

mod derive;
mod json;
mod json_figure;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod fixture_pair;
#[cfg(test)]
mod fixture_turn;

pub use crate::answer::{Place, answer, page_of};
pub use crate::citation::NotCitable;
pub use crate::cite::{CiteForm, cite};
pub use crate::comparable::Refusal;
pub use crate::cost_model::{CostModelCell, CostModelRow, Explained};
pub use crate::derive::{derive, derive_from};
pub use crate::diff::{
    CellDiff, Change, Diff, DiffMetric, Ratio, RowDiff, diff, diff_by, slower_than,
};
pub use crate::diff_table::diff_table;
pub use crate::export::{ExportForm, export};
pub use crate::wake_ups::WakeUps;
pub use record::Family;

pub use crate::family::Pair;
pub use crate::figures::{
    CellFigures, ControlFigures, Figures, Footprint, LanguageFigures, Noise, Row, RowFigures,
    Standing, figures,
};
pub use crate::footprint::{ModelFootprint, ModelFootprints, model_footprints};
pub use crate::gates::{Gate, GateState, badges, gates, gates_table};
pub use crate::html::{diff_page, merge_page, site_page};
pub use crate::ideas::{Idea, ideas};
pub use crate::ideas_page::ideas_page;
pub use crate::index::index;
pub use crate::json::document;
pub use crate::merge::{Merge, MergedCell, MergedRow, MergedRun, NotMergeable, Stability, merge};
pub use crate::merge_table::merge_table;
pub use crate::primitives::{
    Anchor, PrimitiveCosts, PrimitiveFigures, PrimitiveRow, Primitives, ShapeCheck, Shown,
};
pub use crate::primitives_steady::Steadiness;
pub use crate::primitives_text::primitives_text;
pub use crate::proof::{Claim, Level, Limiter, OriginState, Proof, Seen, proof, proof_text};
pub use crate::rank::{RankedCell, RankedRow, Ranking, rank};
pub use crate::rank_json::ranking_document;
pub use crate::summary::{Form, summary};
pub use crate::sweep::{SweepFigures, SweepLevel, SweepPair};
pub use crate::table::heading;
pub use crate::trust::Trust;
