//! Each option does what it says, on the backend that the test is named after.

use std::process::ExitCode;
use std::time::Duration;

use anyrt::{Backend, Current, sleep};

fn backend() -> &'static str {
    Current::current().expect("a test is in a run").name()
}

#[cfg(feature = "tokio")]
#[anyrt::test(backends(tokio))]
async fn only_on_tokio() {
    assert_eq!(backend(), "tokio");
}

#[cfg(feature = "async-std")]
#[anyrt::test(backends(async_std))]
async fn only_on_async_std() {
    assert_eq!(backend(), "async-std");
}

#[cfg(feature = "smol")]
#[anyrt::test(backends(smol))]
async fn only_on_smol() {
    assert_eq!(backend(), "smol");
}

#[cfg(feature = "sim")]
#[anyrt::test(backends(sim))]
async fn only_on_sim() {
    assert_eq!(backend(), "sim");
}

#[cfg(feature = "tokio")]
#[anyrt::test(threads = 3, backends(tokio))]
async fn tokio_has_as_many_workers_as_asked_for() {
    let workers = tokio::runtime::Handle::current().metrics().num_workers();
    assert_eq!(workers, 3);
}

#[cfg(feature = "smol")]
#[anyrt::test(threads = 1, backends(smol))]
async fn smol_has_no_more_threads_than_asked_for() {
    use std::collections::HashSet;
    use std::thread;

    let child = |_| async {
        anyrt::checkpoint().await;
        Ok::<_, ()>(thread::current().id())
    };
    let children: Vec<_> = (0..100).map(child).collect();
    let threads = anyrt::parallel::gather(children).await.unwrap();
    // The worker, and the thread of the test.
    assert!(HashSet::<_>::from_iter(threads).len() <= 2);
}

#[anyrt::test(threads = 2, seed = 3, timeout = "1h")]
async fn what_means_nothing_to_a_backend_is_no_matter_to_it() {
    sleep(Duration::from_millis(1)).await;
}

#[anyrt::test(timeout = "30 ms")]
#[should_panic(expected = "anyrt: the test has not ended within 30ms")]
async fn a_timeout_ends_a_test_that_waits() {
    sleep(Duration::from_secs(60)).await;
}

#[cfg(feature = "sim")]
#[anyrt::test(timeout = "2h", backends(sim))]
async fn on_the_simulator_a_timeout_is_virtual() {
    let start = anyrt::now();
    sleep(Duration::from_secs(7_199)).await;
    assert_eq!(anyrt::now() - start, Duration::from_secs(7_199));
}

#[anyrt::test]
#[should_panic(expected = "the reason")]
async fn a_panic_comes_out() {
    panic!("this is the reason");
}

#[anyrt::test]
async fn whatever_a_program_may_return() -> ExitCode {
    ExitCode::SUCCESS
}

#[anyrt::test]
async fn also_what_it_only_promises() -> Result<impl std::process::Termination, String> {
    Ok(())
}

/// The facade by another path, without the crate's own name.
mod renamed {
    pub(super) use anyrt as facade;
}

#[anyrt::test(crate = renamed::facade)]
async fn the_path_of_the_crate_may_be_another() {}
