//! Whoever cancels against whoever completes: one of them wins, nobody waits for ever, and no value is lost.

use std::future::{Future, pending};
use std::time::Duration;

use anyrt_models::explore::{Alive, Gate, Life, explore};
use anyrt_models::from_thread::{FromThreadError, block_on};
use anyrt_models::{
    CancelScope, Limiter, OneThreadEach, Stopped, fail_after, portal, run, scoped_group, shield,
    task_group, to_thread,
};
use futures::future::join;
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::thread;

type Scope = CancelScope<OneThreadEach>;

/// Work that waits at a gate, and has a value then.
#[derive(Clone, Default)]
struct Work {
    gate: Gate,
    alive: Alive,
    is_done: Arc<AtomicBool>,
}

impl Work {
    fn future(&self) -> impl Future<Output = Life> + Send + 'static {
        let work = self.clone();
        async move {
            let life = work.alive.born();
            work.gate.pass().await;
            work.is_done.store(true, Ordering::SeqCst);
            life
        }
    }
}

/// `cancelled` does the work, cancels it meanwhile, and gives the value if there is one. A thread opens the gate at the
/// same time; and once more, nobody does.
fn check(cancelled: impl AsyncFn(Work) -> Option<Life> + Copy + Send + Sync + 'static) {
    let model = move |is_completed: bool| {
        run(&OneThreadEach, async {
            let work = Work::default();
            let gate = work.gate.clone();
            let opener = is_completed.then(|| thread::spawn(move || gate.open()));
            let value = cancelled(work.clone()).await;
            opener.into_iter().for_each(|opener| opener.join().unwrap());
            let is_done = work.is_done.load(Ordering::SeqCst);
            assert_eq!(is_done, value.is_some(), "a value is lost");
            assert_eq!(work.alive.count(), usize::from(is_done));
            drop(value);
            assert_eq!(work.alive.count(), 0);
            is_done
        })
    };
    assert_eq!(explore(move || model(true)), [false, true].into());
    assert_eq!(explore(move || model(false)), [false].into());
}

/// Cancels from a thread of its own.
fn cancel(scope: &Scope) -> thread::JoinHandle<()> {
    let scope = scope.clone();
    thread::spawn(move || scope.cancel())
}

#[test]
fn a_scope() {
    check(async |work: Work| {
        let scope = Scope::new();
        let canceller = cancel(&scope);
        let value = scope.run(work.future()).await.ok();
        canceller.join().unwrap();
        value
    });
}

#[test]
fn a_child() {
    check(async |work: Work| {
        let group = task_group::<OneThreadEach, _, (), _, _>(async |g| {
            let future = work.future();
            let child = g.spawn(async { Ok(future.await) });
            Ok(child.cancel().await)
        });
        group.await.unwrap()
    });
}

/// The group listens for all of its children. It may look while the cancellation is on its way down to them.
#[test]
fn children_in_one_task() {
    for body_waits in [false, true] {
        explore(move || {
            run(&OneThreadEach, async {
                let (scope, alive) = (Scope::new(), Alive::default());
                let canceller = cancel(&scope);
                let group = scoped_group::<OneThreadEach, _, (), _, _>(async |g| {
                    let life = alive.born();
                    g.spawn(async move {
                        let _life = life;
                        pending::<Result<(), ()>>().await
                    });
                    if body_waits {
                        pending::<()>().await;
                    }
                    Ok(())
                });
                assert!(scope.run(group).await.is_err());
                assert_eq!(alive.count(), 0);
                canceller.join().unwrap();
            });
        });
    }
}

/// Opens the gate when it is dropped.
struct Opens(Gate);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.open();
    }
}

/// A limit has no node, and no waker of its own, and is interrupted all the same while a shield holds the scope: this one
/// waits for just that.
#[test]
fn a_limit_beside_a_shield() {
    explore(|| {
        run(&OneThreadEach, async {
            let (scope, gate) = (Scope::new(), Gate::default());
            let canceller = cancel(&scope);
            let opens = Opens(gate.clone());
            let limit = fail_after::<OneThreadEach, _>(Duration::MAX, async move {
                let _opens = opens;
                pending::<()>().await;
            });
            let shielded = shield(async { gate.pass().await });
            assert!(scope.run(join(limit, shielded)).await.is_err());
            canceller.join().unwrap();
        });
    });
}

#[test]
fn a_task_of_a_portal() {
    check(async |work: Work| {
        let task = portal::<OneThreadEach>().spawn(work.future());
        let waiter = thread::spawn(move || {
            task.cancel();
            task.wait()
        });
        match waiter.join().unwrap() {
            Ok(value) => Some(value),
            Err(Stopped::Cancelled(_)) => None,
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_async_call_through_a_portal() {
    check(async |work: Work| {
        let scope = Scope::new();
        let canceller = cancel(&scope);
        let call = portal::<OneThreadEach>().call_async(work.future());
        let value = match scope.run(call).await {
            Ok(Ok(value)) => Some(value),
            Err(_) => None,
            other => panic!("{other:?}"),
        };
        canceller.join().unwrap();
        value
    });
}

#[test]
fn a_future_that_a_thread_drives() {
    check(async |work: Work| {
        let (scope, future) = (Scope::new(), work.future());
        let canceller = cancel(&scope);
        let call = to_thread::<OneThreadEach, _, _>(|| block_on::<OneThreadEach, _>(future));
        let value = match scope.run(call).await {
            Ok(Ok(value)) => Some(value),
            Ok(Err(FromThreadError::Cancelled(_))) | Err(_) => None,
            other => panic!("{other:?}"),
        };
        canceller.join().unwrap();
        value
    });
}

#[test]
fn a_call_that_waits_for_its_token() {
    let ends = explore(|| {
        run(&OneThreadEach, async {
            let (scope, limiter, alive) = (Scope::new(), Limiter::new(1), Alive::default());
            let permit = limiter.acquire().await;
            let gives_back = thread::spawn(move || drop(permit));
            let canceller = cancel(&scope);
            let life = alive.born();
            let call = to_thread::<OneThreadEach, _, _>(move || life);
            let value = scope.run(call.limiter(&limiter)).await.ok();
            assert_eq!(alive.count(), usize::from(value.is_some()));
            gives_back.join().unwrap();
            canceller.join().unwrap();
            let tokens = limiter.statistics();
            assert_eq!((tokens.borrowed, tokens.waiting), (0, 0));
            value.is_some()
        })
    });
    assert_eq!(ends, [false, true].into());
}

#[test]
fn an_abandoned_call() {
    let ends = explore(|| {
        run(&OneThreadEach, async {
            let (scope, limiter) = (Scope::new(), Limiter::new(1));
            let canceller = cancel(&scope);
            let call = to_thread::<OneThreadEach, _, _>(|| 7).limiter(&limiter);
            let value = scope.run(call.abandon_on_cancel()).await.ok();
            // The token comes back, at the latest when the thread has ended.
            drop(limiter.acquire().await);
            canceller.join().unwrap();
            value
        })
    });
    assert_eq!(ends, [None, Some(7)].into());
}
