//! Values that stand for a live runtime, seen from outside it, and tokio's own clock.

use std::time::{Duration, Instant};

use anyrt_core::Backend;
use anyrt_tokio::Tokio;
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap()
}

#[test]
fn live_handle_works_outside_its_runtime() {
    let runtime = runtime();
    let tokio = Tokio::from(runtime.handle().clone());
    assert!(Tokio::current().is_none());
    let at = tokio.now() + Duration::from_millis(1);
    let sleep = tokio.sleep_until(at);
    let task = tokio.spawn(async { 1 });
    let call = tokio.spawn_blocking(|| 2);
    assert!(Tokio::current().is_none(), "nothing stays entered");
    let sum = tokio.run(async {
        sleep.await;
        task.await.unwrap() + call.await.unwrap()
    });
    assert_eq!(sum, 3);
    assert!(Instant::now() >= at);
}

#[test]
fn live_handle_works_inside_another_runtime() {
    let runtime = runtime();
    let tokio = Tokio::from(runtime.handle().clone());
    let id = runtime.handle().id();
    Tokio::current_thread().run(async {
        let there = tokio.spawn(async { tokio::runtime::Handle::current().id() });
        assert_eq!(there.await, Some(id));
        tokio
            .sleep_until(tokio.now() + Duration::from_millis(1))
            .await;
        assert_ne!(tokio::runtime::Handle::current().id(), id);
    });
}

#[test]
fn value_that_is_not_live_uses_the_runtime_of_the_thread() {
    let value = Tokio::default();
    Tokio::current_thread().run(async {
        assert_eq!(value.spawn(async { 1 }).await, Some(1));
        assert_eq!(value.spawn_blocking(|| 2).await, Some(2));
        value.sleep_until(value.now()).await;
    });
}

#[test]
fn paused_clock_is_respected() {
    let day = Duration::from_secs(24 * 60 * 60);
    let real = Instant::now();
    Tokio::current_thread().run(async {
        tokio::time::pause();
        let here = Tokio::current().unwrap();
        let at = here.now() + day;
        here.sleep_until(at).await;
        assert!(here.now() >= at);

        // The same clock is seen by the same value from a thread that knows nothing of the runtime.
        let there = here.clone();
        let seen = std::thread::spawn(move || there.now()).join().unwrap();
        assert!(seen >= at);
    });
    assert!(real.elapsed() < day);
}

#[test]
fn has_budget_runs_out_and_comes_back() {
    Tokio::current_thread().run(async {
        let here = Tokio::current().unwrap();
        assert!(here.has_budget());
        let mut spent = 0;
        while here.has_budget() {
            tokio::task::coop::consume_budget().await;
            spent += 1;
        }
        assert!(spent > 1);
        tokio::task::yield_now().await;
        assert!(here.has_budget());
    });
}

#[test]
#[should_panic = "timers are disabled"]
fn runtime_without_timers_says_how_to_enable_them() {
    let runtime = Builder::new_current_thread().build().unwrap();
    drop(Tokio::from(runtime.handle().clone()).sleep_until(Instant::now()));
}

#[test]
#[should_panic = "at least one worker"]
fn zero_workers_panic_at_the_caller() {
    let _ = Tokio::multi_thread().worker_threads(0);
}

#[test]
fn panics_point_at_the_caller() {
    use std::panic::{catch_unwind, set_hook, take_hook};
    use std::sync::{Arc, Mutex};

    // The hook is global: other tests may panic meanwhile, in other files than this one.
    let places = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&places);
    let before = take_hook();
    set_hook(Box::new(move |info| {
        let place = info.location().map(|l| (l.file().to_owned(), l.line()));
        seen.lock().unwrap().push(place.unwrap());
    }));
    let line = line!();
    assert!(catch_unwind(|| drop(Tokio::default().spawn(async {}))).is_err());
    assert!(catch_unwind(|| drop(Tokio::default().spawn_blocking(|| ()))).is_err());
    assert!(catch_unwind(|| drop(Tokio::default().sleep_until(Instant::now()))).is_err());
    set_hook(before);
    let places = places.lock().unwrap();
    for wanted in 1..=3 {
        assert!(
            places.contains(&(file!().to_owned(), line + wanted)),
            "{places:?}"
        );
    }
}
