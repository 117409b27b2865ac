//! Children that run in the task of their group: who is there, who is ready, and one pass over those.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Wake, Waker};

use atomic_waker::AtomicWaker;
use slab::Slab;

use crate::lock::lock;

/// A child that may move between threads together with its group.
pub type SendChild<'env> = Pin<Box<dyn Future<Output = ()> + Send + 'env>>;

/// A child that stays on its thread.
pub type LocalChild<'env> = Pin<Box<dyn Future<Output = ()> + 'env>>;

/// Where the children of a group run.
pub(crate) trait Housing {
    /// What the group's handle spawns with.
    type Spawner: Clone;

    fn spawner(&self) -> Self::Spawner;

    /// Polls the body, if it is to be polled now.
    fn poll_body<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R>;

    /// Polls each child once that is ready, as long as there `is_time`.
    fn poll_children(&mut self, cx: &mut Context<'_>, is_time: impl Fn() -> bool);

    /// Drops all children.
    fn clear(&mut self);
}

/// The children of one group, and its body, each with a waker of its own.
///
/// Each poll of the group is one pass over those that are ready. So the body and the children take turns, and a
/// group within a group costs one poll for each level.
pub(crate) struct Nest<C> {
    inbox: Arc<Inbox<C>>,
    children: Slab<Nestling<C>>,
    body: Flag,
    /// Kept for its allocation.
    pass: Vec<usize>,
    born: u64,
}

struct Nestling<C> {
    future: C,
    flag: Flag,
    /// In the order of spawning.
    number: u64,
}

/// What wakes one future of the group.
struct Flag {
    flag: Arc<ReadyFlag>,
    waker: Waker,
}

struct ReadyFlag {
    /// `None` is the body.
    index: Option<usize>,
    is_ready: AtomicBool,
    group: Arc<Ready>,
}

/// Who is to be polled next.
#[derive(Default)]
struct Ready {
    queue: Mutex<Vec<usize>>,
    /// Set while the group is not being polled: it looks for itself at the end of a pass.
    waker: AtomicWaker,
}

/// Where children go first.
pub(crate) struct Inbox<C> {
    children: Mutex<Vec<C>>,
    ready: Arc<Ready>,
}

/// The way into a group, which does not keep its children alive.
pub struct Nesting<C>(Weak<Inbox<C>>);

impl<C> Nesting<C> {
    /// Puts a child into the group, or drops it if the group is gone. Gives whether it is in.
    pub(crate) fn push(&self, child: C) -> bool {
        let Some(inbox) = self.0.upgrade() else {
            return false;
        };
        lock(&inbox.children).push(child);
        inbox.ready.waker.wake();
        true
    }
}

impl<C> Clone for Nesting<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for Nesting<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nesting")
    }
}

impl Wake for ReadyFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_ready.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(index) = self.index {
            lock(&self.group.queue).push(index);
        }
        self.group.waker.wake();
    }
}

impl Flag {
    fn new(index: Option<usize>, group: &Arc<Ready>) -> Self {
        let flag = Arc::new(ReadyFlag {
            index,
            is_ready: AtomicBool::new(true),
            group: group.clone(),
        });
        let waker = flag.clone().into();
        Self { flag, waker }
    }

    fn poll<R>(&self, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        // Before the poll, so that a wake during it counts.
        self.flag.is_ready.store(false, Ordering::Release);
        poll(&mut Context::from_waker(&self.waker))
    }
}

impl<C> Default for Nest<C> {
    fn default() -> Self {
        let ready = Arc::default();
        Self {
            children: Slab::new(),
            body: Flag::new(None, &ready),
            pass: Vec::new(),
            born: 0,
            inbox: Arc::new(Inbox {
                children: Mutex::default(),
                ready,
            }),
        }
    }
}

impl<C> Nest<C> {
    fn ready(&self) -> &Arc<Ready> {
        &self.inbox.ready
    }

    /// Takes in those that have been spawned; they are ready.
    fn take_in(&mut self) {
        let new = std::mem::take(&mut *lock(&self.inbox.children));
        for future in new {
            let entry = self.children.vacant_entry();
            let index = entry.key();
            entry.insert(Nestling {
                future,
                flag: Flag::new(Some(index), &self.inbox.ready),
                number: self.born,
            });
            self.born += 1;
            self.pass.push(index);
        }
    }

    fn is_more_to_do(&self) -> bool {
        self.body.flag.is_ready.load(Ordering::Acquire)
            || !lock(&self.ready().queue).is_empty()
            || !lock(&self.inbox.children).is_empty()
    }
}

impl<C: Future<Output = ()> + Unpin> Housing for Nest<C> {
    type Spawner = Nesting<C>;

    fn spawner(&self) -> Nesting<C> {
        Nesting(Arc::downgrade(&self.inbox))
    }

    fn poll_body<R>(
        &mut self,
        _: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R> {
        drop(self.ready().waker.take());
        let is_ready = self.body.flag.is_ready.load(Ordering::Acquire);
        is_ready.then(|| self.body.poll(poll))
    }

    fn poll_children(&mut self, cx: &mut Context<'_>, is_time: impl Fn() -> bool) {
        drop(self.ready().waker.take());
        std::mem::swap(&mut self.pass, &mut lock(&self.inbox.ready.queue));
        self.take_in();
        let mut pass = std::mem::take(&mut self.pass);
        let mut polled = 0;
        for &index in &pass {
            if !is_time() {
                break;
            }
            polled += 1;
            let Some(child) = self.children.get_mut(index) else {
                continue;
            };
            let future = Pin::new(&mut child.future);
            if child.flag.poll(|cx| future.poll(cx)).is_ready() {
                drop(self.children.remove(index));
            }
        }
        pass.drain(..polled);
        if !pass.is_empty() {
            // Those that have not had their turn come first next time.
            let mut queue = lock(&self.ready().queue);
            pass.append(&mut queue);
            std::mem::swap(&mut pass, &mut queue);
        }
        self.pass = pass;
        self.ready().waker.register(cx.waker());
        if self.is_more_to_do() {
            cx.waker().wake_by_ref();
        }
    }

    fn clear(&mut self) {
        self.take_in();
        self.pass.clear();
        let mut children: Vec<_> = std::mem::take(&mut self.children).into_iter().collect();
        children.sort_by_key(|(_, child)| child.number);
        for (_, child) in children {
            drop(child);
        }
    }
}

impl<C> Drop for Nest<C> {
    fn drop(&mut self) {
        // Wakers may outlive the group, but need not wake anybody any more.
        drop(self.ready().waker.take());
    }
}

/// The children are in tasks of their own.
impl Housing for () {
    type Spawner = ();

    fn spawner(&self) {}

    fn poll_body<R>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> R,
    ) -> Option<R> {
        Some(poll(cx))
    }

    fn poll_children(&mut self, _: &mut Context<'_>, _: impl Fn() -> bool) {}

    fn clear(&mut self) {}
}
