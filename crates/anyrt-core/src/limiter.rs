//! A first-come, first-served limit on how many things run at once.
//!
//! A token that is given back is handed to the first in the queue right away, so nobody overtakes.
//!
//! Invariants: nobody waits while a token is free. A ticket is either waiting, or granted and counted as borrowed,
//! or gone. A borrower is listed from its place in the queue on until its permit is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::borrower::{AlreadyBorrowing, Borrower};
use crate::lock::{Mutex, lock};
use crate::observe::Wait;
use crate::watch::waits;

/// Bounds how many calls run at once; `to_thread` takes a token of one for every call.
///
/// Clones share the tokens. This is trio's and anyio's `CapacityLimiter`.
///
/// # Examples
///
/// ```
/// use anyrt_core::Limiter;
///
/// let limiter = Limiter::new(2);
/// let first = limiter.try_acquire().unwrap();
/// let _second = limiter.try_acquire().unwrap();
/// assert!(limiter.try_acquire().is_none());
/// drop(first);
/// assert_eq!(limiter.available(), 1);
/// ```
#[derive(Clone)]
pub struct Limiter(Arc<Mutex<State>>);

struct State {
    total: usize,
    borrowed: usize,
    next_ticket: u64,
    waiting: BTreeMap<u64, Waker>,
    /// Tickets whose token is counted in `borrowed` already, until their owner looks or goes away.
    granted: BTreeSet<u64>,
    /// Those on whose behalf somebody holds a token or waits for one.
    borrowers: BTreeSet<Borrower>,
}

/// How a [`Limiter`] was used at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// How many tokens there are.
    pub total: usize,
    /// How many tokens are out; more than `total` for a while after it was lowered.
    pub borrowed: usize,
    /// How many are waiting for a token.
    pub waiting: usize,
}

impl Limiter {
    /// A limiter with `total` tokens; with 0 everybody waits until the total is raised.
    pub fn new(total: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            total,
            borrowed: 0,
            next_ticket: 0,
            waiting: BTreeMap::new(),
            granted: BTreeSet::new(),
            borrowers: BTreeSet::new(),
        })))
    }

    /// How many tokens there are.
    pub fn total(&self) -> usize {
        lock(&self.0).total
    }

    /// Changes the number of tokens; raising wakes as many as are now free, lowering revokes none.
    ///
    /// # Examples
    ///
    /// ```
    /// let limiter = anyrt_core::Limiter::new(0);
    /// assert!(limiter.try_acquire().is_none());
    /// limiter.set_total(1);
    /// assert!(limiter.try_acquire().is_some());
    /// ```
    pub fn set_total(&self, total: usize) {
        self.update(|state| state.total = total);
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// How many tokens are free.
    pub fn available(&self) -> usize {
        let state = lock(&self.0);
        state.total.saturating_sub(state.borrowed)
    }

    /// How the limiter is used right now.
    pub fn statistics(&self) -> Statistics {
        let state = lock(&self.0);
        Statistics {
            total: state.total,
            borrowed: state.borrowed,
            waiting: state.waiting.len(),
        }
    }

    /// Takes a token if one is free and nobody is waiting for it.
    pub fn try_acquire(&self) -> Option<Permit> {
        let mut state = lock(&self.0);
        state.take_if_free().then(|| self.permit(None))
    }

    /// Waits for a token; whoever asked first gets it first.
    ///
    /// # Cancel safety
    ///
    /// A dropped wait leaves the queue; a token that it was granted already goes to the next.
    ///
    /// # Examples
    ///
    /// ```
    /// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
    /// let limiter = anyrt_core::Limiter::new(1);
    /// let permit = limiter.acquire().await;
    /// assert_eq!(limiter.available(), 0);
    /// drop(permit);
    /// # });
    /// ```
    pub fn acquire(&self) -> Acquire {
        Acquire {
            limiter: self.clone(),
            ticket: None,
            borrower: None,
        }
    }

    /// Waits for a token for `borrower`, who may have no more than one at a time.
    ///
    /// All wait in one queue, with a borrower or without. A token taken without one belongs to nobody, and there may
    /// be any number of those. This is trio's and anyio's `acquire_on_behalf_of`; where they raise an exception it
    /// gives an error, and that also while the borrower still waits for its first token.
    ///
    /// # Cancel safety
    ///
    /// A dropped wait leaves the queue, and the borrower may ask again.
    ///
    /// # Errors
    ///
    /// [`AlreadyBorrowing`], at the first poll, if `borrower` has a token of this limiter already or waits for one.
    ///
    /// # Examples
    ///
    /// One job per user at a time, and ten in all:
    ///
    /// ```
    /// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
    /// let jobs = anyrt_core::Limiter::new(10);
    /// let permit = jobs.acquire_on_behalf_of("ann").await;
    /// assert!(permit.is_ok());
    /// assert!(jobs.acquire_on_behalf_of("ann").await.is_err());
    /// drop(permit);
    /// assert!(jobs.acquire_on_behalf_of("ann").await.is_ok());
    /// # });
    /// ```
    pub fn acquire_on_behalf_of(&self, borrower: impl Into<Borrower>) -> AcquireFor {
        AcquireFor {
            wanted: Some(borrower.into()),
            acquire: self.acquire(),
        }
    }

    fn permit(&self, borrower: Option<Borrower>) -> Permit {
        Permit {
            limiter: self.clone(),
            borrower,
        }
    }

    /// A token, or a wait that has its place in the queue already.
    pub(crate) fn enqueue(&self) -> Result<Permit, Acquire> {
        let mut state = lock(&self.0);
        if state.take_if_free() {
            return Ok(self.permit(None));
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.waiting.insert(ticket, Waker::noop().clone());
        drop(state);
        Err(Acquire {
            limiter: self.clone(),
            ticket: Some(ticket),
            borrower: None,
        })
    }

    /// Changes the state, hands free tokens to those who wait longest, and wakes them unlocked.
    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.0);
        change(&mut state);
        let Some(first) = state.grant() else { return };
        // Most often there are none, and then the list takes no memory.
        let others: Vec<_> = std::iter::from_fn(|| state.grant()).collect();
        drop(state);
        first.wake();
        others.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn take_if_free(&mut self) -> bool {
        let free = self.borrowed < self.total && self.waiting.is_empty();
        self.borrowed += usize::from(free);
        free
    }

    /// Hands a free token to the one who waits longest.
    fn grant(&mut self) -> Option<Waker> {
        if self.borrowed >= self.total {
            return None;
        }
        let (ticket, waker) = self.waiting.pop_first()?;
        self.borrowed += 1;
        self.granted.insert(ticket);
        Some(waker)
    }

    fn forget(&mut self, borrower: &Option<Borrower>) {
        if let Some(borrower) = borrower {
            self.borrowers.remove(borrower);
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(f)
    }
}

/// A token of a [`Limiter`]; dropping it gives the token back.
#[derive(Debug)]
#[must_use = "the token goes back as soon as the permit is dropped"]
pub struct Permit {
    limiter: Limiter,
    borrower: Option<Borrower>,
}

impl Permit {
    pub(crate) fn limiter(&self) -> &Limiter {
        &self.limiter
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.update(|state| {
            state.borrowed -= 1;
            state.forget(&self.borrower);
        });
    }
}

/// The future of [`Limiter::acquire`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Acquire {
    limiter: Limiter,
    ticket: Option<u64>,
    /// Listed, and to be crossed off by the permit or by whoever gives up.
    borrower: Option<Borrower>,
}

impl Acquire {
    /// The same without a word to an observer of the run; gives the number of tokens there are where it waits.
    pub(crate) fn poll_quietly(&mut self, cx: &mut Context<'_>) -> Result<Permit, usize> {
        let waker = cx.waker().clone();
        let mut state = lock(&self.limiter.0);
        let taken = match self.ticket {
            None => state.take_if_free(),
            Some(ticket) => state.granted.remove(&ticket),
        };
        if taken {
            drop(state);
            self.ticket = None;
            let borrower = self.borrower.take();
            return Ok(self.limiter.permit(borrower));
        }
        let ticket = self.ticket.unwrap_or(state.next_ticket);
        if self.ticket.is_none() {
            state.next_ticket += 1;
        }
        let before = state.waiting.insert(ticket, waker);
        let total = state.total;
        drop(state);
        drop(before);
        self.ticket = Some(ticket);
        Err(total)
    }
}

impl Future for Acquire {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit> {
        match self.poll_quietly(cx) {
            Ok(permit) => Poll::Ready(permit),
            Err(total) => {
                waits(|| Wait::Token { total });
                Poll::Pending
            }
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if self.ticket.is_none() && self.borrower.is_none() {
            return;
        }
        let mut waker = None;
        self.limiter.update(|state| {
            state.forget(&self.borrower);
            let Some(ticket) = self.ticket else { return };
            waker = state.waiting.remove(&ticket);
            if state.granted.remove(&ticket) {
                state.borrowed -= 1;
            }
        });
    }
}

/// The future of [`Limiter::acquire_on_behalf_of`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct AcquireFor {
    /// The borrower until the first poll, which lists it.
    wanted: Option<Borrower>,
    acquire: Acquire,
}

impl Future for AcquireFor {
    type Output = Result<Permit, AlreadyBorrowing>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(borrower) = this.wanted.take() {
            let mut state = lock(&this.acquire.limiter.0);
            if !state.borrowers.insert(borrower.clone()) {
                return Poll::Ready(Err(AlreadyBorrowing(borrower)));
            }
            this.acquire.borrower = Some(borrower);
        }
        assert!(
            this.acquire.borrower.is_some(),
            "anyrt: a wait for a token was polled after its end"
        );
        Pin::new(&mut this.acquire).poll(cx).map(Ok)
    }
}
