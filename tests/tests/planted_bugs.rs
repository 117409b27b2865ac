//! Bugs of well-known kinds, each of them planted here, and found on the simulator.
//!
//! `PLANTED=1 cargo test -p anyrt-tests --test planted_bugs -- --nocapture` says after how many seeds.
#![cfg(feature = "sim")]

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::Duration;

use anyrt::sim::{CancelEverywhere, Failure, cancel_everywhere, explore};
use anyrt::{Backend, Sim, checkpoint, gather, portal, shield, sleep};

/// The failure of a program that must have one, by fair choices and by priorities.
fn found<F, Fut>(what: &str, program: F) -> Failure
where
    F: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    let failure = explore(&program).first_failure(0..1_000).expect(what);
    let by_pct = explore(&program).pct(3).first_failure(0..1_000).expect(what);
    let (tried, with_pct) = (failure.tried(), by_pct.tried());
    eprintln!("{what}: {tried} seeds, {with_pct} with pct(3)\n{failure}\n{by_pct}\n");
    failure
}

/// What a search that fails says.
fn complaint(search: impl FnOnce() -> u64) -> String {
    let payload = catch_unwind(AssertUnwindSafe(search)).expect_err("it is found");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().map_or_else(|_| String::new(), |text| (*text).into()),
    }
}

/// A flag that can be waited for, in two ways: one has a hole.
#[derive(Default)]
struct Signal {
    is_set: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Signal {
    fn set(&self) {
        self.is_set.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    async fn wait_with_a_hole(&self) {
        if self.is_set.get() {
            return;
        }
        checkpoint().await;
        // It may have been set meanwhile; then nobody is going to wake this.
        let mut is_registered = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut is_registered, true) {
                return Poll::Ready(());
            }
            self.waker.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    async fn wait(&self) {
        poll_fn(|cx| {
            self.waker.replace(Some(cx.waker().clone()));
            match self.is_set.get() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}
