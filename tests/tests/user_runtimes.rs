//! Inside a runtime that the user has started, nothing need be set up.

#[cfg(feature = "tokio")]
use anyrt::from_thread;
use anyrt::{sleep, task_group};
use std::time::Duration;

async fn job() -> i32 {
    let group = task_group(async |g| {
        let a = g.spawn(async {
            sleep(Duration::from_millis(1)).await;
            Ok::<_, ()>(1)
        });
        let b = g.spawn(async { Ok(anyrt::to_thread(|| 2).await) });
        Ok(a.await + b.await)
    });
    group.await.unwrap()
}

#[test]
fn a_run_of_every_backend_will_do() {
    for name in anyrt::available() {
        assert_eq!(anyrt::run_on(anyrt_tests::backend(name), job()), 3);
    }
}

#[cfg(feature = "tokio")]
#[test]
fn a_tokio_runtime_of_either_flavour_will_do() {
    let mut builders = [
        tokio::runtime::Builder::new_multi_thread(),
        tokio::runtime::Builder::new_current_thread(),
    ];
    for builder in &mut builders {
        let runtime = builder.enable_time().build().unwrap();
        assert_eq!(runtime.block_on(job()), 3);
        assert_eq!(
            runtime.block_on(async { tokio::spawn(job()).await.unwrap() }),
            3
        );
    }
}

/// tokio's own timer shows that the thread is inside the runtime as well.
#[cfg(feature = "tokio")]
#[test]
fn a_thread_of_a_tokio_runtime_calls_back_without_a_group() {
    let mut builders = [
        tokio::runtime::Builder::new_multi_thread(),
        tokio::runtime::Builder::new_current_thread(),
    ];
    for builder in &mut builders {
        let runtime = builder.enable_time().build().unwrap();
        let call = anyrt::to_thread(|| {
            let checked = from_thread::check_cancelled();
            let slept = from_thread::block_on(async {
                sleep(Duration::from_millis(1)).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                job().await
            });
            (checked, slept)
        });
        assert_eq!(runtime.block_on(call), (Ok(()), Ok(3)));
    }
}

/// All threads of the pool wait for one that is still to come: the answer is in the documentation of `to_thread`.
#[cfg(feature = "tokio")]
#[test]
fn a_call_for_which_a_full_pool_has_no_thread_may_be_given_up() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.max_blocking_threads(1).enable_time().build();
    let outer = anyrt::to_thread(|| {
        let inner = anyrt::to_thread(|| 7).abandon_on_cancel();
        from_thread::block_on(anyrt::fail_after(Duration::from_millis(5), inner))
    });
    let given_up = runtime.unwrap().block_on(outer).unwrap();
    assert!(given_up.is_err());
}

#[cfg(feature = "tokio")]
#[test]
fn a_thread_that_waits_hears_of_the_end_of_its_tokio_runtime() {
    for multi_thread in [true, false] {
        let runtime = if multi_thread {
            tokio::runtime::Builder::new_multi_thread().build()
        } else {
            tokio::runtime::Builder::new_current_thread().build()
        };
        let runtime = runtime.unwrap();
        let (waits, is_waiting) = futures::channel::oneshot::channel();
        let (ended, end) = std::sync::mpsc::channel();
        let call = anyrt::to_thread(move || {
            let held = anyrt::shield(async move {
                waits.send(()).unwrap();
                std::future::pending::<()>().await;
            });
            ended.send(from_thread::block_on(held)).unwrap();
        });
        runtime.block_on(async {
            tokio::spawn(call);
            is_waiting.await.unwrap();
        });
        runtime.shutdown_background();
        let told = end.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(told, Err(from_thread::FromThreadError::RunEnded));
    }
}

#[cfg(feature = "async-std")]
#[test]
fn an_async_std_task_will_do() {
    assert_eq!(async_std::task::block_on(job()), 3);
    assert_eq!(async_std::task::block_on(async_std::task::spawn(job())), 3);
}

#[cfg(all(
    feature = "smol",
    not(any(feature = "tokio", feature = "async-std", feature = "sim"))
))]
#[test]
fn where_smol_is_the_only_backend_a_plain_block_on_will_do() {
    assert_eq!(smol::block_on(job()), 3);
    assert_eq!(smol::block_on(smol::spawn(job())), 3);
}

#[cfg(all(feature = "smol", feature = "tokio"))]
#[test]
fn where_several_are_compiled_in_a_plain_block_on_is_not_guessed_at() {
    let attempt = std::panic::catch_unwind(|| smol::block_on(job()));
    let message = *attempt.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("run_on"), "{message}");
    assert!(message.contains(file!()), "{message}");
}

#[cfg(all(feature = "smol", feature = "tokio"))]
#[test]
fn the_choice_of_run_on_holds_inside_another_runtime() {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let name = tokio.block_on(async {
        let call = || anyrt::run_on(anyrt::Smol::default(), async { (job().await, name_here()) });
        tokio::task::spawn_blocking(call).await.unwrap()
    });
    assert_eq!(name, (3, "smol"));
}

#[cfg(all(feature = "smol", feature = "tokio"))]
fn name_here() -> &'static str {
    use anyrt::Backend;

    anyrt::Current::current().expect("inside a run").name()
}

#[cfg(not(any(
    feature = "tokio",
    feature = "async-std",
    feature = "smol",
    feature = "sim"
)))]
#[test]
fn without_a_backend_running_says_which_feature_to_add() {
    let attempt = std::panic::catch_unwind(|| anyrt::run(job()));
    let message = *attempt.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("add the feature `tokio`"), "{message}");
    let unknown = "tokio".parse::<anyrt::Current>().unwrap_err();
    assert!(unknown.to_string().contains("none is compiled in"));
    assert!(anyrt::available().is_empty());
}

#[cfg(all(feature = "smol", feature = "tokio"))]
#[test]
fn run_with_several_backends_asks_for_run_on() {
    let attempt = std::panic::catch_unwind(|| anyrt::run(async {}));
    let message = *attempt.unwrap_err().downcast::<String>().unwrap();
    assert!(
        message.contains("`run_on`") && message.contains("tokio, async-std, smol"),
        "{message}"
    );
}

#[test]
fn an_unknown_name_is_answered_with_those_compiled_in() {
    let message = "tokyo".parse::<anyrt::Current>().unwrap_err().to_string();
    for name in anyrt::available() {
        assert!(message.contains(name), "{message}");
        assert!(name.parse::<anyrt::Current>().is_ok());
    }
}
