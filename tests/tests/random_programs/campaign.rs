//! Many seeds, on all processors, and the report of those that fail.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::generate;
use crate::play::{Played, play};
use crate::shrink::shrink;

/// How long one program may take before it counts as hanging. Real time; none comes near it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a worker tells.
struct News {
    worker: usize,
    seed: u64,
    /// Of a seed that has just ended.
    violation: Option<Option<String>>,
}

/// Plays this many seeds.
///
/// # Panics
///
/// If one of them breaks a promise.
pub(crate) fn run(count: u64) {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let next = Arc::new(AtomicU64::new(0));
    let (tell, news) = channel();
    for worker in 0..workers {
        let (next, tell) = (next.clone(), tell.clone());
        thread::spawn(move || work(worker, &next, count, &tell));
    }
    drop(tell);
    let mut failures = watch(workers, &news);
    failures.sort();
    if let Some((seed, violation)) = failures.first() {
        let seeds: Vec<_> = failures.iter().map(|(seed, _)| seed).take(20).collect();
        panic!(
            "{} of {count} seeds break a promise, among them {seeds:?}\n{}",
            failures.len(),
            report(*seed, violation)
        );
    }
}

fn work(worker: usize, next: &AtomicU64, count: u64, tell: &Sender<News>) {
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= count {
            return;
        }
        let say = |violation| {
            let news = News {
                worker,
                seed,
                violation,
            };
            tell.send(news).ok();
        };
        say(None);
        let played = play(&generate::program(seed), seed);
        say(Some(played.violations.into_iter().next()));
    }
}

/// Listens to the workers until they are done. Gives the seeds that have failed.
fn watch(workers: usize, news: &Receiver<News>) -> Vec<(u64, String)> {
    let mut playing = vec![None; workers];
    let mut failures = Vec::new();
    loop {
        match news.recv_timeout(PATIENCE) {
            Ok(news) => {
                playing[news.worker] = news.violation.is_none().then_some(news.seed);
                let violation = news.violation.flatten();
                failures.extend(violation.map(|violation| (news.seed, violation)));
            }
            Err(RecvTimeoutError::Disconnected) => return failures,
            Err(RecvTimeoutError::Timeout) => {
                let seed = playing.iter().flatten().next();
                let seed = seed.expect("who plays nothing is heard of soon");
                panic!("seed {seed} hangs\n{}", how_to_replay(*seed));
            }
        }
    }
}

/// Plays one seed again, and shows all of it.
///
/// # Panics
///
/// If it breaks a promise.
pub(crate) fn replay(seed: u64) {
    eprintln!("{}", generate::program(seed));
    let played = play_seed(seed);
    eprint!("{}", show(&played));
    if let Some(violation) = played.violations.first() {
        panic!("{}", report(seed, violation));
    }
}

/// Plays one seed.
///
/// # Panics
///
/// If it hangs.
pub(crate) fn play_seed(seed: u64) -> Played {
    match patiently(move || play(&generate::program(seed), seed)) {
        Some(played) => played,
        None => panic!("seed {seed} hangs\n{}", how_to_replay(seed)),
    }
}

/// Gives what `call` gives, unless it hangs.
fn patiently<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, end) = channel();
    thread::spawn(move || tell.send(call()));
    end.recv_timeout(PATIENCE).ok()
}

fn how_to_replay(seed: u64) -> String {
    format!("replay: ANYRT_SEED={seed} cargo test --package anyrt-tests --test random_programs")
}

fn report(seed: u64, violation: &str) -> String {
    let wanted = violation.to_owned();
    let smaller = patiently(move || {
        let (program, order) = shrink(&generate::program(seed), seed, &wanted);
        (show(&play(&program, order)), program, order)
    });
    let mut report = format!("seed {seed}: {violation}\n{}\n", how_to_replay(seed));
    if let Some((shown, program, order)) = smaller {
        write!(
            report,
            "\nA smaller program, in order {order}:\n{program}\n{shown}"
        )
        .ok();
    }
    report
}

fn show(played: &Played) -> String {
    let mut shown = String::new();
    for mark in &played.marks {
        writeln!(
            shown,
            "{:5} ms  {} {}",
            mark.time, mark.what, mark.who as isize
        )
        .ok();
    }
    for violation in &played.violations {
        writeln!(shown, "VIOLATION: {violation}").ok();
    }
    shown
}
