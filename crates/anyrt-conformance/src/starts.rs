//! Starting a child and waiting until it is ready: whose it is before that, and whose after.

use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use anyrt_core::{Backend, StartError, Started, TaskGroup, shield};
use futures::channel::oneshot;
use futures::join;

use crate::everywhere::drop_at_pending;
use crate::probe::{Alive, Log, panic_of};
use crate::rt::Rt;

/// Who hears that a child has failed before it was ready finds that it does not count in the group any more.
pub async fn a_child_that_was_never_ready_does_not_count_when_its_caller_hears_of_it<B: Backend>(
    rt: Rt<B>,
) {
    struct Look<B>(TaskGroup<B, &'static str>, Mutex<Vec<usize>>);
    impl<B: Backend> Wake for Look<B> {
        fn wake(self: Arc<Self>) {
            let len = self.0.len();
            self.1.lock().unwrap().push(len);
        }
    }
    let group = rt.task_group(async |g| {
        for is_error in [false, true] {
            let (open, gate) = oneshot::channel::<()>();
            let mut start = pin!(g.start(async move |started: Started<()>| {
                gate.await.ok();
                drop(started);
                if is_error { Err("early") } else { Ok(()) }
            }));
            let look = Arc::new(Look(g.clone(), Mutex::default()));
            let waker = Waker::from(look.clone());
            let mut poll = || start.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(poll().is_pending());
            open.send(()).unwrap();
            let result = loop {
                match poll() {
                    Poll::Ready(result) => break result,
                    Poll::Pending => rt.yields(1).await,
                }
            };
            assert_eq!(g.len(), 0);
            assert!(result.is_err());
            assert_eq!(*look.1.lock().unwrap(), [0]);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Dropped from outside: what a child that was never ready has left behind may panic after the caller's group has
/// ended, and whoever waits for it gets the panic.
pub async fn a_panic_left_behind_by_a_child_that_was_never_ready_is_not_lost<B: Backend>(
    rt: Rt<B>,
) {
    let (open, gate) = oneshot::channel::<()>();
    let group = rt.task_group(async |g| {
        let caller = rt.task_group(async |_| {
            let start = g.start(async move |_started: Started<()>| {
                let inner = rt.task_group(async move |h| {
                    h.spawn(async move {
                        shield(gate).await.ok();
                        panic!("left behind");
                        #[expect(unreachable_code, reason = "says the type")]
                        Ok::<(), ()>(())
                    });
                    pending::<Result<(), ()>>().await
                });
                assert!(drop_at_pending(1, inner).await.is_none());
                Err::<(), _>("early")
            });
            assert_eq!(start.await.unwrap_err(), StartError::Failed("early"));
            // If this group does not wait for it, the other one does.
            rt.yields(3).await;
            Ok::<(), ()>(())
        });
        let open = async {
            rt.yields(20).await;
            open.send(()).ok();
        };
        let (caller, ()) = join!(caller, open);
        assert_eq!(caller, Ok(()));
        Ok(())
    });
    assert_eq!(panic_of(group).await, Err("left behind".to_owned()));
}

/// Dropped from outside: the group of a child that was never ready is dropped and waits for what that child has left
/// behind; who adopts is the group around that group, not the caller's.
pub async fn what_a_child_that_was_never_ready_has_left_behind_is_adopted_once<B: Backend>(
    rt: Rt<B>,
) {
    let alive = Alive::default();
    let log = Log::default();
    let main = rt.task_group(async |_| {
        let (give, handle) = oneshot::channel();
        let (open, gate) = oneshot::channel::<()>();
        let adopting = rt.task_group(async |_| {
            let mut target = Box::pin(rt.task_group(async |g: TaskGroup<B, ()>| {
                give.send(g).unwrap();
                pending::<Result<(), ()>>().await
            }));
            assert!(futures::poll!(target.as_mut()).is_pending());
            let g = handle.await.unwrap();
            let life = alive.born();
            let log = log.clone();
            let caller = rt.task_group(async |_| {
                let start = g.start(async move |_started: Started<()>| {
                    let inner = rt.task_group(async move |h| {
                        h.spawn(async move {
                            let _life = life;
                            shield(gate).await.ok();
                            shield(rt.sleep(rt.tick())).await;
                            log.add("saved");
                            Ok::<(), ()>(())
                        });
                        pending::<Result<(), ()>>().await
                    });
                    assert!(drop_at_pending(1, inner).await.is_none());
                    Err::<(), _>(())
                });
                assert_eq!(start.await.unwrap_err(), StartError::Failed(()));
                drop(target);
                open.send(()).ok();
                // Keeps this group open, so that it could be counted out wrongly.
                rt.sleep(rt.tick() * 3).await;
                Ok::<(), ()>(())
            });
            caller.await
        });
        assert_eq!(adopting.await, Ok(()));
        assert_eq!((log.marks(), alive.count()), (vec!["saved"], 0));
        Ok::<(), ()>(())
    });
    assert_eq!(main.await, Ok(()));
}

/// A scope that has ended has no say over what outlives it: a child that was ready while its caller was cancelled for
/// a moment has started after all.
pub async fn a_child_that_was_ready_in_a_scope_that_has_ended_has_started<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (give, started) = oneshot::channel();
        let (open, gate) = oneshot::channel::<()>();
        let mut start = pin!(g.start(async move |started: Started<i32>| {
            give.send(started).unwrap();
            shield(gate).await.ok();
            pending::<Result<(), ()>>().await
        }));
        let scope = rt.scope();
        let lent = scope.run(async {
            assert!(futures::poll!(start.as_mut()).is_pending());
            let started = started.await.unwrap();
            scope.cancel();
            started.set(7);
        });
        assert_eq!(lent.await, Ok(()));
        open.send(()).unwrap();
        let (value, _) = start.await.unwrap();
        assert_eq!(value, 7);
        g.cancel();
        Ok::<_, ()>(())
    });
    assert_eq!(group.await, Ok(()));
}
