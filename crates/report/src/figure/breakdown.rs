//! Where the microseconds go: the floor, what the model adds, and what its library client adds.

use analysis::number::digits;
use analysis::{Estimate, Findings};

use crate::figure::axis::Axis;
use crate::figure::cost::{chart, measured};
use crate::figure::data::{Data, estimate};
use crate::figure::drawing::{Figure, Mark, Strip, Strips, Words, reach};
use crate::figure::look::Look;
use crate::figure::scene::Scene;
use crate::figure::title::{ends as span, in_cell};

/// The stack of a runtime.
struct Stack {
    /// The bare model.
    model: String,
    /// What it costs above the floor.
    above_floor: Option<Estimate>,
    /// The model with the library client, and what it costs over the bare one.
    clients: Vec<(String, Estimate)>,
}

/// Draws the stack of each runtime.
pub(crate) fn breakdown(scene: &Scene<'_>) -> Figure {
    let rows = &scene.cell.rows;
    let floor = measured(rows).find(|(model, _)| *model == scene.all.floor);
    let floor = floor.map(|(_, figures)| figures.cpu_us);
    let stacks = stacks(scene);
    let mut data = Data::new(&["model", "part", "us_per_fetch", "low", "high"]);
    let mut strips = Vec::new();
    let mut ends = vec![0.0];
    if let Some(floor) = floor {
        for stack in &stacks {
            let strip = strip(stack, floor.value, &mut data);
            let far = |mark: &Mark| match *mark {
                Mark::Bar(_, end, _) | Mark::Interval(_, end) => end,
                _ => 0.0,
            };
            ends.extend(strip.marks.iter().map(far));
            strips.push(strip);
        }
        ends.extend(reach(&floor));
    }
    let axis = Axis::from_zero("CPU time per fetch, µs", ends.into_iter());
    let rules = floor.map(|floor| (floor.value, "floor".to_owned())).into_iter().collect();
    Figure {
        id: scene.id("breakdown"),
        title: in_cell(&finding(&scene.findings), &scene.cell.cell),
        caption: format!(
            "For each runtime: what {} costs, what the model adds on the same HTTP core, what its \
             library client adds on top. Each step is a difference inside blocks; lines show its \
             own 95 % interval ({}). A step below zero has no bar.",
            scene.all.floor,
            scene.run.estimator.both()
        ),
        chart: chart(
            data.rows.is_empty(),
            Strips { axis, rules, bands: Vec::new(), rows: strips, words: &Words::USUAL },
        ),
        data,
    }
}

/// Says what models add to the floor, and clients to models.
fn finding(found: &Findings) -> String {
    let models = found.above_floor_us_per_fetch.map(|models| span(models, ""));
    let clients = found.client_us_per_fetch.map(|clients| span(clients, " µs"));
    match (models, clients) {
        (Some(models), Some(clients)) => {
            format!("A model adds {models} µs a fetch to the floor, its HTTP client {clients}")
        }
        (Some(models), None) => format!("A model adds {models} µs of CPU per fetch to the floor"),
        (None, Some(clients)) => format!("An HTTP client adds {clients} of CPU per fetch"),
        (None, None) => "CPU time per fetch, µs: floor, model, client".to_owned(),
    }
}

/// Returns the stacks of the bare models, the cheapest first.
fn stacks(scene: &Scene<'_>) -> Vec<Stack> {
    let rows = &scene.cell.rows;
    let is_bare = |name: &&str| scene.run.model(name).is_some_and(analysis::Model::is_bare);
    let bare = measured(rows).filter(|(name, _)| is_bare(name));
    let stack = |(name, figures): (&str, &analysis::cell_figures::RowFigures)| {
        let own = |footprint: &&analysis::cell_figures::Footprint| {
            scene.run.model(&footprint.model).and_then(|m| m.bare_name()) == Some(name)
        };
        let client = |footprint: &analysis::cell_figures::Footprint| {
            (footprint.model.clone(), footprint.above_bare_us)
        };
        Stack {
            model: name.to_owned(),
            above_floor: figures.excess_us.filter(|_| name != scene.all.floor),
            clients: scene.cell.footprints.iter().filter(own).map(client).collect(),
        }
    };
    bare.map(stack).collect()
}

/// Draws a stack.
fn strip(stack: &Stack, floor: f64, data: &mut Data) -> Strip {
    let mut reported = vec![digits(floor)];
    let mut strip = Strip::new(&stack.model, String::new(), Look::default());
    strip.height = 30;
    strip.marks.push(Mark::Bar(0.0, floor, 0));
    data.push(vec![
        stack.model.clone(),
        "floor".to_owned(),
        number(floor),
        String::new(),
        String::new(),
    ]);
    let mut reached = floor;
    if let Some(over) = &stack.above_floor {
        step(&mut strip, reached, over, 1);
        reached += over.value;
        reported.push(signed(over.value));
        let [value, low, high] = estimate(Some(over));
        data.push(vec![stack.model.clone(), "model".to_owned(), value, low, high]);
    }
    for (name, over) in &stack.clients {
        step(&mut strip, reached, over, 2);
        let [value, low, high] = estimate(Some(over));
        data.push(vec![stack.model.clone(), format!("client ({name})"), value, low, high]);
    }
    // Each client stands on the model, and none on another.
    let mut added: Vec<f64> = stack.clients.iter().map(|(_, over)| over.value).collect();
    added.sort_by(f64::total_cmp);
    match added.as_slice() {
        [] => {}
        [only] => reported.push(signed(*only)),
        [least, .., most] => reported.push(format!("{} to {}", signed(*least), digits(*most))),
    }
    strip.note = reported.join(" ");
    strip
}

/// Draws a step on top of what is reached.
fn step(strip: &mut Strip, reached: f64, over: &Estimate, kind: u8) {
    if over.value > 0.0 {
        strip.marks.push(Mark::Bar(reached, reached + over.value, kind));
    }
    if let Some(interval) = over.interval {
        strip.marks.push(Mark::Interval(reached + interval.low, reached + interval.high));
    }
}

/// Writes a step with its sign.
fn signed(value: f64) -> String {
    if value < 0.0 { format!("- {}", digits(-value)) } else { format!("+ {}", digits(value)) }
}

/// Writes a number of the table.
fn number(value: f64) -> String {
    crate::figure::data::number(value)
}
