//! A panic stays in its task until somebody asks for the output.

use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use anyrt_core::Backend;
use anyrt_sim::Sim;

use crate::kit::{Bomb, HOUR, panic_of, poll_once, sim, sleep};

async fn fails() -> u32 {
    panic!("from the task")
}

#[test]
fn a_panic_is_resumed_where_the_handle_is_awaited() {
    Sim::default().run(async {
        let mut task = sim().spawn(fails());
        let other = sim().spawn(async { 3 });
        sleep(HOUR).await;
        let message = panic_of(|| poll_once(&mut task));
        assert_eq!(message, "from the task");
        assert_eq!(other.await, Some(3));
    });
}

#[test]
fn a_panic_goes_through_main() {
    let message = panic_of(|| {
        Sim::default().run(async {
            let _left = sim().spawn(pending::<()>());
            sim().spawn(fails()).await
        })
    });
    assert_eq!(message, "from the task");
}

#[test]
fn a_panic_of_a_detached_task_goes_no_further() {
    Sim::default().run(async {
        drop(sim().spawn(async { panic!("nobody listens") }));
        drop(sim().spawn_blocking(|| panic!("here neither")));
        sleep(HOUR).await;
    });
}

#[test]
fn a_panic_of_a_call_is_resumed_where_the_handle_is_awaited() {
    fn call() -> u32 {
        panic!("from the call")
    }
    let message = panic_of(|| Sim::default().run(async { sim().spawn_blocking(call).await }));
    assert_eq!(message, "from the call");
}

/// Ready at once, and a bomb afterwards.
struct Trap {
    _bomb: Bomb,
}

impl Future for Trap {
    type Output = u32;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        Poll::Ready(1)
    }
}

#[test]
fn a_destructor_that_panics_is_the_panic_of_its_task() {
    Sim::default().run(async {
        let mut task = sim().spawn(Trap { _bomb: Bomb });
        sleep(HOUR).await;
        let message = panic_of(|| poll_once(&mut task));
        assert_eq!(message, "the bomb went off");
    });
}

#[test]
fn a_destructor_of_main_that_panics_ends_in_the_panic_of_run() {
    let message = panic_of(|| Sim::default().run(Trap { _bomb: Bomb }));
    assert_eq!(message, "the bomb went off");
    assert!(Sim::current().is_none());
}
