//! Which models are compared, and which places that leaves to them.

use analysis::{Family, RowFigures};
use record::{Session, State};
use rules::Reason;
use stats::verdict::Verdict;

use crate::fixture::{BASELINE, CONNECTIONS, FLOOR, LATE, RunFixture, figures, invalid, row};

/// Returns how wide the interval of a model's ratio is.
fn width(figures: &RowFigures) -> f64 {
    figures.ratio.unwrap().interval.unwrap().half_width()
}

#[test]
fn a_quick_run_compares_with_the_baseline_and_ranks_nothing() {
    let run = RunFixture::of("quick", 14).run();
    let cell = figures(&run);
    assert_eq!(analysis::figures(&run, BASELINE, FLOOR).family, Family::AgainstBaseline);
    assert_eq!(cell.pairs.len(), 6);
    assert!(cell.pairs.iter().all(|pair| pair.other == BASELINE));
    assert!(cell.rows.iter().all(|row| row.rank.is_none()));
}

#[test]
fn from_standard_on_all_pairs_are_compared_and_intervals_are_wider_for_it() {
    let (quick, standard) =
        (RunFixture::of("quick", 14).run(), RunFixture::of("standard", 14).run());
    let (quick, standard) = (figures(&quick), figures(&standard));
    assert_eq!(standard.pairs.len(), 7 * 6 / 2);
    let width = |cell| width(row(cell, "smol").figures.as_ref().unwrap());
    assert!(width(&standard) > width(&quick));
}

#[test]
fn models_that_do_not_differ_share_a_place_and_the_floor_is_ranked_like_any_other() {
    let cell = figures(&RunFixture::of("standard", 14).run());
    let place = |model| row(&cell, model).rank.map(|rank| (rank.best, rank.worst));
    assert_eq!(place("event-loop"), Some((1, 1)));
    assert_eq!([place("smol"), place("tokio")], [Some((2, 3)); 2]);
    assert_eq!(place("tokio-reqwest"), Some((7, 7)));
    assert_eq!(row(&cell, "smol").figures.as_ref().unwrap().verdict, Some(Verdict::Equivalent));
}

#[test]
fn the_figure_of_costs_shows_every_place_that_a_model_may_have() {
    let run = RunFixture::of("standard", 14).run();
    let files = report::derive(&analysis::summarize(&run, BASELINE, FLOOR));
    let file = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let drawn = file("figures/cost-steady.svg");
    // Two share the places 2 and 3; the first and the last have one each.
    assert_eq!(drawn.matches("rank 2–3<").count(), 2, "{drawn}");
    assert!(drawn.contains("rank 1<") && drawn.contains("rank 7<"), "{drawn}");
    assert!(file("figures/cost-steady.csv").starts_with("model,rank_best,rank_worst,"));
    assert!(file("report.html").contains("from the best place to the worst that the verdicts"));
}

#[test]
fn nothing_invalid_is_ranked() {
    let mut fixture = RunFixture::of("standard", 14);
    for turn in fixture.turns("threads", "steady") {
        invalid(turn, CONNECTIONS);
    }
    invalid(fixture.turns("smol", "steady")[2], CONNECTIONS);
    fixture.turns("rayon", "steady")[2].state = State::Failed("it hung".to_owned());
    invalid(fixture.turns("tokio", "steady")[2], LATE);
    invalid(
        fixture.turns("tokio", "steady")[4],
        Reason::OriginFailed { why: "it is gone".to_owned() },
    );
    let slept = Reason::ClockJumped { ms: 7_200_000 };
    invalid(fixture.turns("smol-hyper", "steady")[3], slept);
    let run = fixture.run();
    let cell = figures(&run);

    let place = |model| row(&cell, model).rank.map(|rank| rank.best);
    assert_eq!(["threads", "smol", "rayon", "iterator"].map(place), [None; 4]);
    // What machine or origin did is not held against a model, and who fell out leaves no gap.
    assert_eq!(["event-loop", "tokio", "smol-hyper"].map(place), [1, 2, 3].map(Some));
    assert!(row(&cell, "smol").figures.is_some());
    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), report::Form::Terminal);
    assert!(text.contains("are expected (1 of 28 turns), thus not ranked\n"), "{text}");
}

#[test]
fn the_order_of_models_on_the_command_line_changes_nothing() {
    for preset in ["quick", "standard"] {
        let mut fixture = RunFixture::of(preset, 22);
        for turn in fixture.turns("threads", "steady") {
            invalid(turn, CONNECTIONS);
        }
        let mut run = fixture.run();
        let expected = analysis::figures(&run, BASELINE, FLOOR);
        run.schedule.models.reverse();
        assert_eq!(analysis::figures(&run, BASELINE, FLOOR), expected);
        run.schedule.models.rotate_left(3);
        assert_eq!(analysis::figures(&run, BASELINE, FLOOR), expected);
    }
}

#[test]
fn from_twenty_blocks_on_rare_stalls_are_reported() {
    let few = figures(&RunFixture::of("standard", 19).run());
    assert!(few.rows.iter().flat_map(|row| &row.figures).all(|f| f.mean_ratio.is_none()));
    let run = RunFixture::of("standard", 22).run();
    let cell = figures(&run);
    let sensitive = cell
        .rows
        .iter()
        .filter(|row| row.figures.as_ref().is_some_and(|figures| figures.tail_sensitive));
    assert_eq!(sensitive.map(|row| row.model.as_str()).collect::<Vec<_>>(), ["rayon"]);
    let text = report::summary(&analysis::summarize(&run, BASELINE, FLOOR), report::Form::Terminal);
    assert_eq!(text.lines().filter(|line| line.starts_with('~')).count(), 1, "{text}");
    assert_eq!(text.matches(")~").count(), 1, "{text}");
}

#[test]
fn sessions_that_disagree_widen_an_interval() {
    let mut fixture = RunFixture::of("citable", 24);
    let one = width(row(&figures(&fixture.run()), "smol").figures.as_ref().unwrap());
    for block in &mut fixture.schedule.blocks {
        block.session = block.number / 8;
    }
    let session = |number| Session { number, layout_seed: None, hours_after_last: 4 };
    fixture.schedule.sessions = (0..3).map(session).collect();
    let three = width(row(&figures(&fixture.run()), "smol").figures.as_ref().unwrap());
    assert!(three > one, "{three} {one}");
}
