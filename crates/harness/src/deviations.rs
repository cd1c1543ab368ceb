//! Where a usual client hides a fault, forgives it, or calls it something else: findings about
//! libraries, which are never patched over.

use model_kit::ErrorCode;

/// One deviation of a client.
#[derive(Clone, Copy, Debug)]
pub struct Deviation {
    /// The client.
    pub client: &'static str,
    /// The names of the faults.
    pub faults: &'static [&'static str],
    /// What it finds.
    pub finds: Finds,
    /// What it does, as a verb and what follows it.
    pub does: &'static str,
}

/// What a client finds where bare models find each fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finds {
    /// Nothing: every fetch is ok.
    Nothing,
    /// Some of them, by chance.
    NotAll,
    /// Every fault, by this code.
    Code(ErrorCode),
}

/// Every deviation that is known.
pub const DEVIATIONS: &[Deviation] = &[];
