//! How late hearts beat beside the fetches: a strip a model.

use crate::figure::axis::Axis;
use crate::figure::cost::{chart, reach};
use crate::figure::data::{Data, estimate};
use crate::figure::{Figure, Scene, Strip, Strips};
use crate::number::digits;

/// Draws the latest beat of a stay, if the cell asks for a heart.
pub(crate) fn beats(scene: &Scene<'_>) -> Option<Figure> {
    let beats = &scene.cell.beats;
    let columns =
        ["model", "beats", "typical_ms", "low", "high", "worst_ms", "worst_low", "worst_high"];
    let mut data = Data::new(&columns);
    let mut strips = Vec::new();
    for beats in beats {
        let note = format!("{} ms", digits(beats.worst_ms.value));
        let strip = Strip::new(&beats.model, note, scene.look(&beats.model));
        strips.push(strip.estimate(&beats.worst_ms));
        let own = [beats.model.clone(), beats.count.to_string()].into_iter();
        let told = [&beats.typical_ms, &beats.worst_ms].into_iter();
        data.push(own.chain(told.flat_map(|of| estimate(Some(of)))).collect());
    }
    let ends = beats.iter().flat_map(|beats| reach(&beats.worst_ms));
    let axis = Axis::of_factors("the latest beat of a stay, ms late", ends);
    let cell = &scene.cell.cell;
    let figure = Figure {
        id: scene.id("beats"),
        title: "How long does whatever is due wait?".to_owned(),
        caption: format!(
            "A heart beats every {} ms beside the fetches, as a unit of the model's own kind and \
             by its own timer: how late the latest beat of a stay was, median over blocks with \
             its 95 % interval of the sign test. A model without one runs on what another one \
             here runs on.",
            digits(f64::from(cell.heartbeat_us) / 1e3)
        ),
        chart: chart(false, Strips { axis, rules: Vec::new(), bands: Vec::new(), rows: strips }),
        data,
    };
    (!beats.is_empty()).then_some(figure)
}
