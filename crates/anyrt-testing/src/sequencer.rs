//! An order between tasks, given by numbers.
//!
//! Invariant: `next` is the number whose turn it is or comes next. Whoever waits for another one is in `waiting`, unless
//! the sequence is broken.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Forces an order on what several tasks do: number 0 first, then 1, and so on.
///
/// This is trio's class of the same name. Where its blocks are entered, [`at`](Self::at) is awaited; where they are left, the
/// [`Turn`] is dropped, and the next number has its turn. Each number is used once. Clones share the sequence. In a test of
/// a race it says which of the possible orders is meant, on any backend; the simulator tries them by seeds instead.
///
/// # Examples
///
/// ```
/// use anyrt_core::task_group;
/// use anyrt_sim::Sim;
/// use anyrt_testing::Sequencer;
///
/// # anyrt_core::run(&Sim::default(), async {
/// let log = async_channel::unbounded();
/// let seq = Sequencer::new();
/// let group = task_group::<Sim, _, _, _, _>(async |g| {
///     for name in ["a", "b"] {
///         let (seq, log) = (seq.clone(), log.0.clone());
///         let first = if name == "a" { 1 } else { 0 };
///         g.spawn(async move {
///             for number in [first, first + 2] {
///                 let _turn = seq.at(number).await;
///                 log.try_send((number, name)).unwrap();
///             }
///             Ok::<_, ()>(())
///         });
///     }
///     Ok(())
/// });
/// group.await.unwrap();
/// log.0.close();
/// let log: Vec<_> = std::iter::from_fn(|| log.1.try_recv().ok()).collect();
/// assert_eq!(log, [(0, "b"), (1, "a"), (2, "b"), (3, "a")]);
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sequencer {
    shared: Arc<Mutex<Sequence>>,
}

#[derive(Debug, Default)]
struct Sequence {
    next: u64,
    claimed: BTreeSet<u64>,
    waiting: BTreeMap<u64, Waker>,
    /// The number that was given up, and where it was asked for.
    broken: Option<(u64, &'static Location<'static>)>,
}

impl Sequencer {
    /// A sequence that begins with 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until all smaller numbers have had their turn; the turn lasts until the [`Turn`] is dropped.
    ///
    /// `seq.at(1).await;` gives it back at once. Who waits for a number that comes after one that nobody asks for
    /// waits for ever.
    ///
    /// # Cancel safety
    ///
    /// A number that is dropped before its turn is missing for good: the sequence is broken, and whoever waits in it, or
    /// comes later, panics, as in trio they get an error.
    ///
    /// # Panics
    ///
    /// If the number has been used already; and when the sequence is broken. The message then names the number that was
    /// given up, and where that was asked for.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_testing::{Sequencer, assert_pending, assert_ready};
    ///
    /// let seq = Sequencer::new();
    /// let mut second = seq.at(1);
    /// assert_pending!(second);
    /// let first = assert_ready!(seq.at(0));
    /// assert_pending!(second);
    /// drop(first);
    /// let _turn = assert_ready!(second);
    /// ```
    #[track_caller]
    pub fn at(&self, number: u64) -> At {
        let called_at = Location::caller();
        let is_new = self.lock().claimed.insert(number);
        assert!(
            is_new,
            "anyrt: the number {number} of this `Sequencer` was used twice; each number has one turn"
        );
        At {
            sequencer: self.clone(),
            number,
            called_at,
            has_ended: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sequence> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The future of [`Sequencer::at`].
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct At {
    sequencer: Sequencer,
    number: u64,
    called_at: &'static Location<'static>,
    has_ended: bool,
}

impl Future for At {
    type Output = Turn;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Turn> {
        let waker = cx.waker().clone();
        let mut sequence = self.sequencer.lock();
        let broken = sequence.broken;
        let is_next = sequence.next == self.number;
        if broken.is_none() && !is_next {
            let replaced = sequence.waiting.insert(self.number, waker);
            drop(sequence);
            drop(replaced);
            return Poll::Pending;
        }
        drop(sequence);
        self.has_ended = true;
        if let Some((given_up, place)) = broken {
            panic!(
                "anyrt: the `Sequencer` is broken, so {} at {} never has its turn: {given_up}, asked for at {place}, \
                 was dropped before its own",
                self.number, self.called_at
            );
        }
        Poll::Ready(Turn {
            sequencer: self.sequencer.clone(),
        })
    }
}

impl Drop for At {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let mut sequence = self.sequencer.lock();
        sequence.broken.get_or_insert((self.number, self.called_at));
        let waiting = std::mem::take(&mut sequence.waiting);
        drop(sequence);
        waiting.into_values().for_each(Waker::wake);
    }
}

/// A turn in a [`Sequencer`]; the next number has its own when this is dropped.
#[derive(Debug)]
pub struct Turn {
    sequencer: Sequencer,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut sequence = self.sequencer.lock();
        sequence.next += 1;
        let next = sequence.next;
        let waker = sequence.waiting.remove(&next);
        drop(sequence);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
