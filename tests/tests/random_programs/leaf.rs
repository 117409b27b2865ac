//! A wait, watched: whether it is interrupted when it has to be, and only then.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::place::Place;
use crate::world::World;

/// A future that waits for something, at its place in the program.
pub(crate) struct Leaf<F> {
    world: Arc<World>,
    place: Arc<Place>,
    task: usize,
    wait: Pin<Box<F>>,
    began: Option<u64>,
    /// When it last returned `Pending`, it was cancelled and nothing held.
    is_to_be_cut: bool,
    is_done: bool,
}

impl<F: Future> Leaf<F> {
    pub(crate) fn new(world: &Arc<World>, place: &Arc<Place>, task: usize, wait: F) -> Self {
        Self {
            world: world.clone(),
            place: place.clone(),
            task,
            wait: Box::pin(wait),
            began: None,
            is_to_be_cut: false,
            is_done: false,
        }
    }
}

impl<F> Leaf<F> {
    /// After a wait that has ended, in either way.
    fn check_time(&self) {
        let (Some(began), true) = (self.began, self.place.is_alone()) else {
            return;
        };
        let now = self.world.now();
        if self.place.sight(now).is_late(began, now) {
            self.world.violation("a cancellation was delivered late");
        }
    }
}

impl<F: Future> Future for Leaf<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.world.polled();
        self.place.compare(&self.world);
        if self.is_to_be_cut {
            self.world.violation("a cancellation was not delivered");
        }
        // Also if it panics.
        self.is_done = true;
        let polled = self.wait.as_mut().poll(cx);
        let now = self.world.now();
        match polled {
            Poll::Ready(_) => {
                self.check_time();
                self.world.mark("goes on", self.task);
            }
            Poll::Pending => {
                self.is_done = false;
                self.began.get_or_insert(now);
                let sight = self.place.sight(now);
                self.is_to_be_cut = sight.told.is_some() && self.place.is_alone();
            }
        }
        polled
    }
}

impl<F> Drop for Leaf<F> {
    fn drop(&mut self) {
        if self.is_done || self.began.is_none() || self.world.is_outside() {
            return;
        }
        let now = self.world.now();
        if !self.place.sight(now).is_possible() {
            self.world.violation("a wait was cut without a reason");
        }
        self.check_time();
        self.world.mark("cut", self.task);
    }
}
