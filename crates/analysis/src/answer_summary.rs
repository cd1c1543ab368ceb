//! The answer of a cell as JSON, under names that carry their units.

use serde::Serialize;

use crate::answer::{Answer, Missed, Nothing, Rival, Together};
use crate::consequence::{Consequence, Worth};
use crate::figure::{Figure, rounded};
use crate::number::word;
use crate::overhead::{Added, Adds, Client, OnTop};

/// Why the baseline has no cost.
const NO_BASELINE: &str = "the baseline has no valid turn";

/// What a cell answers.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct AnswerSummary<'a> {
    /// Why nothing is compared, if nothing is: `no_block`, `no_model` or `no_baseline`.
    nothing: Option<&'static str>,
    /// Whether the blocks are enough for an interval of any pair, or there is no pair.
    has_intervals: bool,
    /// What the baseline costs, in microseconds of CPU time per fetch.
    baseline_us: Figure,
    /// The models that are compared: those with the same HTTP code, the baseline among them and the
    /// floor not, by their cost.
    compared: &'a [String],
    /// The model that certainly costs less than every other, if there is one. One with a fetch that
    /// failed is never it.
    least: Option<&'a str>,
    /// The models that no other certainly undercuts, by their cost.
    first: &'a [String],
    /// Whether these are several, and each equivalent to each.
    is_first_equal: bool,
    /// The compared models beside the baseline, by their cost.
    rivals: Vec<RivalSummary<'a>>,
    /// Those that certainly cost less than the baseline, together where their intervals overlap.
    less: Vec<TogetherSummary<'a>>,
    /// Those that certainly cost more, likewise.
    more: Vec<TogetherSummary<'a>>,
    /// The floor, if it was compared.
    floor: Option<RivalSummary<'a>>,
    /// What the largest certain difference between compared models is worth.
    models: Option<ConsequenceSummary<'a>>,
    /// What the largest certain difference that a library client makes is worth.
    clients: Option<ConsequenceSummary<'a>>,
    /// What the smallest difference is worth that the cell would show three times out of four.
    missed: Option<MissedSummary>,
    /// What the library client of the baseline adds, or of the first model with one.
    client: Option<OnTopSummary<'a>>,
    /// What each library client adds, by its name.
    added: Vec<AddedSummary<'a>>,
    /// The client that adds the least on a model.
    added_least: Option<ClientSummary<'a>>,
    /// The client that adds the most on a model.
    added_most: Option<ClientSummary<'a>>,
    /// Whether every client adds more than any choice of a model does.
    clients_matter_more: bool,
}

/// A model against the baseline.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RivalSummary<'a> {
    /// The model.
    model: &'a str,
    /// Its CPU time per fetch in times the baseline's.
    cpu_ratio: Figure,
    /// What may be said of that: `different`, `equivalent` or `inconclusive`.
    verdict: &'static str,
}

/// Models whose distances from the baseline are said together, since nothing is known of their
/// order.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct TogetherSummary<'a> {
    /// The models.
    models: &'a [String],
    /// The least of their ratios to the baseline.
    cpu_ratio_least: Option<f64>,
    /// The greatest.
    cpu_ratio_most: Option<f64>,
}

/// What CPU time per fetch is worth where fetches are a part of a program.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WorthSummary {
    /// The CPU time, in microseconds per fetch; between two models that are both not the baseline
    /// it has no interval.
    us_per_fetch: Figure,
    /// Its share of one CPU at 10,000 fetches a second.
    cpu_share_at_10000_per_s: Option<f64>,
    /// How much more CPU time a fetch takes for it that has 1 ms of work, as a share.
    share_beside_1_ms: Option<f64>,
}

/// What the larger of two costs means.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ConsequenceSummary<'a> {
    /// The one that costs less.
    less: &'a str,
    /// The one that costs more.
    more: &'a str,
    /// What it takes more.
    worth: WorthSummary,
}

/// The smallest difference that a cell would show.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct MissedSummary {
    /// As a share of what the baseline costs.
    share: Option<f64>,
    /// What it is worth.
    worth: WorthSummary,
}

/// What a client adds on one model.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct OnTopSummary<'a> {
    /// The client.
    client: &'a str,
    /// The model below it.
    under: &'a str,
    /// The CPU time per fetch with it in times the model's own.
    cpu_ratio: Figure,
    /// What that interval says: it adds `more`, `less`, or is `open`.
    adds: &'static str,
}

/// What a client adds on all of its models.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct AddedSummary<'a> {
    /// The client.
    client: &'a str,
    /// The least ratio to a model below it.
    cpu_ratio_least: Option<f64>,
    /// The greatest.
    cpu_ratio_most: Option<f64>,
    /// Whether the interval of each excludes 1.
    is_certain: bool,
}

/// A client on the model where it adds the least or the most.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ClientSummary<'a> {
    /// The client.
    client: &'a str,
    /// The ratio.
    cpu_ratio: Option<f64>,
}

impl<'a> AnswerSummary<'a> {
    /// Gathers what is said of an answer.
    pub(crate) fn of(answer: &'a Answer) -> Self {
        let [least, most] = match &answer.added_ends {
            Some(ends) => ends.each_ref().map(|end| Some(ClientSummary::of(end))),
            None => [None, None],
        };
        Self {
            nothing: answer.nothing.map(|nothing| match nothing {
                Nothing::NoBlock => "no_block",
                Nothing::NoModel => "no_model",
                Nothing::NoBaseline => "no_baseline",
            }),
            has_intervals: answer.has_intervals,
            baseline_us: Figure::or(answer.baseline_us.as_ref(), NO_BASELINE),
            compared: &answer.compared,
            least: answer.least.as_deref(),
            first: &answer.first,
            is_first_equal: answer.is_first_equal,
            rivals: answer.rivals.iter().map(RivalSummary::of).collect(),
            less: answer.less.iter().map(TogetherSummary::of).collect(),
            more: answer.more.iter().map(TogetherSummary::of).collect(),
            floor: answer.floor.as_ref().map(RivalSummary::of),
            models: answer.models.as_ref().map(ConsequenceSummary::of),
            clients: answer.clients.as_ref().map(ConsequenceSummary::of),
            missed: answer.missed.as_ref().map(MissedSummary::of),
            client: answer.client.as_ref().map(OnTopSummary::of),
            added: answer.added.iter().map(AddedSummary::of).collect(),
            added_least: least,
            added_most: most,
            clients_matter_more: answer.clients_matter_more,
        }
    }
}

impl<'a> RivalSummary<'a> {
    /// Writes a model against the baseline.
    fn of(rival: &'a Rival) -> Self {
        let cpu_ratio = Figure::of(&rival.ratio);
        Self { model: &rival.model, cpu_ratio, verdict: word(rival.verdict) }
    }
}

impl<'a> TogetherSummary<'a> {
    /// Writes models that are said together.
    fn of(own: &'a Together) -> Self {
        let [cpu_ratio_least, cpu_ratio_most] = [own.least, own.most].map(rounded);
        Self { models: &own.models, cpu_ratio_least, cpu_ratio_most }
    }
}

impl WorthSummary {
    /// Writes what CPU time is worth.
    fn of(worth: &Worth) -> Self {
        Self {
            us_per_fetch: Figure::or_without(&worth.us, "no interval of its own"),
            cpu_share_at_10000_per_s: rounded(worth.of_cpu),
            share_beside_1_ms: rounded(worth.beside_work),
        }
    }
}

impl<'a> ConsequenceSummary<'a> {
    /// Writes what the larger of two costs means.
    fn of(own: &'a Consequence) -> Self {
        Self { less: &own.less, more: &own.more, worth: WorthSummary::of(&own.worth) }
    }
}

impl MissedSummary {
    /// Writes what the smallest difference is worth.
    fn of(missed: &Missed) -> Self {
        Self { share: rounded(missed.share), worth: WorthSummary::of(&missed.worth) }
    }
}

impl<'a> OnTopSummary<'a> {
    /// Writes what a client adds on one model.
    fn of(own: &'a OnTop) -> Self {
        Self {
            client: &own.client,
            under: &own.under,
            cpu_ratio: Figure::of(&own.ratio),
            adds: match own.adds {
                Adds::More => "more",
                Adds::Less => "less",
                Adds::Open => "open",
            },
        }
    }
}

impl<'a> AddedSummary<'a> {
    /// Writes what a client adds on all of its models.
    fn of(own: &'a Added) -> Self {
        let [cpu_ratio_least, cpu_ratio_most] = [own.least, own.most].map(rounded);
        let (client, is_certain) = (own.client.as_str(), own.is_certain);
        Self { client, cpu_ratio_least, cpu_ratio_most, is_certain }
    }
}

impl<'a> ClientSummary<'a> {
    /// Writes a client on a model.
    fn of(own: &'a Client) -> Self {
        Self { client: &own.client, cpu_ratio: rounded(own.ratio) }
    }
}
