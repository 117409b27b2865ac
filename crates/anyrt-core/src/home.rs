//! What the members of one group share: the count of who is left, what went wrong, and the run.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Waker};

use atomic_waker::AtomicWaker;
use slab::Slab;

use crate::backend::Backend;
use crate::limiter::Limiter;
use crate::lock::lock;
use crate::observe::Observer;
use crate::policy::Policy;
use crate::tally::{Next, Tally};
use crate::throw_away::Payload;

/// How many `to_thread` calls run at once where no other limiter is given; the number is anyio's.
pub(crate) const DEFAULT_THREADS: usize = 40;

/// What everything below one `run`, or below one outermost group, has in common.
pub(crate) struct Shared<B: ?Sized = dyn Any + Send + Sync> {
    /// Made when the first call into a thread asks for it.
    limiter: OnceLock<Limiter>,
    /// The end of the run.
    end: Mutex<End>,
    /// The children node of the outermost group. A ledger knows no nodes.
    outermost: OnceLock<Weak<dyn Any + Send + Sync>>,
    observer: Option<Arc<dyn Observer>>,
    backend: B,
}

#[derive(Default)]
struct End {
    has_come: bool,
    listeners: Slab<Waker>,
}

impl Shared {
    pub(crate) fn new<B: Backend>(backend: B) -> Arc<Self> {
        Arc::new(Shared {
            limiter: OnceLock::new(),
            end: Mutex::default(),
            outermost: OnceLock::new(),
            observer: backend.observer(),
            backend,
        })
    }

    pub(crate) fn backend<B: Any>(&self) -> Option<&B> {
        self.backend.downcast_ref()
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        self.limiter.get_or_init(|| Limiter::new(DEFAULT_THREADS))
    }

    /// How many tokens of the limiter are out.
    pub(crate) fn borrowed(&self) -> usize {
        let limiter = self.limiter.get();
        limiter.map_or(0, |limiter| limiter.statistics().borrowed)
    }

    /// The run has ended.
    pub(crate) fn end(&self) {
        let mut end = lock(&self.end);
        end.has_come = true;
        let listeners = std::mem::take(&mut end.listeners);
        drop(end);
        listeners.into_iter().for_each(|(_, waker)| waker.wake());
    }

    pub(crate) fn has_ended(&self) -> bool {
        lock(&self.end).has_come
    }

    /// Whether the run has ended; otherwise that is going to wake.
    pub(crate) fn listen(&self, key: &mut Option<usize>, cx: &mut Context<'_>) -> bool {
        let waker = cx.waker().clone();
        let mut end = lock(&self.end);
        if end.has_come {
            *key = None;
            return true;
        }
        let before = match *key {
            Some(key) => Some(std::mem::replace(&mut end.listeners[key], waker)),
            None => {
                *key = Some(end.listeners.insert(waker));
                None
            }
        };
        drop(end);
        drop(before);
        false
    }

    pub(crate) fn listen_no_more(&self, key: usize) {
        let waker = lock(&self.end).listeners.try_remove(key);
        drop(waker);
    }

    /// The first group that has this in common with those below it is the outermost one.
    pub(crate) fn begin<N: Any + Send + Sync>(&self, children: &Arc<N>) {
        self.outermost.get_or_init(|| {
            let children: Arc<dyn Any + Send + Sync> = children.clone();
            Arc::downgrade(&children)
        });
    }

    /// The children node of the outermost group, unless that is gone.
    pub(crate) fn outermost<N: Any + Send + Sync>(&self) -> Option<Arc<N>> {
        self.outermost.get()?.upgrade()?.downcast().ok()
    }
}

/// The ledger of one group. It knows no scopes, so everything below a group may point to it.
pub(crate) struct Home {
    pub(crate) shared: Arc<Shared>,
    /// It is the outermost group: the run ends with it.
    pub(crate) is_outermost: bool,
    /// What is not as usual in this group.
    pub(crate) policy: Option<Box<Policy>>,
    pub(crate) tally: Tally,
    /// Members of the tally that are no children: nested groups and threads.
    guests: AtomicUsize,
    /// The group itself, while it waits for the tally to run out.
    pub(crate) joiner: AtomicWaker,
    /// A child was interrupted by a cancellation from outside the group: it is not done.
    pub(crate) cut: AtomicBool,
    /// A child was dropped by a runtime that ended.
    pub(crate) lost: AtomicBool,
    /// Made for the first of them.
    failures: OnceLock<Box<Mutex<Failures>>>,
}

/// What went wrong in a group.
pub(crate) enum Failure {
    /// Of the group's own error type.
    Error(Box<dyn Any + Send>),
    Panic(Payload),
}

/// In order of time. Errors are of the group's own error type; they are boxed so that nothing but the
/// group needs to know that type, and nothing is allocated where nothing fails.
#[derive(Default)]
pub(crate) struct Failures {
    pub(crate) errors: Vec<Box<dyn Any + Send>>,
    pub(crate) panics: Vec<Payload>,
}

impl Home {
    pub(crate) fn new(
        shared: Arc<Shared>,
        is_outermost: bool,
        policy: Option<Box<Policy>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            shared,
            is_outermost,
            policy,
            tally: Tally::new(),
            guests: AtomicUsize::new(0),
            joiner: AtomicWaker::new(),
            cut: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            failures: OnceLock::new(),
        })
    }

    /// The backend that the group runs on.
    pub(crate) fn backend<B: Any>(&self) -> &B {
        match self.shared.backend() {
            Some(backend) => backend,
            None => unreachable!("a group has its backend from the start"),
        }
    }

    /// Who observes the run.
    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.shared.observer.as_ref()
    }

    /// Counts in a member that is no child, even if the group has ended.
    pub(crate) fn join_as_guest(&self) {
        self.guests.fetch_add(1, Ordering::Relaxed);
        self.tally.join_anyway();
    }

    /// Counts in a member that is no child, unless the group has ended.
    pub(crate) fn try_join_as_guest(&self) -> bool {
        self.guests.fetch_add(1, Ordering::Relaxed);
        let joined = self.tally.join();
        if !joined {
            self.guest_became_child();
        }
        joined
    }

    /// A member that was no child is one now, and leaves the group as a child.
    pub(crate) fn guest_became_child(&self) {
        self.guests.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts out a member that is no child.
    pub(crate) fn leave_as_guest(&self) -> Next {
        self.guests.fetch_sub(1, Ordering::Relaxed);
        self.tally.leave()
    }

    /// A child was interrupted by a cancellation from outside the group: it is not done.
    pub(crate) fn tell_cut(&self) {
        // One of many writes; the others would only take the line from each other.
        if !self.cut.load(Ordering::Relaxed) {
            self.cut.store(true, Ordering::Release);
        }
    }

    pub(crate) fn record(&self, failure: Failure) {
        let mut failures = lock(self.failures.get_or_init(Box::default));
        match failure {
            Failure::Error(error) => failures.errors.push(error),
            Failure::Panic(payload) => failures.panics.push(payload),
        }
    }

    pub(crate) fn name(&self) -> &Option<Arc<str>> {
        match &self.policy {
            Some(policy) => &policy.name,
            None => &None,
        }
    }

    /// The group has ended.
    pub(crate) fn end(&self) {
        self.forget_handler();
        if self.is_outermost {
            self.shared.end();
        }
    }

    fn forget_handler(&self) {
        if let Some(policy) = &self.policy {
            policy.forget_handler();
        }
    }

    pub(crate) fn take_failures(&self) -> Failures {
        let failures = self.failures.get();
        failures.map_or_else(Failures::default, |failures| {
            std::mem::take(&mut *lock(failures))
        })
    }

    /// How many children have not ended; a snapshot while others spawn and end.
    pub(crate) fn children(&self) -> usize {
        let guests = self.guests.load(Ordering::Relaxed);
        self.tally.members().saturating_sub(guests)
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home")
            .field("children", &self.children())
            .finish_non_exhaustive()
    }
}
