//! How many steps the simulator takes in a second, beside tokio with one thread and a paused clock.
//!
//! A step is one poll of one task. The same tasks run in turns in both, whole runs at a time; the ratio is what counts.
//! `cargo bench --package anyrt-bench --bench simulator` prints it.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyrt::sim::{Policy, SimBuilder};
use anyrt::{Backend, Sim, TaskGroup, run_on, task_group};
use tokio::runtime::Builder;

const TASKS: u64 = 100;
const TURNS: u64 = 200;
const ROUNDS: usize = 41;

const PCT: Policy = Policy::Pct {
    depth: 3,
    steps: TASKS * TURNS,
};

type Run = Box<dyn Fn()>;

#[expect(clippy::print_stdout, reason = "the table is what this is for")]
fn main() {
    let random = || simulated(Sim::builder(), yields);
    let fifo = || simulated(Sim::builder().policy(Policy::Fifo), yields);
    let pct = || simulated(Sim::builder().policy(PCT), yields);
    let naps = || simulated(Sim::builder(), |n| naps(n, anyrt::sleep));
    // The first of each table is what the others are compared with.
    let tables: [(&str, Vec<(&str, Run)>); 2] = [
        (
            "tasks that give way",
            vec![
                ("tokio, paused", Box::new(|| on_tokio(yields))),
                ("sim, random", Box::new(random)),
                ("sim, random, in a group", Box::new(in_a_group)),
                ("sim, fifo", Box::new(fifo)),
                ("sim, pct", Box::new(pct)),
            ],
        ),
        (
            "tasks that sleep",
            vec![
                (
                    "tokio, paused",
                    Box::new(|| on_tokio(|n| self::naps(n, tokio::time::sleep))),
                ),
                ("sim, random", Box::new(naps)),
            ],
        ),
    ];
    for (title, runs) in tables {
        println!("{title}: {TASKS} tasks, {TURNS} turns each\n");
        println!("| | ns per step | steps per second | ratio |\n|-|-|-|-|");
        let medians = medians(&runs);
        for ((name, _), median) in runs.iter().zip(&medians) {
            let millions = 1e3 / median;
            let ratio = median / medians[0];
            println!("| {name} | {median:.0} | {millions:.2} million | {ratio:.2} |");
        }
        println!();
    }
}

/// Lets all take turns, and gives how many nanoseconds a step takes in each.
fn medians(runs: &[(&str, Run)]) -> Vec<f64> {
    let mut times = vec![Vec::new(); runs.len()];
    for round in 0..ROUNDS {
        for n in 0..runs.len() {
            // Nobody always comes after the same one.
            let n = (n + round) % runs.len();
            let begin = Instant::now();
            (runs[n].1)();
            times[n].push(begin.elapsed().as_nanos() as f64 / (TASKS * TURNS) as f64);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    };
    times.into_iter().map(median).collect()
}

/// One task of those that give way.
async fn yields(_: u64) {
    for _ in 0..TURNS {
        let mut has_yielded = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has_yielded, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// One task of those that sleep; most of them are due at different times.
async fn naps<S: Future<Output = ()>>(n: u64, sleep: impl Fn(Duration) -> S) {
    for _ in 0..TURNS {
        sleep(Duration::from_millis(n + 1)).await;
    }
}

fn simulated<F>(sim: SimBuilder, task: impl Fn(u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    run_on(sim.build(), async {
        let sim = Sim::current().expect("it runs on the simulator");
        let tasks: Vec<_> = (0..TASKS).map(|n| sim.spawn(task(n))).collect();
        for task in tasks {
            task.await;
        }
    });
}

fn in_a_group() {
    run_on(Sim::default(), async {
        let group = task_group(async |g: TaskGroup<()>| {
            for n in 0..TASKS {
                g.spawn(async move {
                    yields(n).await;
                    Ok(())
                });
            }
            Ok(())
        });
        group.await.expect("no task fails");
    });
}

fn on_tokio<F>(task: impl Fn(u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build();
    runtime.expect("it needs nothing").block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|n| tokio::spawn(task(n))).collect();
        for task in tasks {
            task.await.expect("no task fails");
        }
    });
}
