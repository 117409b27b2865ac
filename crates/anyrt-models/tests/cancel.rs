//! Whoever cancels against whoever completes: one of them wins, nobody waits for ever, and no value is lost.

use std::future::Future;

use anyrt_models::explore::{Alive, Gate, Life, explore};
use anyrt_models::from_thread::{FromThreadError, block_on};
use anyrt_models::{
    CancelScope, Limiter, OneThreadEach, PortalClosed, Stopped, portal, run, task_group, to_thread,
};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::thread;

type Scope = CancelScope<OneThreadEach>;

/// Work that waits for a thread, and has a value then.
struct Work {
    gate: Gate,
    alive: Alive,
    is_done: Arc<AtomicBool>,
}

impl Work {
    /// The work, and a thread that lets it go on.
    fn begin() -> (Self, thread::JoinHandle<()>) {
        let work = Self {
            gate: Gate::default(),
            alive: Alive::default(),
            is_done: Arc::default(),
        };
        let gate = work.gate.clone();
        (work, thread::spawn(move || gate.open()))
    }

    fn future(&self) -> impl Future<Output = Life> + Send + 'static {
        let (gate, alive, is_done) = (self.gate.clone(), self.alive.clone(), self.is_done.clone());
        async move {
            let life = alive.born();
            gate.pass().await;
            is_done.store(true, Ordering::SeqCst);
            life
        }
    }

    /// Both are over: a value is there if and only if the work was done, and nothing else is left of it.
    fn end(self, value: Option<Life>, opener: thread::JoinHandle<()>) -> &'static str {
        opener.join().unwrap();
        let has_value = value.is_some();
        assert_eq!(
            self.is_done.load(Ordering::SeqCst),
            has_value,
            "a value is lost"
        );
        assert_eq!(self.alive.count(), usize::from(has_value));
        drop(value);
        assert_eq!(self.alive.count(), 0);
        if has_value { "done" } else { "cut" }
    }
}

/// Cancels from a thread of its own.
fn cancel(scope: &Scope) -> thread::JoinHandle<()> {
    let scope = scope.clone();
    thread::spawn(move || scope.cancel())
}

#[test]
fn a_scope() {
    let ends = explore(|| {
        run(&OneThreadEach, async {
            let (work, opener) = Work::begin();
            let scope = Scope::new();
            let canceller = cancel(&scope);
            let value = scope.run(work.future()).await.ok();
            let end = work.end(value, opener);
            canceller.join().unwrap();
            end
        })
    });
    assert_eq!(ends, ["cut", "done"].into());
}

#[test]
fn a_child() {
    let ends = explore(|| {
        run(&OneThreadEach, async {
            let (work, opener) = Work::begin();
            let group = task_group::<OneThreadEach, _, (), _, _>(async |g| {
                let future = work.future();
                let child = g.spawn(async { Ok(future.await) });
                Ok(child.cancel().await)
            });
            let value = group.await.unwrap();
            work.end(value, opener)
        })
    });
    assert_eq!(ends, ["cut", "done"].into());
}

#[test]
fn a_task_of_a_portal() {
    let ends = explore(|| {
        run(&OneThreadEach, async {
            let (work, opener) = Work::begin();
            let task = portal::<OneThreadEach>().spawn(work.future());
            let waiter = thread::spawn(move || {
                task.cancel();
                task.wait()
            });
            let value = match waiter.join().unwrap() {
                Ok(value) => Some(value),
                Err(Stopped::Cancelled(_)) => None,
                other => panic!("{other:?}"),
            };
            work.end(value, opener)
        })
    });
    assert_eq!(ends, ["cut", "done"].into());
}

#[test]
fn an_async_call_through_a_portal() {
    let ends = explore(|| {
        run(&OneThreadEach, async {
            let (work, opener) = Work::begin();
            let scope = Scope::new();
            let canceller = cancel(&scope);
            let call = portal::<OneThreadEach>().call_async(work.future());
            let value = match scope.run(call).await {
                Ok(Ok(value)) => Some(value),
                Err(_) => None,
                Ok(Err(PortalClosed::Cancelled(_))) => panic!("the scope has not caught it"),
                other => panic!("{other:?}"),
            };
            canceller.join().unwrap();
            work.end(value, opener)
        })
    });
    assert_eq!(ends, ["cut", "done"].into());
}

#[test]
fn a_future_that_a_thread_drives() {
    let ends = explore(|| {
        run(&OneThreadEach, async {
            let (work, opener) = Work::begin();
            let (scope, future) = (Scope::new(), work.future());
            let canceller = cancel(&scope);
            let call = to_thread::<OneThreadEach, _, _>(|| block_on::<OneThreadEach, _>(future));
            let value = match scope.run(call).await {
                Ok(Ok(value)) => Some(value),
                Ok(Err(FromThreadError::Cancelled(_))) | Err(_) => None,
                other => panic!("{other:?}"),
            };
            canceller.join().unwrap();
            work.end(value, opener)
        })
    });
    assert_eq!(ends, ["cut", "done"].into());
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
