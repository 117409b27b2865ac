//! Where tasks can be spawned, and which such place this thread is in: smol keeps no note of that.
//!
//! The note is `None` on every thread on which no [`Inside`] is alive, and these nest. The threads of the global
//! executor are not ours to enter, and do nothing else: what they poll says so by itself, outside of every `Inside`.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyrt_core::AsyncTask;
use pin_project_lite::pin_project;

use crate::live::Live;

/// An executor that runs, or has run.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Global,
    Live(Arc<Live>),
}

impl Place {
    pub(crate) fn spawn<F>(&self, future: F) -> AsyncTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self {
            Self::Live(live) => live.spawn(future),
            Self::Global => smol::spawn(InGlobal { future }).into(),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::Live(live) => live.has_ended(),
            Self::Global => false,
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Place>> = const { RefCell::new(None) };
    /// A future of ours is being polled by the global executor.
    static IS_IN_GLOBAL: Cell<bool> = const { Cell::new(false) };
}

/// The place that was entered last; `None` also on a thread that is exiting.
pub(crate) fn get() -> Option<Place> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .unwrap_or(None)
        .or_else(|| IS_IN_GLOBAL.get().then_some(Place::Global))
}

/// Makes `place` the current one of this thread until the guard is dropped.
pub(crate) fn enter(place: Place) -> Inside {
    Inside {
        before: replace(Some(place)),
    }
}

/// Restores on drop what was current before, also when a panic unwinds.
pub(crate) struct Inside {
    before: Option<Place>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        replace(self.before.take());
    }
}

fn replace(place: Option<Place>) -> Option<Place> {
    CURRENT
        .try_with(|current| current.replace(place))
        .unwrap_or(None)
}

pin_project! {
    /// A task of the global executor, whose threads know nothing of us: it brings the note along.
    struct InGlobal<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for InGlobal<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                IS_IN_GLOBAL.set(false);
            }
        }
        IS_IN_GLOBAL.set(true);
        let _leave = Leave;
        self.project().future.poll(cx)
    }
}
