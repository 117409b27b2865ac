//! Driving a main future. The executor is global: it is not started here for good, and never ends.

use std::future::Future;

/// Drives `main` on the calling thread, which helps the global executor meanwhile.
pub(crate) fn run<F: Future>(main: F) -> F::Output {
    async_std::task::block_on(main)
}
