//! Calls through portals from tasks, which do not block.

use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyrt_core::{Backend, Portal, PortalClosed, Reason, Stopped, finally};
use futures::channel::oneshot;
use futures::executor::block_on;

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::probe::{Alive, Log, on_a_fresh_thread, panic_of};
use crate::rt::Rt;

/// `call_async` gives the value, or resumes the panic, of what it calls.
pub async fn an_async_call_gives_the_value_or_the_panic<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    assert_eq!(portal.call_async(async { 7 }).await, Ok(7));
    let later = portal.call_async(async move {
        rt.yields(3).await;
        rt.sleep(rt.tick()).await;
        "later"
    });
    assert_eq!(later.await, Ok("later"));
    let panics = portal.call_async(async move {
        rt.yields(1).await;
        resume_unwind(Box::new("of the callee"))
    });
    let panic = panic_of::<Result<(), PortalClosed>>(panics).await;
    assert_eq!(panic.unwrap_err(), "of the callee");
}

/// A call is lazy: nothing runs before it is polled, and nothing at all if it never is.
pub async fn an_async_call_is_lazy<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let life = alive.born();
    let call = rt.portal().call_async(async move {
        let _life = life;
        panic!("it is not to run");
    });
    rt.yields(5).await;
    drop::<Pin<Box<dyn Future<Output = Result<(), _>>>>>(Box::pin(call));
    assert_eq!(alive.count(), 0);
}

/// "In a cancelled scope `future` never runs."
pub async fn in_a_cancelled_scope_an_async_call_never_runs<B: Backend>(rt: Rt<B>) {
    let (portal, alive) = (rt.portal(), Alive::default());
    let ran = Arc::new(AtomicBool::new(false));
    let (life, mark) = (alive.born(), ran.clone());
    let call = portal.call_async(async move {
        let _life = life;
        mark.store(true, Ordering::SeqCst);
    });
    assert!(rt.cancelled(call).await.is_err());
    assert_eq!((alive.count(), ran.load(Ordering::SeqCst)), (0, false));
}

/// "A cancellation of the caller cancels `future`, waits until it has ended, and is then delivered."
pub async fn a_cancelled_caller_waits_for_the_end_of_the_call<B: Backend>(rt: Rt<B>) {
    let (portal, scope, log) = (rt.portal(), rt.scope(), Log::default());
    let (begun, has_begun) = oneshot::channel();
    let mark = log.clone();
    let run = scope.run(async {
        let call = portal.call_async(async move {
            let work = async {
                begun.send(()).unwrap();
                pending::<()>().await;
            };
            finally(work, async || {
                rt.yields(5).await;
                mark.add("callee");
            })
            .await;
        });
        call.await.ok();
        log.add("went on");
    });
    let cancel = async {
        has_begun.await.unwrap();
        scope.cancel();
    };
    let (cancelled, ()) = futures::join!(run, cancel);
    log.add("caller");
    assert!(cancelled.is_err());
    assert_eq!(log.marks(), ["callee", "caller"]);
}

/// A time limit is a cancellation like any other.
pub async fn a_time_limit_ends_an_async_call<B: Backend>(rt: Rt<B>) {
    let (portal, alive) = (rt.portal(), Alive::default());
    let life = alive.born();
    let call = portal.call_async(async move {
        let _life = life;
        pending::<()>().await;
    });
    assert_eq!(rt.move_on_after(2 * rt.tick(), call).await, None);
    assert_eq!(alive.count(), 0);
}

/// A result that is ready beats the cancellation, here too.
pub async fn a_cancelled_caller_gets_a_value_that_is_ready<B: Backend>(rt: Rt<B>) {
    let (portal, scope) = (rt.portal(), rt.scope());
    let inner = scope.clone();
    let run = scope.run(portal.call_async(async move {
        inner.cancel();
        7
    }));
    assert_eq!(run.await, Ok(Ok(7)));
}

/// "If code that knows nothing of scopes drops the call, `future` is cancelled and ends in the group of the portal."
pub async fn a_dropped_call_ends_in_the_group_of_the_portal<B: Backend>(rt: Rt<B>) {
    let (alive, log) = (Alive::default(), Log::default());
    let group = rt.task_group(async |g| {
        let (portal, life, mark) = (g.portal(), alive.born(), log.clone());
        let (begun, has_begun) = oneshot::channel();
        let (open, gate) = oneshot::channel::<()>();
        let call = portal.call_async(async move {
            let _life = life;
            let work = async {
                begun.send(()).unwrap();
                pending::<()>().await;
            };
            finally(work, async || {
                gate.await.unwrap();
                mark.add("callee");
            })
            .await;
        });
        let call = drop_at_pending(1, call);
        assert!(call.await.is_none());
        has_begun.await.unwrap();
        log.add("caller");
        open.send(()).unwrap();
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!((log.marks(), alive.count()), (vec!["caller", "callee"], 0));
}

/// A call that the portal's own group ends is an error to the caller, who was not cancelled and goes on.
pub async fn a_caller_outlives_the_group_of_the_portal<B: Backend>(rt: Rt<B>) {
    let (pass, passed) = oneshot::channel();
    let (begun, has_begun) = oneshot::channel();
    let group = rt.task_group(async |g| {
        pass.send(g.portal()).unwrap();
        has_begun.await.unwrap();
        Ok::<_, ()>(())
    });
    let call = async {
        let portal = passed.await.unwrap();
        let call = portal.call_async(async move {
            begun.send(()).unwrap();
            pending::<()>().await
        });
        (call.await, portal.call_async(async {}).await)
    };
    let closed = Err(PortalClosed::Closed);
    assert_eq!(
        futures::join!(group, call),
        (Ok(()), (closed.clone(), closed))
    );
}

/// Cancelled at each of its `Pending`s, and dropped there: nothing of a chain of calls is left.
pub async fn calls_may_be_cancelled_and_dropped_at_any_pending<B: Backend>(rt: Rt<B>) {
    async fn chain<B: Backend>(rt: Rt<B>, portal: Portal<B>, alive: Alive) {
        let (outer, inner) = (alive.born(), alive.born());
        let there = portal.clone();
        // What is called may be done before anybody looks.
        rt.yields(2).await;
        let call = portal.call_async(async move {
            let _life = outer;
            rt.yields(1).await;
            let call = there.call_async(async move {
                rt.yields(2).await;
                inner
            });
            let _value = call.await;
            rt.yields(1).await;
        });
        call.await.unwrap();
    }
    let group = rt.task_group(async |g| {
        let portal = g.portal();
        let cancelled = cancel_at_every_pending(rt, |alive| chain(rt, portal.clone(), alive));
        assert!(cancelled.await > 1);
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
    // What is dropped is not waited for where it was dropped, but by the group of the portal.
    let lives = Alive::default();
    let group = rt.task_group(async |g| {
        let portal = g.portal();
        let dropped = drop_at_every_pending(rt, |_| chain(rt, portal.clone(), lives.clone()));
        assert!(dropped.await > 1);
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(lives.count(), 0);
}

/// `outcome()` is for the tasks of any runtime, and needs none.
pub async fn an_outcome_may_be_awaited_anywhere<B: Backend>(rt: Rt<B>) {
    let portal = rt.portal();
    let task = portal.spawn(rt.yields(3));
    assert_eq!(task.outcome().await, Ok(()));
    let task = portal.spawn(pending::<()>());
    task.cancel();
    let cancelled = Err(Stopped::Cancelled(Reason::Explicit(None)));
    assert_eq!(task.outcome().await, cancelled);
    let foreign = rt.to_thread(move || {
        let task = portal.spawn(async { 7 });
        // Of another crate, and so unknown to a simulator; the call that this is in stands for it.
        B::wait_outside(|| on_a_fresh_thread(move || block_on(task.outcome())))
    });
    assert_eq!(foreign.await, Ok(7));
}
