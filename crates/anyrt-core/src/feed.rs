//! Taking items from a source, no more of them than may be under way.

use std::future::{pending, poll_fn};
use std::pin::pin;

use futures_core::Stream;

use crate::limiter::{Limiter, Permit};
use crate::source::Source;

/// What lets the items in; `None` lets all of them in.
pub(crate) struct Gate(Option<Limiter>);

impl Gate {
    #[track_caller]
    pub(crate) fn new(name: &str, limit: Option<usize>) -> Self {
        assert!(
            limit != Some(0),
            "anyrt: `{name}` with a limit of 0 could never run anything; give it at least 1, or `None` for no limit"
        );
        Self(limit.map(Limiter::new))
    }

    async fn pass(&self) -> Option<Permit> {
        match &self.0 {
            Some(limiter) => Some(limiter.acquire().await),
            None => None,
        }
    }
}

/// Hands each item to `take` with its permit, once it may be under way.
///
/// When it `is_over` no further item is asked for, and it waits to be dropped. If it was over from the beginning it has
/// its one poll.
pub(crate) async fn feed<M, S: Source<M>>(
    source: S,
    gate: Gate,
    is_over: impl Fn() -> bool,
    mut take: impl FnMut(Option<Permit>, S::Item),
) {
    let mut items = pin!(source.items());
    let has_begun = !is_over();
    loop {
        // Nothing is taken ahead: an item that is out of the source is under way.
        let permit = gate.pass().await;
        if has_begun && is_over() {
            pending::<()>().await;
        }
        match poll_fn(|cx| items.as_mut().poll_next(cx)).await {
            Some(item) => take(permit, item),
            None => break,
        }
    }
}
