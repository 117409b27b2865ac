//! The handle by which a child says that it is ready, and what it shares with the caller of `start`.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use atomic_waker::AtomicWaker;

use crate::guest::{Guest, arrive};
use crate::lock::lock;
use crate::reason::Reason;
use crate::throw_away::{Payload, throw_away};
use crate::tree::Node;

/// By this a child that was started with [`TaskGroup::start`](crate::TaskGroup::start) says that it is ready.
///
/// A child that drops it goes on, and has never started.
///
/// # Examples
///
/// A function written for `start` can be called directly, too:
///
/// ```
/// use anyrt_core::Started;
///
/// async fn serve(started: Started<u16>) -> &'static str {
///     started.set(8080);
///     "served"
/// }
///
/// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
/// assert_eq!(serve(Started::ignored()).await, "served");
/// # });
/// ```
///
/// It can be said once only:
///
/// ```compile_fail,E0382
/// fn twice(started: anyrt_core::Started<u16>) {
///     started.set(1);
///     started.set(2);
/// }
/// ```
#[must_use = "a child that never calls `set` has not started"]
pub struct Started<R>(Option<Arc<Handshake<R>>>);

impl<R> Started<R> {
    pub(crate) fn new(handshake: Arc<Handshake<R>>) -> Self {
        Self(Some(handshake))
    }

    /// For calling the function directly: nobody is told.
    pub fn ignored() -> Self {
        Self(None)
    }

    /// Says that the child is ready, and gives `value` to the caller of `start`.
    ///
    /// From here on the child belongs to the group: its errors, its panics and its cancellation. If the group is
    /// cancelled already, the child is cancelled at its first `Pending` after this. If the caller of `start` is
    /// cancelled already, the child stays with the caller and is cancelled there. May be called from any thread.
    pub fn set(self, value: R) {
        match self.0 {
            Some(handshake) => handshake.set(value),
            None => drop(value),
        }
    }
}

impl<R> fmt::Debug for Started<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started")
            .field("is_ignored", &self.0.is_none())
            .finish()
    }
}

/// What the child and the caller of `start` share.
pub(crate) struct Handshake<R> {
    /// The place of the child: lodged with the caller until the child is ready, and then below `root`.
    pub(crate) child: Arc<Node>,
    /// The root of the child's task, in the group.
    pub(crate) root: Arc<Node>,
    caller: AtomicWaker,
    state: Mutex<State<R>>,
}

struct State<R> {
    /// What the child has said.
    value: Option<R>,
    /// The value is for the caller: the child has moved to its group, or it had ended well before it could.
    is_started: bool,
    end: Option<AttemptEnd>,
    /// While the child belongs to the caller it counts in the caller's group, too.
    guest: Option<Guest>,
    /// The child has ended, or the caller is gone: nobody is going to ask for a value any more.
    is_over: bool,
}

/// How a child ended while it belonged to the caller.
pub(crate) enum AttemptEnd {
    Failed(Box<dyn Any + Send>),
    Panicked(Payload),
    NotStarted,
    /// Cut by the caller's cancellation.
    Cut,
    /// The runtime has ended.
    Lost,
}

/// What the caller finds.
pub(crate) enum News<R> {
    Started(R),
    Ended(AttemptEnd),
}

impl<R> Handshake<R> {
    pub(crate) fn new(root: Arc<Node>, caller: Option<&Arc<Node>>) -> Arc<Self> {
        Arc::new(Self {
            child: Node::lodged(root.clone(), caller.cloned()),
            root,
            caller: AtomicWaker::new(),
            state: Mutex::new(State {
                value: None,
                is_started: false,
                end: None,
                guest: None,
                is_over: false,
            }),
        })
    }

    /// The child counts in the caller's group, too, from here on until it is ready or has ended.
    pub(crate) fn count_with_caller(&self, caller: Option<&Arc<Node>>) {
        let mut guest = Some(Guest::of(caller));
        let mut state = lock(&self.state);
        if !state.is_started {
            state.guest = guest.take();
        }
        drop(state);
        drop(guest);
    }

    fn set(&self, value: R) {
        let mut value = Some(value);
        let mut state = lock(&self.state);
        if !state.is_over {
            state.value = value.take();
        }
        drop(state);
        drop(value);
        self.move_child();
        self.caller.wake();
    }

    /// Gives the child to its group, unless it is cancelled where it is.
    fn move_child(&self) {
        if !self.child.move_home() {
            return;
        }
        arrive(&self.root);
        let mut state = lock(&self.state);
        state.is_started = true;
        let guest = state.guest.take();
        drop(state);
        drop(guest);
    }

    /// The child has ended well while it belonged to the caller. Gives whether it had said that it is ready; if not,
    /// it is for the child to say how it [`end`](Self::end)ed.
    pub(crate) fn end_well(&self) -> bool {
        if lock(&self.state).value.is_none() {
            return false;
        }
        arrive(&self.root);
        lock(&self.state).is_started = true;
        self.end(None);
        true
    }

    /// The child has ended while it belonged to the caller.
    pub(crate) fn end(&self, end: Option<AttemptEnd>) {
        let mut end = end;
        let mut state = lock(&self.state);
        let guest = state.guest.take();
        let unheard = if state.is_started {
            None
        } else {
            state.value.take()
        };
        if !std::mem::replace(&mut state.is_over, true) {
            state.end = end.take();
        }
        drop(state);
        match (end, &guest) {
            (Some(AttemptEnd::Panicked(payload)), Some(guest)) => guest.hand_over(payload),
            (end, _) => throw_away(end),
        }
        throw_away(unheard);
        drop(guest);
        self.caller.wake();
    }

    /// What has become of the child, once it has started or ended.
    pub(crate) fn news(&self, waker: &Waker) -> Option<News<R>> {
        self.caller.register(waker);
        let mut state = lock(&self.state);
        if state.value.is_some() && state.end.is_none() && !state.is_started {
            // It was cancelled when it said so. The scope that had cancelled it may have ended meanwhile.
            drop(state);
            self.move_child();
            state = lock(&self.state);
        }
        let news = if state.is_started {
            state.value.take().map(News::Started)
        } else {
            state.end.take().map(News::Ended)
        };
        drop(state);
        if news.is_some() {
            // The child would keep it, and with it the caller's task.
            drop(self.caller.take());
        }
        news
    }

    /// The caller was dropped: a child that belongs to it is cancelled.
    pub(crate) fn lose_caller(&self, caller: Option<&Arc<Node>>) {
        if self.child.stay() {
            self.child.cancel(&Reason::Dropped);
        }
        let mut state = lock(&self.state);
        state.is_over = true;
        let (value, end) = (state.value.take(), state.end.take());
        drop(state);
        match end {
            Some(AttemptEnd::Panicked(payload)) => Guest::of(caller).hand_over(payload),
            end => throw_away(end),
        }
        drop(value);
    }
}
