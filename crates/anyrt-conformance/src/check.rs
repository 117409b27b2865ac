//! Running one promise.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyrt_core::Backend;

use crate::rt::Rt;

/// How long a promise may take before it counts as hanging. Real time; none comes near it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a promise on `backend`.
///
/// # Panics
///
/// If the promise is not kept, or hangs.
pub fn check<B, K, F, Fut>(backend: B, promise: F)
where
    B: Backend,
    F: FnOnce(Rt<B, K>) -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    check_run(backend, |backend| {
        // Boxed, so that the way into the runtime is compiled once and not for every promise.
        let main: Pin<Box<dyn Future<Output = ()>>> = Box::pin(promise(Rt::new()));
        anyrt_core::run(backend, main);
    });
}

/// Runs a promise that is about whole runs.
///
/// # Panics
///
/// If the promise is not kept, or hangs.
pub fn check_run<B, F>(backend: B, promise: F)
where
    B: Backend,
    F: FnOnce(&B) + Send + 'static,
{
    let (done, result) = channel();
    let thread = std::thread::spawn(move || {
        promise(&backend);
        done.send(()).ok();
    });
    match result.recv_timeout(PATIENCE) {
        Ok(()) => {}
        Err(RecvTimeoutError::Timeout) => panic!("the promise hangs"),
        Err(RecvTimeoutError::Disconnected) => {
            if let Err(payload) = thread.join() {
                std::panic::resume_unwind(payload);
            }
        }
    }
}
