//! The end of a run: what is left is dropped, and nothing comes after.

use std::future::{Future, pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::thread;

use anyrt_core::{Backend, Join};
use anyrt_sim::Sim;

use crate::kit::{Bomb, CountDrop, Drops, HOUR, panic_of, poll_once, sim, sleep, yield_now};

/// Holds something and waits for ever.
async fn hold<T>(held: T) {
    let _held = held;
    pending::<()>().await;
}

#[test]
fn what_is_left_is_dropped_before_run_returns() {
    let drops = Drops::default();
    Sim::default().run(async {
        let held = drops.one();
        let slept = drops.one();
        let _waits = sim().spawn(hold(held));
        let _sleeps = sim().spawn(async move {
            let _held = slept;
            sleep(HOUR).await;
        });
        yield_now().await;
        // This one has never been polled.
        let _new = sim().spawn(hold(drops.one()));
        assert_eq!(drops.count(), 0);
    });
    assert_eq!(drops.count(), 3);
    assert!(Sim::current().is_none());
}

#[test]
fn a_main_that_panics_drops_what_is_left() {
    let drops = Drops::default();
    let message = panic_of(|| {
        Sim::default().run(async {
            drop(sim().spawn(hold(drops.one())));
            yield_now().await;
            panic!("main gives up");
        })
    });
    assert_eq!(message, "main gives up");
    assert_eq!(drops.count(), 1);
    assert!(Sim::current().is_none());
}

#[test]
fn destructors_may_spawn_and_are_inside() {
    struct Hydra {
        heads: u32,
        drops: Drops,
        _count: CountDrop,
    }

    impl Hydra {
        fn new(heads: u32, drops: &Drops) -> Self {
            Self {
                heads,
                drops: drops.clone(),
                _count: drops.one(),
            }
        }
    }

    impl Drop for Hydra {
        fn drop(&mut self) {
            if self.heads > 0 {
                drop(sim().spawn(hold(Hydra::new(self.heads - 1, &self.drops))));
            }
        }
    }

    let drops = Drops::default();
    Sim::default().run(async {
        drop(sim().spawn(hold(Hydra::new(100, &drops))));
        drop(sim().spawn(hold(Hydra::new(50, &drops))));
    });
    assert_eq!(drops.count(), 152);
}

#[test]
fn a_destructor_may_wake_another_task() {
    struct WakeOnDrop(Arc<Mutex<Option<Waker>>>);

    impl Drop for WakeOnDrop {
        fn drop(&mut self) {
            if let Some(waker) = self.0.lock().unwrap().take() {
                waker.wake();
            }
        }
    }

    let drops = Drops::default();
    Sim::default().run(async {
        let slot = Arc::new(Mutex::new(None));
        let (waits, held) = (Arc::clone(&slot), drops.one());
        drop(sim().spawn(async move {
            let _held = held;
            poll_fn(|cx| {
                *waits.lock().unwrap() = Some(cx.waker().clone());
                Poll::<()>::Pending
            })
            .await;
        }));
        drop(sim().spawn(hold((WakeOnDrop(slot), drops.one()))));
        sleep(HOUR).await;
    });
    assert_eq!(drops.count(), 2);
}

#[test]
fn a_panic_in_a_leftover_goes_no_further() {
    let drops = Drops::default();
    let output = Sim::default().run(async {
        drop(sim().spawn(hold(drops.one())));
        drop(sim().spawn(hold(Bomb)));
        drop(sim().spawn(hold(drops.one())));
        yield_now().await;
        7
    });
    assert_eq!(output, 7);
    assert_eq!(drops.count(), 2);
}

#[test]
fn after_the_end_a_spawn_gives_none() {
    let drops = Drops::default();
    let live = Sim::default().run(async { sim() });
    let mut task = live.spawn(hold(drops.one()));
    assert_eq!(drops.count(), 1);
    assert!(task.is_finished());
    assert_eq!(poll_once(&mut task), Poll::Ready(None));
}

#[test]
fn a_handle_from_a_run_that_ended_gives_none_in_the_next() {
    let mut task = None;
    Sim::default().run(async { task = Some(sim().spawn(pending::<()>())) });
    assert_eq!(Sim::default().run(task.unwrap()), None);
}

#[test]
fn wakes_after_the_end_are_ignored() {
    let waker = Arc::new(Mutex::new(Vec::new()));
    let main = Arc::clone(&waker);
    let task = Arc::clone(&waker);
    Sim::default().run(async move {
        poll_fn(|cx| {
            main.lock().unwrap().push(cx.waker().clone());
            Poll::Ready(())
        })
        .await;
        drop(sim().spawn(poll_fn(move |cx| {
            task.lock().unwrap().push(cx.waker().clone());
            Poll::<()>::Pending
        })));
        sleep(HOUR).await;
    });
    let wakers = std::mem::take(&mut *waker.lock().unwrap());
    assert_eq!(wakers.len(), 2);
    wakers.into_iter().for_each(Waker::wake);
}

#[test]
fn a_foreign_waker_does_not_race_with_the_end() {
    for _ in 0..200 {
        let drops = Drops::default();
        let stop = Arc::new(AtomicBool::new(false));
        let waking = Sim::default().run(async {
            let slot = Arc::new(Mutex::new(None));
            let (seen, held) = (Arc::clone(&slot), drops.one());
            drop(sim().spawn(async move {
                let _held = held;
                poll_fn(|cx| {
                    *seen.lock().unwrap() = Some(cx.waker().clone());
                    Poll::<()>::Pending
                })
                .await;
            }));
            sleep(HOUR).await;
            let waker = slot.lock().unwrap().take().unwrap();
            let stop = Arc::clone(&stop);
            let waking = thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    waker.wake_by_ref();
                }
            });
            for _ in 0..50 {
                yield_now().await;
            }
            waking
        });
        assert_eq!(drops.count(), 1);
        stop.store(true, Ordering::SeqCst);
        waking.join().unwrap();
    }
}

#[test]
fn a_dropped_handle_detaches_and_the_output_is_dropped() {
    let drops = Drops::default();
    Sim::default().run(async {
        let early = drops.one();
        drop(sim().spawn(async move { early }));
        sleep(HOUR).await;
        assert_eq!(drops.count(), 1);

        let late = drops.one();
        let task = sim().spawn(async move { late });
        sleep(HOUR).await;
        assert_eq!(drops.count(), 1);
        drop(task);
        assert_eq!(drops.count(), 2);
    });
}

#[test]
fn main_is_dropped_before_what_it_has_spawned() {
    struct SeesTasks(Drops);

    impl Future for SeesTasks {
        type Output = ();

        fn poll(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Self::Output> {
            drop(sim().spawn(hold(self.0.one())));
            Poll::Ready(())
        }
    }

    impl Drop for SeesTasks {
        fn drop(&mut self) {
            assert_eq!(self.0.count(), 0);
        }
    }

    let drops = Drops::default();
    Sim::default().run(SeesTasks(drops.clone()));
    assert_eq!(drops.count(), 1);
}
