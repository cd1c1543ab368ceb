//! Turns a run into tables. Everything here is a function of the run's folder: the same run gives
//! the same bytes.

mod apart;
mod comparable;
mod diff;
mod diff_table;
mod figures;

mod cell;
mod family;
mod trials;

mod number;
mod rank;
mod summary;
mod table;

mod derive;
mod json;

pub use crate::derive::derive;
pub use crate::family::{Family, Pair};
pub use crate::figures::{
    CellFigures, ControlFigures, Figures, Noise, Price, Row, RowFigures, Standing, figures,
};
pub use crate::rank::{Metric, RankedCell, RankedRow, Ranking, rank};
#[cfg(test)]
mod made_up_pair;

pub use crate::comparable::Refusal;
pub use crate::diff::{
    CellDiff, Change, Diff, DiffMetric, Ratio, RowDiff, diff, diff_by, slower_than,
};
pub use crate::diff_table::diff_table;
pub use crate::summary::{Form, summary};
