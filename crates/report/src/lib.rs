//! Turns a run into tables. Everything here is a function of the run's folder: the same run gives
//! the same bytes.

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
pub use crate::summary::{Form, summary};
