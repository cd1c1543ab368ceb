//! From which share of a capacity on it is the capacity, and not what is measured, that sets the
//! pace. What is forecast before a run and what is proved after it go by the same shares.

/// The share of its ceiling up to which an origin has headroom: twice the rate could be had.
pub const HEADROOM: f64 = 0.5;

/// The share of its CPUs from which a model is what sets the pace. It never reaches 1, as it waits
/// for its last replies; from 0.3 to 0.9 both count (the knee of P. J. Denning & J. P. Buzen's
/// bounds, *ACM Computing Surveys* 10, 1978, 225–261).
pub const MODEL_BOUND: f64 = 0.9;
