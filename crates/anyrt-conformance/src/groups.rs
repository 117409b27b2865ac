//! Task groups: what they wait for, what they cancel, and what they give.

use std::future::pending;

use anyrt_core::Backend;

use crate::probe::Alive;
use crate::rt::Rt;

/// The value of the body is the value of the group.
pub async fn gives_the_value_of_the_body<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let a = g.spawn(async { Ok(1) });
        let b = g.spawn(async { Ok::<_, ()>(2) });
        Ok(a.await + b.await)
    });
    assert_eq!(group.await, Ok(3));
}

/// Rule 1: also a child that nobody awaits has ended when the group returns.
pub async fn waits_for_children_whose_handles_were_dropped<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        for _ in 0..100 {
            let life = alive.born();
            drop(g.spawn(async move {
                rt.yields(3).await;
                Ok::<_, ()>(life)
            }));
        }
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    assert_eq!(alive.count(), 0);
}

/// Rule 2.
pub async fn the_first_error_cancels_siblings_and_body<B: Backend>(rt: Rt<B>) {
    let alive = Alive::default();
    let group = rt.task_group(async |g| {
        let life = alive.born();
        g.spawn(async move {
            pending::<()>().await;
            drop(life);
            Ok(())
        });
        let _body = alive.born();
        g.spawn(async { Err::<(), _>("first") });
        pending::<()>().await;
        Ok(())
    });
    let error = group.await.unwrap_err();
    assert_eq!((error.first, error.rest.len()), ("first", 0));
    assert_eq!(alive.count(), 0);
}
