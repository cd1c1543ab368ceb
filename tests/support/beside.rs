//! Which tests of a program go on beside each other, and models that are tried at the same time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use std::thread;

use record::Model;

use super::PROGRAMS;

/// Models that are tried at once where each mostly waits. With more, those of slow languages are
/// late on a machine of two CPUs.
const AT_ONCE: usize = 2;
/// Compiled models that are tried beside those: they are there at once and need little of a CPU.
const COMPILED_AT_ONCE: usize = 4;

/// Held by whoever needs the machine, or the children of this process, to itself; shared by those
/// that mostly wait.
static ALONE: RwLock<()> = RwLock::new(());

/// Waits until no other test of this program starts a model: for tests that look at all children,
/// that compare what a busy machine changes, or that measure, for which a run claims the machine.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    ALONE.write().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no test is alone: for tests that mostly wait for what they have started themselves,
/// or that verify, as may be done beside others who do.
pub(crate) fn beside() -> RwLockReadGuard<'static, ()> {
    ALONE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Does the same work with each of some models, one after the other and while no other test starts
/// a model: for what a busy machine would make late.
pub(crate) fn one_by_one<'a, T>(
    models: impl IntoIterator<Item = &'a Model>,
    work: impl Fn(&'a Model) -> T,
) -> Vec<T> {
    LazyLock::force(&PROGRAMS);
    let _alone = alone();
    models.into_iter().map(work).collect()
}

/// Does the same work with each of some models, a few at a time, and returns what came of it in
/// their order.
pub(crate) fn together<'a, T: Send>(
    models: impl IntoIterator<Item = &'a Model>,
    work: impl Fn(&'a Model) -> T + Sync,
) -> Vec<T> {
    together_with(models, || (), |(), model| work(model))
}

/// Does the same where each of those few begins with what it keeps between models, such as an
/// origin: a child ends with the thread that has started it.
pub(crate) fn together_with<'a, K, T: Send>(
    models: impl IntoIterator<Item = &'a Model>,
    begin: impl Fn() -> K + Sync,
    work: impl Fn(&mut K, &'a Model) -> T + Sync,
) -> Vec<T> {
    let models: Vec<&Model> = models.into_iter().collect();
    LazyLock::force(&PROGRAMS);
    let queue = |is_compiled: bool, at_once: usize| {
        let is_meant = |place: &usize| models[*place].language.is_none() == is_compiled;
        let places: Vec<usize> = (0..models.len()).filter(is_meant).collect();
        (at_once.min(places.len()), places, AtomicUsize::new(0))
    };
    let queues = [queue(true, COMPILED_AT_ONCE), queue(false, AT_ONCE)];
    let (done, ended) = mpsc::channel();
    thread::scope(|scope| {
        for (at_once, places, next) in &queues {
            for _ in 0..*at_once {
                let (done, models, begin, work) = (done.clone(), &models, &begin, &work);
                scope.spawn(move || {
                    let mut kept = begin();
                    while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let one = work(&mut kept, models[place]);
                        done.send((place, one)).expect("it is read below");
                    }
                });
            }
        }
    });
    drop(done);
    ended.into_iter().collect::<BTreeMap<usize, T>>().into_values().collect()
}
