//! Where tasks can be spawned, and which such place this thread is in: smol keeps no note of that.
//!
//! The note is `None` on every thread on which no [`Inside`] is alive, and these nest.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use anyrt_core::AsyncTask;

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
            // Its threads know nothing of us, so the future brings the note along.
            Self::Global => smol::spawn(inside(self.clone(), future)).into(),
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
}

/// The place that was entered last; `None` also on a thread that is exiting.
pub(crate) fn get() -> Option<Place> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .unwrap_or(None)
}

/// Makes `place` the current one of this thread until the guard is dropped.
pub(crate) fn enter(place: Place) -> Inside {
    Inside {
        before: replace(Some(place)),
    }
}

/// A future that is polled inside `place`, wherever that happens.
async fn inside<F: Future>(place: Place, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _inside = enter(place.clone());
        future.as_mut().poll(cx)
    })
    .await
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
