//! The threads that run calls, as the loop sees them: it tells them when it is their turn.

use std::sync::mpsc::{Receiver, Sender, channel};

use async_task::Runnable;

/// A call whose turn it may be.
#[derive(Debug)]
pub(crate) struct Call {
    /// Its number, which it has for all of its turns.
    pub(crate) who: u64,
    pub(crate) stage: Stage,
}

#[derive(Debug)]
pub(crate) enum Stage {
    /// It has not begun, and has no thread yet.
    New(Runnable),
    /// It was interrupted where it waits, or gave way.
    Paused(Hand),
}

/// A thread that runs calls, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Hand(Sender<Order>);

/// What a thread without a turn is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// Its call goes on.
    GoOn,
    /// It has none, and this is the next one, with its number.
    Run(u64, Runnable),
    /// It has none, and there will be none.
    Leave,
}

impl Hand {
    pub(crate) fn new() -> (Self, Receiver<Order>) {
        let (sender, orders) = channel();
        (Self(sender), orders)
    }

    pub(crate) fn tell(&self, order: Order) {
        // A thread without a turn listens. One that has gone by itself, as there is no more simulation, need not.
        let _ = self.0.send(order);
    }
}
