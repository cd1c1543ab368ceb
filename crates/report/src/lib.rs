//! Turns a run into tables. Everything here is a function of the run's folder: the same run gives
//! the same bytes.

mod figures;
mod number;
mod summary;
mod table;

pub use crate::figures::{CellFigures, Figures, Noise, Price, Row, RowFigures, figures};
pub use crate::summary::{Form, summary};
