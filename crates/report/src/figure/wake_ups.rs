//! How late probe tasks wake up beside the fetches: a strip a model.

use analysis::number::digits;

use crate::figure::axis::Axis;
use crate::figure::cost::plain;
use crate::figure::data::{Data, estimate};
use crate::figure::drawing::{Figure, Strip, reach};
use crate::figure::scene::Scene;
use crate::figure::title::{ends as span, in_cell};

/// Draws the latest wake-up of a stay, if the cell asks for a probe task.
pub(crate) fn wake_ups(scene: &Scene<'_>) -> Option<Figure> {
    let wake_ups = &scene.cell.wake_ups;
    let columns =
        ["model", "wake_ups", "typical_ms", "low", "high", "worst_ms", "worst_low", "worst_high"];
    let mut data = Data::new(&columns);
    let mut strips = Vec::new();
    for wake_ups in wake_ups {
        let note = format!("{} ms", digits(wake_ups.worst_ms.value));
        let strip = Strip::new(&wake_ups.model, note, scene.look(&wake_ups.model));
        strips.push(strip.estimate(&wake_ups.worst_ms));
        let own = [wake_ups.model.clone(), wake_ups.count.to_string()].into_iter();
        let reported = [&wake_ups.typical_ms, &wake_ups.worst_ms].into_iter();
        data.push(own.chain(reported.flat_map(|of| estimate(Some(of)))).collect());
    }
    let ends = wake_ups.iter().flat_map(|wake_ups| reach(&wake_ups.worst_ms));
    let axis = Axis::of_factors("the latest wake-up of a stay, ms late", ends);
    let cell = &scene.cell.cell;
    let late = scene.findings.latest_wake_up_ms.map_or_else(String::new, |late| span(late, " ms"));
    let finding = format!("The latest wake-up comes {late} late");
    let figure = Figure {
        id: scene.id("wake_ups"),
        title: in_cell(&finding, cell),
        caption: format!(
            "A probe task wakes every {} ms beside the fetches, as a unit of the model's own kind \
             and by its own timer: how late the latest wake-up of a stay was, median over blocks \
             with its 95 % interval of the sign test. A model without one runs on what another one \
             here runs on.",
            digits(f64::from(cell.probe_period_us) / 1e3)
        ),
        chart: plain(false, (axis, Vec::new(), strips)),
        data,
    };
    (!wake_ups.is_empty()).then_some(figure)
}
