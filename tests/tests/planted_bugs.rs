//! Bugs of well-known kinds, each of them planted here, and found on the simulator.
//!
//! `cargo test -p anyrt-tests --test planted_bugs -- --nocapture` says after how many seeds.
#![cfg(feature = "sim")]

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use std::task::{Poll, Waker};

use anyrt::sim::{CancelEverywhere, Failure, cancel_everywhere, explore};
use anyrt::{Backend, CancelScope, Sim, TaskGroup, checkpoint, shield, task_group};
use futures::lock::Mutex;

/// The failure of a program that must have one, by fair choices.
fn found<F, Fut>(what: &str, program: F) -> Failure
where
    F: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    let failure = explore(&program).first_failure(0..10_000).expect(what);
    let by_pct = explore(&program).pct(3).first_failure(0..10_000);
    let by_pct = by_pct.expect(what);
    let (fair, pct) = (failure.tried(), by_pct.tried());
    eprintln!("{what}: {fair} seeds with fair choices, {pct} with pct(3)\n{failure}\n");
    // What it printed is what fails.
    let replayed = Sim::builder().replay(failure.replay()).max_steps(10_000);
    let again = catch_unwind(AssertUnwindSafe(|| {
        anyrt::run_on(replayed.build(), async { program().await });
    }));
    // Further lines may say where the run was started, which was not here.
    let again = text_of(&*again.expect_err(what));
    assert_eq!(again.lines().next(), failure.message().lines().next());
    failure
}

/// That no seed fails.
fn sound<F, Fut>(program: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    let none = explore(&program).first_failure(0..1_000);
    assert!(none.is_none(), "{none:?}");
    let none = explore(&program).pct(3).first_failure(0..1_000);
    assert!(none.is_none(), "{none:?}");
}

/// What is said by a search that fails.
fn complaint(search: impl FnOnce() -> u64) -> String {
    let payload = catch_unwind(AssertUnwindSafe(search)).expect_err("there is a bug");
    text_of(&*payload)
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.expect("the payload is a text")
}

/// Two children side by side, in a group without errors.
async fn both<A, B>(a: A, b: B)
where
    A: Future<Output = ()> + Send + 'static,
    B: Future<Output = ()> + Send + 'static,
{
    let group = task_group(async |g: TaskGroup<()>| {
        g.spawn(async {
            a.await;
            Ok(())
        });
        g.spawn(async {
            b.await;
            Ok(())
        });
        Ok(())
    });
    group.await.unwrap();
}

/// So much work of another kind, before or between.
async fn work(turns: usize) {
    for _ in 0..turns {
        checkpoint().await;
    }
}

/// A flag that one task can wait for.
#[derive(Default)]
struct Signal {
    is_set: AtomicBool,
    waker: std::sync::Mutex<Option<Waker>>,
}

impl Signal {
    fn set(&self) {
        self.is_set.store(true, SeqCst);
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }

    /// Looks first, and registers later.
    async fn wait_with_a_hole(&self) {
        if !self.is_set.load(SeqCst) {
            checkpoint().await;
            let mut is_registered = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut is_registered, true) {
                    return Poll::Ready(());
                }
                *self.waker.lock().unwrap() = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }

    /// Registers first, and then looks.
    async fn wait(&self) {
        checkpoint().await;
        poll_fn(|cx| {
            *self.waker.lock().unwrap() = Some(cx.waker().clone());
            match self.is_set.load(SeqCst) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }
}

#[test]
fn a_lost_wake_up() {
    let failure = found("a lost wake-up", || async {
        let signal = Arc::new(Signal::default());
        let setter = signal.clone();
        let waits = async move {
            work(3).await;
            signal.wait_with_a_hole().await;
        };
        let sets = async move {
            work(2).await;
            setter.set();
        };
        both(waits, sets).await;
    });
    assert!(failure.message().starts_with("deadlock"), "{failure}");
    sound(|| async {
        let signal = Arc::new(Signal::default());
        let setter = signal.clone();
        let sets = async move {
            work(2).await;
            setter.set();
        };
        both(async move { signal.wait().await }, sets).await;
    });
}

/// Locks one, then the other, after some turns.
async fn lock_both(turns: usize, first: Arc<Mutex<()>>, second: Arc<Mutex<()>>) {
    work(turns).await;
    let _first = first.lock().await;
    checkpoint().await;
    let _second = second.lock().await;
}

#[test]
fn a_lock_order_inversion() {
    let failure = found("a lock-order inversion", || async {
        let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
        both(lock_both(0, a.clone(), b.clone()), lock_both(4, b, a)).await;
    });
    assert!(failure.message().starts_with("deadlock"), "{failure}");
    sound(|| async {
        let (a, b) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
        both(lock_both(0, a.clone(), b.clone()), lock_both(4, a, b)).await;
    });
}

/// Takes 60 out of `account` if they are there, after some turns.
async fn withdraw(turns: usize, account: Arc<(AtomicI32, Mutex<()>)>, is_locked: bool) {
    work(turns).await;
    let _guard = match is_locked {
        true => Some(account.1.lock().await),
        false => None,
    };
    if account.0.load(SeqCst) >= 60 {
        checkpoint().await;
        account.0.fetch_sub(60, SeqCst);
    }
}

async fn check_then_act(is_locked: bool) {
    let account = Arc::new((AtomicI32::new(100), Mutex::new(())));
    both(
        withdraw(0, account.clone(), is_locked),
        withdraw(4, account.clone(), is_locked),
    )
    .await;
    assert!(account.0.load(SeqCst) >= 0, "the account is overdrawn");
}

#[test]
fn a_check_then_act_race() {
    let failure = found("a check-then-act race", || check_then_act(false));
    assert_eq!(failure.message(), "the account is overdrawn");
    sound(|| check_then_act(true));
}

/// Takes from one account and gives to the other; what is in between is not to be cut.
async fn transfer(accounts: &[AtomicI32; 2]) {
    checkpoint().await;
    accounts[0].fetch_sub(10, SeqCst);
    checkpoint().await;
    accounts[1].fetch_add(10, SeqCst);
}

#[test]
fn a_missing_shield() {
    let accounts = [const { AtomicI32::new(50) }; 2];
    let check = || {
        let sum: i32 = accounts.iter().map(|account| account.load(SeqCst)).sum();
        assert_eq!(sum, 100, "money is lost");
    };
    let said = complaint(|| {
        let search = CancelEverywhere::new().check(check);
        search.run(|| transfer(&accounts))
    });
    assert!(said.contains("money is lost"), "{said}");

    // A drop from outside passes every shield, but not a task: the group around it waits for that.
    let accounts = Arc::new([const { AtomicI32::new(50) }; 2]);
    let check = || {
        let sum: i32 = accounts.iter().map(|account| account.load(SeqCst)).sum();
        assert_eq!(sum, 100, "money is lost");
    };
    let places = CancelEverywhere::new().check(check).run(|| {
        let accounts = accounts.clone();
        async move {
            let group = task_group(async |g: TaskGroup<()>| {
                g.spawn(async move {
                    shield(transfer(&accounts)).await;
                    Ok(())
                });
                Ok(())
            });
            group.await.unwrap();
        }
    });
    assert!(places > 3, "{places}");
}

#[test]
fn a_leaked_task() {
    let said = complaint(|| {
        cancel_everywhere(|| async {
            let sim = Sim::current().unwrap();
            let helper = CancelScope::new();
            // It is nobody's child, and nobody tells it if this is cancelled meanwhile.
            let task = sim.spawn(helper.clone().run(std::future::pending::<()>()));
            checkpoint().await;
            helper.cancel();
            task.await;
        })
    });
    assert!(said.contains("tasks that are alive: 1"), "{said}");
    assert!(said.contains("at `Pending` number 1"), "{said}");

    cancel_everywhere(|| async {
        let group = task_group(async |g: TaskGroup<()>| {
            g.spawn(std::future::pending::<Result<(), ()>>());
            checkpoint().await;
            g.cancel();
            Ok(())
        });
        group.await.unwrap();
    });
}
