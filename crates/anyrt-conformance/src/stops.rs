//! Graceful stops: who is told, and what happens when the time is up.

use std::future::pending;
use std::time::Duration;

use anyrt_core::{Backend, CancelScope, Reason, Stopped, is_stopping, shield, stopping};
use futures::join;

use super::flavour::Rt;
use crate::probe::Log;

const HOUR: Duration = Duration::from_secs(3600);

/// `stopping()` wakes in every task below.
pub async fn a_stop_is_heard_in_every_task_below<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let group = rt.task_group(async |g| {
        let children: Vec<_> = (0..5)
            .map(|_| {
                g.spawn(async move {
                    let deep = rt.task_group(async |h| {
                        let child = h.spawn(async {
                            stopping().await;
                            Ok::<_, ()>(is_stopping())
                        });
                        Ok(child.await)
                    });
                    deep.await.map_err(drop)
                })
            })
            .collect();
        rt.yields(5).await;
        scope.stop(HOUR);
        let mut heard = 0;
        for child in children {
            heard += usize::from(child.await);
        }
        Ok(heard)
    });
    assert_eq!(scope.run(group).await, Ok(Ok(5)));
    assert!(!scope.is_cancelled());
}

/// What has ended in time is not interrupted.
pub async fn work_that_ends_in_time_gives_its_value<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    scope.stop(HOUR);
    let work = scope.run(async {
        stopping().await;
        rt.yields(3).await;
        "put away"
    });
    assert_eq!(work.await, Ok("put away"));
}

/// After the grace the scope is cancelled with the reason `Shutdown`.
pub async fn after_the_grace_the_scope_is_cancelled<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let stop = async {
        rt.yields(1).await;
        scope.stop(rt.tick());
    };
    let before = rt.now();
    let (result, ()) = join!(scope.run(pending::<()>()), stop);
    assert_eq!(result.unwrap_err().reason(), &Reason::Shutdown);
    assert!(rt.now() - before >= rt.tick());
    assert_eq!(scope.reason(), Some(Reason::Shutdown));
}

/// Of two stops the earlier end counts.
pub async fn of_two_stops_the_earlier_end_counts<B: Backend>(rt: Rt<B>) {
    for (first, second) in [(HOUR, rt.tick()), (rt.tick(), HOUR)] {
        let scope = rt.scope();
        scope.stop(first);
        scope.stop(second);
        let result = scope.run(pending::<()>()).await;
        assert_eq!(result.unwrap_err().reason(), &Reason::Shutdown);
    }
}

/// A deadline that comes before the end of the grace stays the reason.
pub async fn an_earlier_deadline_stays<B: Backend>(rt: Rt<B>) {
    let scope = CancelScope::<B>::with_timeout(rt.tick());
    scope.stop(HOUR);
    let result = scope.run(pending::<()>()).await;
    assert_eq!(result.unwrap_err().reason(), &Reason::Deadline);
}

/// Moving the deadline does not move the end of a stop.
pub async fn a_moved_deadline_does_not_move_a_stop<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    scope.stop(rt.tick());
    scope.set_deadline(Some(rt.now() + HOUR));
    scope.set_deadline(None);
    let result = scope.run(pending::<()>()).await;
    assert_eq!(result.unwrap_err().reason(), &Reason::Shutdown);
}

/// The end of a stop is a deadline like any other for those below.
pub async fn the_end_of_a_stop_is_an_effective_deadline<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let before = rt.now();
    scope.stop(HOUR);
    let deadline = scope.run(async { rt.effective_deadline() }).await;
    assert!(deadline.unwrap().unwrap() >= before + HOUR);
    assert_eq!(scope.deadline(), None);
}

/// `stopping()` sees through shields.
pub async fn a_stop_is_heard_inside_a_shield<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let stop = async {
        rt.yields(2).await;
        scope.stop(HOUR);
    };
    let body = scope.run(shield(async {
        stopping().await;
        is_stopping()
    }));
    let (heard, ()) = join!(body, stop);
    assert_eq!(heard, Ok(true));
}

/// A stop asked for inside a shield stops what is inside, and later cancels it.
pub async fn a_scope_inside_a_shield_may_be_stopped<B: Backend>(rt: Rt<B>) {
    let inner = rt.scope();
    let result = shield(async {
        inner.stop(rt.tick());
        inner.run(pending::<()>()).await
    });
    assert_eq!(result.await.unwrap_err().reason(), &Reason::Shutdown);
    assert!(!is_stopping());
}

/// A plain cancel wakes `stopping()` too.
pub async fn a_cancel_wakes_those_who_wait_for_a_stop<B: Backend>(rt: Rt<B>) {
    let (scope, log) = (rt.scope(), Log::default());
    let cancel = async {
        rt.yields(2).await;
        scope.cancel();
    };
    let body = async {
        stopping().await;
        log.add("heard");
        pending::<()>().await;
    };
    let (result, ()) = join!(scope.run(body), cancel);
    assert!(result.is_err());
    assert_eq!(log.marks(), ["heard"]);
}

/// A cancellation outside of a shield is not heard inside.
pub async fn a_cancel_is_not_heard_inside_a_shield<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let body = shield(async {
        scope.cancel();
        rt.yields(2).await;
        is_stopping()
    });
    assert_eq!(scope.run(body).await, Ok(false));
}

/// A stop is sticky: who comes later is told at once.
pub async fn who_comes_later_is_told_at_once<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    scope.stop(HOUR);
    for _ in 0..2 {
        let late = scope.run(async {
            let before = is_stopping();
            stopping().await;
            let child = rt.task_group(async |g| {
                let child = g.spawn(async { Ok::<_, ()>(is_stopping()) });
                Ok(child.await)
            });
            (before, child.await)
        });
        assert_eq!(late.await, Ok((true, Ok(true))));
    }
}

/// Scopes beside the one that is stopped hear nothing.
pub async fn those_beside_hear_nothing<B: Backend>(rt: Rt<B>) {
    let (stopped, other) = (rt.scope(), rt.scope());
    let beside = other.run(async {
        stopped.stop(HOUR);
        rt.yields(3).await;
        is_stopping()
    });
    let (first, second) = join!(stopped.run(stopping()), beside);
    assert_eq!((first, second), (Ok(()), Ok(false)));
    assert!(!is_stopping());
}

/// The children of a group may be stopped alone.
pub async fn the_children_of_a_group_may_be_stopped<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let polite = g.spawn(async {
            stopping().await;
            Ok::<_, ()>("polite")
        });
        let deaf = g.spawn(pending::<Result<(), ()>>());
        rt.yields(2).await;
        g.scope().stop(rt.tick());
        assert!(!is_stopping());
        Ok((polite.await, deaf.outcome().await))
    });
    let shut_down = Err(Stopped::Cancelled(Reason::Shutdown));
    assert_eq!(group.await, Ok(("polite", shut_down)));
}

/// A stop of zero cancels at the first `Pending`; a value that is ready wins.
pub async fn a_stop_without_grace_cancels_at_the_first_pending<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    scope.stop(Duration::ZERO);
    assert_eq!(scope.run(async { 7 }).await, Ok(7));
    let result = scope.run(pending::<()>()).await;
    assert_eq!(result.unwrap_err().reason(), &Reason::Shutdown);
}

/// A grace that overflows the clock never ends.
pub async fn a_grace_that_overflows_is_for_ever<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    scope.stop(Duration::MAX);
    let work = scope.run(async {
        stopping().await;
        rt.sleep(rt.tick()).await;
    });
    assert_eq!(work.await, Ok(()));
}

/// A stop may be asked for from a thread.
pub async fn a_thread_may_ask_for_a_stop<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let stop = scope.clone();
    let thread = rt.to_thread(move || stop.stop(HOUR));
    let (heard, ()) = join!(scope.run(stopping()), thread);
    assert_eq!(heard, Ok(()));
}
