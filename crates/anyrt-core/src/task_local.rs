//! Values that are set for a future, and that children, threads and cleanups take over: `task_local!`.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::access::AccessError;
use crate::context::{self, Layer};

/// Declares keys of values that are set for a future, as [`TaskLocal`] or as [`OwnLocal`](crate::OwnLocal).
///
/// A key is inherited: what runs in the future sees the value, and what is launched there takes it over. That are
/// children of groups, whichever kind, closures given to [`to_thread`](crate::to_thread), what is called through a
/// [`Portal`](crate::Portal), and cleanups registered with [`on_exit`](crate::on_exit). This is what Python calls a
/// context variable. Since several threads may look at the value at once, it is `Send + Sync`.
///
/// With `, not inherited` behind its type a key is for the future alone. Its values need not even be `Send`, as long as
/// the future need not be. This is tokio's task-local.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use anyrt_core::{task_group, task_local, to_thread};
/// # use anyrt_sim::Sim;
///
/// task_local! {
///     /// Whom the work is done for.
///     pub static REQUEST_ID: u32;
///     /// How often this task, and no other one, has asked the database.
///     static QUERIES: Cell<u32>, not inherited;
/// }
///
/// async fn handle() {
///     let group = task_group::<Sim, _, (), _, _>(async |g| {
///         let child = g.spawn(async { Ok((REQUEST_ID.get(), QUERIES.try_with(Cell::get).is_ok())) });
///         assert_eq!(child.await, (7, false));
///         Ok(to_thread::<Sim, _, _>(|| REQUEST_ID.get()).await)
///     });
///     assert_eq!(group.await, Ok(7));
///     QUERIES.with(|queries| queries.set(queries.get() + 1));
/// }
///
/// # anyrt_core::run(&Sim::default(), async {
/// REQUEST_ID.scope(7, QUERIES.scope(Cell::new(0), handle())).await;
/// assert!(REQUEST_ID.try_with(|_| ()).is_err());
/// # });
/// ```
///
/// A value that threads cannot share cannot be inherited:
///
/// ```compile_fail,E0277
/// anyrt_core::task_local! {
///     static QUERIES: std::cell::Cell<u32>; // cannot be shared between threads safely
/// }
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty, not inherited $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $visibility static $name: $crate::OwnLocal<$type> = {
            ::std::thread_local! {
                static SLOT: $crate::OwnSlot<$type> = const { $crate::OwnSlot::new() };
            }
            $crate::OwnLocal::new(::std::stringify!($name), SLOT)
        };
        $($crate::task_local! { $($rest)* })?
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty $(; $($rest:tt)*)?) => {
        $(#[$attribute])*
        $visibility static $name: $crate::TaskLocal<$type> =
            $crate::TaskLocal::new(::std::stringify!($name));
        $($crate::task_local! { $($rest)* })?
    };
}

/// A key of values that are set for a future and for all that is launched in it; [`task_local!`](crate::task_local)
/// makes one.
///
/// A child, a closure in a thread or a cleanup sees what was set where it was spawned, called or registered, and not what
/// is set around the group, or where it happens to be polled. A value is dropped once, when the last one who may see it
/// has ended. It is also seen by the destructors of what the future owns.
///
/// # Examples
///
/// ```
/// anyrt_core::task_local! {
///     static LANGUAGE: &'static str;
/// }
///
/// fn greeting() -> &'static str {
///     match LANGUAGE.try_with(|language| *language) {
///         Ok("fr") => "bonjour",
///         _ => "hello",
///     }
/// }
///
/// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
/// assert_eq!(greeting(), "hello");
/// let nested = LANGUAGE.scope("fr", async {
///     let inner = LANGUAGE.sync_scope("en", greeting);
///     (greeting(), inner)
/// });
/// assert_eq!(nested.await, ("bonjour", "hello"));
/// # });
/// ```
pub struct TaskLocal<T: 'static> {
    name: &'static str,
    values: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> TaskLocal<T> {
    /// For [`task_local!`](crate::task_local).
    #[doc(hidden)]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            values: PhantomData,
        }
    }

    /// Sets `value` for `future`, while it is polled and when it is dropped.
    ///
    /// Inside of another value of the same key it hides that one.
    ///
    /// # Examples
    ///
    /// ```
    /// anyrt_core::task_local! {
    ///     static DEPTH: u32;
    /// }
    ///
    /// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
    /// let future = DEPTH.scope(1, async {
    ///     let inner = DEPTH.scope(DEPTH.get() + 1, async { DEPTH.get() });
    ///     assert_eq!(inner.await, 2);
    ///     DEPTH.get()
    /// });
    /// assert_eq!(future.await, 1);
    /// # });
    /// ```
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> WithLocal<F> {
        WithLocal {
            layer: Some(Layer::new(self.id(), Arc::new(value))),
            future: Some(future),
        }
    }

    /// Sets `value` while `f` runs.
    ///
    /// # Examples
    ///
    /// ```
    /// anyrt_core::task_local! {
    ///     static TENANT: &'static str;
    /// }
    ///
    /// assert_eq!(TENANT.sync_scope("acme", || TENANT.get()), "acme");
    /// ```
    pub fn sync_scope<R>(&'static self, value: T, f: impl FnOnce() -> R) -> R {
        Layer::new(self.id(), Arc::new(value)).enter(f)
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
    ///
    /// # Examples
    ///
    /// ```
    /// anyrt_core::task_local! {
    ///     static TENANT: String;
    /// }
    ///
    /// let error = TENANT.try_with(String::len).unwrap_err();
    /// assert_eq!(error.to_string(), "the task-local `TENANT` is not set at this place");
    /// ```
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, AccessError> {
        let value = context::find(self.id());
        match value.as_ref().and_then(|value| value.downcast_ref()) {
            Some(value) => Ok(f(value)),
            None => Err(AccessError::new(self.name)),
        }
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

    /// A key is a static, and no other one is at its address.
    fn id(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl<T> fmt::Debug for TaskLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocal")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`TaskLocal::scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct WithLocal<F> {
        // Both are gone once the future has ended.
        layer: Option<Layer>,
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for WithLocal<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(layer) = this.layer {
                layer.enter(|| this.future.set(None));
            }
        }
    }
}

impl<F: Future> Future for WithLocal<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(layer) = this.layer else {
            panic!("anyrt: a future was polled after its end");
        };
        let polled = layer.enter(|| {
            let future = this.future.as_mut().as_pin_mut()?;
            let polled = future.poll(cx);
            if polled.is_ready() {
                this.future.set(None);
            }
            Some(polled)
        });
        let Some(polled) = polled else {
            unreachable!("both are gone at the same time");
        };
        if polled.is_ready() {
            *this.layer = None;
        }
        polled
    }
}
