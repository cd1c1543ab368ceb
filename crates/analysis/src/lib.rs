//! Computes every number that a reader of a run sees, from the run's folder and nothing else: the
//! same run gives the same numbers.
//!
//! The files build on one another in one direction, roughly in the order below; no two of them use
//! each other.

pub mod counts;
pub mod figure;
pub mod line;
pub mod number;
mod span;

mod cell_turns;
mod claim;
pub mod estimator;
pub mod family;
pub mod latency;
mod lost;
mod other_threads;
pub mod responses;
mod turns;
pub mod wake_ups;

mod cell;
pub mod cell_figures;
mod controls;
pub mod timeline;

pub mod crossing;
pub mod sweep;

pub mod hold;
pub mod load;

pub mod cost_model;
pub mod primitive_figures;
mod primitive_source;
pub mod primitives;
mod primitives_known;
pub mod primitives_steady;

pub mod figures;

pub mod answer;
pub mod consequence;
mod order;
pub mod overhead;

pub mod findings;

pub mod footprint;
pub mod ideas;
pub mod quirks;
pub mod rank;
pub mod turn_table;

pub mod checks;
pub mod proof;
pub mod trust;

pub mod summary;

mod common_shift;
pub mod comparable;
pub mod diff;

mod answer_summary;
mod cell_summary;
mod document;
mod hold_summary;
mod noise_summary;
mod primitives_summary;
pub mod ranking_document;
mod sweep_summary;

pub mod merge;

#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture_turn;

pub use record::environment::Footprint as FootprintFacts;
pub use record::{Absent, Along, Environment, Family, INFLIGHT, Integrity, Model, Placement};
pub use stats::block_line::BlockLine;
pub use stats::crossover::Sure;
pub use stats::ranking::RankInterval;
pub use stats::verdict::Verdict;
pub use stats::{Estimate, Interval};

pub use crate::answer::{Answer, Nothing, Rival, Together};
pub use crate::cell_figures::{
    CellFigures, ControlFigures, Footprint, LanguageFigures, Noise, Row, RowFigures, RowState,
};
pub use crate::checks::question::{CheckState, ValidityCheck};
pub use crate::checks::{badges, checks};
pub use crate::claim::is_comparison;
pub use crate::comparable::Refusal;
pub use crate::consequence::{Consequence, Worth};
pub use crate::cost_model::{CostModelCell, CostModelRow, Explained};
pub use crate::diff::{CellDiff, Change, Diff, Ratio, RowDiff, diff, diff_by, slower_than};
pub use crate::family::Pair;
pub use crate::figures::{Figures, figures};
pub use crate::findings::{AgainstBaseline, Findings};
pub use crate::footprint::{ModelFootprint, ModelFootprints, model_footprints};
pub use crate::hold::{HoldFigures, HoldLevel, HoldRow};
pub use crate::ideas::{Idea, ideas};
pub use crate::lost::InvalidRepeated;
pub use crate::merge::{Merge, MergedCell, MergedRow, MergedRun, NotMergeable, Stability, merge};
pub use crate::primitive_figures::{
    Piece, PrimitiveCosts, PrimitiveFigures, PrimitiveRow, ShapeCheck, Shown,
};
pub use crate::primitives::Primitives;
pub use crate::primitives_steady::Steadiness;
pub use crate::proof::{Claim, Level, Limiter, OriginState, Proof, Seen, proof};
pub use crate::rank::{RankedCell, RankedRow, Ranking, rank};
pub use crate::ranking_document::ranking_document;
pub use crate::span::Span;
pub use crate::summary::{BlockCounts, Summary, TurnCounts, summarize};
pub use crate::sweep::{SweepFigures, SweepLevel, SweepPair};
pub use crate::trust::{CheckCounts, Trust};
pub use crate::turn_table::{TurnRow, turn_table};
pub use crate::wake_ups::WakeUps;
