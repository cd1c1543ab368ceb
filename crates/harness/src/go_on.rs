//! Whether a run that was cut short may go on: from where it was cut, when it is due, with the
//! programs and on the machine with which it began.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};
use record::{Environment, Integrity, Placement, Run, Unreadable};

use crate::Failure;

/// Returns the block with which a run goes on, or why it does not.
pub(crate) fn next_block(run: &Run) -> Result<u32> {
    match (&run.integrity, run.next_block()) {
        (Integrity::Altered(files), _) => {
            let altered =
                format!("{}: altered after it was measured: {}", run.id, files.join(", "));
            Err(anyhow!("the run cannot go on")).context(Unreadable(altered))
        }
        (Integrity::Whole, _) => {
            Err(Failure::Usage(format!("the run cannot go on: {} is complete", run.id)).into())
        }
        (Integrity::Unfinished, Some(block)) => Ok(block),
        // It was cut between its last block and its manifest.
        (Integrity::Unfinished, None) => Ok(u32::MAX),
    }
}

/// Checks that the next session of a run is due.
pub(crate) fn is_due(run: &Run, session: u32) -> Result<()> {
    let Some(planned) = run.schedule.sessions.get(session as usize) else { return Ok(()) };
    let begun = run.turns.iter().chain(&run.cut).any(|turn| {
        run.schedule.blocks.iter().any(|b| b.number == turn.block && b.session == session)
    });
    let last = run.turns.last().map(|turn| humantime::parse_rfc3339(&turn.started_utc));
    let (false, Some(Ok(last))) = (begun, last) else { return Ok(()) };
    let due = last + Duration::from_hours(1) * planned.hours_after_last;
    let wait = due.duration_since(SystemTime::now()).unwrap_or_default();
    ensure!(
        wait.is_zero(),
        Failure::Preflight(format!(
            "session {} of {} is due in {} minutes, at {}",
            session + 1,
            run.schedule.sessions.len(),
            wait.as_secs().div_ceil(60),
            humantime::format_rfc3339_seconds(due)
        ))
    );
    Ok(())
}

/// Checks that the programs are those with which this session of a run began.
pub(crate) fn same_programs(
    run: &Run,
    session: u32,
    hashes: &BTreeMap<String, String>,
) -> Result<()> {
    let begun = run.resumes.iter().find(|resume| resume.session == session);
    let expected = match (session, begun) {
        (0, _) => &run.environment.programs_sha256,
        (_, Some(resume)) => &resume.programs_sha256,
        (_, None) => return Ok(()),
    };
    let differs = hashes.iter().find(|(package, hash)| expected.get(*package) != Some(hash));
    match differs {
        None => Ok(()),
        Some((package, _)) => Err(Failure::Usage(format!(
            "the run cannot go on: {package} is not the program that it began with; check out \
             commit {}, or begin a new run",
            run.environment.commit
        ))
        .into()),
    }
}

/// Checks that the machine is the one on which a run began, and, where another session begins with
/// programs of its own layout, that they are made from the same source.
pub(crate) fn same_machine(
    run: &Run,
    (now, placement): (&Environment, &Placement),
    session: u32,
) -> Result<()> {
    let begun = &run.environment;
    let mut fields = vec![
        ("CPU", &begun.cpu, &now.cpu),
        ("kind of machine", &begun.kind, &now.kind),
        ("kernel", &begun.kernel, &now.kernel),
        ("governor", &begun.governor, &now.governor),
        ("accounting of interrupts", &begun.irq_time_accounting, &now.irq_time_accounting),
    ];
    if session > 0 {
        fields.extend([
            ("compiler", &begun.rustc, &now.rustc),
            ("compiler's flags", &begun.rustflags, &now.rustflags),
            ("profile", &begun.profile, &now.profile),
            ("lock file", &begun.cargo_lock_sha256, &now.cargo_lock_sha256),
            ("commit", &begun.commit, &now.commit),
            ("state of the tree (modified or not)", &begun.modified, &now.modified),
        ]);
    }
    let reported = |environment: &Environment| format!("{:?}", environment.python);
    let interpreters = [reported(begun), reported(now)];
    fields.push(("interpreter of models", &interpreters[0], &interpreters[1]));
    ensure!(
        *placement == run.schedule.placement,
        Failure::Preflight("the run cannot go on: the CPUs are not those it began on".to_owned())
    );
    match fields.into_iter().find(|(_, begun, now)| begun != now) {
        // Unknown ones are never equal, as in a comparison of two runs.
        None if !begun.has_cpu_of(now) => Err(Failure::Preflight(
            "the run cannot go on: what its CPU is is unknown, so this may be another machine; \
             begin a new run"
                .to_owned(),
        )
        .into()),
        None => Ok(()),
        Some((what, begun, now)) => Err(Failure::Preflight(format!(
            "the run cannot go on: the {what} is {now}, and it began with {begun}"
        ))
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_run_goes_on_on_its_own_machine_and_on_none_that_is_not_known() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/tests/golden/run");
        let mut run = Run::read(&golden).unwrap();
        let refused = |run: &Run, change: fn(&mut Environment)| {
            let mut now = run.environment.clone();
            change(&mut now);
            let placement = &run.schedule.placement;
            same_machine(run, (&now, placement), 0).err().map(|error| error.to_string())
        };
        assert_eq!(refused(&run, |_| ()), None);
        let other = refused(&run, |now| now.cpu = "another".to_owned()).unwrap();
        assert!(other.contains("the CPU is another, and it began with "), "{other}");
        assert!(refused(&run, |now| now.kind = "another".to_owned()).is_some());
        "unknown".clone_into(&mut run.environment.cpu);
        let unknown = refused(&run, |_| ()).unwrap();
        assert!(unknown.contains("this may be another machine"), "{unknown}");
    }
}
