//! Blocking iterators, consumed by async code.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ThreadId;

use anyrt_core::from_thread::FromThreadError;
use anyrt_core::{Backend, Limiter};
use futures::StreamExt;
use futures::channel::oneshot;

use crate::everywhere::{cancel_at_every_pending, drop_at_every_pending, drop_at_pending};
use crate::probe::{Alive, Latch, Life, message, panic_of};
use crate::rt::Rt;

/// An iterator that counts how often it is asked, and waits at one item until a gate is open.
struct Slow {
    next: usize,
    asked: Arc<AtomicUsize>,
    gate: Option<(usize, Box<dyn Fn() + Send>)>,
    _life: Option<Life>,
}

impl Slow {
    fn new() -> (Self, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let slow = Self {
            next: 0,
            asked: asked.clone(),
            gate: None,
            _life: None,
        };
        (slow, asked)
    }

    fn wait_at<B: Backend>(&mut self, item: usize, gate: &Latch) {
        let gate = gate.clone();
        self.gate = Some((item, Box::new(move || gate.wait::<B>())));
    }
}

impl Iterator for Slow {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let item = self.next;
        if let Some((_, wait)) = self.gate.as_ref().filter(|gate| gate.0 == item) {
            wait();
        }
        self.next += 1;
        (item < 5).then_some(item)
    }
}

/// `iterate_in_thread`: all items, in order, and `None` from then on.
pub async fn an_iterator_gives_its_items_in_order<B: Backend>(rt: Rt<B>) {
    let mut items = rt.iterate(0..20);
    for n in 0..20 {
        assert_eq!(items.next().await, Some(n));
    }
    assert_eq!((items.next().await, items.next().await), (None, None));
    assert_eq!(rt.iterate(0..0).next().await, None);
}

/// `iterate_in_thread`: an iterator may block, so it is not asked on the thread that polls.
pub async fn an_iterator_is_asked_on_other_threads<B: Backend>(rt: Rt<B>) {
    let here = std::thread::current().id();
    let threads = std::iter::repeat_with(|| std::thread::current().id()).take(3);
    let threads: Vec<ThreadId> = rt.iterate(threads).collect().await;
    assert_eq!(threads.len(), 3);
    assert!(!threads.contains(&here));
}

/// `iterate_in_thread`: "each item is fetched when it is asked for".
pub async fn an_iterator_is_not_asked_ahead<B: Backend>(rt: Rt<B>) {
    let (slow, asked) = Slow::new();
    let mut items = rt.iterate(slow);
    rt.yields(3).await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    drop(items.next());
    assert_eq!(items.next().await, Some(0));
    rt.yields(3).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// `in_chunks_of`: "fetches up to `size` items with one call", and the end is found by the way.
pub async fn chunks_are_fetched_with_one_call<B: Backend>(rt: Rt<B>) {
    let (slow, asked) = Slow::new();
    let mut items = rt.iterate(slow).in_chunks_of(3);
    let mut counts = Vec::new();
    while let Some(item) = items.next().await {
        counts.push((item, asked.load(Ordering::SeqCst)));
    }
    assert_eq!(counts, [(0, 3), (1, 3), (2, 3), (3, 6), (4, 6)]);
}

/// Bad input: "an error or a documented panic at the caller".
pub async fn a_chunk_of_no_items_panics<B: Backend>(rt: Rt<B>) {
    let chunk = async { drop(rt.iterate(0..1).in_chunks_of(0)) };
    let message = panic_of(chunk).await.unwrap_err();
    assert!(message.contains("at least 1"), "{message}");
}

/// `iterate_in_thread`: "between two items no token is taken".
pub async fn an_iterator_has_its_token_only_while_it_is_asked<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let mut one = rt.iterate(0..3).limiter(&limiter);
    let mut other = rt.iterate(0..3).limiter(&limiter);
    for n in 0..3 {
        assert_eq!(one.next().await, Some(n));
        assert_eq!(limiter.available(), 1);
        assert_eq!(other.next().await, Some(n));
    }
}

/// `iterate_in_thread`: a panic "is resumed by `next`, after the items before it", and then there are no more items.
pub async fn the_panic_of_an_iterator_comes_after_its_items<B: Backend>(rt: Rt<B>) {
    for chunk in [1, 2, 3, 10] {
        let alive = Alive::default();
        let life = alive.born();
        let panics = (0..4).inspect(move |n| {
            let _life = &life;
            assert!(*n < 3, "of the iterator");
        });
        let mut items = rt.iterate(panics).in_chunks_of(chunk);
        for n in 0..3 {
            assert_eq!(items.next().await, Some(n));
        }
        let panic = panic_of(items.next()).await.unwrap_err();
        assert_eq!(panic, "of the iterator");
        assert_eq!((items.next().await, alive.count()), (None, 0));
    }
}

/// Cancel safety of `next`: "a thread that is fetching goes on, and the next call gives what it brings".
pub async fn an_item_is_not_lost_when_next_is_dropped<B: Backend>(rt: Rt<B>) {
    let (slow, asked) = Slow::new();
    let mut items = rt.iterate(slow);
    let mut got = Vec::new();
    while got.len() < 5 {
        for _ in 0..2 {
            if let Some(item) = drop_at_pending(1, items.next()).await {
                got.extend(item);
            }
        }
        if got.len() < 5 {
            got.extend(items.next().await);
        }
    }
    assert_eq!(got, [0, 1, 2, 3, 4]);
    assert!(asked.load(Ordering::SeqCst) <= 6);
}

/// `next`: "a cancellation waits for the thread, and the item is given all the same".
pub async fn a_cancellation_waits_for_the_item<B: Backend>(rt: Rt<B>) {
    let (mut slow, asked) = Slow::new();
    let (gate, scope) = (Latch::default(), rt.scope());
    slow.wait_at::<B>(1, &gate);
    let mut items = rt.iterate(slow);
    let mut got = Vec::new();
    let run = scope.run(async {
        while let Some(item) = items.next().await {
            got.push(item);
        }
    });
    let cancel = async {
        while asked.load(Ordering::SeqCst) < 2 {
            rt.sleep_really().await;
        }
        scope.cancel();
        rt.yields(3).await;
        gate.open();
    };
    let (cancelled, ()) = futures::join!(run, cancel);
    assert!(cancelled.is_err());
    assert_eq!(got, [0, 1]);
    // It was not asked in vain, and may be gone on with outside of the scope.
    assert_eq!(items.next().await, Some(2));
}

/// In a cancelled scope an iterator is not asked, and it is none the worse for it.
pub async fn in_a_cancelled_scope_an_iterator_is_not_asked<B: Backend>(rt: Rt<B>) {
    let (slow, asked) = Slow::new();
    let mut items = rt.iterate(slow);
    assert!(rt.cancelled(items.next()).await.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(items.next().await, Some(0));
}

/// `next` that is dropped while it waits for a token leaves the queue.
pub async fn a_dropped_next_leaves_the_queue_of_the_limiter<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let permit = limiter.acquire().await;
    let mut items = rt.iterate(0..2).limiter(&limiter);
    assert_eq!(drop_at_pending(1, items.next()).await, None);
    assert_eq!(limiter.statistics().waiting, 0);
    drop(permit);
    assert_eq!((limiter.available(), items.next().await), (1, Some(0)));
}

/// An iterator that somebody merely keeps, with a thread at work, does not keep a scope from being cancelled.
pub async fn a_kept_iterator_holds_nothing<B: Backend>(rt: Rt<B>) {
    let (gate, scope) = (Latch::default(), rt.scope());
    let (mut slow, _) = Slow::new();
    slow.wait_at::<B>(0, &gate);
    let mut items = rt.iterate(slow);
    let run = scope.run(async {
        assert_eq!(drop_at_pending(1, items.next()).await, None);
        scope.cancel();
        rt.yields(1).await;
        unreachable!("the scope is cancelled");
    });
    assert!(run.await.is_err());
    gate.open();
    assert_eq!(items.next().await, Some(0));
}

/// Dropped while a thread is fetching: "the enclosing group waits for the thread".
pub async fn a_group_waits_for_the_thread_of_a_dropped_iterator<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    for as_stream in [false, true] {
        let (mut slow, asked) = Slow::new();
        let gate = Latch::default();
        slow.wait_at::<B>(0, &gate);
        slow._life = Some(alive.born());
        let group = rt.task_group(async |_| {
            let mut items = rt.iterate(slow);
            if as_stream {
                assert!(futures::poll!(StreamExt::next(&mut items)).is_pending());
            } else {
                assert_eq!(drop_at_pending(1, items.next()).await, None);
            }
            while asked.load(Ordering::SeqCst) == 0 {
                rt.sleep_really().await;
            }
            drop(items);
            assert_eq!(alive.count(), 1);
            gate.open();
            Ok::<(), ()>(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(alive.count(), 0);
    }
}

/// Dropped while a thread is fetching: a panic goes to the enclosing group, like that of a call.
pub async fn the_panic_of_a_dropped_iterator_goes_to_the_group<B: Backend>(rt: Rt<B>) {
    let gate = Latch::default();
    let there = gate.clone();
    let group = rt.task_group(async |_| {
        let mut items = rt.iterate(std::iter::from_fn(move || -> Option<()> {
            there.wait::<B>();
            panic!("of the iterator");
        }));
        drop_at_pending(1, items.next()).await;
        drop(items);
        gate.open();
        Ok::<(), ()>(())
    });
    let payload = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(group)).await;
    assert_eq!(message(&*payload.unwrap_err()), "of the iterator");
}

/// An iterator may call back, and is told when nobody waits for it any more.
pub async fn an_iterator_may_call_back<B: Backend>(rt: Rt<B>) {
    let asks = std::iter::from_fn(move || Some(rt.block_on(rt.sleep(rt.tick()))));
    let mut items = rt.iterate(asks);
    assert_eq!(items.next().await, Some(Ok(())));
    let (told, is_told) = oneshot::channel();
    let mut told = Some(told);
    let waits = std::iter::from_fn(move || {
        let result = rt.block_on(std::future::pending::<()>());
        told.take()?.send(result).ok()
    });
    let group = rt.task_group(async |_| {
        let mut items = rt.iterate(waits);
        drop_at_pending(1, items.next()).await;
        Ok::<(), ()>(())
    });
    assert_eq!(group.await, Ok(()));
    let told = is_told.await.unwrap();
    assert!(matches!(told, Err(FromThreadError::Cancelled(_))));
}

/// Cancelled at each of its `Pending`s: neither iterator, nor item, nor token is left.
pub async fn iterators_may_be_cancelled_at_any_pending<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let rounds = cancel_at_every_pending(rt, |alive| iterate(rt, limiter.clone(), alive)).await;
    assert!(rounds > 1, "only {rounds} rounds");
    assert_eq!((limiter.available(), limiter.statistics().waiting), (1, 0));
}

/// Dropped at each of its `Pending`s: the enclosing group waits for the thread, and nothing is left.
pub async fn iterators_may_be_dropped_at_any_pending<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let rounds = drop_at_every_pending(rt, |alive| iterate(rt, limiter.clone(), alive)).await;
    assert!(rounds > 1, "only {rounds} rounds");
    assert_eq!((limiter.available(), limiter.statistics().waiting), (1, 0));
}

async fn iterate<B: Backend>(rt: Rt<B>, limiter: Limiter, alive: Alive) {
    let life = alive.born();
    let lives = (0..3).map(move |_| {
        let _life = &life;
        alive.born()
    });
    let mut items = rt.iterate(lives).limiter(&limiter).in_chunks_of(2);
    while let Some(item) = items.next().await {
        rt.yields(1).await;
        drop(item);
    }
}
