//! What was chosen for one group where it is not as usual.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::limiter::Limiter;
use crate::lock::lock;
use crate::throw_away::throw_away;

#[derive(Debug, Default)]
pub(crate) struct Policy {
    pub(crate) name: Option<Arc<str>>,
    /// How many children run at once.
    pub(crate) limit: Option<Limiter>,
    pub(crate) on_error: OnError,
    /// How long the others may go on after something has failed.
    pub(crate) grace: Option<Duration>,
}

/// What becomes of the error of a child.
#[derive(Default)]
pub(crate) enum OnError {
    /// It cancels the group.
    #[default]
    Cancel,
    /// It is kept for the end.
    Keep,
    Handle(Mutex<Option<Handler>>),
}

/// Gets the name of the child and its error, which is of the group's own error type.
pub(crate) type Handler = Arc<dyn Fn(Option<&str>, Box<dyn Any + Send>) + Send + Sync>;

impl Policy {
    /// The group has ended: what the handler owns, which may be a handle of the group, has to go.
    pub(crate) fn forget_handler(&self) {
        if let OnError::Handle(handler) = &self.on_error {
            let handler = lock(handler).take();
            throw_away(handler);
        }
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        self.forget_handler();
    }
}

impl fmt::Debug for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancel => "cancel the group",
            Self::Keep => "keep it",
            Self::Handle(_) => "hand it over",
        })
    }
}
