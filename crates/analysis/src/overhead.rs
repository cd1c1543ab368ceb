//! What library clients add to the models that they run on, gathered for an answer.

use std::collections::BTreeMap;

use record::Model;
use stats::Estimate;

use crate::cell_figures::{CellFigures, Footprint};

/// What a client adds on one model.
#[derive(Clone, Debug, PartialEq)]
pub struct OnTop {
    /// The client.
    pub client: String,
    /// The model below it.
    pub under: String,
    /// The cost with it in times the model's own. It has an interval.
    pub ratio: Estimate,
    /// What it costs more, in microseconds of CPU time per fetch.
    pub above_bare_us: Estimate,
    /// What the interval says.
    pub adds: Adds,
}

/// Whether a client adds anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adds {
    /// It certainly does.
    More,
    /// It certainly costs less than the bare one.
    Less,
    /// The interval leaves it open.
    Open,
}

/// What a client adds on all of its models.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// The client.
    pub client: String,
    /// The least ratio to a model below it.
    pub least: f64,
    /// The greatest.
    pub most: f64,
    /// Whether the interval of each excludes 1.
    pub is_certain: bool,
}

/// A client on the model where it adds the least or the most.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// The client.
    pub client: String,
    /// The ratio.
    pub ratio: f64,
}

/// Returns what the client of the baseline adds, or of the first model with one, if that has an
/// interval.
pub(crate) fn on_top<'a>(
    model: impl Fn(&str) -> Option<&'a Model>,
    cell: &CellFigures,
    baseline: &str,
) -> Option<OnTop> {
    let bare = |own: &&Footprint| model(&own.model)?.bare_name();
    let footprints = &cell.footprints;
    let own = footprints.iter().find(|own| bare(own) == Some(baseline));
    let footprint = own.or_else(|| footprints.first())?;
    let interval = footprint.ratio.interval?;
    Some(OnTop {
        client: model(&footprint.model)?.client.clone(),
        under: bare(&footprint)?.to_owned(),
        ratio: footprint.ratio,
        above_bare_us: footprint.above_bare_us,
        adds: match () {
            () if interval.contains(1.0) => Adds::Open,
            () if interval.high < 1.0 => Adds::Less,
            () => Adds::More,
        },
    })
}

/// Returns what each client adds, by its name.
pub(crate) fn added<'a>(
    model: impl Fn(&str) -> Option<&'a Model>,
    cell: &CellFigures,
) -> Vec<Added> {
    let mut clients: BTreeMap<String, Added> = BTreeMap::new();
    for Footprint { model: name, ratio, .. } in &cell.footprints {
        let client = client_of(&model, name);
        let is_certain = ratio.interval.is_some_and(|ends| !ends.contains(1.0));
        let (least, most) = (ratio.value, ratio.value);
        let own = clients.entry(client.clone());
        let own = own.or_insert(Added { client, least, most, is_certain });
        own.least = own.least.min(least);
        own.most = own.most.max(most);
        own.is_certain &= is_certain;
    }
    clients.into_values().collect()
}

impl Client {
    /// Returns the client that adds the least on a model, and the one that adds the most.
    pub(crate) fn ends<'a>(
        model: impl Fn(&str) -> Option<&'a Model>,
        cell: &CellFigures,
    ) -> Option<[Self; 2]> {
        let order = |a: &&Footprint, b: &&Footprint| a.ratio.value.total_cmp(&b.ratio.value);
        let least = cell.footprints.iter().min_by(order)?;
        let most = cell.footprints.iter().max_by(order)?;
        let of = |own: &Footprint| Self {
            client: client_of(&model, &own.model),
            ratio: own.ratio.value,
        };
        Some([of(least), of(most)])
    }
}

/// Returns what the client of a model is called.
fn client_of<'a>(model: impl Fn(&str) -> Option<&'a Model>, name: &str) -> String {
    model(name).map_or_else(|| name.to_owned(), |model| model.client.clone())
}
