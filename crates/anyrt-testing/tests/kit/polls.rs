//! `poll_once`, `assert_pending!` and `assert_ready!`.

use std::future::{pending, ready};
use std::pin::pin;

use anyrt_core::sleep;
use anyrt_sim::Sim;
use anyrt_testing::{assert_pending, assert_ready, poll_once};

use crate::support::{ms, panic_of, run, timed};

#[test]
fn poll_once_polls_in_the_running_task() {
    run(async {
        assert_eq!(poll_once(ready(7)).await, Some(7));
        let mut sleep = pin!(sleep::<Sim>(ms(5)));
        let wait = timed(async {
            assert_eq!(poll_once(&mut sleep).await, None);
            // Woken although nobody polls `sleep` meanwhile.
            let mut is_first = true;
            std::future::poll_fn(|_| match std::mem::take(&mut is_first) {
                true => std::task::Poll::Pending,
                false => std::task::Poll::Ready(()),
            })
            .await;
        });
        assert_eq!(wait.await.1, ms(5));
    });
}

#[test]
fn what_is_not_as_asserted_is_named() {
    let message = panic_of(|| assert_pending!(ready(7)));
    assert_eq!(message, "`ready(7)` is ready");
    let message = panic_of(|| assert_ready!(pending::<()>()));
    assert_eq!(message, "`pending::<()>()` is not ready");
}

#[test]
fn a_message_is_formatted_only_where_it_is_needed() {
    let message = |text: &'static str| text;
    assert_pending!(pending::<()>(), "{}", panic_of(|| "never"));
    assert_eq!(assert_ready!(ready(7), "number {}", 7), 7);
    let said = panic_of(|| assert_pending!(ready(7), "{} {n}", message("number"), n = 7));
    assert_eq!(said, "number 7");
    let said = panic_of(|| assert_ready!(pending::<()>(), "number {}", 7));
    assert_eq!(said, "number 7");
}

#[test]
fn a_future_is_asked_again_and_again() {
    let (sender, receiver) = async_channel::unbounded();
    let mut item = pin!(receiver.recv());
    for _ in 0..3 {
        assert_pending!(item);
    }
    sender.try_send(7).unwrap();
    assert_eq!(assert_ready!(item), Ok(7));
}
