//! Why something was cancelled, and how a child can end without a value.

use std::fmt;
use std::sync::Arc;

/// Why a scope was cancelled; the first cause wins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The scope's own deadline has passed.
    Deadline,
    /// Somebody called `cancel`, or `cancel_with` and gave a message.
    Explicit(Option<Arc<str>>),
    /// A child of the group, or its body, failed or panicked; with the child's name if it has one.
    ChildFailed(Option<Arc<str>>),
    /// All of the group but its daemons had ended.
    Done,
    /// A graceful stop has used up its grace period.
    Shutdown,
    /// The future that owned the scope was dropped from outside before it had ended.
    Dropped,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("deadline passed"),
            Self::Explicit(None) => f.write_str("cancelled on request"),
            Self::Explicit(Some(message)) => write!(f, "cancelled on request: {message}"),
            Self::ChildFailed(None) => f.write_str("a task of the group failed"),
            Self::ChildFailed(Some(name)) => write!(f, "task `{name}` of the group failed"),
            Self::Done => f.write_str("the rest of the group is done"),
            Self::Shutdown => f.write_str("shut down"),
            Self::Dropped => f.write_str("dropped by its owner"),
        }
    }
}

/// The body of a scope was interrupted because the scope was cancelled.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// use anyrt_core::{CancelScope, Reason};
///
/// let scope = CancelScope::<Sim>::new();
/// scope.cancel_with("enough");
/// let cancelled = scope.run(std::future::pending::<()>()).await.unwrap_err();
/// assert_eq!(cancelled.reason(), &Reason::Explicit(Some("enough".into())));
/// assert_eq!(cancelled.to_string(), "cancelled on request: enough");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled(Reason);

impl Cancelled {
    pub(crate) fn new(reason: Reason) -> Self {
        Self(reason)
    }

    /// Why the scope was cancelled.
    pub fn reason(&self) -> &Reason {
        &self.0
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Cancelled {}

/// How a child ended that has no value to give; from `Task::outcome`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// The child was cancelled before it was done.
    Cancelled(Reason),
    /// The child returned an error, which the group reports.
    Failed,
    /// The child panicked; the group resumes the panic.
    Panicked,
    /// The group had already ended when the child was spawned; the child never ran.
    Closed,
    /// The runtime ended before the child did.
    RuntimeEnded,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(reason) => write!(f, "the child was cancelled: {reason}"),
            Self::Failed => f.write_str("the child failed; its group reports the error"),
            Self::Panicked => f.write_str("the child panicked; its group resumes the panic"),
            Self::Closed => f.write_str("the group had ended before the child was spawned"),
            Self::RuntimeEnded => f.write_str("the runtime ended before the child did"),
        }
    }
}

impl std::error::Error for Stopped {}
