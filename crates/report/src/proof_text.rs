//! The proof that the origin was not what was measured, in two lines a cell.

use analysis::number::{digits, percent};
use analysis::proof::{Limiter, Proof, Seen};

use crate::form::Form;
use crate::words::in_line;

/// Writes a proof in two lines: what was seen of the origin, and what may be claimed.
pub fn proof_text(proof: &Proof, form: Form) -> String {
    let name = in_line(&proof.cell, form);
    let (Some(seen), Some(limiter)) = (&proof.seen, proof.limiter) else {
        return format!("{name}: no valid turn shows what the origin did\n");
    };
    let claims = proof.claims.iter().map(|claim| format!("{}: {}", claim.about, claim.why));
    let claims = claims.collect::<Vec<_>>().join("; ");
    let (rate, pace) = (rate_text(proof, seen), pace(limiter));
    let first = in_line(&format!("{rate}, {}; {pace}", origin_text(seen)), form);
    format!("{name}: {first}\n{claims}\n")
}

/// Writes how fast a cell was, and how much faster the origin could be.
fn rate_text(proof: &Proof, seen: &Seen) -> String {
    let rate = format!("{} fetches/s", digits(seen.rate_per_s.median));
    match (proof.ceiling_per_s, &seen.headroom) {
        (Some(ceiling), Some(headroom)) => {
            format!("{rate} of {ceiling} that the origin can answer ({})", headroom.text())
        }
        _ => format!("{rate}, the origin's ceiling was not probed"),
    }
}

/// Writes what was seen of the origin.
fn origin_text(seen: &Seen) -> String {
    let little = seen.little.as_ref();
    let little = little.map(|little| format!(" ({} of Little's law)", percent(little.median)));
    format!(
        "origin busy {}, {} of {} in flight at the peak and {} in the mean{}, delays late by {} ms \
         (99th percentile {} ms)",
        seen.origin_busy.text(),
        digits(seen.in_flight_peak.median),
        seen.slots,
        digits(seen.in_flight_mean.median),
        little.unwrap_or_default(),
        digits(seen.late_ms_p50.median),
        digits(seen.late_ms_p99.median),
    )
}

/// Says what set the pace.
fn pace(limiter: Limiter) -> &'static str {
    match limiter {
        Limiter::Origin => "the origin set the pace",
        Limiter::Delay => "the delay set the pace",
        Limiter::Arrivals => "the arrivals set the pace",
        Limiter::ModelCpu => "the model's CPU set the pace",
    }
}

#[cfg(test)]
mod tests {
    use record::Run;

    use analysis::fixture::{BASELINE, Fixture};
    use analysis::proof::proof;

    use super::*;

    /// Returns the proof of the steady cell of a run, once it is corrupted.
    fn proven(change: fn(&mut Run)) -> Proof {
        let mut run = Fixture { blocks: 3, ..Fixture::good() }.run();
        change(&mut run);
        proof(&run, &run.schedule.cells[1], BASELINE)
    }

    #[test]
    fn without_a_probe_or_a_valid_turn_the_text_says_so() {
        let proof = proven(|run| run.schedule.probes.clear());
        assert!(proof_text(&proof, Form::Terminal).contains("ceiling was not probed"));
        let proof = proven(|run| run.turns.clear());
        let text = "steady: no valid turn shows what the origin did\n";
        assert_eq!(proof_text(&proof, Form::Markdown), text);
    }

    #[test]
    fn a_proof_is_written_in_two_lines() {
        let text = proof_text(&proven(|_| ()), Form::Terminal);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.starts_with("steady: 19") && text.contains("; the delay set the pace\n"));
        assert!(text.contains("throughput: no, with 2 CPUs"), "{text}");
    }
}
