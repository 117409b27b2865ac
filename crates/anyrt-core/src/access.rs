//! The error for a task-local that is not set.

use std::error::Error;
use std::fmt;

/// A task-local that is not set at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError {
    name: &'static str,
}

impl AccessError {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name }
    }

    #[track_caller]
    pub(crate) fn panic(self) -> ! {
        let name = self.name;
        panic!("anyrt: {self}; set it with `{name}.scope(value, future)`, or ask with `try_with`")
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task-local `{}` is not set at this place", self.name)
    }
}

impl Error for AccessError {}
