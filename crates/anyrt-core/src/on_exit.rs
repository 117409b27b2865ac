//! Cleanups that are registered while the work goes on.

use std::future::Future;
use std::sync::Arc;

use crate::backend::Backend;
use crate::context::Carried;
use crate::here;
use crate::place;
use crate::tree::Launch;

/// Registers `cleanup` to run when the scope at this place ends, however it ends.
///
/// The scope is the innermost of: a run of a [`CancelScope`](crate::CancelScope) or of a time limit, the body of a
/// task group, of [`finally`](crate::finally) or of [`run`](crate::run), a child. Its cleanups run one after the other, the latest first, after the
/// body has ended and was dropped, also after a panic; those of a group's body after all of its children. They are
/// shielded: scopes around wait for them, and one that must not run for ever is
/// `async { move_on_after(limit, ..).await; }`. A cleanup may itself register further ones, which come next. It inherits
/// the [task-locals](crate::TaskLocal) that are set where it is registered.
///
/// This is the asynchronous face of a destructor, and of Python's `AsyncExitStack`. Where the cleanup borrows there
/// is [`finally`](crate::finally).
///
/// # Cancel safety
///
/// If code that knows nothing of scopes drops the scope, the cleanups run all the same: in a task of their own, for
/// which the enclosing group waits. Only the end of the runtime cuts them off.
///
/// # Panics
///
/// If there is no scope at this place, or no runtime. A panic of `cleanup` goes on where the scope ends, after the
/// other cleanups have run; of several panics the first one.
///
/// # Examples
///
/// ```
/// # use std::time::Duration;
/// # use anyrt_sim::Sim;
/// # use anyrt_core::{move_on_after, on_exit, sleep};
/// # anyrt_core::run(&Sim::default(), async {
/// let second = Duration::from_secs(1);
/// let (log, seen) = std::sync::mpsc::channel();
/// let session = move_on_after::<Sim, _>(second, async {
///     for name in ["socket", "session"] {
///         let log = log.clone();
///         on_exit::<Sim>(async move {
///             sleep::<Sim>(second).await; // not interrupted
///             log.send(name).unwrap();
///         });
///     }
///     std::future::pending::<()>().await;
/// });
/// assert_eq!(session.await, None);
/// assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["session", "socket"]);
/// # });
/// ```
#[track_caller]
pub fn on_exit<B: Backend>(cleanup: impl Future<Output = ()> + Send + 'static) {
    let registered = place::node().and_then(|here| {
        let backend = here::backend::<B>();
        let launch: Launch = Arc::new(move |cleanups| drop(backend.spawn(cleanups)));
        here.push_exit(Box::pin(Carried::here().around(cleanup)), &launch)
            .ok()
    });
    assert!(
        registered.is_some(),
        "anyrt: `on_exit` was called where there is no scope; call it in a task group, in a child, or in the body of a \
         cancel scope"
    );
}
