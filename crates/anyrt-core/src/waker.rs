//! Remembering which waker was registered, without a second clone of it.

use std::task::Waker;

/// Identifies a waker that somebody else keeps alive; equal identities wake the same task.
///
/// Sound only while the registered clone lives, since an address may be reused after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WakerId(usize, usize);

impl WakerId {
    pub(crate) fn of(waker: &Waker) -> Self {
        Self(
            waker.data() as usize,
            std::ptr::from_ref(waker.vtable()) as usize,
        )
    }
}
