//! What travels along: the values that are set where the code runs, and how children, threads and cleanups take them over.
//!
//! The values that are set hang in a chain, the innermost first, whose head is in a thread-local while the code runs
//! that sees them. A chain never changes, so to take it over is to own its head.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::span::{self, Span};
use crate::throw_away::Payload;

/// A value that is set. A chain has each key once: what is hidden is not kept alive, and a chain does not grow where
/// each task starts its successor with a new value.
#[derive(Debug)]
pub(crate) struct Binding {
    key: usize,
    value: Value,
    outer: Option<Arc<Binding>>,
}

pub(crate) type Value = Arc<dyn Any + Send + Sync>;

type Values = Option<Arc<Binding>>;

thread_local! {
    static VALUES: Cell<Values> = const { Cell::new(None) };
    /// How much is set on this thread: whether there are `VALUES`, and the number of values that are not inherited.
    /// Most often that is nothing, and then this is all that is asked.
    static SET: Cell<usize> = const { Cell::new(0) };
    /// Tells apart tasks that this thread is polling, one within the other, as far as something is set.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

impl Binding {
    /// Puts a value on the chain, in the place of another one of the same key.
    fn on(outer: &Values, key: usize, value: Value) -> Arc<Self> {
        Arc::new(Self {
            key,
            value,
            outer: without(outer, key),
        })
    }
}

fn chain(values: &Values) -> impl Iterator<Item = &Arc<Binding>> {
    std::iter::successors(values.as_ref(), |binding| binding.outer.as_ref())
}

/// The chain without this key; the same one if that is not in it.
fn without(values: &Values, key: usize) -> Values {
    let Some(hidden) = chain(values).find(|binding| binding.key == key) else {
        return values.clone();
    };
    let inner: Vec<_> = chain(values)
        .take_while(|binding| binding.key != key)
        .collect();
    let put_on = |outer, binding: &Arc<Binding>| {
        Some(Arc::new(Binding {
            key: binding.key,
            value: binding.value.clone(),
            outer,
        }))
    };
    inner.into_iter().rfold(hidden.outer.clone(), put_on)
}

/// Puts other values into force, and gives those that were.
fn replace(values: Values) -> Values {
    let replace = |current: &Cell<Values>| {
        let is_one_more = usize::from(values.is_some());
        let before = current.replace(values);
        SET.set(SET.get() + is_one_more - usize::from(before.is_some()));
        before
    };
    // While a thread ends its thread-locals are gone: nothing is set then.
    VALUES.try_with(replace).ok().flatten()
}

/// Looks at the values that are set here. `f` is no code of the user's: for it, nothing would be set.
fn look<R>(f: impl FnOnce(&Values) -> R) -> R {
    if SET.get() == 0 {
        return f(&None);
    }
    let values = replace(None);
    let seen = f(&values);
    replace(values);
    seen
}

/// The value that is set here for this key.
pub(crate) fn find(key: usize) -> Option<Value> {
    look(|values| {
        let binding = chain(values).find(|binding| binding.key == key)?;
        Some(binding.value.clone())
    })
}

/// Which of the tasks that this thread is polling, one within the other, is the innermost.
pub(crate) fn depth() -> usize {
    DEPTH.get()
}

/// Puts `values` into force as long as it lives.
struct InForce<'a>(&'a mut Values);

impl<'a> InForce<'a> {
    fn begin(values: &'a mut Values) -> Self {
        *values = replace(values.take());
        Self(values)
    }
}

impl Drop for InForce<'_> {
    fn drop(&mut self) {
        *self.0 = replace(self.0.take());
    }
}

/// That a value is set which is not inherited.
pub(crate) struct OwnIsSet;

impl OwnIsSet {
    pub(crate) fn begin() -> Self {
        SET.set(SET.get() + 1);
        Self
    }
}

impl Drop for OwnIsSet {
    fn drop(&mut self) {
        SET.set(SET.get() - 1);
    }
}

/// One more value, set on top of those around it.
#[derive(Debug)]
pub(crate) struct Layer {
    key: usize,
    value: Value,
    /// What was set around it the last time.
    outer: Values,
    /// That, with the value on top.
    values: Values,
}

impl Layer {
    pub(crate) fn new(key: usize, value: Value) -> Self {
        Self {
            key,
            value,
            outer: None,
            values: None,
        }
    }

    /// Runs `f` with the value set, and restores what was set around it also if `f` panics.
    pub(crate) fn enter<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.rise();
        let _in_force = InForce::begin(&mut self.values);
        f()
    }

    /// Puts the value on top of what is set around it now, which most often is what was set there the last time.
    fn rise(&mut self) {
        let is_there = |outer: &Values| {
            let same = outer.as_ref().map(Arc::as_ptr) == self.outer.as_ref().map(Arc::as_ptr);
            same && self.values.is_some()
        };
        if look(is_there) {
            return;
        }
        let outer = look(Values::clone);
        let values = Binding::on(&outer, self.key, self.value.clone());
        let before = (
            self.values.replace(values),
            std::mem::replace(&mut self.outer, outer),
        );
        drop(before);
    }
}

/// What a child, a thread or a cleanup takes along from the place where it is launched: the values that are set there,
/// and the span.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    values: Values,
    span: Span,
}

impl Carried {
    /// What is there at this place.
    pub(crate) fn here() -> Self {
        Self::by_task(None)
    }

    /// What is there for a child, which has a span of its own if it has a name.
    #[inline]
    pub(crate) fn by_task(name: Option<&str>) -> Self {
        let is_any_set = SET.get() > 0;
        Self {
            values: is_any_set.then(|| look(Values::clone)).flatten(),
            span: Span::of_task(name),
        }
    }

    /// Puts all of it into force, in a task of its own, until the guard is dropped.
    // Inlined, since a child that carries nothing asks for that at each poll.
    #[inline]
    pub(crate) fn enter(&mut self) -> Entered<'_> {
        let is_plain = self.values.is_none() && SET.get() == 0;
        Entered {
            _span: self.span.enter(),
            _elsewhere: (!is_plain).then(|| Elsewhere::begin(&mut self.values)),
        }
    }

    /// Runs `f` there, and drops it before.
    pub(crate) fn run<R>(mut self, f: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        f()
    }

    /// Polls and drops `future` there.
    pub(crate) fn around<F>(self, future: F) -> Carrying<F> {
        Carrying {
            carried: self,
            future: Some(future),
        }
    }

    /// Drops it, and gives the panic if a destructor of the user's panics.
    #[inline]
    pub(crate) fn put_down(&mut self) -> Option<Payload> {
        let is_any = self.values.is_some() || !self.span.is_none();
        is_any.then(|| std::mem::take(self).drop_caught()).flatten()
    }

    fn drop_caught(self) -> Option<Payload> {
        catch_unwind(AssertUnwindSafe(|| drop(self))).err()
    }
}

/// That something carried is in force.
pub(crate) struct Entered<'a> {
    _span: span::Entered<'a>,
    _elsewhere: Option<Elsewhere<'a>>,
}

/// Other values are in force, and what is set for one task only is not seen.
struct Elsewhere<'a> {
    _values: InForce<'a>,
}

impl<'a> Elsewhere<'a> {
    #[inline(never)]
    fn begin(values: &'a mut Values) -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self {
            _values: InForce::begin(values),
        }
    }
}

impl Drop for Elsewhere<'_> {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

pin_project! {
    /// A future that is polled and dropped with what was carried there.
    pub(crate) struct Carrying<F> {
        carried: Carried,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for Carrying<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.carried.enter();
            this.future.set(None);
        }
    }
}

impl<F: Future> Future for Carrying<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            panic!("anyrt: a future was polled after its end");
        };
        let _entered = this.carried.enter();
        future.poll(cx)
    }
}
