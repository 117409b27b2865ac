//! Groups in one task: what children that panic, and destructors, may do to those beside them.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use anyrt_core::{Backend, ScopedGroup, ScopedTask, Stopped};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::task::noop_waker;

use crate::probe::{Alive, Log, Sleeper, message, on_drop, panic_of};
use crate::rt::Rt;

/// What is dropped says so, in a list.
#[derive(Clone, Debug, Default)]
struct Order(Arc<Mutex<Vec<usize>>>);

impl Order {
    fn at_end(&self, number: usize) -> impl Drop + Send + use<> {
        let list = self.0.clone();
        on_drop(move || list.lock().unwrap().push(number))
    }

    /// What never ends by itself.
    fn endless(&self, number: usize) -> impl Future<Output = Result<(), ()>> + Send + use<> {
        let at_end = self.at_end(number);
        async move {
            let _at_end = at_end;
            pending().await
        }
    }

    fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Spawns children that do not end, some of them in the places of others that have.
async fn spawn_some<B: Backend>(rt: Rt<B>, g: &ScopedGroup<'_, B, ()>, order: &Order) {
    let short = [1, 3, 1, 3].map(|yields| async move {
        rt.yields(yields).await;
        Ok(())
    });
    for (number, short) in short.into_iter().enumerate() {
        g.spawn(short);
        g.spawn(order.endless(number));
    }
    rt.yields(2).await;
    for number in 4..7 {
        g.spawn(order.endless(number));
    }
    rt.yields(4).await;
    for number in 7..10 {
        g.spawn(order.endless(number));
    }
    rt.yields(2).await;
    assert_eq!(g.len(), 10);
}

/// Cancel safety: a group that is dropped drops its body first, and then its children as they were spawned.
pub async fn a_dropped_group_drops_its_children_in_order<B: Backend>(rt: Rt<B>) {
    let order = Order::default();
    let mut group = Box::pin(rt.scoped_group(async |g| {
        let _last_of_body = order.at_end(100);
        spawn_some(rt, &g, &order).await;
        pending::<Result<(), ()>>().await
    }));
    let noop = noop_waker();
    for _ in 0..20 {
        let polled = group.as_mut().poll(&mut Context::from_waker(&noop));
        assert!(polled.is_pending());
    }
    assert_eq!(order.take(), []);
    drop(group);
    assert_eq!(order.take(), [100, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/// Cancel safety: the same for children that were never polled.
pub async fn children_that_were_never_polled_are_dropped_in_order<B: Backend>(rt: Rt<B>) {
    let order = Order::default();
    let escaped = Mutex::new(None);
    let mut group = Box::pin(rt.scoped_group(async |g| {
        *escaped.lock().unwrap() = Some(g);
        pending::<Result<(), ()>>().await
    }));
    assert!(group.as_mut().now_or_never().is_none());
    let g = escaped.lock().unwrap().take().unwrap();
    for number in 0..5 {
        g.spawn(order.endless(number));
    }
    drop(group);
    assert_eq!(order.take(), [0, 1, 2, 3, 4]);
    assert_eq!(
        g.spawn(order.endless(5)).outcome().await,
        Err(Stopped::Closed)
    );
    assert_eq!(order.take(), [5]);
}

/// Rule 2: what a failure cancels ends in the order of spawning.
pub async fn a_failure_cancels_the_siblings_in_order<B: Backend>(rt: Rt<B>) {
    for panics in [false, true] {
        let order = Order::default();
        let group = rt.scoped_group(async |g| {
            spawn_some(rt, &g, &order).await;
            g.spawn(async move {
                assert!(!panics, "on purpose");
                Err::<(), _>(())
            });
            pending::<Result<(), ()>>().await
        });
        match panic_of(group).await {
            Ok(ended) => assert!(ended.is_err()),
            Err(message) => assert_eq!(message, "on purpose"),
        }
        assert_eq!(order.take(), Vec::from_iter(0..10));
    }
}

/// Rule 4: so does what is cancelled by the handle of the group, or from outside.
pub async fn a_cancelled_group_ends_its_children_in_order<B: Backend>(rt: Rt<B>) {
    let order = Order::default();
    let group = rt.scoped_group(async |g| {
        spawn_some(rt, &g, &order).await;
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(order.take(), Vec::from_iter(0..10));
    let scope = rt.scope();
    let group = rt.scoped_group(async |g| {
        spawn_some(rt, &g, &order).await;
        scope.cancel();
        pending::<Result<(), ()>>().await
    });
    assert!(scope.run(group).await.is_err());
    assert_eq!(order.take(), Vec::from_iter(0..10));
}

/// Section 2: a child is polled at least once, also if one before it in the same pass cancels it.
pub async fn a_child_that_is_cancelled_in_its_first_pass_is_polled<B: Backend>(rt: Rt<B>) {
    let sleepers = Sleeper::dormitory(3);
    let group = rt.scoped_group(async |g| {
        g.spawn(sleepers[0].sleep());
        let group = g.clone();
        g.spawn(async move {
            group.cancel();
            Ok(())
        });
        g.spawn(sleepers[1].sleep());
        g.spawn(async { Err::<(), _>(()) });
        g.spawn(sleepers[2].sleep());
        pending::<Result<(), ()>>().await
    });
    assert!(group.await.is_err());
    for sleeper in sleepers {
        assert!((1..=2).contains(&sleeper.polls()));
    }
}

/// Rule 1: what a child owns is dropped before its handle is ready, and as soon as it has ended.
pub async fn what_a_child_owned_is_gone_when_its_handle_is_ready<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.scoped_group(async |g| {
        let handles = [0, 1, 2].map(|n| {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                rt.yields(n).await;
                Ok::<_, ()>(())
            })
        });
        for (n, handle) in handles.into_iter().enumerate() {
            handle.await;
            assert!(alive.count() <= 2 - n);
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Rule 5: a destructor that panics is a panic of its child, however that ends.
pub async fn the_panic_of_a_destructor_is_that_of_its_child<B: Backend>(rt: Rt<B>) {
    for is_cancelled in [false, true] {
        let alive = Alive::default();
        let group = rt.scoped_group(async |g| {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                pending::<Result<(), ()>>().await
            });
            let child = g.spawn(async move {
                let _panics = on_drop(|| panic!("in a destructor"));
                if is_cancelled {
                    pending::<()>().await;
                }
                Ok(())
            });
            rt.yields(2).await;
            if is_cancelled {
                g.cancel();
            }
            Ok(child.outcome().await)
        });
        assert_eq!(panic_of(group).await, Err("in a destructor".to_owned()));
        assert_eq!(alive.count(), 0);
    }
}

/// Rule 5: of several panics the first in time is resumed, and none of the others aborts.
pub async fn of_many_panics_the_first_is_resumed<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.scoped_group(async |g| {
        for _ in 0..3 {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                let _panics = on_drop(|| panic!("a later one"));
                pending::<Result<(), ()>>().await
            });
        }
        let _panics = on_drop(|| panic!("the body's"));
        g.spawn::<()>(async {
            rt.yields(2).await;
            panic!("the first one")
        });
        g.spawn::<()>(async {
            rt.yields(3).await;
            // A payload that panics when it is dropped.
            std::panic::panic_any(on_drop(|| panic!("a payload")))
        });
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(group).await, Err("the first one".to_owned()));
    assert_eq!(alive.count(), 0);
}

/// Cancel safety: the panics of children that are dropped with their group go to the enclosing group.
pub async fn panics_in_a_dropped_group_go_to_the_group_around_it<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.scoped_group(async |g| {
        g.spawn(async {
            let inner = rt.scoped_group(async |inner| {
                for message in ["first", "second", "third"] {
                    let life = alive.born();
                    inner.spawn(async move {
                        let _life = life;
                        let _panics = on_drop(move || panic!("{message}"));
                        pending::<Result<(), ()>>().await
                    });
                }
                pending::<Result<(), ()>>().await
            });
            assert!(inner.now_or_never().is_none());
            assert_eq!(alive.count(), 0);
            Ok::<_, ()>(())
        });
        Ok(())
    });
    assert_eq!(panic_of(outer).await, Err("first".to_owned()));
}

/// The same where a panic drops the group: the destructors under it may panic, too.
pub async fn a_group_that_is_dropped_by_a_panic_does_not_abort<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.scoped_group(async |g| {
        g.spawn::<()>(async {
            let inner = rt.scoped_group(async |inner| {
                for _ in 0..3 {
                    let life = alive.born();
                    inner.spawn(async move {
                        let _life = life;
                        let _panics = on_drop(|| panic!("a later one"));
                        pending::<Result<(), ()>>().await
                    });
                }
                pending::<Result<(), ()>>().await
            });
            let mut inner = Box::pin(inner);
            assert!(inner.as_mut().now_or_never().is_none());
            panic!("drops the inner group");
        });
        pending::<Result<(), ()>>().await
    });
    let resumed = panic_of(outer).await.unwrap_err();
    assert!(["drops the inner group", "a later one"].contains(&&*resumed));
    assert_eq!(alive.count(), 0);
}

/// The same where a destructor of the body panics: the children are dropped nevertheless.
pub async fn a_destructor_of_a_dropped_body_may_panic<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let outer = rt.scoped_group(async |_| {
        let inner = rt.scoped_group(async |g| {
            for _ in 0..3 {
                let life = alive.born();
                g.spawn(async move {
                    let _life = life;
                    let _panics = on_drop(|| panic!("of a child"));
                    pending::<Result<(), ()>>().await
                });
            }
            let _panics = on_drop(|| panic!("of the body"));
            pending::<Result<(), ()>>().await
        });
        let mut inner = Box::pin(inner);
        assert!(inner.as_mut().now_or_never().is_none());
        let payload = catch_unwind(AssertUnwindSafe(|| drop(inner))).unwrap_err();
        assert_eq!(message(&*payload), "of the body");
        assert_eq!(alive.count(), 0);
        Ok::<_, ()>(())
    });
    // Those of the children go the way of all panics of a dropped group.
    assert_eq!(panic_of(outer).await, Err("of a child".to_owned()));
}

/// Rule 1: a value that nobody takes is dropped in the group, and its panic is one of the group.
pub async fn a_value_may_panic_when_it_is_dropped<B: Backend>(rt: Rt<B>) {
    for has_handle in [false, true] {
        let group = rt.scoped_group(async |g| {
            let child = g.spawn(async { Ok::<_, ()>(on_drop(|| panic!("in a value"))) });
            let handle = has_handle.then_some(child);
            rt.yields(3).await;
            drop(handle);
            pending::<Result<(), ()>>().await
        });
        assert_eq!(panic_of(group).await, Err("in a value".to_owned()));
    }
}

/// No user code runs under a lock or a borrow: destructors may use the group that drops them.
pub async fn destructors_may_use_their_group<B: Backend>(rt: Rt<B>) {
    for way in WAYS {
        let ran = AtomicUsize::new(0);
        let alive = Alive::default();
        let group = rt.scoped_group(async |g| {
            let victim = g.spawn(pending::<Result<(), &str>>());
            let sleeper = Arc::<Sleeper>::default();
            let asleep = sleeper.clone();
            g.spawn(async move { asleep.sleep().await.map_err(|()| "unreachable") });
            let (other, life, ran) = (g.clone(), alive.born(), &ran);
            let meddles = on_drop(move || {
                assert!(!other.is_empty());
                other.spawn(async move {
                    let _life = life;
                    ran.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                });
                sleeper.disturb();
                other.cancel();
                assert!(!victim.is_finished() || way == "drop");
                drop(victim);
            });
            let child = g.spawn(async move {
                let _meddles = meddles;
                rt.yields(1).await;
                end_in(way).await
            });
            rt.yields(4).await;
            match way {
                "cancel" => drop(child.cancel().await),
                "drop" => pending().await,
                _ => {}
            }
            Ok(())
        });
        if way == "drop" {
            let mut group = Box::pin(group);
            for _ in 0..10 {
                assert!(group.as_mut().now_or_never().is_none());
            }
        } else {
            let ended = panic_of(group).await;
            match way {
                "error" => assert_eq!(ended.unwrap().unwrap_err().into_first(), "error"),
                "panic" => assert_eq!(ended.unwrap_err(), "panic"),
                _ => ended.unwrap().unwrap(),
            }
            assert_eq!(ran.into_inner(), 1, "{way}");
        }
        assert_eq!(alive.count(), 0, "{way}");
    }
}

/// The same for children that are not `Send`.
pub async fn destructors_may_use_their_local_group<B: Backend>(rt: Rt<B>) {
    for way in WAYS {
        let alive = Rc::new(());
        let marks = RefCell::new(Vec::new());
        let group = rt.local_group(async |g| {
            let victim = g.spawn(pending::<Result<Rc<()>, &str>>());
            let (other, life, marks) = (g.clone(), alive.clone(), &marks);
            let meddles = on_drop(move || {
                marks.borrow_mut().push("dropped");
                other.spawn(async move {
                    let _life = life;
                    marks.borrow_mut().push("ran");
                    Ok(())
                });
                other.cancel();
                drop(victim);
            });
            let child = g.spawn(async move {
                let _meddles = meddles;
                rt.yields(1).await;
                end_in(way).await
            });
            rt.yields(4).await;
            match way {
                "cancel" => drop(child.cancel().await),
                "drop" => pending().await,
                _ => {}
            }
            Ok(())
        });
        if way == "drop" {
            let mut group = Box::pin(group);
            for _ in 0..10 {
                assert!(group.as_mut().now_or_never().is_none());
            }
            drop(group);
            assert_eq!(*marks.borrow(), ["dropped"]);
        } else {
            assert_eq!(panic_of(group).await.is_err(), way == "panic");
            assert_eq!(*marks.borrow(), ["dropped", "ran"], "{way}");
        }
        assert_eq!(Rc::strong_count(&alive), 1, "{way}");
    }
}

/// How a child may end.
const WAYS: [&str; 5] = ["value", "error", "panic", "cancel", "drop"];

async fn end_in(way: &'static str) -> Result<(), &'static str> {
    match way {
        "value" => Ok(()),
        "error" => Err(way),
        "panic" => panic!("{way}"),
        _ => pending().await,
    }
}

/// No user code runs under a lock or a borrow: who is woken by a handle may use the group in that.
pub async fn wakers_of_handles_may_use_the_group<B: Backend>(rt: Rt<B>) {
    struct Meddler<B: Backend> {
        group: ScopedGroup<'static, B, ()>,
        other: Mutex<Option<ScopedTask<B, u32>>>,
        inner: Waker,
    }
    impl<B: Backend> Meddler<B> {
        fn meddle(&self) {
            assert!(self.group.len() < 10);
            self.group.spawn(async { Ok(()) });
            let other = self.other.lock().unwrap().take();
            assert!(other.is_none_or(|other| !other.is_finished()));
            self.group.cancel();
        }
    }
    impl<B: Backend> Wake for Meddler<B> {
        fn wake(self: Arc<Self>) {
            self.meddle();
            self.inner.wake_by_ref();
        }
    }
    impl<B: Backend> Drop for Meddler<B> {
        fn drop(&mut self) {
            self.meddle();
        }
    }
    let group = rt.scoped_group(async |g| {
        let other = g.spawn(async move {
            rt.yields(5).await;
            Ok(7)
        });
        let mut child = pin!(g.spawn(async move {
            rt.yields(3).await;
            Ok(8)
        }));
        let mut other = Some(other);
        let polled = std::future::poll_fn(|cx| {
            let meddler = Meddler {
                group: g.clone(),
                other: Mutex::new(other.take()),
                inner: cx.waker().clone(),
            };
            let waker = Arc::new(meddler).into();
            child.as_mut().poll(&mut Context::from_waker(&waker))
        });
        Ok(polled.await)
    });
    assert_eq!(group.await, Ok(8));
}

/// A group may be dropped in the middle of a poll of another one, by a child of that or by a destructor.
pub async fn a_group_may_be_dropped_in_a_child_of_another<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.scoped_group(async |g| {
        let inner_group = || -> BoxFuture<'_, Result<(), ()>> {
            let (g, log) = (g.clone(), &log);
            Box::pin(async move {
                let inner = rt.scoped_group(async |inner| {
                    let spawns = on_drop(|| {
                        log.add("inner child");
                        g.spawn(async {
                            log.add("outer child");
                            Ok::<_, ()>(())
                        });
                    });
                    inner.spawn(async move {
                        let _spawns = spawns;
                        pending::<Result<(), ()>>().await
                    });
                    pending::<Result<(), ()>>().await
                });
                inner.await.map_err(drop)
            })
        };
        let mut by_a_child = inner_group();
        g.spawn(async move {
            assert!(by_a_child.as_mut().now_or_never().is_none());
            rt.yields(1).await;
            drop(by_a_child);
            Ok(())
        });
        rt.yields(4).await;
        assert_eq!(log.marks(), ["inner child", "outer child"]);
        let mut by_a_destructor = inner_group();
        assert!(by_a_destructor.as_mut().now_or_never().is_none());
        g.spawn(async move {
            let _drops = on_drop(move || drop(by_a_destructor));
            rt.yields(1).await;
            Ok(())
        });
        rt.yields(4).await;
        Ok(log.marks().len())
    });
    assert_eq!(outer.await, Ok(4));
}

/// A child may drop the group beside it in which another child is waiting.
pub async fn a_child_may_drop_what_its_sibling_polls<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let shared: Mutex<Option<BoxFuture<'_, ()>>> = Mutex::new(None);
    *shared.lock().unwrap() = Some(Box::pin(async {
        let group = rt.scoped_group(async |g| {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                pending::<Result<(), ()>>().await
            });
            pending::<Result<(), ()>>().await
        });
        drop(group.await);
    }));
    let group = rt.scoped_group(async |g| {
        g.spawn(std::future::poll_fn(|cx| {
            let mut shared = shared.lock().unwrap();
            let polled = shared.as_mut().map(|group| group.as_mut().poll(cx));
            match polled {
                Some(Poll::Pending) => Poll::Pending,
                Some(Poll::Ready(())) | None => Poll::Ready(Ok::<_, ()>(())),
            }
        }));
        g.spawn(async {
            rt.yields(2).await;
            assert_eq!(alive.count(), 1);
            let dropped = shared.lock().unwrap().take();
            drop(dropped);
            assert_eq!(alive.count(), 0);
            Ok(())
        });
        rt.yields(4).await;
        g.cancel();
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// The same for children that are not `Send`: dropped in order, and the first panic is resumed.
pub async fn a_local_group_drops_its_children_in_order<B: Backend>(rt: Rt<B>) {
    let order = RefCell::new(Vec::new());
    let endless = |number| {
        let order = &order;
        async move {
            let _at_end = on_drop(move || order.borrow_mut().push(number));
            let _stays = Rc::new(());
            pending::<Result<(), ()>>().await
        }
    };
    let group = rt.local_group(async |g| {
        for number in 0..5 {
            g.spawn(endless(number));
        }
        pending::<Result<(), ()>>().await
    });
    assert!(group.now_or_never().is_none());
    assert_eq!(order.take(), [0, 1, 2, 3, 4]);
    let group = rt.local_group(async |g| {
        for number in 0..5 {
            g.spawn(endless(number));
        }
        g.spawn(async {
            let _later = on_drop(|| panic!("a later one"));
            pending::<Result<(), ()>>().await
        });
        g.spawn::<()>(async {
            rt.yields(1).await;
            panic!("the first one")
        });
        pending::<Result<(), ()>>().await
    });
    assert_eq!(panic_of(group).await, Err("the first one".to_owned()));
    assert_eq!(order.take(), [0, 1, 2, 3, 4]);
}
