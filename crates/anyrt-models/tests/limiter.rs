//! All interleavings of two or three threads that take, give back and give up the tokens of a limiter.

#[expect(
    dead_code,
    unreachable_pub,
    reason = "the core's own source, of which a part is enough here"
)]
#[path = "../../anyrt-core/src/borrower.rs"]
mod borrower;
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the core's own source, of which a part is enough here"
)]
#[path = "../../anyrt-core/src/limiter.rs"]
mod limiter;

mod lock {
    use std::sync::PoisonError;

    pub(crate) use loom::sync::Mutex;
    use loom::sync::MutexGuard;

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

mod observe {
    pub(crate) enum Wait {
        Token {
            #[expect(dead_code, reason = "nobody observes a model")]
            total: usize,
        },
    }
}

mod watch {
    pub(crate) fn waits(_: impl FnOnce() -> super::observe::Wait) {}
}

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::limiter::Limiter;

/// Polls once, and gives up.
fn ask_once(future: impl Future) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(pin!(future).poll(&mut cx), Poll::Ready(_))
}

fn assert_all_is_back(limiter: &Limiter) {
    let end = limiter.statistics();
    assert_eq!((end.borrowed, end.waiting), (0, 0));
}

#[test]
fn there_are_never_more_tokens_out_than_there_are() {
    loom::model(|| {
        let (limiter, now) = (Limiter::new(1), Arc::new(AtomicUsize::new(0)));
        let take = move |limiter: Limiter, now: Arc<AtomicUsize>| {
            let _permit = block_on(limiter.acquire());
            assert_eq!(now.fetch_add(1, Ordering::SeqCst), 0);
            now.fetch_sub(1, Ordering::SeqCst);
        };
        let others = [0, 1].map(|_| {
            let (limiter, now) = (limiter.clone(), now.clone());
            thread::spawn(move || take(limiter, now))
        });
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_all_is_back(&limiter);
    });
}

#[test]
fn a_token_that_nobody_takes_goes_to_the_next() {
    loom::model(|| {
        let limiter = Limiter::new(1);
        let permit = limiter.try_acquire().unwrap();
        let gives_up = {
            let limiter = limiter.clone();
            thread::spawn(move || ask_once(limiter.acquire()))
        };
        let waits = {
            let limiter = limiter.clone();
            thread::spawn(move || drop(block_on(limiter.acquire())))
        };
        drop(permit);
        gives_up.join().unwrap();
        waits.join().unwrap();
        assert_all_is_back(&limiter);
    });
}

#[test]
fn raising_the_total_wakes_who_waits() {
    loom::model(|| {
        let limiter = Limiter::new(0);
        let waits = {
            let limiter = limiter.clone();
            thread::spawn(move || drop(block_on(limiter.acquire())))
        };
        limiter.set_total(1);
        waits.join().unwrap();
        assert_all_is_back(&limiter);
    });
}

#[test]
fn lowering_the_total_loses_nobody() {
    loom::model(|| {
        let limiter = Limiter::new(1);
        let permit = limiter.try_acquire().unwrap();
        let waits = {
            let limiter = limiter.clone();
            thread::spawn(move || drop(block_on(limiter.acquire())))
        };
        limiter.set_total(0);
        drop(permit);
        limiter.set_total(1);
        waits.join().unwrap();
        assert_all_is_back(&limiter);
    });
}

#[test]
fn a_borrower_has_one_token_at_a_time() {
    loom::model(|| {
        let (limiter, now) = (Limiter::new(2), Arc::new(AtomicUsize::new(0)));
        let ask = move |limiter: Limiter, now: Arc<AtomicUsize>| {
            let Ok(permit) = block_on(limiter.acquire_on_behalf_of(1)) else {
                return;
            };
            assert_eq!(now.fetch_add(1, Ordering::SeqCst), 0);
            now.fetch_sub(1, Ordering::SeqCst);
            drop(permit);
        };
        let other = {
            let (limiter, now) = (limiter.clone(), now.clone());
            thread::spawn(move || ask(limiter, now))
        };
        ask(limiter.clone(), now);
        other.join().unwrap();
        assert!(ask_once(limiter.acquire_on_behalf_of(1)));
        assert_all_is_back(&limiter);
    });
}

#[test]
fn a_borrower_that_gives_up_may_ask_again() {
    loom::model(|| {
        let limiter = Limiter::new(1);
        let permit = limiter.try_acquire().unwrap();
        let gives_back = thread::spawn(move || drop(permit));
        ask_once(limiter.acquire_on_behalf_of(1));
        assert!(block_on(limiter.acquire_on_behalf_of(1)).is_ok());
        gives_back.join().unwrap();
        assert_all_is_back(&limiter);
    });
}
