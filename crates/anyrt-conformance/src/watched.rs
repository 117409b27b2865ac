//! What an observer of a run hears of it.
//!
//! Runs are observed here by a backend around that of the promise, which differs from it only in that.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyrt_core::observe::{Ending, Event, Id, Observer, Part, Wait, What};
use anyrt_core::{
    Backend, CancelScope, GroupOptions, Limiter, Reason, TaskGroup, checkpoint, fail_after,
    finally, on_exit, run, scoped_group, shield, sleep, task_group, to_thread,
};

use crate::everywhere::drop_at_pending;

/// A backend whose runs are observed.
#[derive(Clone)]
struct Watched<B> {
    inner: B,
    seen: Arc<Seen>,
}

thread_local! {
    /// Who observes the run that this thread drives.
    static SEEN: RefCell<Option<Arc<Seen>>> = const { RefCell::new(None) };
}

impl<B: Backend> Backend for Watched<B> {
    type Task<T: Send + 'static> = B::Task<T>;
    type Sleep = B::Sleep;

    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn current() -> Option<Self> {
        let seen = SEEN.try_with(|seen| seen.borrow().clone()).ok().flatten()?;
        B::current().map(|inner| Self { inner, seen })
    }

    fn run<F: Future>(&self, main: F) -> F::Output {
        SEEN.set(Some(self.seen.clone()));
        self.inner.run(main)
    }

    fn spawn<F>(&self, future: F) -> B::Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.inner.spawn(future)
    }

    fn spawn_blocking<T, F>(&self, call: F) -> B::Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.inner.spawn_blocking(call)
    }

    fn block_on<F: Future>(&self, future: F, patience: Option<Duration>) -> Option<F::Output> {
        self.inner.block_on(future, patience)
    }

    fn wait_outside<R>(wait: impl FnOnce() -> R) -> R {
        B::wait_outside(wait)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn sleep_until(&self, at: Instant) -> B::Sleep {
        self.inner.sleep_until(at)
    }

    fn outside_is_busy(&self, is_busy: bool) {
        self.inner.outside_is_busy(is_busy);
    }

    fn has_budget(&self) -> bool {
        self.inner.has_budget()
    }

    fn observer(&self) -> Option<Arc<dyn Observer>> {
        Some(self.seen.clone())
    }
}

impl<B: fmt::Debug> fmt::Debug for Watched<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// All that was told, in order.
#[derive(Default)]
struct Seen(Mutex<State>);

#[derive(Default)]
struct State {
    things: Vec<Thing>,
    living: HashMap<Id, usize>,
    /// How many events were told.
    events: usize,
    /// What was told of things that were not alive.
    strays: Vec<String>,
}

/// Something that has begun.
struct Thing {
    what: What,
    name: String,
    file: String,
    below: Option<usize>,
    begun: usize,
    ended: Option<(usize, How)>,
    waits: Vec<Wait>,
    cancelled: Vec<(Part, Reason)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    Value,
    Error,
    Panic,
    Cancelled(Reason),
    Lost,
}

impl Observer for Seen {
    fn observe(&self, event: Event<'_>) {
        let mut state = self.0.lock().unwrap();
        let state = &mut *state;
        state.events += 1;
        let now = state.events;
        match event {
            Event::Begins {
                id,
                what,
                below,
                name,
                at,
            } => {
                let below = below.and_then(|below| state.living.get(&below).copied());
                let before = state.living.insert(id, state.things.len());
                if before.is_some() {
                    state.strays.push(format!("{id:?} begins twice"));
                }
                state.things.push(Thing {
                    what,
                    name: name.unwrap_or_default().to_owned(),
                    file: at.map(|at| at.file().to_owned()).unwrap_or_default(),
                    below,
                    begun: now,
                    ended: None,
                    waits: Vec::new(),
                    cancelled: Vec::new(),
                });
            }
            Event::Waits { id, on } => {
                if let Some(thing) = state.living(id, "waits") {
                    thing.waits = on.to_vec();
                }
            }
            Event::Cancelled { id, part, reason } => {
                // Also of scopes within which nothing of this was told.
                if let Some(thing) = state.living.get(&id) {
                    let cancelled = &mut state.things[*thing].cancelled;
                    cancelled.push((part, reason.clone()));
                }
            }
            Event::Ends { id, how } => {
                let how = match how {
                    Ending::Value => How::Value,
                    Ending::Error => How::Error,
                    Ending::Panic => How::Panic,
                    Ending::Cancelled(reason) => How::Cancelled(reason.clone()),
                    _ => How::Lost,
                };
                if let Some(thing) = state.living(id, "ends") {
                    thing.ended = Some((now, how));
                }
                state.living.remove(&id);
            }
            _ => {}
        }
    }
}

impl State {
    fn living(&mut self, id: Id, event: &str) -> Option<&mut Thing> {
        let Some(thing) = self.living.get(&id) else {
            self.strays.push(format!("{id:?} {event}"));
            return None;
        };
        Some(&mut self.things[*thing])
    }
}

/// What was told of a whole run; that may have panicked.
fn told<B: Backend, F: Future>(backend: &B, main: F) -> State {
    let seen = Arc::new(Seen::default());
    let backend = Watched {
        inner: backend.clone(),
        seen: seen.clone(),
    };
    let _ = catch_unwind(AssertUnwindSafe(|| run(&backend, main)));
    SEEN.take();
    std::mem::take(&mut seen.0.lock().unwrap())
}

impl State {
    fn named(&self, name: &str) -> &Thing {
        let mut named = self.things.iter().filter(|thing| thing.name == name);
        match (named.next(), named.next()) {
            (Some(thing), None) => thing,
            _ => panic!("`{name}` is not there once"),
        }
    }

    fn end(&self, name: &str) -> How {
        self.named(name).ended.clone().expect("an end").1
    }

    fn of_kind(&self, what: What) -> Vec<&Thing> {
        let things = self.things.iter();
        things.filter(|thing| thing.what == what).collect()
    }

    fn assert_in_order(&self) {
        assert_eq!(self.strays, [""; 0]);
        assert!(!self.things.is_empty());
        for thing in &self.things {
            let Some((end, _)) = thing.ended else {
                panic!("{:?} `{}` has not ended", thing.what, thing.name);
            };
            assert!(thing.begun < end);
            let above = thing.below.map(|below| &self.things[below]);
            let Some(above) = above else {
                assert_eq!(thing.what, What::Run);
                continue;
            };
            let above_end = above.ended.as_ref().expect("an end").0;
            assert!(
                above.begun < thing.begun && end < above_end,
                "{:?} `{}` is not within {:?} `{}`",
                thing.what,
                thing.name,
                above.what,
                above.name
            );
        }
    }
}

type Group<B, E> = TaskGroup<Watched<B>, E>;

/// A run with something of everything in it.
async fn of_everything<B: Backend>() {
    let tick = Duration::from_millis(1);
    let group = GroupOptions::<Watched<B>, &str>::new().name("all");
    let group = group.supervise().run(async |g| {
        g.spawn_daemon(pending::<Result<(), _>>());
        g.spawn_named("value", async {
            checkpoint().await;
            Ok(())
        });
        g.spawn_named("error", async { Err::<(), _>("no") });
        let single = g.spawn_named("single", pending::<Result<(), _>>());
        g.spawn_named("scopes", async move {
            let late = fail_after::<Watched<B>, _>(tick, pending::<()>()).await;
            assert!(late.is_err());
            shield(checkpoint()).await;
            let scope = CancelScope::<Watched<B>>::new();
            let body = async {
                on_exit::<Watched<B>>(async { checkpoint().await });
                scope.cancel_with("enough");
                finally(pending::<()>(), async || checkpoint().await).await;
            };
            assert!(scope.run(body).await.is_err());
            Ok(())
        });
        g.spawn_named("threads", async {
            to_thread::<Watched<B>, _, _>(|| ()).await;
            Ok(())
        });
        g.spawn_named("in one task", async {
            let group = scoped_group::<Watched<B>, _, (), _, _>(async |g| {
                g.spawn_named("nested", async {
                    checkpoint().await;
                    Ok(())
                });
                Ok(())
            });
            group.await.unwrap();
            Ok(())
        });
        let (ready, child) = g
            .start(async |started| {
                started.set(7);
                checkpoint().await;
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(ready, 7);
        child.await;
        assert_eq!(single.cancel().await, None);
        Ok(())
    });
    assert!(group.await.is_err());
    let group = task_group::<Watched<B>, _, (), _, _>(async |g: Group<B, ()>| {
        g.spawn_named("cut", pending::<Result<(), _>>());
        g.spawn_named::<()>("panic", async {
            checkpoint().await;
            panic!("on purpose")
        });
        Ok(())
    });
    let _: Result<(), _> = group.await;
}

/// Everything that begins ends, once, within what it is part of; also in a run that panics.
pub fn what_begins_ends_within_what_it_is_part_of<B: Backend>(backend: &B) {
    told(backend, of_everything::<B>()).assert_in_order();
}

/// An observer hears how each child has ended.
pub fn an_observer_hears_how_children_end<B: Backend>(backend: &B) {
    let told = told(backend, of_everything::<B>());
    for (name, end) in [
        ("value", How::Value),
        ("error", How::Error),
        ("single", How::Cancelled(Reason::Explicit(None))),
        ("nested", How::Value),
        (
            "cut",
            How::Cancelled(Reason::ChildFailed(Some("panic".into()))),
        ),
        ("panic", How::Panic),
        ("all", How::Error),
    ] {
        assert_eq!(told.end(name), end, "{name}");
    }
    let daemons = told.of_kind(What::Daemon);
    let ends: Vec<_> = daemons
        .iter()
        .map(|it| &it.ended.as_ref().unwrap().1)
        .collect();
    assert_eq!(ends, [&How::Cancelled(Reason::Done)]);
    let run = told.of_kind(What::Run);
    assert_eq!(run.len(), 1);
    assert_eq!(run[0].ended.as_ref().unwrap().1, How::Panic);
    for what in [What::Shield, What::Cleanup, What::Thread] {
        assert!(!told.of_kind(what).is_empty(), "{what:?}");
    }
}

/// An observer hears what was cancelled, how much of it, and why.
pub fn an_observer_hears_of_cancellations_and_why<B: Backend>(backend: &B) {
    let told = told(backend, of_everything::<B>());
    let single = &told.named("single").cancelled;
    assert_eq!(single, &[(Part::All, Reason::Explicit(None))]);
    let all = &told.named("all").cancelled;
    assert_eq!(all, &[(Part::Daemons, Reason::Done)]);
    let scopes = told
        .things
        .iter()
        .filter(|thing| matches!(thing.what, What::Scope { .. }));
    let mut reasons: Vec<_> = scopes.flat_map(|scope| &scope.cancelled).collect();
    reasons.retain(|(_, reason)| *reason != Reason::Dropped);
    let enough = Reason::Explicit(Some("enough".into()));
    let expected = [(Part::All, Reason::Deadline), (Part::All, enough)];
    assert_eq!(reasons, expected.iter().collect::<Vec<_>>());
}

/// An observer hears where children were spawned, and who is part of what.
pub fn an_observer_hears_where_things_are_from<B: Backend>(backend: &B) {
    let told = told(backend, of_everything::<B>());
    let above = |name: &str| &told.things[told.named(name).below.unwrap()];
    assert_eq!(above("value").name, "all");
    assert_eq!(above("all").what, What::Run);
    let group = above("nested");
    assert_eq!(group.what, What::Group);
    assert_eq!(told.things[group.below.unwrap()].name, "in one task");
    let here = file!().rsplit('/').next().unwrap();
    for name in ["all", "value", "nested"] {
        let file = &told.named(name).file;
        assert!(file.ends_with(here), "{name}: {file}");
    }
}

/// An observer hears what is waited for, as far as that is ours.
pub fn an_observer_hears_what_is_waited_for<B: Backend>(backend: &B) {
    let seen = Arc::new(Seen::default());
    let watched = Watched {
        inner: backend.clone(),
        seen: seen.clone(),
    };
    run(&watched, async {
        let group = task_group::<Watched<B>, _, (), _, _>(async |g: Group<B, ()>| {
            let never = Duration::MAX;
            let sleeper = g.spawn_named("sleeper", async move {
                sleep::<Watched<B>>(never).await;
                Ok(())
            });
            g.spawn_named("handle", async move {
                sleeper.await;
                Ok(())
            });
            let limiter = Limiter::new(2);
            let _tokens = [(); 2].map(|()| limiter.try_acquire());
            g.spawn_named("token", async move {
                drop(limiter.acquire().await);
                Ok(())
            });
            g.spawn_named("foreign", pending::<Result<(), _>>());
            let waits = |name: &str| {
                let state = seen.0.lock().unwrap();
                let thing = state.named(name);
                thing.waits.clone()
            };
            // Each comes to its wait in its own time.
            while ["sleeper", "handle", "token"]
                .iter()
                .any(|name| waits(name).is_empty())
            {
                checkpoint().await;
            }
            assert_eq!(waits("sleeper"), [Wait::Until(None)]);
            assert!(matches!(waits("handle")[..], [Wait::Task(_)]));
            assert_eq!(waits("token"), [Wait::Token { total: 2 }]);
            assert_eq!(waits("foreign"), []);
            g.cancel();
            Ok(())
        });
        group.await.unwrap();
    });
    SEEN.take();
}

/// What was dropped from outside ends, too, and says that.
pub fn what_is_dropped_from_outside_ends_too<B: Backend>(backend: &B) {
    let told = told(backend, async {
        let group = GroupOptions::<Watched<B>, ()>::new().name("owner");
        let group = group.run(async |g| {
            g.spawn_named("adopted", async {
                shield(checkpoint()).await;
                pending::<()>().await;
                Ok(())
            });
            pending::<()>().await;
            Ok(())
        });
        drop_at_pending(1, group).await;
        let scope = fail_after::<Watched<B>, _>(Duration::from_secs(3600), pending::<()>());
        drop_at_pending(1, scope).await;
        drop_at_pending(1, shield(pending::<()>())).await;
    });
    told.assert_in_order();
    assert_eq!(told.end("owner"), How::Cancelled(Reason::Dropped));
    assert_eq!(told.end("adopted"), How::Cancelled(Reason::Dropped));
}
