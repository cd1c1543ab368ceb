//! How models use the HTTP libraries that several of them share: what a library is set to, how it
//! carries a fetch, and which code its errors have.
//!
//! Each library is behind a feature of its name. A library that one model alone has stands in that
//! model.

#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "ureq")]
pub mod ureq;
