//! Shapes of code that have to compile: inference of the error type, and futures that are `Send`.
#![cfg(any(
    feature = "tokio",
    feature = "async-std",
    feature = "smol",
    feature = "sim"
))]

use std::num::ParseIntError;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use anyrt::{
    CancelScope, GroupError, Task, TaskGroup, finally, move_on_after, shield, task_group, to_thread,
};
use futures::FutureExt;

fn is_send<T: Send>(value: T) -> T {
    value
}

fn run<F: Future>(main: F) -> F::Output {
    let name = anyrt::available().last().expect("a backend is compiled in");
    anyrt::run_on(anyrt_tests::backend(name), main)
}

async fn parse(text: &str) -> Result<i32, ParseIntError> {
    text.parse()
}

/// The error type comes from the surrounding function.
async fn from_the_function(text: &'static str) -> Result<i32, GroupError<ParseIntError>> {
    task_group(async |g| Ok(g.spawn(parse(text)).await + 1)).await
}

/// It comes from `?` in the body.
async fn from_the_body(text: &str) -> Result<i32, GroupError<ParseIntError>> {
    task_group(async |_| Ok(parse(text).await?)).await
}

/// A future that is promised to be `Send`, and borrows.
fn sum<'a>(
    texts: &'a [&'static str],
) -> impl Future<Output = Result<i32, GroupError<ParseIntError>>> + Send + 'a {
    task_group(async |g| {
        let tasks: Vec<_> = texts.iter().map(|text| g.spawn(parse(text))).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        Ok(sum)
    })
}

/// A group that spawns itself, boxed.
fn countdown(n: u32) -> Pin<Box<dyn Future<Output = Result<u32, GroupError<()>>> + Send>> {
    Box::pin(async move {
        if n == 0 {
            return Ok(0);
        }
        task_group(async |g| {
            let child = g.spawn(async move { countdown(n - 1).await.map_err(drop) });
            Ok(child.await + 1)
        })
        .await
    })
}

#[test]
fn the_error_type_is_inferred() {
    assert_eq!(run(from_the_function("1")), Ok(2));
    assert_eq!(run(from_the_body("1")), Ok(1));
    let from_the_children = task_group(async |g| {
        let child = g.spawn(async { "7".parse::<i32>() });
        Ok(child.await)
    });
    assert_eq!(run(from_the_children), Ok(7));
}

#[test]
fn group_futures_are_send() {
    let numbers = vec!["1", "2", "3"];
    assert_eq!(run(is_send(sum(&numbers))), Ok(6));
    assert_eq!(run(is_send(countdown(5))), Ok(5));
    let nested = is_send(task_group(
        async |outer: TaskGroup<GroupError<ParseIntError>>| {
            let child = outer.spawn(task_group(async |inner| Ok(inner.spawn(parse("4")).await)));
            let borrowed = sum(&numbers).await?;
            Ok(child.await + borrowed)
        },
    ));
    assert_eq!(run(nested), Ok(10));
}

#[test]
fn a_body_may_be_neither_send_nor_static() {
    let local = std::rc::Rc::new(1);
    let text = String::from("20");
    let total = run(async {
        let held = local.clone();
        task_group(async |g| {
            let child = g.spawn(async { parse("21").await });
            let own = parse(&text).await?;
            Ok(child.await + own + *held)
        })
        .await
    });
    assert_eq!(total, Ok(42));
}

#[test]
fn handles_may_be_sent_and_shared() {
    fn is_sync<T: Sync + Send + Clone + Unpin>() {}
    is_sync::<TaskGroup<std::cell::Cell<()>>>();
    is_sync::<CancelScope>();
    is_sync::<anyrt::Limiter>();
    fn is_movable<T: Send + Unpin>() {}
    is_movable::<Task<std::cell::Cell<u8>>>();
    let scoped = CancelScope::new().run(shield(to_thread(|| 3)));
    assert_eq!(run(is_send(scoped)).ok(), Some(3));
}

/// Scopes around futures that own closures are `Send`: rustc sees it only if no scope names what its body gives by a
/// projection.
#[test]
fn scopes_around_closures_may_be_spawned() {
    let hour = Duration::from_secs(3600);
    let log: &'static Mutex<u32> = Box::leak(Box::default());
    let add = move || *log.lock().unwrap() += 1;
    let group = task_group(async |g| {
        g.spawn(async move {
            let log = &log;
            let work = std::future::ready(());
            move_on_after(hour, finally(work, async || *log.lock().unwrap() += 1)).await;
            let work = std::future::ready(());
            let scope = CancelScope::new();
            let cleaned = scope.run(finally(work, || async { *log.lock().unwrap() += 1 }));
            cleaned.await.ok();
            let mapped = std::future::ready(log).map(|log| *log.lock().unwrap() += 1);
            move_on_after(hour, mapped).await;
            finally(
                finally(std::future::ready(()), async || add()),
                async || add(),
            )
            .await;
            Ok::<_, ()>(())
        });
        Ok(())
    });
    assert_eq!(run(group), Ok(()));
    assert_eq!(*log.lock().unwrap(), 5);
}
