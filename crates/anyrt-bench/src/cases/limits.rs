//! Time limits beside tokio's, and what scopes and shields cost beside nothing at all.

use anyrt_core::{CancelScope, checkpoint, fail_after, shield};
use anyrt_tokio::Tokio;
use async_channel::Receiver;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::pieces::{Child, HOUR, in_a_run, itself, one_by_one};
use crate::case::Case;
use crate::goal::Goal;
use crate::host::On;

const CALLS: u64 = 1_000;
const TIMEOUT: &str = "tokio::time::timeout";

pub(super) fn cases() -> Vec<Case> {
    On::TOKIO.into_iter().flat_map(on).collect()
}

fn on(on: On) -> Vec<Case> {
    let mut cases = Vec::new();
    let goal = Goal::new(1.0, 0.7);
    for (name, child) in [
        ("fail_after around a ready body", Child::Ready),
        ("fail_after around one yield", Child::Yields),
    ] {
        let limited = move |calls| in_a_run::<Tokio>(limited(calls, child));
        let case = Case::new(name, on, CALLS, limited);
        cases.push(case.against(TIMEOUT, goal, move |calls| timed_out(calls, child)));
    }
    let ready = Child::Ready;
    cases.push(
        Case::new(
            "fail_after around a ready body, outside of a run",
            on,
            CALLS,
            move |calls| limited(calls, ready),
        )
        .against(TIMEOUT, Goal::REPORT, move |calls| timed_out(calls, ready)),
    );
    cases.extend([around_a_receive(on), nested(on)]);
    cases.extend(beside_nothing(on));
    cases
}

async fn limited(calls: u64, child: Child) -> u64 {
    let make = |n| fail_after::<Tokio, _>(HOUR, child.number(n));
    one_by_one(calls, make, Result::unwrap_or_default).await
}

async fn timed_out(calls: u64, child: Child) -> u64 {
    let make = |n| timeout(HOUR, child.number(n));
    one_by_one(calls, make, Result::unwrap_or_default).await
}

fn around_a_receive(on: On) -> Case {
    let name = "fail_after around a channel's receive";
    Case::new(name, on, CALLS, |messages| {
        let limit = |rx| fail_after::<Tokio, _>(HOUR, receive(rx));
        in_a_run::<Tokio>(received(messages, limit, Result::unwrap_or_default))
    })
    .against(TIMEOUT, Goal::new(1.0, 0.7), |messages| {
        let limit = |rx| timeout(HOUR, receive(rx));
        received(messages, limit, Result::unwrap_or_default)
    })
}

async fn receive(numbers: Receiver<u64>) -> u64 {
    numbers.recv().await.unwrap_or(0)
}

/// All numbers that another task sends, as soon as each of them has been received.
async fn received<F: Future>(
    messages: u64,
    make: impl Fn(Receiver<u64>) -> F,
    value: impl Fn(F::Output) -> u64,
) -> u64 {
    let (sender, receiver) = async_channel::bounded(1);
    tokio::spawn(async move {
        for n in 0..messages {
            let _ = sender.send(n).await;
        }
    });
    one_by_one(messages, |_| make(receiver.clone()), value).await
}

/// The outermost limit is the earliest.
macro_rules! five {
    ($limit:expr, $body:expr) => {{
        let limited = $limit(4 * HOUR, $limit(5 * HOUR, $body));
        $limit(HOUR, $limit(2 * HOUR, $limit(3 * HOUR, limited)))
    }};
}

macro_rules! innermost {
    () => {
        |value| match value {
            Ok(Ok(Ok(Ok(Ok(n))))) => n,
            _ => 0,
        }
    };
}

fn nested(on: On) -> Case {
    let body = |n| Child::Yields.number(n);
    Case::new(
        "five nested limits around one yield",
        on,
        CALLS,
        move |calls| {
            let make = move |n| five!(fail_after::<Tokio, _>, body(n));
            in_a_run::<Tokio>(one_by_one(calls, make, innermost!()))
        },
    )
    .against(TIMEOUT, Goal::new(0.7, 0.4), move |calls| {
        let make = move |n| five!(timeout, body(n));
        one_by_one(calls, make, innermost!())
    })
}

fn beside_nothing(on: On) -> [Case; 3] {
    let bare = |calls| one_by_one(calls, |n| Child::Yields.number(n), itself);
    let shield = |calls| {
        let make = |n| shield(Child::Yields.number(n));
        in_a_run::<Tokio>(one_by_one(calls, make, itself))
    };
    let scope = |calls| {
        let make = |n| CancelScope::<Tokio>::new().run(Child::Yields.number(n));
        in_a_run::<Tokio>(one_by_one(calls, make, Result::unwrap_or_default))
    };
    let checkpoint = |calls| {
        let make = async |n| {
            checkpoint().await;
            n
        };
        one_by_one(calls, make, itself)
    };
    let yields = |calls| {
        let make = async |n| {
            yield_now().await;
            n
        };
        one_by_one(calls, make, itself)
    };
    let bare_name = "bare async block";
    [
        Case::new("shield around one yield", on, CALLS, shield).against(
            bare_name,
            Goal::REPORT,
            bare,
        ),
        Case::new("empty scope around one yield", on, CALLS, scope).against(
            bare_name,
            Goal::REPORT,
            bare,
        ),
        Case::new("checkpoint", on, CALLS, checkpoint).against("yield_now", Goal::REPORT, yields),
    ]
}
