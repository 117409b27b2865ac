//! The two ways in which the children of a group run.

use std::marker::PhantomData;

use crate::backend::Backend;
use crate::delivery::{Deliver, Spawned};
use crate::slot::Slot;

/// How children whose value is a `T` run, and how that gets to their handles.
pub trait Kind<T> {
    /// What they run on.
    type Backend: Backend;
    /// The way to the handle.
    type Handle: Deliver<T>;
}

/// Children are tasks of the runtime, and run in parallel.
#[derive(Debug)]
pub struct Parallel<B>(PhantomData<fn() -> B>);

/// Children run in the task of their group, side by side.
#[derive(Debug)]
pub struct Nested<B>(PhantomData<fn() -> B>);

impl<B: Backend, T: Send + 'static> Kind<T> for Parallel<B> {
    type Backend = B;
    type Handle = Spawned<B, T>;
}

impl<B: Backend, T> Kind<T> for Nested<B> {
    type Backend = B;
    type Handle = Slot<T>;
}
