//! A run on a thread of its own, which lasts as long as somebody keeps it.

use std::panic::{Location, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle, ThreadId};

use crate::backend::Backend;
use crate::door::Door;
use crate::place;
use crate::run::run;
use crate::signal::Signal;
use crate::throw_away::throw_away;

/// Its owners are the users of the run; the run ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    end: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
    /// The thread that may wait for the other one. Any other one might be what that itself is waiting for: a thread of
    /// its pool.
    started_by: ThreadId,
}

impl Keeper {
    /// Starts a run, and gives the door of its outermost group.
    pub(crate) fn start<B: Backend>(backend: B, caller: &Location<'_>) -> (Self, Door<B>) {
        let end = Arc::<Signal>::default();
        let (sender, receiver) = mpsc::channel();
        let awaited = end.clone();
        let main = async move {
            let live = B::current();
            // The program outside may always come up with something.
            if let Some(live) = &live {
                live.thread_goes_on(false);
            }
            sender.send(Door::of_run()).ok();
            awaited.wait().await;
            if let Some(live) = &live {
                live.thread_waits(false);
            }
        };
        let thread = thread::Builder::new()
            .name(format!("anyrt-{}", backend.name()))
            .spawn(move || run(&backend, main))
            .unwrap_or_else(|error| panic!("anyrt: no thread for the portal of {caller}: {error}"));
        let Ok(Some(door)) = receiver.recv() else {
            match thread.join() {
                Err(payload) => resume_unwind(payload),
                Ok(()) => unreachable!("`main` gives the door of its own run"),
            }
        };
        let keeper = Self {
            end,
            thread: Some(thread),
            started_by: thread::current().id(),
        };
        (keeper, door)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end.come();
        let is_starter = thread::current().id() == self.started_by;
        if let Some(thread) = self.thread.take_if(|_| is_starter && !place::is_inside()) {
            // The hook has told of its panic, and this is no place for a second one.
            thread.join().unwrap_or_else(throw_away);
        }
    }
}
