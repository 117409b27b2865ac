//! What is known of a scope: when it was cancelled, and why. An independent account of what anyrt keeps.

use std::sync::{Mutex, MutexGuard};

use anyrt::Reason;

/// Why something was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Deadline,
    Explicit,
    Shutdown,
    Failed,
    Done,
    Dropped,
}

impl Why {
    pub(crate) fn of(reason: &Reason) -> Option<Self> {
        Some(match reason {
            Reason::Deadline => Self::Deadline,
            Reason::Explicit(_) => Self::Explicit,
            Reason::Shutdown => Self::Shutdown,
            Reason::ChildFailed(_) => Self::Failed,
            Reason::Done => Self::Done,
            Reason::Dropped => Self::Dropped,
            _ => return None,
        })
    }
}

/// One scope, in milliseconds.
#[derive(Default)]
pub(crate) struct Limits(Mutex<State>);

#[derive(Default)]
struct State {
    /// Becomes the deadline when the scope is entered.
    timeout: Option<u64>,
    deadline: Option<u64>,
    stop_end: Option<u64>,
    /// Since when it is asked to stop.
    stopping: Option<u64>,
    cancelled: Option<(u64, Why)>,
}

impl Limits {
    pub(crate) fn with_timeout(timeout: Option<u64>) -> Self {
        Self(Mutex::new(State {
            timeout,
            ..State::default()
        }))
    }

    /// A run of the scope begins.
    pub(crate) fn enter(&self, now: u64) {
        let mut state = self.state(now);
        if let Some(timeout) = state.timeout.take() {
            state.deadline = Some(now + timeout);
        }
    }

    pub(crate) fn cancel(&self, now: u64) {
        self.state(now)
            .cancelled
            .get_or_insert((now, Why::Explicit));
    }

    pub(crate) fn stop(&self, now: u64, grace: u64) {
        let mut state = self.state(now);
        if state.cancelled.is_none() {
            let end = now + grace;
            state.stopping.get_or_insert(now);
            state.stop_end = Some(state.stop_end.map_or(end, |before| before.min(end)));
        }
    }

    pub(crate) fn set_deadline(&self, now: u64, deadline: Option<u64>) {
        let mut state = self.state(now);
        if state.cancelled.is_none() {
            state.timeout = None;
            state.deadline = deadline;
        }
    }

    /// When it was cancelled, and why.
    pub(crate) fn cancelled(&self, now: u64) -> Option<(u64, Why)> {
        self.state(now).cancelled
    }

    /// The moment at which it is going to be cancelled, or would have been.
    pub(crate) fn limit(&self, now: u64) -> Option<u64> {
        let state = self.state(now);
        state.deadline.into_iter().chain(state.stop_end).min()
    }

    pub(crate) fn deadline(&self, now: u64) -> Option<u64> {
        self.state(now).deadline
    }

    pub(crate) fn stopping(&self, now: u64) -> Option<u64> {
        self.state(now).stopping
    }

    /// The state as of now: the clock cancels first, whoever comes after it.
    fn state(&self, now: u64) -> MutexGuard<'_, State> {
        let mut state = self.0.lock().expect("nothing panics under this lock");
        if state.cancelled.is_none() {
            state.cancelled = match (state.deadline, state.stop_end) {
                (deadline, Some(end))
                    if end <= now && deadline.is_none_or(|deadline| end <= deadline) =>
                {
                    Some((end, Why::Shutdown))
                }
                (Some(deadline), _) if deadline <= now => Some((deadline, Why::Deadline)),
                _ => None,
            };
        }
        state
    }
}
