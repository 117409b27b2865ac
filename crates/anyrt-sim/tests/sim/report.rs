//! What a deadlock says of the tree.

use std::future::pending;
use std::time::Duration;

use anyrt_core::{
    CancelScope, GroupOptions, Limiter, Started, checkpoint, fail_after, finally, gather, run,
    scoped_group, shield, sleep, stopping, task_group,
};
use anyrt_sim::Sim;

use crate::kit::panic_of;

#[path = "../../examples/two_locks.rs"]
mod two_locks;

/// Without the directories of files, and without the numbers of lines and columns.
fn without_numbers(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let Some((path, rest)) = word.split_once(".rs:") else {
            return word.to_owned();
        };
        let file = path.rsplit('/').next().unwrap();
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
        format!("{file}.rs:_{rest}")
    });
    words.collect()
}

/// The lines of the report of a run that cannot go on, in which `main` is the body of a group.
fn report<F: Future<Output = Result<(), ()>>>(main: impl FnOnce(Group) -> F) -> Vec<String> {
    let message = panic_of(|| run(&Sim::default(), task_group(main)));
    let lines = without_numbers(&message);
    lines.lines().skip(2).map(str::to_owned).collect()
}

type Group = anyrt_core::TaskGroup<Sim, ()>;

/// The one line about the thing of this name.
fn line<'a>(report: &'a [String], name: &str) -> &'a str {
    let mut lines = report.iter().filter(|line| line.contains(name));
    match (lines.next(), lines.next()) {
        (Some(line), None) => line.trim_start_matches([' ', '│', '├', '└', '─']),
        _ => panic!("{name} in {report:#?}"),
    }
}

#[test]
fn the_report_of_the_documentation_is_what_is_printed() {
    let expected = include_str!("../../examples/two_locks.txt");
    let printed = panic_of(two_locks::main);
    assert_eq!(
        without_numbers(&printed),
        without_numbers(expected.trim_end())
    );
}

#[test]
fn each_says_what_it_waits_for() {
    let report = report(async |g| {
        let endless = g.spawn_named("endless", async {
            sleep::<Sim>(Duration::MAX).await;
            Ok(())
        });
        g.spawn_named("handle", async move {
            endless.await;
            Ok(())
        });
        let limiter = Limiter::new(3);
        let _tokens = [(); 3].map(|()| limiter.try_acquire());
        g.spawn_named("token", async move {
            drop(limiter.acquire().await);
            Ok(())
        });
        g.spawn_named("watcher", async {
            CancelScope::<Sim>::new().cancelled().await;
            Ok(())
        });
        g.spawn_named("polite", async {
            stopping().await;
            Ok(())
        });
        g.spawn_named("several", async {
            let both = (
                async {
                    sleep::<Sim>(Duration::MAX).await;
                    Ok::<_, ()>(())
                },
                async {
                    stopping().await;
                    Ok(())
                },
            );
            gather::<Sim, _>(both).await.map(drop).map_err(drop)
        });
        g.spawn_named("foreign", pending::<Result<(), ()>>());
        pending().await
    });
    for (name, rest) in [
        (
            "`endless`",
            "waits for a time that never comes, since the start",
        ),
        (
            "`handle`",
            "waits for the end of task `endless`, since the start",
        ),
        (
            "`token`",
            "waits for a token of a limiter that has 3, since the start",
        ),
        (
            "`watcher`",
            "waits for a scope to be cancelled, since the start",
        ),
        ("`polite`", "waits for being asked to stop, since the start"),
        (
            "`foreign`",
            "waits for something outside anyrt, since the start",
        ),
    ] {
        if name != "`handle`" && name != "`endless`" {
            assert!(line(&report, name).ends_with(rest), "{name}: {report:#?}");
        } else {
            assert!(
                report.iter().any(|line| line.ends_with(rest)),
                "{report:#?}"
            );
        }
    }
    // What is a part of it says so itself.
    assert!(line(&report, "`several`").ends_with("spawned at report.rs:_"));
}

#[test]
fn who_waits_for_a_child_to_be_ready_says_so() {
    let report = report(async |g| {
        let never = g.start(async |_started: Started<()>| pending::<Result<(), ()>>().await);
        never.await.map(drop).map_err(drop)
    });
    let child = line(&report, "─ task #2");
    assert!(child.ends_with("waits for something outside anyrt, since the start"));
    let caller = line(&report, "group #1");
    assert!(caller.ends_with("waits for task #2 to be ready, since the start"));
}

#[test]
fn a_group_waits_for_its_children_and_they_for_their_turn() {
    let report = report(async |_| {
        let shop = GroupOptions::<Sim, ()>::new().name("shop").limit(1);
        let served = shop.run(async |g| {
            g.spawn_named("first", pending::<Result<(), ()>>());
            g.spawn_named("second", pending::<Result<(), ()>>());
            g.spawn_daemon(pending::<Result<(), ()>>());
            Ok(())
        });
        served.await.map_err(drop)
    });
    assert!(line(&report, "`shop`").ends_with("waits for its 3 children, since the start"));
    let waits =
        ["`first`", "`second`"].map(|name| line(&report, name).contains("its turn, 1 at once"));
    assert_eq!(waits, [false, true]);
    assert!(line(&report, "daemon #5").contains("spawned at report.rs"));
}

#[test]
fn what_is_cancelled_and_held_says_both() {
    let second = Duration::from_secs(1);
    let report = report(async |_| {
        let held = fail_after::<Sim, _>(second, shield(pending::<()>()));
        held.await.map_err(drop)
    });
    let limit = line(&report, "time limit");
    assert!(
        limit.ends_with("set to 1s, cancelled at 1s (deadline passed)"),
        "{limit}"
    );
    let shield = line(&report, "shield");
    assert!(shield.contains("opened at report.rs:_, waits for something outside anyrt"));
}

#[test]
fn a_cleanup_that_does_not_end_is_in_the_report() {
    let report = report(async |_| {
        finally(async {}, async || pending::<()>().await).await;
        Ok(())
    });
    assert!(line(&report, "cleanup").contains("waits for something outside anyrt"));
}

#[test]
fn children_in_one_task_are_listed_like_others() {
    let report = report(async |_| {
        let group = scoped_group::<Sim, _, (), _, _>(async |g| {
            g.spawn_named("left", pending::<Result<(), ()>>());
            g.spawn_named("right", pending::<Result<(), ()>>());
            Ok(())
        });
        group.await.map_err(drop)
    });
    let drawn = |mark: &str, name: &str| {
        let is_it = |line: &String| line.contains(mark) && line.contains(name);
        report.iter().any(is_it)
    };
    assert!(
        drawn("├─ task", "`left`") && drawn("└─ task", "`right`"),
        "{report:#?}"
    );
}

#[test]
fn a_run_at_a_limit_says_what_is_left_too() {
    let limited = Sim::builder().max_time(Duration::from_secs(2)).build();
    let message = panic_of(|| {
        run(&limited, async {
            sleep::<Sim>(Duration::from_secs(1)).await;
            sleep::<Sim>(Duration::from_secs(5)).await;
        })
    });
    assert!(message.starts_with("time limit"), "{message}");
    assert!(
        message.ends_with("waits for the time 6s, since 1s"),
        "{message}"
    );
    let limited = Sim::builder().max_steps(100).build();
    let message = panic_of(|| {
        run(&limited, async {
            loop {
                checkpoint().await;
            }
        })
    });
    assert!(message.contains("the run, started at"), "{message}");
}

#[test]
fn what_has_ended_is_not_in_the_report() {
    let report = report(async |g| {
        g.spawn_named("done", async { Ok(()) }).await;
        let gone = fail_after::<Sim, _>(Duration::from_secs(1), pending::<()>());
        assert!(gone.await.is_err());
        pending().await
    });
    assert_eq!(report.len(), 2, "{report:#?}");
}

#[test]
fn what_was_adopted_is_in_the_report_although_its_owner_is_gone() {
    let report = report(async |g| {
        g.spawn_named("owner", async {
            let mut group = Box::pin(task_group::<Sim, _, (), _, _>(async |g| {
                g.spawn_named("left", shield(pending::<Result<(), ()>>()));
                pending::<Result<(), ()>>().await
            }));
            let once = std::future::poll_fn(|cx| std::task::Poll::Ready(group.as_mut().poll(cx)));
            assert!(once.await.is_pending());
            sleep::<Sim>(Duration::from_secs(1)).await;
            drop(group);
            Ok(())
        });
        Ok(())
    });
    assert!(
        !report.iter().any(|line| line.contains("`owner`")),
        "{report:#?}"
    );
    assert!(line(&report, "`left`").starts_with("task `left`"));
    let group = line(&report, "group #3");
    assert!(
        group.contains("cancelled at 1s (dropped by its owner)"),
        "{group}"
    );
}

#[test]
fn a_large_tree_is_cut_short() {
    let report = report(async |g| {
        for _ in 0..1_000 {
            g.spawn(pending::<Result<(), ()>>());
        }
        Ok(())
    });
    assert_eq!(report.len(), 201);
    assert!(report[200].ends_with(".. and 802 more"), "{}", report[200]);
}

#[test]
fn of_a_deep_tree_nothing_overflows() {
    fn nest(depth: usize) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if depth > 0 {
                shield(nest(depth - 1)).await;
            } else {
                pending().await
            }
        })
    }
    let report = report(async |_| {
        nest(300).await;
        Ok(())
    });
    assert!(report[200].ends_with(".. and 102 more"), "{}", report[200]);
}
