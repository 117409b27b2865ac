//! The span of the `tracing` crate that is current goes along, and what has a name has a span.
#![cfg(feature = "tracing")]

use std::fmt::Debug;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyrt::{GroupOptions, Started, checkpoint, task_group};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Instrument, Metadata, Span, Subscriber, info_span, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Remembers the names that spans were given, and counts those that were closed.
struct Watch;

/// The field `name` of a span.
struct Name(String);

static CLOSED: AtomicUsize = AtomicUsize::new(0);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watch {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut name = Name(String::new());
        attributes.record(&mut name);
        context.span(id).unwrap().extensions_mut().insert(name);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if context.span(&id).unwrap().name() == "counted" {
            CLOSED.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Visit for Name {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "name" {
            self.0 = format!(" {value:?}");
        }
    }
}

/// The spans around the caller, from the outside in.
fn spans() -> String {
    let names = Span::current().with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>().unwrap();
        let scope = registry.span(id).unwrap().scope().from_root();
        let name = |span: tracing_subscriber::registry::SpanRef<'_, Registry>| {
            let name = span.extensions().get::<Name>().unwrap().0.clone();
            span.name().to_owned() + &name
        };
        scope.map(name).collect::<Vec<_>>().join(" > ")
    });
    names.unwrap_or_default()
}

/// The same, before and after a `Pending`.
async fn read() -> Result<String, ()> {
    let before = spans();
    checkpoint().await;
    assert_eq!(before, spans());
    Ok(before)
}

fn on_every_backend(test: impl AsyncFn()) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        subscriber::set_global_default(Registry::default().with(Watch)).unwrap();
    });
    for name in anyrt::available() {
        anyrt::run_on(anyrt_tests::backend(name), test());
    }
}

#[test]
fn children_of_every_kind_run_in_the_span_where_they_were_spawned() {
    on_every_backend(async || {
        let body = async {
            let parallel = task_group(async |g| {
                let inner = info_span!("inner").in_scope(|| g.spawn(read()));
                let started = g.start(async |started: Started<String>| {
                    started.set(spans());
                    read().await
                });
                let (ready, started) = started.await.unwrap();
                Ok((g.spawn(read()).await, inner.await, ready, started.await))
            });
            let expected = ["request", "request > inner", "request", "request"];
            let (plain, inner, ready, started) = parallel.await.unwrap();
            assert_eq!([plain, inner, ready, started], expected);
            let scoped = anyrt::scoped_group(async |g| {
                let inner = info_span!("inner").in_scope(|| g.spawn(read()));
                Ok::<_, ()>((g.spawn(read()).await, inner.await, spans()))
            });
            let (plain, inner, body) = scoped.await.unwrap();
            assert_eq!(
                [plain, inner, body],
                ["request", "request > inner", "request"]
            );
        };
        body.instrument(info_span!("request")).await;
        assert_eq!(
            task_group(async |g| Ok(g.spawn(read()).await))
                .await
                .unwrap(),
            ""
        );
    });
}

#[test]
fn threads_and_cleanups_run_in_the_span_where_they_were_asked_for() {
    on_every_backend(async || {
        let call = async { anyrt::to_thread(spans).await };
        assert_eq!(call.instrument(info_span!("request")).await, "request");
        assert_eq!(anyrt::to_thread(spans).await, "");
        let (tell, heard) = std::sync::mpsc::channel();
        let body = async {
            let register = || anyrt::on_exit(async move { tell.send(read().await).unwrap() });
            info_span!("session").in_scope(register);
        };
        anyrt::CancelScope::new().run(body).await.unwrap();
        assert_eq!(heard.recv().unwrap().unwrap(), "session");
    });
}

#[test]
fn a_named_task_has_a_span_of_its_own() {
    on_every_backend(async || {
        let body = task_group(async |g| {
            let named = g.spawn_named("fetch", async {
                let thread = anyrt::to_thread(spans).await;
                Ok((read().await?, thread))
            });
            Ok::<_, ()>((named.await, spans()))
        });
        let ((task, thread), body) = body.instrument(info_span!("request")).await.unwrap();
        let expected = r#"request > task "fetch""#;
        assert_eq!([&*task, &*thread, &*body], [expected, expected, "request"]);
    });
}

#[test]
fn a_named_group_has_a_span_of_its_own() {
    on_every_backend(async || {
        let options = || GroupOptions::<()>::new().name("workers");
        let parallel = options().run(async |g| Ok((spans(), g.spawn(read()).await)));
        let (body, child) = parallel.await.unwrap();
        assert_eq!([&*body, &*child], [r#"task_group "workers""#; 2]);
        let scoped = options().run_scoped(async |g| Ok(g.spawn_named("one", read()).await));
        let child = scoped.await.unwrap();
        assert_eq!(child, r#"task_group "workers" > task "one""#);
        assert_eq!(spans(), "");
        let nameless = GroupOptions::<()>::new().run(async |_| Ok(spans()));
        assert_eq!(nameless.await.unwrap(), "");
    });
}

#[test]
fn destructors_in_a_child_run_in_its_span() {
    struct Look(std::sync::mpsc::Sender<String>);
    impl Drop for Look {
        fn drop(&mut self) {
            self.0.send(spans()).unwrap();
        }
    }
    on_every_backend(async || {
        let (tell, heard) = std::sync::mpsc::channel();
        let group = task_group(async |g| {
            let look = Look(tell);
            g.spawn_named("fetch", async move {
                let _look = look;
                std::future::pending::<Result<(), ()>>().await
            });
            checkpoint().await;
            g.cancel();
            Ok(())
        });
        group.await.unwrap();
        assert_eq!(heard.recv().unwrap(), r#"task "fetch""#);
    });
}

#[test]
fn a_span_is_closed_when_the_last_one_in_it_has_ended() {
    on_every_backend(async || {
        let before = CLOSED.load(Ordering::SeqCst);
        let closed = || CLOSED.load(Ordering::SeqCst) - before;
        let group = task_group(async |g| {
            let (go, gone) = futures::channel::oneshot::channel::<()>();
            let child = info_span!("counted").in_scope(|| {
                g.spawn(async move {
                    gone.await.ok();
                    Ok::<_, ()>(())
                })
            });
            checkpoint().await;
            assert_eq!(closed(), 0);
            go.send(()).unwrap();
            child.await;
            assert_eq!(closed(), 1);
            Ok(())
        });
        group.await.unwrap();
        let call = info_span!("counted").in_scope(|| anyrt::to_thread(|| ()));
        call.instrument(info_span!("counted")).await;
        assert_eq!(closed(), 3);
    });
}

#[cfg(feature = "sim")]
#[test]
fn where_nobody_wants_spans_of_tasks_a_named_one_runs_in_that_of_its_spawner() {
    struct OnlyOwn;
    impl<S: Subscriber> Layer<S> for OnlyOwn {
        fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
            metadata.target() != "anyrt"
        }
    }
    let registry = Registry::default().with(Watch).with(OnlyOwn);
    // On the simulator all of it is on this thread.
    subscriber::with_default(registry, || {
        let body = async {
            let group = task_group(async |g| Ok(g.spawn_named("fetch", read()).await));
            assert_eq!(group.await.unwrap(), "request");
        };
        anyrt::run_on(
            anyrt::Sim::default(),
            body.instrument(info_span!("request")),
        );
    });
}
