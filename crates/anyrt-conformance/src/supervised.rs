//! Groups in which a failure is not the end, or not at once: supervision, names, and a grace period.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyrt_core::{Backend, Reason, StartError, Started, Stopped, is_stopping, shield, stopping};
use futures::channel::oneshot;
use futures::future::{Either, select};

use super::everywhere::{cancel_at_every_pending, drop_at_every_pending};
use super::flavour::{Rt, Task, TaskGroup};
use crate::probe::{Alive, Log, panic_of};

/// What a handler was told: `name: error`.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<String>>>);

impl Reports {
    fn handler(&self) -> impl Fn(Option<&str>, &'static str) + Send + Sync + use<> {
        let reports = self.0.clone();
        move |name, error| {
            let report = format!("{}: {error}", name.unwrap_or("?"));
            reports.lock().unwrap().push(report);
        }
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// `supervise` "keeps the other children and the body running when a child fails".
pub async fn a_failing_child_leaves_the_others_alone<B: Backend>(rt: Rt<B>) {
    let (log, reports) = (Log::default(), Reports::default());
    let supervise = rt.group_options().supervise();
    let supervise_with = rt.group_options().supervise_with(reports.handler());
    for options in [supervise, supervise_with] {
        let group = options.run(async |g| {
            let (go, gone) = oneshot::channel::<()>();
            let sibling = g.spawn(async move {
                gone.await.ok();
                rt.yields(3).await;
                Ok("sibling")
            });
            let failed = g.spawn(async { Err::<(), _>("failed") });
            assert_eq!(failed.outcome().await, Err(Stopped::Failed));
            assert!(!is_stopping() && !g.scope().is_cancelled());
            rt.yields(3).await;
            drop(go);
            log.add(sibling.await);
            assert_eq!(g.spawn(async { Ok(1) }).await, 1);
            Ok(())
        });
        drop(group.await);
    }
    assert_eq!(log.marks(), ["sibling", "sibling"]);
    assert_eq!(reports.all(), ["?: failed"]);
}

/// `supervise`: "the errors are in the group's result", all of them, in the order of time.
pub async fn the_errors_are_in_the_result_in_the_order_of_time<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options().supervise().run(async |g| {
        let mut gates = Vec::new();
        let mut tasks = Vec::new();
        for n in 0..10 {
            let (open, gate) = oneshot::channel::<()>();
            tasks.push(g.spawn(async move {
                gate.await.ok();
                Err::<(), _>(n)
            }));
            gates.push(open);
        }
        for (task, gate) in tasks.into_iter().zip(gates).rev() {
            drop(gate);
            assert_eq!(task.outcome().await, Err(Stopped::Failed));
        }
        Ok("value")
    });
    let error = group.await.unwrap_err();
    assert!(error.iter().copied().eq((0..10).rev()));
}

/// `supervise`: many children fail at once, on several threads; none of the errors is lost.
pub async fn no_error_of_many_is_lost<B: Backend>(rt: Rt<B>) {
    let spawn = async |g: TaskGroup<B, usize>| {
        for n in 0..1000 {
            g.spawn(async move {
                rt.yields(n % 4).await;
                Err::<(), _>(n)
            });
        }
        Ok(())
    };
    let error = rt.group_options().supervise().run(spawn).await;
    let mut errors: Vec<_> = error.unwrap_err().iter().copied().collect();
    errors.sort_unstable();
    assert!(errors.into_iter().eq(0..1000));

    let sum = Arc::new(AtomicUsize::new(0));
    let handled = sum.clone();
    let options = rt.group_options().supervise_with(move |name, n| {
        assert_eq!(name, None);
        handled.fetch_add(n, Ordering::SeqCst);
    });
    assert_eq!(options.run(spawn).await, Ok(()));
    assert_eq!(sum.load(Ordering::SeqCst), 499_500);
}

/// A supervised group in which nothing fails gives its value like any other.
pub async fn a_supervised_group_without_errors_gives_its_value<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options::<()>().supervise().run(async |g| {
        let a = g.spawn(async { Ok(1) });
        let b = g.spawn(async { Ok(2) });
        Ok(a.await + b.await)
    });
    assert_eq!(group.await, Ok(3));
}

/// "An error of the body itself .. cancels the group as usual", and is no case for the handler.
pub async fn an_error_of_the_body_cancels_a_supervised_group<B: Backend>(rt: Rt<B>) {
    let (alive, reports) = (Alive::default(), Reports::default());
    for is_handled in [false, true] {
        let options = match is_handled {
            false => rt.group_options().supervise(),
            true => rt.group_options().supervise_with(reports.handler()),
        };
        let group = options.run(async |g| {
            let failed = g.spawn_named("child", async { Err::<(), _>("child failed") });
            assert_eq!(failed.outcome().await, Err(Stopped::Failed));
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                pending::<Result<(), _>>().await
            });
            Err::<(), _>("body failed")
        });
        let error = group.await.unwrap_err();
        let errors: Vec<_> = error.iter().copied().collect();
        match is_handled {
            false => assert_eq!(errors, ["child failed", "body failed"]),
            true => assert_eq!(errors, ["body failed"]),
        }
        assert_eq!(alive.count(), 0);
    }
    assert_eq!(reports.all(), ["child: child failed"]);
}

/// "Every panic cancels the group as usual", and beats the errors.
pub async fn a_panic_cancels_a_supervised_group<B: Backend>(rt: Rt<B>) {
    for of_body in [false, true] {
        let alive = Alive::default();
        let group = rt.group_options().supervise().run(async |g| {
            let failed = g.spawn(async { Err::<(), _>("failed") });
            assert_eq!(failed.outcome().await, Err(Stopped::Failed));
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                pending::<Result<(), _>>().await
            });
            assert!(!of_body, "panicked");
            g.spawn(async { panic!("panicked") as Result<(), _> });
            pending::<Result<(), _>>().await
        });
        assert_eq!(panic_of(group).await.unwrap_err(), "panicked");
        assert_eq!(alive.count(), 0);
    }
}

/// "A child that has failed has no value, so awaiting its handle panics", and the message names `outcome()`.
pub async fn awaiting_a_failed_child_in_a_supervised_group_panics<B: Backend>(rt: Rt<B>) {
    for by_sibling in [false, true] {
        let group = rt.group_options().supervise().run(async |g| {
            let failed = g.spawn(async { Err::<(), _>("failed") });
            if by_sibling {
                g.spawn(async {
                    let _: () = failed.await;
                    Ok(())
                });
            } else {
                failed.await;
            }
            pending::<Result<(), _>>().await
        });
        let message = panic_of(group).await.unwrap_err();
        assert!(message.contains("outcome()"), "{message}");
    }
}

/// The handler gets "the errors of children .. with the name of the child"; the result is the value of the body.
pub async fn the_handler_gets_name_and_error<B: Backend>(rt: Rt<B>) {
    let reports = Reports::default();
    let options = rt.group_options().supervise_with(reports.handler());
    let group = options.run(async |g| {
        let named = g.spawn_named("fetch", async { Err::<(), _>("no route") });
        assert_eq!(named.outcome().await, Err(Stopped::Failed));
        let unnamed = g.spawn(async { Err::<(), _>("no disk") });
        assert_eq!(unnamed.outcome().await, Err(Stopped::Failed));
        Ok("report")
    });
    assert_eq!(group.await, Ok("report"));
    assert_eq!(reports.all(), ["fetch: no route", "?: no disk"]);
}

/// The handler runs when the child "has ended and before its handle says so".
pub async fn the_handler_runs_between_the_end_and_the_handle<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let handled = log.clone();
    let options = rt
        .group_options()
        .supervise_with(move |_, ()| handled.add("handled"));
    let group = options.run(async |g| {
        for _ in 0..20 {
            let child = log.clone();
            let failed = g.spawn(async move {
                let _capture = child.on_drop("dropped");
                let cleanup = child.clone();
                rt.on_exit(async move {
                    rt.yields(2).await;
                    cleanup.add("cleanup");
                });
                rt.yields(1).await;
                Err::<(), _>(())
            });
            assert_eq!(failed.outcome().await, Err(Stopped::Failed));
            log.add("told");
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    for marks in log.marks().chunks(4) {
        assert_eq!(marks, ["dropped", "cleanup", "handled", "told"]);
    }
}

/// Rule 1: the handler runs in the task of a child, so the group returns after it.
pub async fn the_group_waits_for_the_handler<B: Backend>(rt: Rt<B>) {
    for _ in 0..50 {
        let reports = Reports::default();
        let report = reports.handler();
        let slow = move |name: Option<&str>, error| {
            std::thread::sleep(Duration::from_micros(100));
            report(name, error);
        };
        let group = rt.group_options().supervise_with(slow).run(async |g| {
            g.spawn(async { Err::<(), _>("failed") });
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(reports.all(), ["?: failed"]);
    }
}

/// "A panic of the handler is a panic of the child": it cancels the group, comes out of it, and the handle says so.
pub async fn a_panic_of_the_handler_is_a_panic_of_the_child<B: Backend>(rt: Rt<B>) {
    let task = Mutex::new(None);
    let options = rt
        .group_options()
        .supervise_with(|_, error: &str| panic!("cannot handle: {error}"));
    let group = options.run(async |g| {
        g.spawn(pending::<Result<(), _>>());
        let failed = g.spawn(async { Err::<(), _>("failed") });
        *task.lock().unwrap() = Some(failed);
        pending::<Result<(), _>>().await
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "cannot handle: failed");
    let task = task.into_inner().unwrap().unwrap();
    assert_eq!(task.outcome().await, Err(Stopped::Panicked));
}

/// The handler runs under no lock: it may ask, spawn and cancel. Here it starts again what has failed.
pub async fn the_handler_may_use_the_group<B: Backend>(rt: Rt<B>) {
    fn attempt<B: Backend>(rt: Rt<B>, g: &TaskGroup<B, usize>, n: usize, log: Log) {
        g.spawn(async move {
            rt.yields(1).await;
            if n < 3 {
                return Err(n);
            }
            log.add("success");
            pending::<Result<(), _>>().await
        });
        assert!(!g.is_empty());
    }
    let (log, reports) = (Log::default(), Reports::default());
    let (this, handled) = (Arc::new(OnceLock::new()), log.clone());
    let group = this.clone();
    let report = reports.handler();
    let options = rt.group_options().supervise_with(move |name, n| {
        report(name, "failed");
        let Some(g) = group.get() else { return };
        attempt(rt, g, n + 1, handled.clone());
        assert!(!g.scope().is_cancelled());
    });
    let group = options.run(async |g| {
        assert!(this.set(g.clone()).is_ok());
        attempt(rt, &g, 0, log.clone());
        while log.marks().is_empty() {
            rt.yields(1).await;
        }
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(reports.all().len(), 3);

    let this = Arc::new(OnceLock::new());
    let group = this.clone();
    let options = rt.group_options().supervise_with(move |_, ()| {
        group.get().map(TaskGroup::cancel);
    });
    let group = options.run(async |g| {
        assert!(this.set(g.clone()).is_ok());
        let sibling = g.spawn(pending::<Result<(), _>>());
        g.spawn(async { Err::<(), _>(()) });
        Ok(sibling.outcome().await)
    });
    let cancelled = Err(Stopped::Cancelled(Reason::Explicit(None)));
    assert_eq!(group.await, Ok(cancelled));
}

/// What the handler owns goes with the group, also if that is a handle to the group itself.
pub async fn what_the_handler_owns_is_dropped_after_the_group<B: Backend>(rt: Rt<B>) {
    for owns_the_group in [false, true] {
        let alive = Alive::default();
        let (this, life) = (Arc::new(OnceLock::new()), alive.born());
        let group = this.clone();
        let options = rt.group_options().supervise_with(move |_, ()| {
            let (_life, _group) = (&life, &group);
        });
        let group = options.run(async |g| {
            g.spawn(async { Err::<(), _>(()) });
            if owns_the_group {
                assert!(this.set(g).is_ok());
            }
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        drop(this);
        // The child's task may still be on its way out of the handler's group on another thread.
        for _ in 0..1000 {
            if alive.count() > 0 {
                rt.yields(1).await;
            }
        }
        assert_eq!(alive.count(), 0, "owns the group: {owns_the_group}");
    }
}

/// Errors of daemons are errors of children.
pub async fn daemons_are_supervised_too<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options().supervise().run(async |g| {
        let daemon = g.spawn_daemon(async { Err("daemon") });
        assert_eq!(daemon.outcome().await, Err(Stopped::Failed));
        rt.yields(2).await;
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "daemon");

    let reports = Reports::default();
    let options = rt.group_options().supervise_with(reports.handler());
    let group = options.run(async |g| {
        let daemon = g.spawn_daemon(async { Err("daemon") });
        assert_eq!(daemon.outcome().await, Err(Stopped::Failed));
        // Cut when the rest is done, which is no failure.
        g.spawn_daemon(pending());
        // Also one that fails while it is being cancelled.
        g.spawn_daemon(async move {
            shield(rt.yields(5)).await;
            Err("late")
        });
        Ok("value")
    });
    assert_eq!(group.await, Ok("value"));
    assert_eq!(reports.all(), ["?: daemon", "?: late"]);
}

/// Rule 4: "a cancelled child is not a failure". One that fails while it is being cancelled has failed.
pub async fn a_cancelled_child_is_no_case_for_the_handler<B: Backend>(rt: Rt<B>) {
    let reports = Reports::default();
    let options = rt.group_options().supervise_with(reports.handler());
    let group = options.run(async |g| {
        let child = g.spawn(pending::<Result<(), _>>());
        assert_eq!(child.cancel().await, None);
        let late = g.spawn_named("late", async move {
            shield(rt.yields(3)).await;
            Err::<(), _>("failed")
        });
        g.spawn(pending::<Result<(), _>>());
        g.cancel();
        assert_eq!(late.outcome().await, Err(Stopped::Failed));
        Ok("report")
    });
    assert_eq!(group.await, Ok("report"));
    assert_eq!(reports.all(), ["late: failed"]);
}

/// A supervised group inside another group: its children fail quietly, and its result goes where the code takes it.
pub async fn a_supervised_group_inside_another_one<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let sibling = g.spawn(pending::<Result<(), _>>());
        let inner = g.spawn(async move {
            let inner = rt.group_options().supervise().run(async |h| {
                for n in 0..3 {
                    h.spawn(async move { Err::<(), _>(n) });
                }
                rt.yields(3).await;
                Ok(())
            });
            let errors = inner.await.unwrap_err().len();
            rt.yields(3).await;
            Ok(errors)
        });
        assert_eq!(inner.await, 3);
        assert!(!sibling.is_finished());
        assert_eq!(sibling.cancel().await, None);
        Ok(())
    });
    assert_eq!(outer.await, Ok::<_, anyrt_core::GroupError<()>>(()));
}

/// Options "apply to this one group and not to groups inside it".
pub async fn a_group_inside_a_supervised_one_is_not_supervised<B: Backend>(rt: Rt<B>) {
    let reports = Reports::default();
    let options = rt.group_options().supervise_with(reports.handler());
    let outer = options.run(async |g| {
        let sibling = g.spawn(async move {
            let _: () = rt.yields(20).await;
            Ok(())
        });
        g.spawn_named("inner", async move {
            let inner = rt.task_group(async |h| {
                h.spawn(async { Err::<(), _>("failed inside") });
                pending::<Result<(), _>>().await
            });
            inner.await.map_err(|error| error.into_first())
        });
        sibling.await;
        Ok(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(reports.all(), ["inner: failed inside"]);
}

/// `start`: the error of a child that is not ready is the caller's; of one that is ready, the handler's.
pub async fn a_child_that_is_not_ready_is_not_supervised<B: Backend>(rt: Rt<B>) {
    let reports = Reports::default();
    let options = rt.group_options().supervise_with(reports.handler());
    let group = options.run(async |g| {
        let failed = g
            .start(async |_: Started<()>| Err::<(), _>("not ready"))
            .await;
        assert_eq!(failed.err(), Some(StartError::Failed("not ready")));
        let started = g.start(async move |started: Started<()>| {
            started.set(());
            rt.yields(2).await;
            Err::<(), _>("ready")
        });
        let ((), task) = started.await.unwrap();
        assert_eq!(task.outcome().await, Err(Stopped::Failed));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(reports.all(), ["?: ready"]);
}

/// Rule 6: a supervised group is cut from outside like any other, and errors that it has kept come out of it.
pub async fn a_supervised_group_may_be_cut_from_outside<B: Backend>(rt: Rt<B>) {
    for fails in [false, true] {
        let (alive, scope) = (Alive::default(), rt.scope());
        let group = rt.group_options().supervise().run(async |g| {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                pending::<Result<(), _>>().await
            });
            let child = g.spawn(async move { if fails { Err("failed") } else { Ok(()) } });
            assert_eq!(child.outcome().await.is_err(), fails);
            scope.cancel();
            Ok(())
        });
        match scope.run(group).await {
            Ok(result) => assert_eq!((fails, result.unwrap_err().first), (true, "failed")),
            Err(cancelled) => assert_eq!(
                (fails, cancelled.reason()),
                (false, &Reason::Explicit(None))
            ),
        }
        assert_eq!(alive.count(), 0);
    }
}

/// Cancelling or dropping at any moment leaves no child behind, and calls the handler as often as a child failed.
pub async fn supervised_groups_may_be_interrupted_anywhere<B: Backend>(rt: Rt<B>) {
    let body = |alive: Alive| async move {
        let (failed, handled) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let count = handled.clone();
        let options = rt.group_options().limit(2).supervise_with(move |_, life| {
            count.fetch_add(1, Ordering::SeqCst);
            drop(life);
        });
        let group = options.run(async |g| {
            for n in 0..4 {
                let (life, failed) = (alive.born(), failed.clone());
                g.spawn(async move {
                    rt.yields(n % 2).await;
                    shield(rt.yields(1)).await;
                    failed.fetch_add(1, Ordering::SeqCst);
                    Err::<(), _>(life)
                });
            }
            rt.yields(3).await;
            Ok(())
        });
        assert!(group.await.is_ok());
        assert_eq!(
            handled.load(Ordering::SeqCst),
            failed.load(Ordering::SeqCst)
        );
    };
    assert!(cancel_at_every_pending(rt, body).await > 2);
    assert!(drop_at_every_pending(rt, body).await > 2);
}

/// `name`: the body and the children can ask for it, and `Debug` shows it. Without one there is none.
pub async fn a_group_has_the_name_that_it_was_given<B: Backend>(rt: Rt<B>) {
    let options = rt.group_options::<()>().name("workers");
    assert!(format!("{options:?}").contains("workers"));
    let group = options.run(async |g| {
        assert_eq!(g.name(), Some("workers"));
        assert!(format!("{g:?}").contains("workers"));
        let own = g.clone();
        let child = g.spawn(async move { Ok(own.name().map(str::to_owned)) });
        assert_eq!(child.await.as_deref(), Some("workers"));
        let inner = rt.task_group(async |h| Ok::<_, ()>(h.name().is_none()));
        assert_eq!(inner.await, Ok(true));
        Ok(g)
    });
    assert_eq!(group.await.unwrap().name(), Some("workers"));
    let unnamed = rt.group_options::<()>().limit(1).run(async |g| Ok(g));
    assert_eq!(unnamed.await.unwrap().name(), None);
}

/// `grace`: what would be cancelled "is asked to stop first". What ends in time has its value.
pub async fn a_failure_asks_the_others_to_stop_first<B: Backend>(rt: Rt<B>) {
    let before = rt.now();
    let group = rt.group_options().grace(rt.hour()).run(async |g| {
        let polite = g.spawn(async move {
            stopping().await;
            rt.yields(3).await;
            Ok(is_stopping())
        });
        let failed = g.spawn(async { Err::<(), _>("failed") });
        stopping().await;
        assert!(is_stopping());
        assert_eq!(failed.outcome().await, Err(Stopped::Failed));
        assert!(polite.await);
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    assert!(rt.now() - before < rt.hour(), "over when all have ended");
}

/// Section 4: the others are told before the handle reports the failure, as they are cancelled before it elsewhere.
pub async fn the_others_are_told_before_the_handle_reports_a_failure<B: Backend>(rt: Rt<B>) {
    for _ in 0..100 {
        let group = rt.group_options().grace(rt.hour()).run(async |g| {
            let failed = g.spawn(async { Err::<(), _>("failed") });
            assert_eq!(failed.outcome().await, Err(Stopped::Failed));
            assert!(is_stopping());
            assert!(g.spawn(async { Ok(is_stopping()) }).await);
            Ok(())
        });
        assert_eq!(group.await.unwrap_err().into_first(), "failed");
    }
}

/// The body's own error begins a grace period for the children, and so does a panic of either.
pub async fn every_kind_of_failure_begins_the_grace<B: Backend>(rt: Rt<B>) {
    for (of_body, panics) in [(false, true), (true, false), (true, true)] {
        let log = Log::default();
        let group = rt.group_options().grace(rt.hour()).run(async |g| {
            let saved = log.clone();
            g.spawn(async move {
                stopping().await;
                rt.yields(2).await;
                let _: () = saved.add("saved");
                Ok(())
            });
            let fail = async move {
                assert!(!panics, "panicked");
                Err::<(), _>("failed")
            };
            if of_body {
                return fail.await;
            }
            g.spawn(fail);
            let _: () = stopping().await;
            Ok(())
        });
        match panic_of(group).await {
            Ok(result) => assert_eq!((panics, result.unwrap_err().first), (false, "failed")),
            Err(message) => assert_eq!((panics, &*message), (true, "panicked")),
        }
        assert_eq!(log.marks(), ["saved"]);
    }
}

/// "It is cancelled when `grace` has gone by", body and children, and the failure is the reason.
pub async fn who_does_not_end_in_time_is_cancelled<B: Backend>(rt: Rt<B>) {
    let (log, deaf) = (Log::default(), Mutex::new(None));
    let before = rt.now();
    let group = rt.group_options().grace(rt.tick()).run(async |g| {
        *deaf.lock().unwrap() = Some(g.spawn(pending::<Result<(), _>>()));
        g.spawn_named("bad", async { Err::<(), _>("failed") });
        let _cut = log.on_drop("body dropped");
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    assert!(rt.now() - before >= rt.tick(), "not before its time");
    assert_eq!(log.marks(), ["body dropped"]);
    let deaf = deaf.into_inner().unwrap().unwrap();
    let reason = Reason::ChildFailed(Some("bad".into()));
    assert_eq!(deaf.outcome().await, Err(Stopped::Cancelled(reason)));
}

/// The grace period has an end in sight, and a second failure does not move it.
pub async fn a_second_failure_does_not_begin_the_grace_anew<B: Backend>(rt: Rt<B>) {
    async fn end<B: Backend>(rt: Rt<B>) -> Instant {
        loop {
            match rt.effective_deadline() {
                Some(end) => return end,
                // It begins when the group itself is polled.
                None => rt.yields(1).await,
            }
        }
    }
    let before = rt.now();
    let group = rt.group_options().grace(rt.hour()).run(async |g| {
        let (fail, failing) = oneshot::channel::<()>();
        let second = g.spawn(async move {
            failing.await.ok();
            Err::<(), _>("second")
        });
        g.spawn(async { Err::<(), _>("first") });
        stopping().await;
        let first_end = end(rt).await;
        assert!(first_end >= before + rt.hour());
        rt.sleep(rt.tick()).await;
        drop(fail);
        assert_eq!(second.outcome().await, Err(Stopped::Failed));
        rt.yields(3).await;
        assert_eq!(g.spawn(async move { Ok(end(rt).await) }).await, first_end);
        Ok(())
    });
    let error = group.await.unwrap_err();
    assert!(error.iter().copied().eq(["first", "second"]));
}

/// A deadline of the children that comes first does not keep the end of the grace period from coming for the body.
pub async fn a_deadline_of_the_children_leaves_the_grace_its_end<B: Backend>(rt: Rt<B>) {
    let before = rt.now();
    let group = rt.group_options().grace(2 * rt.tick()).run(async |g| {
        g.scope().set_deadline(Some(rt.now() + rt.tick()));
        g.spawn(pending::<Result<(), _>>());
        g.spawn(async { Err::<(), _>("failed") });
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    assert!(rt.now() - before >= 2 * rt.tick(), "not before its time");
}

/// "Who awaits the handle of the child that has failed waits as long", and is cut then; no panic replaces the error.
pub async fn who_awaits_the_failed_child_waits_for_the_end_of_the_grace<B: Backend>(rt: Rt<B>) {
    for by_sibling in [false, true] {
        let (log, before) = (Log::default(), rt.now());
        let group = rt.group_options().grace(rt.tick()).run(async |g| {
            let failed = g.spawn(async { Err::<(), _>("failed") });
            let marks = log.clone();
            let awaiter = async move {
                let _cut = marks.on_drop("cut");
                failed.await;
                marks.add("went on");
                Ok(())
            };
            if by_sibling {
                g.spawn(awaiter);
                return Ok(());
            }
            awaiter.await
        });
        assert_eq!(group.await.unwrap_err().into_first(), "failed");
        assert!(rt.now() - before >= rt.tick());
        assert_eq!(log.marks(), ["cut"]);
    }
}

/// Section 4: who awaits it inside a shield is not going to be cancelled, and is told at once.
pub async fn who_awaits_the_failed_child_inside_a_shield_is_told<B: Backend>(rt: Rt<B>) {
    let group = rt.group_options().grace(rt.hour()).run(async |g| {
        let failed = g.spawn(async { Err::<(), _>("failed") });
        shield(failed).await;
        Ok(())
    });
    let message = panic_of(group).await.unwrap_err();
    assert!(message.contains("outcome()"), "{message}");
}

/// A group that has ended has no say over what was first polled in it and lives on: nobody waits for ever.
pub async fn a_failed_group_has_no_say_after_its_end<B: Backend>(rt: Rt<B>) {
    let (open, gate) = oneshot::channel::<()>();
    let (give, given) = oneshot::channel();
    let scope = rt.scope();
    let mut lent = Box::pin(scope.run(async {
        gate.await.ok();
        let is_stopping = is_stopping();
        let failed: Task<B, ()> = given.await.unwrap();
        (is_stopping, panic_of(failed).await)
    }));
    let group = rt.group_options().grace(rt.hour()).run(async |g| {
        assert!(futures::poll!(&mut lent).is_pending());
        let failed = g.spawn(async { Err::<(), _>("failed") });
        stopping().await;
        assert!(give.send(failed).is_ok());
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    drop(open);
    let (is_stopping, result) = lent.await.unwrap();
    let message = result.unwrap_err();
    assert!(message.contains("outcome()"), "{message}");
    assert!(!is_stopping);
}

/// What is shielded outlives the grace period, and is cut right after the shield.
pub async fn a_shield_outlives_the_grace<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.group_options().grace(rt.tick()).run(async |g| {
        let (cut, was_cut) = oneshot::channel::<()>();
        let (begin, has_begun) = oneshot::channel::<()>();
        let shielded = log.clone();
        g.spawn(async move {
            let until_the_grace_is_over = async {
                begin.send(()).ok();
                was_cut.await.ok();
                rt.yields(2).await;
                shielded.add("shield ended");
            };
            shield(until_the_grace_is_over).await;
            shielded.add("went on");
            pending::<Result<(), _>>().await
        });
        g.spawn(async move {
            let _cut = cut;
            pending::<Result<(), _>>().await
        });
        has_begun.await.ok();
        Err::<(), _>("failed")
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    assert_eq!(log.marks(), ["shield ended", "went on"]);
}

/// A cancellation from outside cuts the grace period short; the error comes out all the same (rule 6).
pub async fn a_cancellation_from_outside_cuts_the_grace_short<B: Backend>(rt: Rt<B>) {
    let (log, scope, before) = (Log::default(), rt.scope(), rt.now());
    let group = rt.group_options().grace(rt.hour()).run(async |g| {
        let (saved, cancel) = (log.clone(), scope.clone());
        g.spawn(async move {
            stopping().await;
            rt.yields(2).await;
            saved.add("saved");
            cancel.cancel();
            pending::<Result<(), _>>().await
        });
        let failed = g.spawn(async { Err::<(), _>("failed") });
        let _cut = log.on_drop("body cut");
        failed.await;
        Ok(())
    });
    let result = scope.run(group).await.unwrap();
    assert_eq!(result.unwrap_err().into_first(), "failed");
    assert!(rt.now() - before < rt.hour());
    assert_eq!(log.marks(), ["saved", "body cut"]);
}

/// `g.cancel()` does so for the children.
pub async fn cancel_cuts_the_grace_of_the_children_short<B: Backend>(rt: Rt<B>) {
    let before = rt.now();
    let group = rt.group_options().grace(rt.hour()).run(async |g| {
        let deaf = g.spawn(pending::<Result<(), _>>());
        g.spawn(async { Err::<(), _>("failed") });
        stopping().await;
        g.cancel();
        let cancelled = Err(Stopped::Cancelled(Reason::Explicit(None)));
        assert_eq!(deaf.outcome().await, cancelled);
        let _: () = rt.yields(2).await;
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    assert!(rt.now() - before < rt.hour());
}

/// A grace of zero is none: the others are cancelled at once.
pub async fn a_grace_of_zero_cancels_at_once<B: Backend>(rt: Rt<B>) {
    let deaf = Mutex::new(None);
    let options = rt.group_options().grace(rt.hour()).grace(Duration::ZERO);
    let group = options.run(async |g| {
        *deaf.lock().unwrap() = Some(g.spawn(pending::<Result<(), _>>()));
        let failed = g.spawn(async { Err::<(), _>("failed") });
        failed.await;
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    let deaf = deaf.into_inner().unwrap().unwrap();
    let cancelled = Stopped::Cancelled(Reason::ChildFailed(None));
    assert_eq!(deaf.outcome().await, Err(cancelled));
}

/// A grace that overflows the clock never ends by itself; the group does, when the others have ended.
pub async fn a_failure_with_endless_grace_waits_for_the_others<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.group_options().grace(Duration::MAX).run(async |g| {
        g.spawn(async { Err::<(), _>("failed") });
        let saved = log.clone();
        g.spawn(async move {
            stopping().await;
            rt.sleep(rt.tick()).await;
            let _: () = saved.add("saved");
            Ok(())
        });
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
    assert_eq!(log.marks(), ["saved"]);
}

/// A stop is sticky: who is spawned during the grace period, or has its turn only then, knows of it.
pub async fn who_begins_during_the_grace_knows_of_it<B: Backend>(rt: Rt<B>) {
    let options = rt.group_options().limit(1).grace(rt.hour());
    let group = options.run(async |g| {
        g.spawn(async { Err::<(), _>("failed") });
        let waited = g.spawn(async { Ok(is_stopping()) });
        stopping().await;
        let late = g.spawn(async { Ok(is_stopping()) });
        let daemon = g.spawn_daemon(async {
            let _: () = stopping().await;
            Ok(())
        });
        assert!(waited.await && late.await);
        daemon.await;
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().into_first(), "failed");
}

/// The stop reaches the groups inside, also behind shields, and not those around.
pub async fn the_grace_is_heard_inside_and_not_around<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let (tell, told) = oneshot::channel::<()>();
        let sibling = g.spawn(async {
            told.await.ok();
            Ok(is_stopping())
        });
        let inner = rt.group_options().grace(rt.hour()).run(async |h| {
            let below = rt.task_group(async |i| {
                i.spawn(async {
                    let _: () = shield(stopping()).await;
                    Ok::<_, ()>(())
                });
                i.spawn_daemon(pending());
                let _: () = stopping().await;
                Ok(())
            });
            h.spawn(async { Err::<(), _>("failed") });
            assert_eq!(below.await, Ok(()));
            drop(tell);
            Ok(())
        });
        assert_eq!(inner.await.unwrap_err().into_first(), "failed");
        assert!(!sibling.await && !is_stopping());
        Ok(())
    });
    assert_eq!(outer.await, Ok::<_, anyrt_core::GroupError<()>>(()));
}

/// What does not cancel the group does not begin a grace period either.
pub async fn an_error_that_is_supervised_begins_no_grace<B: Backend>(rt: Rt<B>) {
    let options = rt.group_options().supervise().grace(rt.hour());
    let group = options.run(async |g| {
        let polite = g.spawn(async {
            stopping().await;
            Ok(())
        });
        let failed = g.spawn(async { Err::<(), _>("child") });
        assert_eq!(failed.outcome().await, Err(Stopped::Failed));
        rt.yields(3).await;
        assert!(!is_stopping() && !polite.is_finished());
        Err::<(), _>("body")
    });
    let error = group.await.unwrap_err();
    assert!(error.iter().copied().eq(["child", "body"]));
}

/// A group that is dropped during its grace period cancels its children at once, and they are adopted.
pub async fn a_group_dropped_during_its_grace_is_adopted<B: Backend>(rt: Rt<B>) {
    let (alive, before) = (Alive::default(), rt.now());
    let outer = rt.task_group(async |_| {
        let (tell, told) = oneshot::channel::<()>();
        let inner = rt.group_options().grace(rt.hour()).run(async |g| {
            let life = alive.born();
            g.spawn(async move {
                shield(rt.yields(20)).await;
                let _life = life;
                pending::<Result<(), _>>().await
            });
            g.spawn(async { Err::<(), _>("failed") });
            stopping().await;
            drop(tell);
            pending::<Result<(), _>>().await
        });
        let selected = select(Box::pin(inner), told).await;
        assert!(matches!(selected, Either::Right(_)));
        drop(selected);
        Ok::<_, ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(alive.count(), 0);
    assert!(rt.now() - before < rt.hour());
}

/// Cancelling or dropping at any moment, before the failure or during the grace, leaves nothing behind.
pub async fn groups_with_a_grace_may_be_interrupted_anywhere<B: Backend>(rt: Rt<B>) {
    let body = |alive: Alive| async move {
        let group = rt.group_options().grace(rt.hour()).run(async |g| {
            let (life, late, siblings) = (alive.born(), alive.born(), g.clone());
            g.spawn(async move {
                stopping().await;
                siblings.spawn(async move {
                    rt.yields(2).await;
                    let _: () = drop(late);
                    Ok(())
                });
                shield(rt.yields(2)).await;
                let _: () = drop(life);
                Ok(())
            });
            g.spawn(async move {
                rt.yields(2).await;
                Err::<(), _>("failed")
            });
            stopping().await;
            let _: () = rt.yields(2).await;
            Ok(())
        });
        assert_eq!(group.await.unwrap_err().into_first(), "failed");
    };
    assert!(cancel_at_every_pending(rt, body).await > 2);
    assert!(drop_at_every_pending(rt, body).await > 2);
}
