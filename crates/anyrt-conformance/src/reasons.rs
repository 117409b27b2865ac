//! Reasons: why something was cancelled, as `Cancelled`, `Stopped` and their messages tell it.

use std::error::Error;
use std::future::pending;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use anyrt_core::{Backend, CancelScope, Cancelled, Reason, Stopped, shield};
use futures::channel::oneshot;
use futures::future::join_all;
use futures::{FutureExt, poll};

use super::everywhere::drop_at_pending;
use super::flavour::{Rt, Task, TaskGroup};
use crate::probe::{because, panic_of};

/// The handles of children, kept until their group has ended.
struct Kept<B: Backend>(Arc<Mutex<Vec<Task<B, ()>>>>);

impl<B: Backend> Kept<B> {
    fn none() -> Self {
        Self(Arc::default())
    }

    fn same(&self) -> Self {
        Self(self.0.clone())
    }

    fn keep(&self, child: Task<B, ()>) {
        self.0.lock().unwrap().push(child);
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    async fn outcomes(self) -> Vec<Result<(), Stopped>> {
        let kept = std::mem::take(&mut *self.0.lock().unwrap());
        join_all(kept.into_iter().map(Task::outcome)).await
    }

    /// The outcome of the only one.
    async fn outcome(self) -> Result<(), Stopped> {
        let mut outcomes = self.outcomes().await;
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }
}

/// The outcome of a child that was cancelled for this reason.
fn cut(reason: Reason) -> Result<(), Stopped> {
    Err(Stopped::Cancelled(reason))
}

/// Asserts that both ways to hear of a reason name it, as a value and in words.
#[track_caller]
fn names(reason: &Reason, words: &str, cancelled: &Cancelled, child: &Result<(), Stopped>) {
    assert_eq!(cancelled.reason(), reason);
    assert_eq!(cancelled.to_string(), words);
    assert_eq!(child, &cut(reason.clone()));
    let said = child.as_ref().unwrap_err().to_string();
    assert_eq!(said, format!("the child was cancelled: {words}"));
}

/// Runs a child that waits in a group in `scope`, and gives what the scope and the handle of the child say when the
/// scope has been cancelled.
async fn cut_in<B: Backend>(
    rt: Rt<B>,
    scope: &CancelScope<B>,
    cancel: impl FnOnce(),
) -> (Cancelled, Result<(), Stopped>) {
    let child = Kept::none();
    let group = rt.task_group(async |g| {
        child.keep(g.spawn(pending::<Result<(), ()>>()));
        rt.yields(3).await;
        cancel();
        pending::<Result<(), ()>>().await
    });
    let cancelled = scope.run(group).await.unwrap_err();
    (cancelled, child.outcome().await)
}

/// A deadline that has passed: of the scope, and for the children inside it.
pub async fn a_deadline_is_named<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_timeout(rt.tick());
    let (cancelled, child) = cut_in(rt, &scope, || {}).await;
    names(&Reason::Deadline, "deadline passed", &cancelled, &child);
    assert_eq!(scope.reason(), Some(Reason::Deadline));
}

/// A request, with the message that was given or without one.
pub async fn a_request_is_named_with_its_message<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let (cancelled, child) = cut_in(rt, &scope, || scope.cancel()).await;
    let words = "cancelled on request";
    names(&Reason::Explicit(None), words, &cancelled, &child);

    let scope = rt.scope();
    let (cancelled, child) = cut_in(rt, &scope, || scope.cancel_with("no more disk")).await;
    let words = "cancelled on request: no more disk";
    names(&because("no more disk"), words, &cancelled, &child);
}

/// A graceful stop whose time is up.
pub async fn a_shutdown_is_named<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let (cancelled, child) = cut_in(rt, &scope, || scope.stop(rt.tick())).await;
    names(&Reason::Shutdown, "shut down", &cancelled, &child);
}

/// The failure of a child: its siblings name it, and so does whoever runs something under the children's scope.
pub async fn the_failure_of_a_child_is_named<B: Backend>(rt: Rt<B>) {
    for panics in [false, true] {
        let (sibling, seen) = (Kept::none(), OnceLock::new());
        let group = rt.task_group(async |g| {
            sibling.keep(g.spawn(pending::<Result<(), _>>()));
            g.spawn_named("fetch", async move {
                assert!(!panics, "fetch");
                Err::<(), _>("fetch")
            });
            let late = shield(async {
                let failed = g.spawn(pending::<Result<(), _>>()).outcome().await;
                assert!(failed.is_err());
                g.cancel();
                g.scope().run(pending::<()>()).await.unwrap_err()
            });
            seen.set(late.await).ok();
            Ok(())
        });
        let failed = panic_of(group)
            .await
            .map(|group| group.unwrap_err().into_first());
        assert_eq!(failed.is_err(), panics);
        let sibling = sibling.outcome().await;
        let (reason, words) = (
            Reason::ChildFailed(Some("fetch".into())),
            "task `fetch` of the group failed",
        );
        names(&reason, words, &seen.into_inner().unwrap(), &sibling);
    }
}

/// A failure without a name: of a child that was given none, and of the body.
pub async fn a_failure_without_a_name_is_named_as_one<B: Backend>(rt: Rt<B>) {
    for who in ["child", "panicking child", "body", "panicking body"] {
        let sibling = Kept::none();
        let group = rt.task_group(async |g| {
            sibling.keep(g.spawn(pending::<Result<(), _>>()));
            match who {
                "child" => drop(g.spawn(async { Err::<(), _>(()) })),
                "panicking child" => drop(g.spawn(async { panic!("child") as Result<(), ()> })),
                "body" => return Err(()),
                _ => panic!("body"),
            }
            pending::<Result<(), ()>>().await
        });
        assert_ne!(panic_of(group).await, Ok(Ok(())));
        let sibling = sibling.outcome().await;
        assert_eq!(sibling, cut(Reason::ChildFailed(None)));
        let said = sibling.unwrap_err().to_string();
        assert_eq!(said, "the child was cancelled: a task of the group failed");
    }
}

/// Each group names the child of its own that failed, also where that failed because of one further in.
pub async fn each_group_names_its_own_child<B: Backend>(rt: Rt<B>) {
    let (outer, inner) = (Kept::none(), Kept::none());
    let group = rt.task_group(async |g| {
        outer.keep(g.spawn(pending::<Result<(), _>>()));
        let sibling = inner.same();
        g.spawn_named("branch", async move {
            let inner = rt.task_group(async |h| {
                sibling.keep(h.spawn(pending::<Result<(), _>>()));
                h.spawn_named("leaf", async { Err::<(), _>("leaf") });
                pending::<Result<(), _>>().await
            });
            inner.await.map_err(|error| error.into_first())
        });
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "leaf");
    let failed = |name: &str| cut(Reason::ChildFailed(Some(name.into())));
    assert_eq!(outer.outcome().await, failed("branch"));
    assert_eq!(inner.outcome().await, failed("leaf"));
}

/// Of several children that fail one after the other the first is named, also by who ends after all of them.
pub async fn the_first_of_several_failures_is_named<B: Backend>(rt: Rt<B>) {
    let sibling = Kept::none();
    let (open, gate) = oneshot::channel::<()>();
    let group = rt.task_group(async |g| {
        let held = async move {
            let _ = shield(gate).await;
            pending::<Result<(), _>>().await
        };
        sibling.keep(g.spawn(held));
        let fail = shield(async {
            for name in ["first", "second", "third"] {
                let failing = g.spawn_named(name, async move { Err::<(), _>(name) });
                assert_eq!(failing.outcome().await, Err(Stopped::Failed));
            }
            drop(open);
        });
        fail.await;
        Ok(())
    });
    assert_eq!(group.await.unwrap_err().len(), 3);
    let sibling = sibling.outcome().await;
    assert_eq!(sibling, cut(Reason::ChildFailed(Some("first".into()))));
}

/// A daemon that ends with the rest of its group says so.
pub async fn the_end_of_the_rest_is_named<B: Backend>(rt: Rt<B>) {
    let daemon = Kept::none();
    let group = rt.task_group(async |g| {
        daemon.keep(g.spawn_daemon(pending::<Result<(), ()>>()));
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let daemon = daemon.outcome().await;
    assert_eq!(daemon, cut(Reason::Done));
    let said = daemon.unwrap_err().to_string();
    assert_eq!(
        said,
        "the child was cancelled: the rest of the group is done"
    );
}

/// A child whose group was dropped from outside says so.
pub async fn a_drop_from_outside_is_named<B: Backend>(rt: Rt<B>) {
    let child = Kept::none();
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            child.keep(g.spawn(pending::<Result<(), ()>>()));
            pending::<Result<(), ()>>().await
        });
        drop_at_pending(1, inner).await;
        Ok::<_, ()>(())
    });
    assert_eq!(outer.await, Ok(()));
    let child = child.outcome().await;
    assert_eq!(child, cut(Reason::Dropped));
    let said = child.unwrap_err().to_string();
    assert_eq!(said, "the child was cancelled: dropped by its owner");
}

/// The reason is the same at every depth, also for what has scopes of its own that nobody cancelled.
pub async fn the_reason_is_the_same_at_every_depth<B: Backend>(rt: Rt<B>) {
    fn nest<B: Backend>(g: &TaskGroup<B, ()>, depth: usize, kept: &Kept<B>) {
        let (rt, deeper) = (Rt::<B>::new(), kept.same());
        kept.keep(g.spawn(async move {
            let group = rt.task_group(async |h| {
                if depth > 0 {
                    nest(&h, depth - 1, &deeper);
                }
                pending::<Result<(), ()>>().await
            });
            let within = rt.move_on_after(rt.hour(), rt.scope().run(group));
            assert!(within.await.is_none(), "interrupted on the way");
            Ok(())
        }));
    }
    let (scope, kept) = (rt.scope(), Kept::none());
    let group = rt.task_group(async |g| {
        nest(&g, 4, &kept);
        while kept.len() < 5 {
            rt.yields(1).await;
        }
        scope.cancel_with("all of it");
        Ok(())
    });
    let cancelled = scope.run(group).await.unwrap_err();
    assert_eq!(cancelled.reason(), &because("all of it"));
    assert_eq!(kept.outcomes().await, vec![cut(because("all of it")); 5]);
}

/// First cause wins, whatever comes after it: for a scope.
pub async fn of_the_causes_of_a_scope_the_first_is_named<B: Backend>(rt: Rt<B>) {
    let (request, deadline, shutdown) = (because("request"), Reason::Deadline, Reason::Shutdown);
    for first in [&request, &deadline, &shutdown] {
        for second in [&request, &deadline, &shutdown] {
            let scope = rt.scope();
            let give = |reason: &Reason| match reason {
                Reason::Deadline => scope.set_deadline(Some(rt.now())),
                Reason::Shutdown => scope.stop(Duration::ZERO),
                _ => scope.cancel_with("request"),
            };
            let body = async {
                let both = shield(async {
                    rt.yields(1).await;
                    give(first);
                    rt.yields(2).await;
                    give(second);
                    rt.yields(2).await;
                });
                both.await;
                pending::<()>().await;
            };
            let cancelled = scope.run(body).await.unwrap_err();
            assert_eq!(cancelled.reason(), first, "before {second:?}");
            assert_eq!(scope.reason().as_ref(), Some(first));
        }
    }
}

/// First cause wins, wherever around it the causes lie: for a child.
pub async fn of_the_causes_of_a_child_the_first_is_named<B: Backend>(rt: Rt<B>) {
    let causes = [
        because("children"),
        because("around"),
        Reason::ChildFailed(Some("sibling".into())),
        Reason::Deadline,
    ];
    for first in &causes {
        for second in &causes {
            let (scope, child) = (rt.scope(), Kept::none());
            let (open, gate) = oneshot::channel::<()>();
            let group = rt.task_group(async |g| {
                let held = async move {
                    let _ = shield(gate).await;
                    pending::<Result<(), ()>>().await
                };
                child.keep(g.spawn(held));
                let both = shield(async {
                    for reason in [first, second] {
                        match reason {
                            Reason::Deadline => g.scope().set_deadline(Some(rt.now())),
                            Reason::ChildFailed(_) => {
                                let sibling = async { Err::<(), _>(()) };
                                let sibling = g.spawn_named("sibling", sibling);
                                assert_eq!(sibling.outcome().await, Err(Stopped::Failed));
                            }
                            reason if *reason == because("around") => scope.cancel_with("around"),
                            _ => g.scope().cancel_with("children"),
                        }
                        // The clock is looked at before anything that comes after it.
                        g.scope().is_cancelled();
                        rt.yields(2).await;
                    }
                    drop(open);
                });
                both.await;
                Ok(())
            });
            let _ = scope.run(group).await;
            let outcome = child.outcome().await;
            assert_eq!(outcome, cut(first.clone()), "before {second:?}");
        }
    }
}

/// A scope that has ended has no say any more in what outlives it, nor does its reason.
pub async fn a_run_that_outlives_a_scope_names_its_own_reason<B: Backend>(rt: Rt<B>) {
    for outer_first in [true, false] {
        let (outer, scope) = (rt.scope(), rt.scope());
        let mut run = Box::pin(scope.run(pending::<()>()));
        let lent = outer.run(async {
            assert!(poll!(&mut run).is_pending());
            if outer_first {
                outer.cancel_with("outer");
            }
            scope.cancel_with("own");
            outer.cancel_with("outer");
        });
        // The body is ready, so it wins, and the run lives on.
        assert_eq!(lent.await, Ok(()));
        assert_eq!(run.await.unwrap_err().reason(), &because("own"));
        assert_eq!(scope.reason(), Some(because("own")));
    }
}

/// `Cancelled` and `Stopped` are errors like any other, so the question mark hands them on.
pub async fn reasons_are_errors_like_any_other<B: Backend>(rt: Rt<B>) {
    type Any = Box<dyn Error + Send + Sync>;
    let cancelled = async {
        rt.cancelled(pending::<()>()).await?;
        Ok::<_, Any>(())
    };
    let cancelled = cancelled.await.unwrap_err();
    assert_eq!(cancelled.to_string(), "cancelled on request");
    assert!(cancelled.source().is_none() && cancelled.is::<Cancelled>());

    let group = rt.task_group(async |g| {
        let child = g.spawn(pending::<Result<(), ()>>());
        g.scope().cancel_with("enough");
        Ok(child.outcome().map(|outcome| Ok::<_, Any>(outcome?)).await)
    });
    let stopped = group.await.unwrap().unwrap_err();
    assert_eq!(
        stopped.to_string(),
        "the child was cancelled: cancelled on request: enough"
    );
    assert!(stopped.source().is_none() && stopped.is::<Stopped>());
}
