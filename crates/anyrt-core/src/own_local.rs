//! Values that are set for a future alone: task-locals that are not inherited.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;

use pin_project_lite::pin_project;

use crate::access::AccessError;
use crate::context::{self, OwnIsSet};

/// A key of values that are set for a future and for nothing else; [`task_local!`](crate::task_local) makes one
/// with `, not inherited`.
///
/// All that runs in the task of the future sees the value: what it awaits and joins, and the body of a group, but no
/// child, not even one that runs in the same task, no thread, and no cleanup of [`on_exit`](crate::on_exit). The value
/// belongs to the future, and moves with it between threads; so the future is `Send` if the value is.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
///
/// anyrt_core::task_local! {
///     static QUERIES: Cell<u32>, not inherited;
/// }
///
/// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
/// let count = QUERIES.scope(Cell::new(0), async {
///     for _ in 0..3 {
///         QUERIES.with(|queries| queries.set(queries.get() + 1));
///     }
///     QUERIES.with(Cell::get)
/// });
/// assert_eq!(count.await, 3);
/// # });
/// ```
pub struct OwnLocal<T: 'static> {
    name: &'static str,
    slot: LocalKey<OwnSlot<T>>,
}

/// Where the value of one key is while the future that it is set for runs on the thread.
#[doc(hidden)]
pub struct OwnSlot<T>(RefCell<Option<Set<T>>>);

/// A value, and for which of the tasks that this thread is polling, one within the other, it is set.
struct Set<T> {
    depth: usize,
    value: T,
}

impl<T> Default for OwnSlot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OwnSlot<T> {
    /// For [`task_local!`](crate::task_local).
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }
}

impl<T: 'static> OwnLocal<T> {
    /// For [`task_local!`](crate::task_local).
    #[doc(hidden)]
    pub const fn new(name: &'static str, slot: LocalKey<OwnSlot<T>>) -> Self {
        Self { name, slot }
    }

    /// Sets `value` for `future`, while it is polled and when it is dropped.
    ///
    /// Inside of another value of the same key it hides that one.
    ///
    /// # Panics
    ///
    /// When polled inside of [`with`](Self::with) on the same key.
    ///
    /// # Examples
    ///
    /// ```
    /// anyrt_core::task_local! {
    ///     static STEP: u32, not inherited;
    /// }
    ///
    /// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
    /// assert_eq!(STEP.scope(1, async { STEP.get() }).await, 1);
    /// # });
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> WithOwn<T, F> {
        WithOwn {
            key: self,
            value: Some(value),
            future: Some(future),
        }
    }

    /// Sets `value` while `f` runs.
    ///
    /// # Panics
    ///
    /// Inside of [`with`](Self::with) on the same key.
    ///
    /// # Examples
    ///
    /// ```
    /// anyrt_core::task_local! {
    ///     static STEP: u32, not inherited;
    /// }
    ///
    /// assert_eq!(STEP.sync_scope(1, || STEP.get()), 1);
    /// ```
    #[track_caller]
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        let mut value = Some(value);
        let _set = self.set(&mut value).unwrap_or_else(|_| self.panic_in_use());
        f()
    }

    /// Gives `f` the value that is set here.
    ///
    /// # Panics
    ///
    /// If none is.
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => error.panic(),
        }
    }

    /// Gives `f` the value that is set here, if one is.
    ///
    /// # Errors
    ///
    /// [`AccessError`] if none is.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let look = |slot: &OwnSlot<T>| {
            let slot = slot.0.borrow();
            let set = slot.as_ref().filter(|set| set.depth == context::depth())?;
            Some(f(&set.value))
        };
        let seen = self.slot.try_with(look).ok().flatten();
        seen.ok_or(AccessError::new(self.name))
    }

    /// A clone of the value that is set here.
    ///
    /// # Panics
    ///
    /// If none is.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// Sets the value until the guard is dropped; not if the value that is set now is being looked at.
    fn set<'a>(&'static self, value: &'a mut Option<T>) -> Result<Guard<'a, T>, InUse> {
        let swap = |slot: &OwnSlot<T>| {
            let mut slot = slot.0.try_borrow_mut().map_err(|_| InUse)?;
            let depth = context::depth();
            let set = value.take().map(|value| Set { depth, value });
            Ok(std::mem::replace(&mut *slot, set))
        };
        // While a thread ends its thread-locals are gone: nothing is set then.
        let outer = self.slot.try_with(swap).unwrap_or(Ok(None))?;
        Ok(Guard {
            key: self,
            outer,
            value,
            _is_set: OwnIsSet::begin(),
        })
    }

    #[track_caller]
    fn panic_in_use(&self) -> ! {
        panic!(
            "anyrt: the task-local `{name}` cannot be set inside of `{name}.with(..)`; take what is needed out of there first",
            name = self.name
        )
    }
}

struct InUse;

/// Restores what was set before, and takes the value back.
struct Guard<'a, T: 'static> {
    key: &'static OwnLocal<T>,
    outer: Option<Set<T>>,
    value: &'a mut Option<T>,
    _is_set: OwnIsSet,
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let swap = |slot: &OwnSlot<T>| slot.0.replace(outer);
        if let Some(set) = self.key.slot.try_with(swap).ok().flatten() {
            *self.value = Some(set.value);
        }
    }
}

impl<T> fmt::Debug for OwnLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnLocal")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for OwnSlot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnSlot")
    }
}

pin_project! {
    /// The future of [`OwnLocal::scope`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct WithOwn<T: 'static, F> {
        key: &'static OwnLocal<T>,
        value: Option<T>,
        // Gone once it has ended.
        #[pin]
        future: Option<F>,
    }

    impl<T, F> PinnedDrop for WithOwn<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Where it cannot be set it is dropped all the same.
            let _set = this.key.set(this.value);
            this.future.set(None);
        }
    }
}

impl<T: 'static, F: Future> Future for WithOwn<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            panic!("anyrt: a future was polled after its end");
        };
        let Ok(set) = this.key.set(this.value) else {
            this.key.panic_in_use();
        };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
        }
        drop(set);
        if polled.is_ready() {
            *this.value = None;
        }
        polled
    }
}

impl<T, F> fmt::Debug for WithOwn<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithOwn")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
