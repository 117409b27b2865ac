//! A run on a thread of its own, which lasts as long as somebody keeps it.

use std::panic::{Location, resume_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle, ThreadId};

use crate::abroad::Abroad;
use crate::backend::Backend;
use crate::door::Door;
use crate::place;
use crate::run::run;
use crate::signal::Signal;
use crate::throw_away::throw_away;
use crate::worker::{self, Worker};

/// Its owners are the users of the run; the run ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Keeper {
    end: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
    started_by: Starter,
}

/// Who may wait for the end of the run. Anybody else might be what the run itself is waiting for: a thread of its pool.
#[derive(Debug)]
struct Starter {
    thread: ThreadId,
    /// The call that the thread ran. A pool uses its threads again, and the next call may be one that the run waits for.
    call: Option<Weak<Worker>>,
}

impl Starter {
    fn here() -> Self {
        Self {
            thread: thread::current().id(),
            call: worker::current().map(|worker| Arc::downgrade(&worker)),
        }
    }

    fn is_here(&self) -> bool {
        let here = Self::here();
        let is_same_call = match (&self.call, &here.call) {
            (Some(one), Some(other)) => one.ptr_eq(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.thread == here.thread && is_same_call && !place::is_inside()
    }
}

impl Keeper {
    /// Starts a run, and gives the door of its outermost group.
    pub(crate) fn start<B: Backend>(backend: B, caller: &Location<'_>) -> (Self, Door<B>) {
        let end = Arc::<Signal>::default();
        let (sender, receiver) = mpsc::channel();
        let awaited = end.clone();
        let main = async move {
            // The program outside may always come up with something.
            let _program = B::current().map(Abroad::of);
            sender.send(Door::of_run()).ok();
            awaited.wait().await;
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
            started_by: Starter::here(),
        };
        (keeper, door)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end.come();
        if let Some(thread) = self.thread.take_if(|_| self.started_by.is_here()) {
            // The hook has told of its panic, and this is no place for a second one.
            thread.join().unwrap_or_else(throw_away);
        }
    }
}
