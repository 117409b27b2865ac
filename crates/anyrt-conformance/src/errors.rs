//! What a group reports: errors, panics, and their order.

use std::cell::Cell;
use std::error::Error;
use std::future::{Future, pending};
use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, panic_any};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use anyrt_core::{Backend, GroupError, shield};
use futures::FutureExt;
use futures::channel::oneshot;

use super::flavour::{Rt, TaskGroup};
use crate::probe::{Alive, message, on_drop, panic_of};

/// Rule 3: the first is first in time, and all that come after it are kept, of children and of the body.
pub async fn all_errors_are_kept_in_the_order_of_time<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (gate, open) = oneshot::channel::<()>();
        let open = open.shared();
        // Each comes when the one before has ended.
        for (left, error) in [(3, "first"), (2, "second"), (1, "third")] {
            let (siblings, open) = (g.clone(), open.clone());
            g.spawn(shield(async move {
                open.await.ok();
                while siblings.len() > left {
                    rt.yields(1).await;
                }
                Err::<(), _>(error)
            }));
        }
        drop(gate);
        shield(async {
            while !g.is_empty() {
                rt.yields(1).await;
            }
        })
        .await;
        Err::<(), _>("body")
    });
    let error = group.await.unwrap_err();
    assert_eq!(error.first, "first");
    assert_eq!(error.rest, ["second", "third", "body"]);
}

/// Rule 3: an error of the body is an error like the others.
pub async fn an_error_of_the_body_comes_first_if_it_was_first<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        let (tell, told) = oneshot::channel::<()>();
        g.spawn(async move {
            shield(told).await.ok();
            Err::<(), _>("child")
        });
        // Its end comes with the cancellation of the group.
        g.spawn(async move {
            let _tell = tell;
            pending::<Result<(), _>>().await
        });
        rt.yields(2).await;
        Err::<(), _>("body")
    });
    let error = group.await.unwrap_err();
    assert_eq!(error.into_iter().collect::<Vec<_>>(), ["body", "child"]);
}

/// Rule 3: nothing is swallowed, however many there are.
pub async fn none_of_a_thousand_errors_is_lost<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for n in 0..1000 {
            g.spawn(async move {
                shield(rt.yields(n % 5)).await;
                Err::<(), _>(n)
            });
        }
        Ok(())
    });
    let error = group.await.unwrap_err();
    assert_eq!(error.len(), 1000);
    let mut numbers: Vec<_> = error.into_iter().collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..1000));
}

/// Rule 4: a failure after `g.cancel()` is a failure all the same, and cancels the body.
pub async fn an_error_in_a_cancelled_group_is_still_an_error<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        g.spawn(async move {
            shield(rt.yields(3)).await;
            Err::<(), _>("in cleanup")
        });
        g.cancel();
        pending::<Result<(), _>>().await
    });
    assert_eq!(group.await.unwrap_err().into_first(), "in cleanup");
}

/// Rule 6: an error during a cancellation from outside comes out of the group, and the code after it runs.
pub async fn an_error_during_a_cancellation_from_outside_comes_out<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let run = scope.run(async {
        let group = rt.task_group(async |g| {
            g.spawn(async move {
                shield(rt.yields(5)).await;
                Err::<(), _>("while cancelled")
            });
            g.spawn(pending::<Result<(), _>>());
            rt.yields(2).await;
            scope.cancel();
            pending::<Result<(), _>>().await
        });
        group.await.unwrap_err().into_first()
    });
    assert_eq!(run.await, Ok("while cancelled"));
}

/// Rules 5 and 6: so does a panic.
pub async fn a_panic_during_a_cancellation_from_outside_comes_out<B: Backend>(rt: Rt<B>) {
    let scope = rt.scope();
    let run = scope.run(rt.task_group(async |g| {
        g.spawn(async move {
            let _bomb = on_drop(|| panic!("while cancelled"));
            pending::<Result<(), ()>>().await
        });
        rt.yields(2).await;
        scope.cancel();
        pending::<Result<(), _>>().await
    }));
    assert_eq!(panic_of(run).await.unwrap_err(), "while cancelled");
}

/// Rule 5, whichever came first.
pub async fn a_panic_beats_an_error<B: Backend>(rt: Rt<B>) {
    for error_first in [false, true] {
        let group = rt.task_group(async |g| {
            let told = told_when_cut(&g);
            let fail = async || Err::<(), _>("error");
            let panic = async || panic!("panic");
            g.spawn(async move {
                if error_first {
                    fail().await
                } else {
                    panic().await
                }
            });
            shield(told).await.ok();
            if error_first {
                panic().await
            } else {
                fail().await
            }
        });
        assert_eq!(panic_of(group).await, Err("panic".to_owned()));
    }
}

/// Rule 5: all children end first, then the panic goes on.
pub async fn a_panic_goes_on_after_all_children_have_ended<B: Backend>(rt: Rt<B>) {
    for body in [false, true] {
        let alive = Alive::default();
        let group = rt.task_group(async |g| {
            for n in 0..10 {
                let life = alive.born();
                g.spawn(async move {
                    shield(rt.yields(n)).await;
                    let _life = life;
                    pending::<Result<(), ()>>().await
                });
            }
            rt.yields(1).await;
            if body {
                explode()?;
            }
            g.spawn(async { explode() });
            let _life = alive.born();
            pending::<Result<(), _>>().await
        });
        assert_eq!(panic_of(group).await.unwrap_err(), "panicked");
        assert_eq!(alive.count(), 0);
    }
}

/// Rule 5: `resume_unwind` with the very payload, through as many groups as there are.
pub async fn the_payload_of_a_panic_arrives_untouched<B: Backend>(rt: Rt<B>) {
    struct Payload(Arc<()>);
    let marker = Arc::new(());
    let payload = Payload(marker.clone());
    let outer = rt.task_group(async |g| {
        g.spawn(async move {
            let inner = rt.task_group(async |g| {
                g.spawn(async move {
                    rt.yields(1).await;
                    panic_any(payload);
                    #[expect(unreachable_code, reason = "gives the type")]
                    Ok::<(), ()>(())
                });
                Ok(())
            });
            inner.await.map_err(drop)
        });
        Ok::<_, ()>(())
    });
    let payload = AssertUnwindSafe(outer).catch_unwind().await.unwrap_err();
    let Ok(payload) = payload.downcast::<Payload>() else {
        panic!("the payload is another");
    };
    assert!(Arc::ptr_eq(&payload.0, &marker));
    drop(payload);
    assert_eq!(Arc::strong_count(&marker), 1);
}

/// Rule 5: wherever a child panics, its group resumes it, and no runtime sees it.
pub async fn a_panic_anywhere_in_a_child_is_resumed_by_the_group<B: Backend>(rt: Rt<B>) {
    let places = [
        "first poll",
        "last poll",
        "local",
        "capture",
        "cut",
        "cut capture",
        "shield",
        "thread",
    ];
    for place in places {
        let group = rt.task_group(async |g| {
            let bomb = || on_drop(|| panic!("panicked"));
            let told = told_when_cut(&g);
            match place {
                "first poll" => drop(g.spawn(async { explode() })),
                "last poll" => drop(g.spawn(async move {
                    rt.yields(3).await;
                    explode()
                })),
                "local" => drop(g.spawn(async move {
                    let _bomb = bomb();
                    Ok(())
                })),
                "capture" => drop(g.spawn(Carrying::new(bomb(), async { Ok(()) }))),
                "cut" => drop(g.spawn(async move {
                    let _bomb = bomb();
                    pending::<Result<(), _>>().await
                })),
                "cut capture" => drop(g.spawn(Carrying::new(bomb(), pending::<Result<(), _>>()))),
                "shield" => drop(g.spawn(shield(async move {
                    told.await.ok();
                    explode()
                }))),
                "thread" => drop(g.spawn(async move { rt.to_thread(explode).await })),
                _ => unreachable!(),
            }
            rt.yields(2).await;
            if matches!(place, "cut" | "cut capture" | "shield") {
                g.cancel();
            }
            Ok::<_, ()>(())
        });
        assert_eq!(
            panic_of(group).await,
            Err("panicked".to_owned()),
            "in the {place}"
        );
    }
}

/// Rule 5: the same for the body, and for the closure that makes it.
pub async fn a_panic_anywhere_in_the_body_is_resumed_by_the_group<B: Backend>(rt: Rt<B>) {
    for place in ["first poll", "last poll", "local", "cut"] {
        let alive = Alive::default();
        let group = rt.task_group(async |g| {
            let life = alive.born();
            g.spawn(async move {
                let _life = life;
                match place {
                    "cut" => Err(()),
                    _ => pending::<Result<(), _>>().await,
                }
            });
            if place == "first poll" {
                explode()?;
            }
            let bomb = || on_drop(|| panic!("panicked"));
            let _bomb = matches!(place, "local" | "cut").then(bomb);
            rt.yields(2).await;
            if place == "last poll" {
                explode()?;
            }
            if place == "cut" {
                pending::<()>().await;
            }
            Ok(())
        });
        assert_eq!(
            panic_of(group).await,
            Err("panicked".to_owned()),
            "in the {place}"
        );
        assert_eq!(alive.count(), 0);
    }

    let alive = Alive::default();
    let group = rt.task_group(|g| {
        let life = alive.born();
        g.spawn(async move {
            let _life = life;
            pending::<Result<(), ()>>().await
        });
        explode().unwrap();
        async { Ok(()) }
    });
    assert_eq!(
        panic_of(group).await,
        Err("panicked".to_owned()),
        "in the closure"
    );
    assert_eq!(alive.count(), 0);
}

/// Rule 5: of several panics the first goes on; the others neither replace it nor abort the process.
pub async fn of_several_panics_the_first_goes_on<B: Backend>(rt: Rt<B>) {
    let group = rt.task_group(async |g| {
        for _ in 0..5 {
            g.spawn(async {
                let _bomb = on_drop(|| panic!("later, in a destructor"));
                pending::<Result<(), ()>>().await
            });
            let told = told_when_cut(&g);
            g.spawn(async {
                shield(told).await.ok();
                explode()
            });
        }
        rt.yields(2).await;
        g.spawn(async {
            assert!(std::thread::panicking(), "first");
            Ok(())
        });
        let _bomb = on_drop(|| panic!("later, in the body"));
        pending::<Result<(), _>>().await
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "first");
}

/// Rule 5: what has to be thrown away may panic in its destructor, and the first panic still goes on.
pub async fn what_panics_when_thrown_away_does_not_stop_a_panic<B: Backend>(rt: Rt<B>) {
    let bombs = Bombs::default();
    let group = rt.task_group(async |g| {
        let (payload, panics) = (bombs.one(), told_when_cut(&g));
        g.spawn(async move {
            shield(panics).await.ok();
            panic_any(payload);
            #[expect(unreachable_code, reason = "gives the type")]
            Ok(())
        });
        let (error, fails) = (bombs.one(), told_when_cut(&g));
        g.spawn(async move {
            shield(fails).await.ok();
            Err::<(), _>(error)
        });
        g.spawn(async {
            assert!(std::thread::panicking(), "first");
            Ok(())
        });
        Ok(bombs.one())
    });
    let result = AssertUnwindSafe(group).catch_unwind().await;
    let Err(payload) = result else {
        panic!("no panic")
    };
    assert_eq!(message(&*payload), "first");
    bombs.assert_no_abort();
}

/// Rules 1 and 5: a payload that panics when dropped is handed on like any other.
pub async fn a_payload_that_panics_when_dropped_is_handed_on<B: Backend>(rt: Rt<B>) {
    let bombs = Bombs::default();
    let bomb = bombs.one();
    let group = rt.task_group(async |g| {
        g.spawn(async move {
            panic_any(bomb);
            #[expect(unreachable_code, reason = "gives the type")]
            Ok::<_, ()>(())
        });
        Ok(())
    });
    let payload = AssertUnwindSafe(group).catch_unwind().await.unwrap_err();
    assert!(payload.is::<Bomb>());
    bombs.defuse();
}

/// Rules 1 and 5: a value and what the child carried may both panic when dropped, and the group still ends.
pub async fn a_value_and_a_capture_that_panic_when_dropped_do_not_hang_the_group<B: Backend>(
    rt: Rt<B>,
) {
    let (alive, bombs) = (Alive::default(), Bombs::default());
    let group = rt.task_group(async |g| {
        let (life, value) = (alive.born(), bombs.one());
        let carrying = Carrying::new(bombs.one(), async move {
            let _life = life;
            Ok::<_, ()>(value)
        });
        let _task = g.spawn(carrying);
        rt.yields(3).await;
        Ok(())
    });
    assert_eq!(panic_of(group).await.unwrap_err(), "a bomb was dropped");
    assert_eq!(alive.count(), 0);
    bombs.assert_no_abort();
}

/// Rule 5, where the contract is silent: a value that nobody took and that panics when dropped is a panic of its
/// child like any other, wherever the runtime drops it.
pub async fn a_detached_value_that_panics_when_dropped_is_a_panic_of_its_child<B: Backend>(
    rt: Rt<B>,
) {
    let bombs = Bombs::default();
    for yields in [0, 3] {
        let group = rt.task_group(async |g| {
            let value = bombs.one();
            let task = g.spawn(async move {
                rt.yields(2).await;
                Ok::<_, ()>(value)
            });
            // Dropped before or after the value is there.
            rt.yields(yields).await;
            drop(task);
            if yields == 0 {
                pending::<()>().await;
            }
            Ok(())
        });
        assert_eq!(panic_of(group).await, Err("a bomb was dropped".to_owned()));
    }
    bombs.assert_no_abort();
}

/// `?` works in bodies and in children, with the conversions of the error type.
pub async fn the_question_mark_works_in_bodies_and_children<B: Backend>(rt: Rt<B>) {
    let body = rt.task_group(async |g| {
        let n = g.spawn(async { Ok::<i32, ParseIntError>("1".parse::<i32>()? + 1) });
        Ok(n.await + "2".parse::<i32>()?)
    });
    assert_eq!(body.await, Ok(4));

    let boxed = rt.task_group(async |g| {
        g.spawn(async {
            let n: i32 = "x".parse()?;
            Ok::<_, Box<dyn Error + Send + Sync>>(n)
        });
        Ok(())
    });
    assert!(boxed.await.unwrap_err().into_first().is::<ParseIntError>());

    async fn outer<B: Backend>(rt: Rt<B>) -> Result<i32, Box<dyn Error + Send + Sync>> {
        let group = rt.task_group(async |_| Ok("y".parse::<i32>()?));
        let n: Result<i32, GroupError<ParseIntError>> = group.await;
        Ok(n?)
    }
    let error = outer(rt).await.unwrap_err();
    assert!(error.is::<GroupError<ParseIntError>>());
    assert!(
        error
            .source()
            .is_some_and(|source| source.is::<ParseIntError>())
    );
}

/// The error type may be anything that can be sent; it need be neither an `Error` nor `Sync` nor `Clone`.
pub async fn errors_may_be_of_any_type<B: Backend>(rt: Rt<B>) {
    async fn both<B: Backend, E: Send + 'static>(rt: Rt<B>, make: fn() -> E) -> Vec<E> {
        let group = rt.task_group(async |g| {
            let told = told_when_cut(&g);
            g.spawn(async move { Err::<(), _>(make()) });
            shield(told).await.ok();
            Err::<(), _>(make())
        });
        match group.await {
            Ok(()) => panic!("both have failed"),
            Err(error) => error.into_iter().collect(),
        }
    }
    assert_eq!(both(rt, || ()).await, [(), ()]);
    assert_eq!(both(rt, || 3).await, [3, 3]);
    assert_eq!(both(rt, || "text".to_owned()).await, ["text", "text"]);
    assert_eq!(
        both(rt, || Cell::new(1)).await,
        [Cell::new(1), Cell::new(1)]
    );
    assert_eq!(both(rt, || [7_u64; 100]).await, [[7; 100], [7; 100]]);
    assert_eq!(both(rt, || Some(only(1))).await.len(), 2);
}

/// Rule 3: `Display` shows all, in order.
pub async fn display_shows_every_error<B: Backend>(_: Rt<B>) {
    let one = only("lonely");
    let text = one.to_string();
    assert!(
        text.contains("lonely") && text.contains("1 error"),
        "{text}"
    );
    assert!(!text.contains("errors"), "{text}");

    let many = GroupError {
        first: "first",
        rest: vec!["second", "third"],
        group: None,
    };
    let text = many.to_string();
    assert!(text.contains('3'), "{text}");
    let at = |what| {
        text.find(what)
            .unwrap_or_else(|| panic!("no {what} in {text}"))
    };
    assert!(
        at("first") < at("second") && at("second") < at("third"),
        "{text}"
    );
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "a line for each and one above: {text}");
    assert_eq!(indent(lines[1]), indent(lines[3]));
    assert!(!text.ends_with('\n'));
}

/// Rule 3: nested groups print as a tree, and an error of several lines keeps together.
pub async fn display_shows_nested_groups_as_a_tree<B: Backend>(rt: Rt<B>) {
    type Inner = GroupError<GroupError<String>>;
    let group = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(async move {
            let middle = rt.task_group(async |g| {
                g.spawn(async move {
                    let inner =
                        rt.task_group(async |_| Err::<(), _>("leaf\nsecond line".to_owned()));
                    inner.await
                });
                Ok(())
            });
            middle.await
        });
        shield(told).await.ok();
        let inner = only("beside".to_owned());
        Err::<(), Inner>(only(inner))
    });
    let text = group.await.unwrap_err().to_string();
    let line = |what| {
        text.lines()
            .find(|line| line.contains(what))
            .unwrap_or_else(|| panic!("{text}"))
    };
    let depths: Vec<_> = text.lines().map(indent).collect();
    // The group, the middle one, the inner one, its leaf of two lines; then the same for the one beside.
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(
        depths[0] < depths[1] && depths[1] < depths[2] && depths[2] < depths[3],
        "{text}"
    );
    assert!(
        indent(line("second line")) >= indent(line("leaf")),
        "{text}"
    );
    assert_eq!(depths[1], depths[5], "{text}");
    assert_eq!(indent(line("beside")), indent(line("leaf")), "{text}");
}

/// Rule 3: `source` is the first error, so a chain of causes goes through groups.
pub async fn source_is_the_first_error<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |_| {
        let inner = rt.task_group(async |g| {
            g.spawn(async { "x".parse::<i32>() });
            Ok(())
        });
        inner.await
    });
    let error = outer.await.unwrap_err();
    let inner = error.source().unwrap();
    assert!(inner.is::<GroupError<ParseIntError>>());
    let first = inner.source().unwrap();
    assert!(first.is::<ParseIntError>());
    assert!(first.source().is_none());
}

/// Rule 3: `split`, `iter`, `into_first` and `len` lose nothing and keep the order.
pub async fn split_and_iter_keep_all_and_the_order<B: Backend>(_: Rt<B>) {
    let error = GroupError {
        first: 1,
        rest: vec![2, 3, 4, 5],
        group: None,
    };
    assert_eq!(error.len(), 5);
    assert!(error.iter().copied().eq(1..=5));
    assert!(error.clone().into_iter().eq(1..=5));
    assert_eq!(error.clone().into_first(), 1);
    let (odd, even) = error.clone().split(|n| n % 2 == 1);
    assert_eq!(odd.map(|odd| (odd.first, odd.rest)), Some((1, vec![3, 5])));
    assert_eq!(even.map(|even| (even.first, even.rest)), Some((2, vec![4])));
    assert_eq!(error.clone().split(|_| true), (Some(error.clone()), None));
    assert_eq!(error.clone().split(|_| false), (None, Some(error)));
}

/// Makes payloads, values and errors that panic when they are dropped.
#[derive(Clone, Default)]
struct Bombs(Arc<AtomicUsize>);

struct Bomb(Arc<AtomicUsize>);

const DEFUSED: usize = 1;
const ABORTED: usize = 2;

impl Bombs {
    fn one(&self) -> Bomb {
        Bomb(self.0.clone())
    }

    fn defuse(&self) {
        self.0.store(DEFUSED, Ordering::SeqCst);
    }

    fn assert_no_abort(&self) {
        assert_ne!(
            self.0.load(Ordering::SeqCst),
            ABORTED,
            "a bomb was dropped during a panic"
        );
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Would abort the process, and all other promises with it.
            self.0.store(ABORTED, Ordering::SeqCst);
        } else if self.0.load(Ordering::SeqCst) != DEFUSED {
            panic!("a bomb was dropped");
        }
    }
}

/// A future that keeps something until it is dropped itself, also after it has given its value.
struct Carrying<L, F> {
    future: Pin<Box<F>>,
    _luggage: L,
}

impl<L, F> Carrying<L, F> {
    fn new(luggage: L, future: F) -> Self {
        Self {
            future: Box::pin(future),
            _luggage: luggage,
        }
    }
}

impl<L: Unpin, F: Future> Future for Carrying<L, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.future.as_mut().poll(cx)
    }
}

/// Panics, in a way that has the type of a result.
fn explode() -> Result<(), ()> {
    panic!("panicked")
}

/// Resolves when the children of `g` are cut, and the cause has been recorded.
pub(crate) fn told_when_cut<B: Backend, E: Send + 'static>(
    g: &TaskGroup<B, E>,
) -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    g.spawn(async move {
        let _tell = tell;
        pending::<Result<(), E>>().await
    });
    told
}

/// A group error of one error.
fn only<E>(error: E) -> GroupError<E> {
    GroupError {
        first: error,
        rest: Vec::new(),
        group: None,
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}
