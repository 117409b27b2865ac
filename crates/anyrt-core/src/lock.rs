//! Locks that are never poisoned: no user code runs under one, so a panic cannot leave half a change.

pub(crate) use std::sync::Mutex;
use std::sync::{MutexGuard, PoisonError};

#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
