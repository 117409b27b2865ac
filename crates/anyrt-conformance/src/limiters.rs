//! Limiters: who gets a token, and when it is back.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use anyrt_core::{
    Acquire, AlreadyBorrowing, Backend, Limiter, Permit, Statistics, default_thread_limiter,
};
use futures::FutureExt;
use futures::future::select;

use crate::everywhere::{cancel_at_every_pending, drop_at_pending};
use crate::probe::{Alive, on_a_fresh_thread};
use crate::rt::Rt;

/// One who waits for a token and counts how often that woke it.
struct Waiter {
    acquire: Acquire,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Waiter {
    fn new(limiter: &Limiter) -> Self {
        Self {
            acquire: limiter.acquire(),
            wakes: Arc::default(),
        }
    }

    /// One that has asked already, and has to wait.
    fn waiting(limiter: &Limiter) -> Self {
        let mut waiter = Self::new(limiter);
        assert!(waiter.poll().is_none());
        waiter
    }

    fn poll(&mut self) -> Option<Permit> {
        let waker = Waker::from(self.wakes.clone());
        match Pin::new(&mut self.acquire).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(permit) => Some(permit),
            Poll::Pending => None,
        }
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }
}

/// First come, first served.
pub async fn tokens_go_to_those_who_asked_first<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let mut permit = limiter.try_acquire();
    let mut waiters: Vec<_> = (0..5).map(|_| Waiter::waiting(&limiter)).collect();
    for _ in 0..5 {
        drop(permit.take());
        // Whoever is polled first, only the one who asked first has it.
        let mut ready = waiters
            .iter_mut()
            .enumerate()
            .rev()
            .filter_map(|(n, waiter)| Some((n, waiter.poll()?)));
        let (first, token) = ready.next().unwrap();
        assert!(ready.next().is_none());
        assert_eq!(first, 0);
        permit = Some(token);
        waiters.remove(0);
        rt.yields(1).await;
    }
}

/// Threads: calls begin in the order in which they asked for their tokens.
pub async fn calls_run_in_the_order_of_asking<B: Backend>(rt: Rt<B>) {
    let (limiter, order) = (Limiter::new(1), Arc::new(Mutex::new(Vec::new())));
    let permit = limiter.acquire().await;
    let calls = (0..10).map(|n| {
        let order = order.clone();
        rt.to_thread(move || order.lock().unwrap().push(n))
            .limiter(&limiter)
    });
    let calls = futures::future::join_all(calls);
    let start = async {
        rt.yields(2).await;
        drop(permit);
    };
    futures::join!(calls, start);
    assert!(order.lock().unwrap().iter().copied().eq(0..10));
}

/// A token given back is on its way to the first in the queue; `try_acquire` does not snatch it.
pub async fn try_acquire_does_not_overtake<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(2);
    let (first, second) = (
        limiter.try_acquire().unwrap(),
        limiter.try_acquire().unwrap(),
    );
    let mut waiter = Waiter::waiting(&limiter);
    assert!(limiter.try_acquire().is_none());
    drop(first);
    assert!(limiter.try_acquire().is_none());
    assert!(Waiter::new(&limiter).poll().is_none());
    assert_eq!(waiter.wakes(), 1);
    assert!(waiter.poll().is_some());
    drop(second);
    assert_eq!(limiter.available(), 2);
}

/// Cancel safety: "a dropped wait leaves the queue".
pub async fn a_dropped_waiter_leaves_the_queue<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(1);
    let permit = limiter.try_acquire();
    let gone = Waiter::waiting(&limiter);
    let mut next = Waiter::waiting(&limiter);
    assert_eq!(limiter.statistics().waiting, 2);
    drop(gone);
    assert_eq!((limiter.statistics().waiting, next.wakes()), (1, 0));
    drop(permit);
    assert!(next.poll().is_some());
}

/// Cancel safety: "a token that it was granted already goes to the next".
pub async fn a_dropped_waiter_passes_its_token_on<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(1);
    let permit = limiter.try_acquire();
    let first = Waiter::waiting(&limiter);
    let mut second = Waiter::waiting(&limiter);
    drop(permit);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second.poll().unwrap());
    assert_eq!(limiter.available(), 1);
}

/// `set_total`: "raising wakes as many as are now free", in order.
pub async fn raising_the_total_wakes_exactly_the_spare_number<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(1);
    let _permit = limiter.try_acquire();
    let mut waiters: Vec<_> = (0..5).map(|_| Waiter::waiting(&limiter)).collect();
    limiter.set_total(3);
    let wakes: Vec<_> = waiters.iter().map(Waiter::wakes).collect();
    assert_eq!(wakes, [1, 1, 0, 0, 0]);
    let permits: Vec<_> = waiters.iter_mut().rev().filter_map(Waiter::poll).collect();
    assert_eq!((permits.len(), limiter.statistics().borrowed), (2, 3));
    limiter.set_total(100);
    assert_eq!(waiters[2..].iter_mut().filter_map(Waiter::poll).count(), 3);
    assert_eq!((limiter.total(), limiter.available()), (100, 97));
}

/// `set_total`: "lowering revokes none"; nobody new gets one until enough are back.
pub async fn lowering_the_total_revokes_nothing<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(3);
    let mut permits: Vec<_> = (0..3).map(|_| limiter.try_acquire().unwrap()).collect();
    limiter.set_total(1);
    let now = limiter.statistics();
    assert_eq!((now.total, now.borrowed, limiter.available()), (1, 3, 0));
    let mut waiter = Waiter::waiting(&limiter);
    permits.pop();
    permits.pop();
    assert!(waiter.poll().is_none());
    permits.pop();
    assert_eq!(waiter.wakes(), 1);
    drop(waiter.poll().unwrap());
    assert_eq!(limiter.available(), 1);
}

/// Bad input: "a `Limiter` may hold 0: it blocks until raised".
pub async fn a_limiter_of_zero_blocks_until_it_is_raised<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(0);
    assert!(limiter.try_acquire().is_none());
    let raise = async {
        rt.yields(3).await;
        assert_eq!(limiter.statistics().waiting, 2);
        limiter.set_total(1);
    };
    let call = rt.to_thread(|| 7).limiter(&limiter);
    let (value, permit, ()) = futures::join!(call, limiter.acquire().map(drop), raise);
    assert_eq!((value, permit), (7, ()));
    limiter.set_total(0);
    assert_eq!(
        (limiter.available(), limiter.try_acquire().is_none()),
        (0, true)
    );
}

/// Statistics are of one moment, and clones share them.
pub async fn statistics_count_what_is_out_and_who_waits<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(2);
    let clone = limiter.clone();
    let counts = || {
        let now = clone.statistics();
        (now.total, now.borrowed, now.waiting, clone.available())
    };
    assert_eq!(counts(), (2, 0, 0, 2));
    let first = limiter.acquire().await;
    assert_eq!(counts(), (2, 1, 0, 1));
    let second = clone.acquire().await;
    let waiter = Waiter::waiting(&limiter);
    assert_eq!(counts(), (2, 2, 1, 0));
    drop(first);
    // Granted, though nobody has looked yet.
    assert_eq!(counts(), (2, 2, 0, 0));
    drop((second, waiter));
    assert_eq!(counts(), (2, 0, 0, 2));
}

/// A permit may be given back on any thread.
pub async fn permits_may_be_dropped_on_other_threads<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    for _ in 0..20 {
        let permit = limiter.acquire().await;
        let give_back = rt.to_thread(move || drop(permit));
        let ((), permit) = futures::join!(give_back, limiter.acquire());
        on_a_fresh_thread(move || drop(permit));
        assert_eq!(limiter.available(), 1);
    }
}

/// A limiter belongs to no runtime; it works where there is none.
pub async fn a_limiter_needs_no_runtime<B: Backend>(_: Rt<B>) {
    let available = on_a_fresh_thread(|| {
        let limiter = Limiter::new(1);
        let permit = futures::executor::block_on(limiter.acquire());
        let before = limiter.available();
        drop(permit);
        (before, limiter.available())
    });
    assert_eq!(available, (0, 1));
}

/// Rule 9: "no user code (poll, drop, wake) ever runs under a lock of ours".
pub async fn wakers_may_use_the_limiter<B: Backend>(_: Rt<B>) {
    struct Asks(Limiter, AtomicUsize);
    impl Wake for Asks {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0.statistics().total, Ordering::SeqCst);
            drop(self.0.try_acquire());
        }
    }
    impl Drop for Asks {
        fn drop(&mut self) {
            self.0.available();
        }
    }
    let limiter = Limiter::new(1);
    let permit = limiter.try_acquire();
    let asks = Arc::new(Asks(limiter.clone(), AtomicUsize::new(0)));
    let waker = Waker::from(asks.clone());
    let mut acquire = limiter.acquire();
    assert!(
        Pin::new(&mut acquire)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop(permit);
    assert_eq!(asks.1.load(Ordering::SeqCst), 1);
    // The last clone of a waker goes when the wait is dropped, and when another waker takes its place.
    let mut other = limiter.acquire();
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(Asks(limiter.clone(), AtomicUsize::new(0))));
        assert!(
            Pin::new(&mut other)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    drop(other);
    drop((acquire, waker));
    assert_eq!(limiter.available(), 1);
}

/// Many tasks on many threads: never more tokens out than there are, and all are back at the end.
pub async fn no_token_is_lost_or_doubled_under_load<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let group = rt.task_group(async |g| {
        for n in 0..50 {
            let (limiter, now, most) = (limiter.clone(), now.clone(), most.clone());
            g.spawn(async move {
                for turn in 0..20 {
                    if (n + turn) % 3 == 0 {
                        // Gives up waiting after two turns.
                        drop(
                            drop_at_pending(2, select(limiter.acquire(), Box::pin(rt.yields(5))))
                                .await,
                        );
                        continue;
                    }
                    let permit = limiter.acquire().await;
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    rt.yields(1).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
                Ok::<(), ()>(())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert!((1..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
    let end = limiter.statistics();
    assert_eq!((end.borrowed, end.waiting, limiter.available()), (0, 0, 3));
}

/// Cancelled at each of its `Pending`s: whoever waits or holds gives everything back.
pub async fn waiting_may_be_cancelled_at_any_pending<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(1);
    let rounds =
        cancel_at_every_pending(rt, |alive| use_in_turns(rt, limiter.clone(), alive)).await;
    assert!(rounds > 3, "only {rounds} rounds");
    let end = limiter.statistics();
    assert_eq!((end.borrowed, end.waiting), (0, 0));
}

async fn use_in_turns<B: Backend>(rt: Rt<B>, limiter: Limiter, alive: Alive) {
    let group = rt.task_group(async |g| {
        for _ in 0..3 {
            let (limiter, life) = (limiter.clone(), alive.born());
            g.spawn(async move {
                let _life = life;
                let _permit = limiter.acquire().await;
                rt.yields(2).await;
                Ok::<(), ()>(())
            });
        }
        for _ in 0..3 {
            let _permit = limiter.acquire().await;
            rt.yields(1).await;
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
}

/// Threads that no runtime knows: they wait, give up and give back at the same time, and no token is lost.
pub async fn foreign_threads_lose_no_token<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(2);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let threads = [0, 1, 2, 3].map(|n| {
        let (limiter, now, most) = (limiter.clone(), now.clone(), most.clone());
        std::thread::spawn(move || {
            for turn in 0..200 {
                if turn % 4 == n {
                    let mut gives_up = Waiter::new(&limiter);
                    drop(gives_up.poll());
                }
                if turn % 50 == 10 * n {
                    limiter.set_total(turn % 2 + 1);
                }
                let permit = match turn % 3 {
                    0 => limiter.try_acquire(),
                    _ => Some(futures::executor::block_on(limiter.acquire())),
                };
                if permit.is_some() {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                }
            }
        })
    });
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    limiter.set_total(2);
    assert!(most.load(Ordering::SeqCst) <= 2, "{most:?}");
    let end = limiter.statistics();
    assert_eq!((end.borrowed, end.waiting, limiter.available()), (0, 0, 2));
}

/// `set_total`: "0 blocks everybody until raised", also those who wait already, and then it goes on in order.
pub async fn a_limiter_lowered_to_zero_goes_on_in_order<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(2);
    let permits = (limiter.try_acquire(), limiter.try_acquire());
    let mut waiters: Vec<_> = (0..3).map(|_| Waiter::waiting(&limiter)).collect();
    limiter.set_total(0);
    drop(permits);
    assert!(waiters.iter_mut().all(|waiter| waiter.poll().is_none()));
    assert!(limiter.try_acquire().is_none());
    let now = limiter.statistics();
    assert_eq!((now.total, now.borrowed, now.waiting), (0, 0, 3));
    limiter.set_total(1);
    let wakes: Vec<_> = waiters.iter().map(Waiter::wakes).collect();
    assert_eq!(wakes, [1, 0, 0]);
    drop(waiters[0].poll().unwrap());
    assert_eq!(waiters[1].wakes(), 1);
}

/// `set_total`: a token that was granted before the total fell is not revoked, looked at or not.
pub async fn lowering_the_total_revokes_no_grant<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(1);
    let permit = limiter.try_acquire();
    let (mut first, mut second) = (Waiter::waiting(&limiter), Waiter::waiting(&limiter));
    drop(permit);
    limiter.set_total(0);
    let granted = first.poll().unwrap();
    assert_eq!(limiter.statistics().borrowed, 1);
    drop(granted);
    assert!(second.poll().is_none());
    assert_eq!((second.wakes(), limiter.statistics().borrowed), (0, 0));
}

/// `acquire_on_behalf_of`: a borrower "may have no more than one at a time".
pub async fn a_borrower_has_one_token_at_a_time<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(3);
    let disk = limiter.acquire_on_behalf_of("disk").await.unwrap();
    let again = limiter.acquire_on_behalf_of("disk".to_owned()).await;
    let error: AlreadyBorrowing = again.unwrap_err();
    assert_eq!(error.borrower(), &"disk".into());
    let tape = limiter.acquire_on_behalf_of("tape").await.unwrap();
    assert_eq!(limiter.available(), 1);
    drop(disk);
    let disk = limiter.acquire_on_behalf_of("disk").await;
    assert!(disk.is_ok() && limiter.acquire_on_behalf_of("tape").await.is_err());
    drop((disk, tape));
    assert_eq!(limiter.available(), 3);
}

/// `acquire_on_behalf_of`: a borrower that "still waits for its first token" may not ask for a second one.
pub async fn a_borrower_that_waits_may_not_ask_again<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(0);
    let mut waits = Box::pin(limiter.acquire_on_behalf_of(7));
    assert!(futures::poll!(&mut waits).is_pending());
    assert!(limiter.acquire_on_behalf_of(7).await.is_err());
    assert_eq!(limiter.statistics().waiting, 1);
    limiter.set_total(2);
    assert!(limiter.acquire_on_behalf_of(7).await.is_err());
    let permit = waits.await.unwrap();
    assert!(limiter.acquire_on_behalf_of(7).await.is_err());
    drop(permit);
    assert!(limiter.acquire_on_behalf_of(7).await.is_ok());
}

/// Asking is lazy: whoever has not been polled is no borrower, and one that is dropped then disturbs nobody.
pub async fn a_borrower_asks_at_the_first_poll<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(2);
    let lazy = limiter.acquire_on_behalf_of(1);
    let permit = limiter.acquire_on_behalf_of(1).await;
    drop(lazy);
    assert!(permit.is_ok() && limiter.acquire_on_behalf_of(1).await.is_err());
}

/// `acquire_on_behalf_of`: "a dropped wait leaves the queue, and the borrower may ask again", granted or not.
pub async fn a_borrower_that_gives_up_may_ask_again<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(1);
    let permit = limiter.try_acquire();
    let mut gives_up = Box::pin(limiter.acquire_on_behalf_of(1));
    assert!(futures::poll!(&mut gives_up).is_pending());
    drop(gives_up);
    let mut granted = Box::pin(limiter.acquire_on_behalf_of(1));
    assert!(futures::poll!(&mut granted).is_pending());
    let mut next = Waiter::waiting(&limiter);
    drop(permit);
    drop(granted);
    assert_eq!(next.wakes(), 1);
    drop(next.poll());
    assert!(limiter.acquire_on_behalf_of(1).await.is_ok());
    let end: Statistics = limiter.statistics();
    assert_eq!((end.borrowed, end.waiting), (0, 0));
}

/// An error takes nothing: whoever is refused leaves the first token of the borrower and the queue as they were.
pub async fn a_refused_borrower_leaves_no_trace<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(2);
    let permit = limiter.acquire_on_behalf_of(1).await.unwrap();
    for _ in 0..10 {
        assert!(limiter.acquire_on_behalf_of(1).await.is_err());
    }
    let now = limiter.statistics();
    assert_eq!((now.borrowed, now.waiting), (1, 0));
    drop(permit);
    assert_eq!(limiter.available(), 2);
}

/// `acquire_on_behalf_of`: "all wait in one queue, with a borrower or without".
pub async fn borrowers_wait_in_the_same_queue<B: Backend>(rt: Rt<B>) {
    let (limiter, order) = (Limiter::new(1), Arc::new(Mutex::new(Vec::new())));
    let permit = limiter.try_acquire();
    let turns = (0..6).map(|n| {
        let (limiter, order) = (limiter.clone(), order.clone());
        async move {
            let _permit = match n % 2 {
                0 => limiter.acquire().await,
                _ => limiter.acquire_on_behalf_of(n).await.unwrap(),
            };
            order.lock().unwrap().push(n);
            rt.yields(2).await;
        }
    });
    let start = async {
        rt.yields(2).await;
        drop(permit);
    };
    futures::join!(futures::future::join_all(turns), start);
    assert!(order.lock().unwrap().iter().copied().eq(0..6));
}

/// `acquire_on_behalf_of`: "a token taken without one belongs to nobody, and there may be any number of those".
pub async fn tokens_without_a_borrower_are_not_bound<B: Backend>(_: Rt<B>) {
    let limiter = Limiter::new(4);
    let _named = limiter.acquire_on_behalf_of(1).await.unwrap();
    let _others = [limiter.acquire().await, limiter.acquire().await];
    assert!(limiter.try_acquire().is_some());
    assert!(Limiter::new(1).acquire_on_behalf_of(1).await.is_ok());
}

/// Many tasks for few borrowers: none of them ever has two tokens, and all are back at the end.
pub async fn no_borrower_has_two_tokens_under_load<B: Backend>(rt: Rt<B>) {
    let limiter = Limiter::new(2);
    let held: Arc<[AtomicUsize; 3]> = Arc::default();
    let group = rt.task_group(async |g| {
        for n in 0..30 {
            let (limiter, held) = (limiter.clone(), held.clone());
            g.spawn(async move {
                for turn in 0..20 {
                    let borrower = (n + turn) % 3;
                    let acquire = limiter.acquire_on_behalf_of(borrower);
                    let acquired = match turn % 4 {
                        0 => drop_at_pending(1, acquire).await,
                        _ => Some(acquire.await),
                    };
                    let Some(Ok(permit)) = acquired else {
                        rt.yields(1).await;
                        continue;
                    };
                    let count = &held[borrower as usize];
                    assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0);
                    rt.yields(1).await;
                    count.fetch_sub(1, Ordering::SeqCst);
                    drop(permit);
                }
                Ok::<(), ()>(())
            });
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    for borrower in 0..3 {
        assert!(limiter.acquire_on_behalf_of(borrower).await.is_ok());
    }
    let end = limiter.statistics();
    assert_eq!((end.borrowed, end.waiting), (0, 0));
}

/// Threads: the default limiter is "readable and adjustable", and one for the whole run.
pub async fn the_default_limiter_may_be_adjusted<B: Backend>(rt: Rt<B>) {
    let limiter = default_thread_limiter();
    assert_eq!((limiter.total(), limiter.available()), (40, 40));
    limiter.set_total(0);
    let call = rt.to_thread(|| 7);
    let group = rt.task_group(async |g| {
        g.spawn(async move {
            let limiter = default_thread_limiter();
            while limiter.statistics().waiting == 0 {
                rt.yields(1).await;
            }
            assert_eq!((limiter.total(), limiter.available()), (0, 0));
            limiter.set_total(1);
            Ok::<(), ()>(())
        });
        Ok(call.await)
    });
    assert_eq!(group.await, Ok(7));
    assert_eq!(limiter.available(), 1);
}
