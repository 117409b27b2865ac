//! Running the cleanups of a scope that has ended.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::inside::Inside;
use crate::observe::{Ending, What};
use crate::place::Place;
use crate::throw_away::{Payload, throw_away};
use crate::tree::{Exit, Launch, Node, Role};

/// The cleanups of a scope, one after the other, the latest first; also those that they register themselves.
pub(crate) struct Leaving {
    host: Arc<Node>,
    /// Where they run: below the scope that has ended, but shielded.
    here: Arc<Node>,
    running: Option<Inside<Exit>>,
    panic: Option<Payload>,
}

impl Leaving {
    /// Of a scope that has ended; `None` if it has no cleanups.
    pub(crate) fn begin(host: &Arc<Node>) -> Option<Self> {
        let first = host.pop_exit()?;
        let mut leaving = Self {
            host: host.clone(),
            here: Node::new(Role::Cleanup, Some(host.clone())),
            running: None,
            panic: None,
        };
        leaving.here.begins(What::Cleanup, None, None);
        leaving.running = Some(leaving.put_here(first));
        Some(leaving)
    }

    /// Something has panicked before the cleanups.
    pub(crate) fn after_panic(&mut self, payload: Payload) {
        match self.panic {
            None => self.panic = Some(payload),
            Some(_) => throw_away(payload),
        }
    }

    /// Gives the first panic, after all of them have ended.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Payload>> {
        let polling = self.here.polls();
        while let Some(running) = &mut self.running {
            let mut running = Pin::new(running);
            let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx)));
            if let Ok(Poll::Pending) = polled {
                self.here.tell_pending(&polling);
                return Poll::Pending;
            }
            let dropped = catch_unwind(AssertUnwindSafe(|| running.clear()));
            for payload in [polled.err(), dropped.err()].into_iter().flatten() {
                self.after_panic(payload);
            }
            self.running = self.next();
        }
        let is_panic = self.panic.is_some();
        self.here.ends(|| {
            if is_panic {
                Ending::Panic
            } else {
                Ending::Value
            }
        });
        Poll::Ready(self.panic.take())
    }

    pub(crate) fn host(&self) -> &Arc<Node> {
        &self.host
    }

    /// How to go on in a task of their own.
    pub(crate) fn launch(&self) -> Option<Launch> {
        self.host.launch()
    }

    fn next(&self) -> Option<Inside<Exit>> {
        let next = self.here.pop_exit().or_else(|| self.host.pop_exit());
        next.map(|next| self.put_here(next))
    }

    fn put_here(&self, exit: Exit) -> Inside<Exit> {
        Inside::new(Place::At(self.here.clone()), Some(exit))
    }
}

impl Drop for Leaving {
    /// Only where the runtime has ended are there any left. They may own what owns the scope, so somebody has to let go.
    fn drop(&mut self) {
        self.here.retire();
        let mut left = self.running.take();
        if left.is_some() {
            self.here.ends(|| Ending::Lost);
        }
        while let Some(exit) = left {
            throw_away(exit);
            left = self.next();
        }
    }
}
