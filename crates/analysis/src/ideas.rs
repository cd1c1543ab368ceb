//! What the teaching page says that this project grew from, held against a run: each of its claims
//! and definitions with the figure that answers it, or with the command that would.
//!
//! No model is known here by its name: a model that holds one fetch in flight is the sequential
//! one, a bare one whose unit is a thread stands for threads, and one that may open a connection
//! for every fetch is the page's own program, held against the model of its client that keeps them.

use record::{Model, Run, StayRecord};
use rules::expected;
use serde::Serialize;
use stats::{Estimate, histogram, median};
use workload::Workload;

use crate::cell::Source;
use crate::cell_figures::CellFigures;
use crate::counts::real;
use crate::crossing::crossing;
use crate::family::ALPHA;
use crate::figures::Figures;
use crate::number::{time, with_interval};
use crate::primitive_figures::{PrimitiveCosts, PrimitiveRow};
use crate::turns::{Quantity, cpu_us, memory_mib, wall_ms};

/// What measures primitives.
pub const PRIMITIVES: &str = "cargo bench --bench primitives";
/// What measures probe tasks.
pub const IDEAS: &str = "cargo run --release -- run --preset ideas";
/// What measures response times.
pub const LOAD: &str = "cargo run --release -- run --preset load";
/// What measures where models cross.
pub const SWEEP: &str = "cargo bench --bench sweep";
/// What measures the models, and primitives too.
const ALL: &str = "cargo bench";

/// Something that the page says, and what a run says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Idea {
    /// What the page says, in short.
    pub says: &'static str,
    /// What the run says of it, if it was measured.
    pub measured: Option<String>,
    /// The command that measures it.
    pub command: &'static str,
}

/// What a run says of what the page says.
struct Answers<'a> {
    run: &'a Run,
    figures: &'a Figures,
}

/// Holds what the page says against a run.
pub fn ideas(run: &Run, figures: &Figures) -> Vec<Idea> {
    let answers = Answers { run, figures };
    let idea = |says, measured, command| Idea { says, measured, command };
    vec![
        idea("Tasks run concurrently", answers.concurrency(), ALL),
        idea("It lowers the latency of I/O", answers.latency(), ALL),
        idea("It lowers the latency of I/O under open load", answers.responses(), LOAD),
        idea("It uses the system's resources efficiently", answers.resources(), ALL),
        idea("It is an alternative to threads", answers.alternative(), SWEEP),
        idea("Coroutines can be suspended and resumed", answers.switch(), PRIMITIVES),
        idea("Tasks manage coroutines", answers.spawn(), PRIMITIVES),
        idea("Events stand for the completion of something", answers.event(), PRIMITIVES),
        idea("Generators do not suspend and resume", answers.generator(), PRIMITIVES),
        idea("Threads are the other approach", answers.threads_alone(), PRIMITIVES),
        idea("A session is opened for every fetch", answers.session(), ALL),
        idea("The main thread is not blocked meanwhile", answers.wake_ups(false), IDEAS),
        idea("It is meant for waiting, not for computing", answers.wake_ups(true), IDEAS),
        idea("It is particularly useful for I/O", answers.computing(), IDEAS),
    ]
}

impl Idea {
    /// Returns what the run says, or what would.
    pub fn answer(&self) -> String {
        let missing = || format!("not measured in this run: {}", self.command);
        self.measured.clone().unwrap_or_else(missing)
    }
}

impl Answers<'_> {
    /// Compares a batch one after the other with the same at once.
    fn concurrency(&self) -> Option<String> {
        let (source, alone) = self.batch()?;
        let ratio = source.ratio((alone, &self.figures.baseline), Quantity::Turn(wall_ms))?;
        Some(format!(
            "yes: one after the other ({alone}) takes {} times as long as {}",
            with_interval(&ratio),
            self.figures.baseline
        ))
    }

    /// Compares how long a single fetch takes.
    fn latency(&self) -> Option<String> {
        let (source, alone) = self.batch()?;
        let half = |model: &str| {
            let sample = source.sample(model, Quantity::Stay(typical_latency_ms))?;
            Some(with_interval(&median::estimate(&sample, ALPHA)))
        };
        Some(format!(
            "of the whole, not of the parts: half of the fetches of a batch end within {} ms with \
             {}, within {} ms with {alone}",
            half(&self.figures.baseline)?,
            self.figures.baseline,
            half(alone)?
        ))
    }

    /// Says what requests wait for that come whether or not those before have ended, where nothing
    /// else is asked of a model.
    fn responses(&self) -> Option<String> {
        let is_plain = |own: &&CellFigures| {
            let beside = [own.cell.burst, own.cell.slow_percent, own.cell.work_kib];
            !own.responses.is_empty() && beside == [0; 3] && !own.cell.handed_in
        };
        let CellFigures { cell, responses, .. } = self.figures.waiting().find(is_plain)?;
        let within = |model: &str| {
            let own = responses.iter().find(|own| own.model == model)?;
            let Some(response) = &own.response else {
                return Some(format!("{model} cannot hold so many"));
            };
            let [half, _, most, _] = response.quantiles_ms;
            let [half, most] = [with_interval(&half?), with_interval(&most?)];
            Some(format!("{model} answers half within {half} ms and 99 % within {most} ms"))
        };
        let models = [Some(self.figures.baseline.as_str()), self.threads()];
        let reported: Vec<String> = models.into_iter().flatten().filter_map(within).collect();
        (!reported.is_empty()).then(|| {
            format!(
                "where {} arrive a second ({}), counted from their arrival: {}{}",
                cell.rate_per_s,
                cell.name,
                reported.join("; "),
                self.beside_arrivals().unwrap_or_default()
            )
        })
    }

    /// Says how late a probe task wakes beside fetches that arrive, in the same models.
    fn beside_arrivals(&self) -> Option<String> {
        let is_probed = |own: &&CellFigures| {
            own.cell.is_open() && own.cell.work_kib == 0 && !own.wake_ups.is_empty()
        };
        let CellFigures { cell, wake_ups, .. } = self.figures.cells.iter().find(is_probed)?;
        let late = |model: &str| {
            let own = wake_ups.iter().find(|own| own.model == model)?;
            Some(format!("{} {model}", with_interval(&own.worst_ms)))
        };
        let models = [Some(self.figures.baseline.as_str()), self.threads()];
        let late: Vec<String> = models.into_iter().flatten().filter_map(late).collect();
        (!late.is_empty()).then(|| {
            format!(
                "; the latest wake-up of a probe task beside them ({}) is late by, in ms: {}",
                cell.name,
                late.join(", ")
            )
        })
    }

    /// Compares threads with tasks.
    fn resources(&self) -> Option<String> {
        let cell = self.steady()?;
        let source = self.source(cell);
        let models = (self.threads()?, self.figures.baseline.as_str());
        // The ratio of the cell's table, whose interval is that of its family.
        let cpu = cell.measured(models.0)?.ratio?;
        let memory = source.ratio(models, Quantity::Stay(memory_mib));
        let memory = memory.map_or_else(String::new, |ratio| {
            format!(", and {} times the memory at the peak", with_interval(&ratio))
        });
        Some(format!(
            "{} take {} times the CPU time of {}{memory} ({})",
            models.0,
            with_interval(&cpu),
            models.1,
            source.name()
        ))
    }

    /// Compares threads with tasks where each reply costs something to compute. Where fetches
    /// arrive at a rate, the wall time is that of the arrivals, whatever the model.
    fn computing(&self) -> Option<String> {
        let computes = |own: &&CellFigures| own.cell.work_kib > 0 && !own.cell.is_open();
        let cell = self.figures.cells.iter().find(computes)?;
        let source = self.source(cell);
        let models = (self.threads()?, self.figures.baseline.as_str());
        Some(format!(
            "it shortens waiting, and not computing, which is the same work in every model: where \
             each reply costs some ({}), {} take {} times the CPU time of {} and {} times the wall \
             time",
            source.name(),
            models.0,
            with_interval(&cell.measured(models.0)?.ratio?),
            models.1,
            with_interval(&source.ratio(models, Quantity::Turn(wall_ms))?)
        ))
    }

    /// Returns from where on tasks cost less than threads, along each sweep.
    fn alternative(&self) -> Option<String> {
        let reported = self.figures.sweeps.iter().filter_map(|sweep| {
            let own = sweep.pairs.iter().find(|pair| pair.model == self.figures.baseline)?;
            Some(crossing(sweep, own))
        });
        let reported: Vec<String> = reported.collect();
        (!reported.is_empty()).then(|| reported.join("; "))
    }

    /// Says what a switch of tasks costs.
    fn switch(&self) -> Option<String> {
        let cost = self.primitive(Workload::Switch)?.cpu_ns?;
        Some(format!(
            "yes: a task of {} yields and is resumed in {} of CPU time",
            self.figures.baseline,
            time(&cost)
        ))
    }

    /// Says what a task costs, beside a thread.
    fn spawn(&self) -> Option<String> {
        let cost = self.primitive(Workload::Spawn)?.cpu_ns?;
        let thread = self.check(Workload::Spawn).map_or_else(String::new, |ratio| {
            format!("; a thread costs {} times as much", with_interval(&ratio))
        });
        Some(format!(
            "one of {} is started and joined in {} of CPU time{thread}",
            self.figures.baseline,
            time(&cost)
        ))
    }

    /// Says how long a waiter takes to wake.
    fn event(&self) -> Option<String> {
        let late = self.primitive(Workload::Event1ms)?.wall_ns;
        Some(format!(
            "its waiter, a task of {}, runs {} after one is set",
            self.figures.baseline,
            time(&late)
        ))
    }

    /// Says what a step of a generator costs.
    fn generator(&self) -> Option<String> {
        let reported = self.rows(Workload::Generator)?.iter().filter_map(|row| {
            let cost = row.costs.as_ref()?.cpu_ns?;
            Some(format!("{} ({})", time(&cost), row.label))
        });
        let reported: Vec<String> = reported.collect();
        let text = format!(
            "not so: they do, in Python too: each value suspends one and asking for the \
             next resumes it, which costs {}",
            reported.join(", ")
        );
        (!reported.is_empty()).then_some(text)
    }

    /// Says what a thread costs.
    fn threads_alone(&self) -> Option<String> {
        let thread = |primitive| {
            let row = self.rows(primitive)?.iter().find(|row| row.unit == "thread")?;
            row.costs.as_ref()?.cpu_ns
        };
        let times = |primitive| {
            self.check(primitive).map_or_else(String::new, |ratio| {
                format!(", {} times a task's", with_interval(&ratio))
            })
        };
        Some(format!(
            "one is started and joined in {} of CPU time{}; two wake each other in {}{}",
            time(&thread(Workload::Spawn)?),
            times(Workload::Spawn),
            time(&thread(Workload::PingPong)?),
            times(Workload::PingPong)
        ))
    }

    /// Compares a session for every fetch with one that is shared.
    fn session(&self) -> Option<String> {
        let models = &self.run.schedule.models;
        let each = models.iter().find(|model| model.connections.as_deref() == Some("issued"))?;
        let kept = |model: &&Model| {
            let alike = (&model.language, &model.client, &model.unit);
            alike == (&each.language, &each.client, &each.unit) && model.connections.is_none()
        };
        let shared = models.iter().find(kept)?;
        let source = self.source(self.steady()?);
        let ratio = source.ratio((&each.name, &shared.name), Quantity::Turn(cpu_us))?;
        Some(format!(
            "{} costs {} times the CPU time of {}, which shares one",
            each.name,
            with_interval(&ratio),
            shared.name
        ))
    }

    /// Says how long whatever is due waits while others fetch, with or without something to
    /// compute for each reply: in bare models, and in those that other languages are held against.
    fn wake_ups(&self, computes: bool) -> Option<String> {
        let asked =
            |cell: &&CellFigures| !cell.wake_ups.is_empty() && (cell.cell.work_kib > 0) == computes;
        // Of a sweep, that with the most beside it.
        let cells = self.figures.cells.iter().filter(asked);
        let CellFigures { cell, wake_ups, .. } = cells.max_by_key(|own| own.cell.in_flight)?;
        let models = &self.run.schedule.models;
        let is_shown = |name: &str| {
            let model = models.iter().find(|model| model.name == name);
            model.is_some_and(|model| match &model.language {
                None => model.is_bare(),
                Some(_) => model.baseline.as_deref() == Some(name),
            })
        };
        let shown = wake_ups.iter().filter(|wake_ups| is_shown(&wake_ups.model));
        let reported = shown
            .map(|wake_ups| format!("{} {}", with_interval(&wake_ups.worst_ms), wake_ups.model));
        let reported: Vec<String> = reported.collect();
        let what = match cell.work_kib {
            0 => String::new(),
            kib => format!("with the CRC-32 of {kib} KiB computed for each reply, "),
        };
        Some(format!(
            "{what}the latest wake-up of a probe task beside the fetches comes late by, in ms: {}",
            reported.join(", ")
        ))
    }

    /// Returns the batch that a model with one fetch in flight was measured in, and that model.
    fn batch(&self) -> Option<(Source<'_>, &str)> {
        let is_one = |model: &&Model| {
            model.max_in_flight == Some(1) && model.is_bare() && model.language.is_none()
        };
        let alone = &self.run.schedule.models.iter().find(is_one)?.name;
        let batch = |cell: &&CellFigures| {
            expected(cell.cell.workload).includes_start && cell.cell.work_kib == 0
        };
        Some((self.source(self.figures.cells.iter().find(batch)?), alone))
    }

    /// Returns the bare model whose units are threads.
    fn threads(&self) -> Option<&str> {
        let is_thread =
            |model: &&Model| model.unit == "thread" && model.is_bare() && model.language.is_none();
        Some(&self.run.schedule.models.iter().find(is_thread)?.name)
    }

    /// Returns the steady cell that answers are about. Where the origin ends every connection,
    /// nobody shares one, and most of a cost is what connecting takes.
    fn steady(&self) -> Option<&CellFigures> {
        let main = self.figures.cells.get(self.figures.main_cell());
        main.filter(|cell| {
            let workload = cell.cell.workload;
            expected(workload).keeps_slots_busy && !workload.ends_connections()
        })
    }

    /// Returns what a cell's figures are computed from.
    fn source<'a>(&'a self, cell: &'a CellFigures) -> Source<'a> {
        Source::of(self.run, &cell.cell, (&self.figures.baseline, &self.figures.floor))
    }

    /// Returns what a primitive costs the baseline.
    fn primitive(&self, primitive: Workload) -> Option<&PrimitiveCosts> {
        let row = self.rows(primitive)?.iter().find(|row| row.program == self.figures.baseline)?;
        row.costs.as_ref()
    }

    /// Returns what a primitive costs each program.
    fn rows(&self, primitive: Workload) -> Option<&[PrimitiveRow]> {
        let figures = &self.figures.primitives.figures;
        let figures = figures.iter().find(|figures| figures.primitive == primitive)?;
        Some(&figures.rows)
    }

    /// Returns what a primitive costs a thread in times a task of the baseline.
    fn check(&self, primitive: Workload) -> Option<Estimate> {
        let checks = &self.figures.primitives.checks;
        checks.iter().find(|check| check.primitive == primitive)?.ratio
    }
}

/// Returns within how many milliseconds half of the fetches of a stay end.
fn typical_latency_ms(stay: &StayRecord) -> Option<f64> {
    Some(real(histogram::quantile(&stay.latencies_ns, 0.5)?) / 1e6)
}
