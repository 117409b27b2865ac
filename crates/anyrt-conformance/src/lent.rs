//! Cleanups that are registered by what was lent to a scope and lives on after it.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use anyrt_core::{Backend, Started, finally, shield};
use futures::poll;

use crate::exits::slow;
use crate::probe::{Log, panic_of};
use crate::rt::Rt;

type Lent = Arc<Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>>;

/// Something that is first polled in one scope, polled on in another, and registers a cleanup then.
fn lent<B: Backend>(rt: Rt<B>, log: &Log) -> Lent {
    let cleanup = slow(rt, log, "cleanup");
    let work = shield(async move {
        rt.yields(1).await;
        rt.on_exit(cleanup);
    });
    Arc::new(Mutex::new(Some(Box::pin(work))))
}

/// Polls it for the first time.
async fn glance(lent: &Lent) {
    let mut work = lent.lock().unwrap().take().unwrap();
    assert!(poll!(&mut work).is_pending());
    *lent.lock().unwrap() = Some(work);
}

/// The rest of it.
fn rest(lent: &Lent) -> impl Future<Output = ()> + Send + use<> {
    lent.lock().unwrap().take().unwrap()
}

/// What was lent to a scope that has ended is below the scope around that one: so is the cleanup that it registers.
pub async fn an_exit_is_not_lost_in_a_scope_that_has_ended<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.scope().run(async {
        let work = lent(rt, &log);
        assert_eq!(rt.scope().run(glance(&work)).await, Ok(()));
        rest(&work).await;
        let work = lent(rt, &log);
        let group = rt.task_group(async |_| {
            let _: () = glance(&work).await;
            Ok::<_, ()>(())
        });
        assert_eq!(group.await, Ok(()));
        rest(&work).await;
        let work = lent(rt, &log);
        finally(glance(&work), async || ()).await;
        rest(&work).await;
        let work = lent(rt, &log);
        finally(async {}, async || glance(&work).await).await;
        rest(&work).await;
        log.add("body");
    });
    assert_eq!(outer.await, Ok(()));
    let marks = ["body", "cleanup", "cleanup", "cleanup", "cleanup"];
    assert_eq!(log.marks(), marks);
}

/// The same for a child that has ended, and for a started one.
pub async fn an_exit_is_not_lost_in_a_child_that_has_ended<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let group = rt.task_group(async |g| {
        let work = lent(rt, &log);
        let there = work.clone();
        g.spawn(async move {
            let _: () = glance(&there).await;
            Ok::<_, ()>(())
        })
        .await;
        rest(&work).await;
        log.add("after the child");
        let work = lent(rt, &log);
        let there = work.clone();
        let start = g.start(move |started: Started<()>| async move {
            started.set(());
            let _: () = glance(&there).await;
            Ok(())
        });
        start.await.unwrap().1.await;
        rest(&work).await;
        log.add("after the started one");
        Ok(())
    });
    assert_eq!(group.await, Ok(()));
    let marks = [
        "after the child",
        "after the started one",
        "cleanup",
        "cleanup",
    ];
    assert_eq!(log.marks(), marks);
}

/// The same for a cleanup that has ended.
pub async fn an_exit_is_not_lost_in_an_exit_that_has_ended<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.scope().run(async {
        let work = lent(rt, &log);
        let there = work.clone();
        let scope = rt.scope().run(async move {
            rt.on_exit(async move { glance(&there).await });
        });
        assert_eq!(scope.await, Ok(()));
        rest(&work).await;
        log.add("body");
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["body", "cleanup"]);
}

/// The same for scopes that ended by a panic.
pub async fn an_exit_is_not_lost_in_a_scope_that_has_panicked<B: Backend>(rt: Rt<B>) {
    async fn glance_and_panic(lent: &Lent) {
        glance(lent).await;
        panic!("after a glance");
    }
    let log = Log::default();
    let outer = rt.scope().run(async {
        let work = lent(rt, &log);
        assert!(
            panic_of(rt.scope().run(glance_and_panic(&work)))
                .await
                .is_err()
        );
        rest(&work).await;
        let work = lent(rt, &log);
        let session = finally(glance_and_panic(&work), async || ());
        assert!(panic_of(session).await.is_err());
        rest(&work).await;
        log.add("body");
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["body", "cleanup", "cleanup"]);
}

/// The same for scopes that were dropped from outside.
pub async fn an_exit_is_not_lost_in_a_scope_that_was_dropped<B: Backend>(rt: Rt<B>) {
    let log = Log::default();
    let outer = rt.scope().run(async {
        for case in 0..3 {
            let work = lent(rt, &log);
            {
                let body = async {
                    glance(&work).await;
                    pending::<()>().await;
                };
                let mut dropped: Pin<Box<dyn Future<Output = ()> + '_>> = match case {
                    0 => Box::pin(async { drop(rt.scope().run(body).await) }),
                    1 => Box::pin(finally(body, async || ())),
                    _ => Box::pin(async {
                        let group = rt.task_group(async |_| {
                            let _: () = body.await;
                            Ok::<_, ()>(())
                        });
                        group.await.unwrap();
                    }),
                };
                assert!(poll!(&mut dropped).is_pending());
            }
            rest(&work).await;
        }
        log.add("body");
    });
    assert_eq!(outer.await, Ok(()));
    assert_eq!(log.marks(), ["body", "cleanup", "cleanup", "cleanup"]);
}
