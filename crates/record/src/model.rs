//! A model, as its manifest describes it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use workload::Cell;

/// A model, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Model {
    /// The name of the package without `model-`.
    pub name: String,
    /// The package.
    pub package: String,
    /// What reports call it.
    pub label: String,
    /// What one slot is.
    pub unit: String,
    /// `bare`, or the library that speaks HTTP.
    pub client: String,
    /// The threads that its process should have, in terms of `workers` and `in_flight`.
    pub threads: String,
    /// The most fetches that it can hold in flight, where the model itself is bounded.
    #[serde(default)]
    pub max_in_flight: Option<u32>,
    /// The most connections it may open, in the same terms, where that is more than one a slot.
    #[serde(default)]
    pub connections: Option<String>,
    /// What only the environment can set.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Settings that differ from a library's default.
    #[serde(default)]
    pub knobs: Vec<Knob>,
    /// The language that it is written in, if it is not Rust: its figures are context and no
    /// contest of models.
    #[serde(default)]
    pub language: Option<String>,
    /// The model of that language that ratios are taken against.
    #[serde(default)]
    pub baseline: Option<String>,
    /// The lists of packages that it needs, by their paths in the workspace.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// Whether it may be too slow to keep every slot busy at the origin. Where a schedule does not
    /// say, as one that was drawn before manifests did, models in another language may be.
    #[serde(default)]
    pub may_be_slow: Option<bool>,
    /// The package that it is a model of, of which versions can be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// What it needs of the machine beside a Rust compiler.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// Whether it is measured where no model is named; it is, unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<bool>,
    /// The version of a package with which it was built, where that is not the locked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// What it was built with beside what its manifest asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levers: Vec<Lever>,
}

/// Something that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Rings of requests that the kernel completes.
    IoUring,
}

/// A version of a package with which a model is built in place of the locked one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Variant {
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Whether it is a folder of somebody's, of which nothing else is known.
    #[serde(default)]
    pub is_checkout: bool,
}

/// Something that a model is built with beside what its manifest asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Lever {
    /// A feature of a package.
    Feature {
        /// The package.
        package: String,
        /// The feature.
        name: String,
    },
    /// A flag of conditional compilation, for every package that it is built of.
    Cfg(String),
    /// Where its memory comes from.
    Allocator(Allocator),
}

impl fmt::Display for Lever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feature { package, name } => write!(f, "feature {name} of {package}"),
            Self::Cfg(name) => write!(f, "cfg {name}"),
            Self::Allocator(allocator) => write!(f, "allocator {}", allocator.name()),
        }
    }
}

/// Where the memory of a model in Rust comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Allocator {
    /// The C library, as without a lever.
    System,
    /// mimalloc.
    Mimalloc,
    /// jemalloc.
    Jemalloc,
}

impl Allocator {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::System, Self::Mimalloc, Self::Jemalloc];

    /// Returns what it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Mimalloc => "mimalloc",
            Self::Jemalloc => "jemalloc",
        }
    }
}

/// A setting that differs from a library's default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Knob {
    /// What the library calls it.
    pub name: String,
    /// The library's default.
    pub default: String,
    /// What it is set to.
    pub set: String,
    /// Why.
    pub why: String,
}

impl Model {
    /// Returns what its manifest says, as far as laws ask.
    pub fn claims(&self) -> rules::Claims<'_> {
        rules::Claims {
            is_bare: self.is_bare(),
            may_be_slow: self.may_be_slow.unwrap_or(self.language.is_some()),
            connections: self.connections.as_deref(),
            threads: &self.threads,
            is_apart: self.is_apart(),
        }
    }

    /// Returns whether it is measured where no model is named.
    pub fn is_core(&self) -> bool {
        self.core != Some(false)
    }

    /// Returns whether it is built apart from the others: with another version of a package, or
    /// with a lever.
    pub fn is_apart(&self) -> bool {
        self.variant.is_some() || !self.levers.is_empty()
    }

    /// Returns what its program calls itself: it does not know of the row that it has where it is
    /// built apart.
    pub fn program(&self) -> &str {
        let of_package = self.package.strip_prefix("model-").filter(|_| self.is_apart());
        of_package.unwrap_or(&self.name)
    }

    /// Returns whether no library speaks HTTP for it.
    pub fn is_bare(&self) -> bool {
        self.client == "bare"
    }

    /// Returns whether it speaks HTTP by the shared core: a bare model in another language has a
    /// reader of its own.
    pub fn uses_core(&self) -> bool {
        self.is_bare() && self.language.is_none()
    }

    /// Returns a cell with no more in flight than it can have.
    pub fn within(&self, cell: &Cell) -> Cell {
        let most = self.max_in_flight.unwrap_or(u32::MAX);
        Cell { in_flight: cell.in_flight.min(most), ..cell.clone() }
    }

    /// Returns whether its kit hands fetches in where a cell asks for that: only that of Rust does.
    pub fn has_pacer(&self) -> bool {
        self.language.is_none()
    }

    /// Returns whether what is said of a client is said of it: a model without a library goes by
    /// its own name.
    pub fn has_client(&self, client: &str) -> bool {
        self.client == client || self.name == client
    }

    /// Returns the name of the bare model that differs from it in the client alone, if its own
    /// name says so: `tokio` for `tokio-reqwest`.
    pub fn bare_name(&self) -> Option<&str> {
        self.name.strip_suffix(&self.client)?.strip_suffix('-')
    }
}
