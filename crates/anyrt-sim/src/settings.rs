//! What describes a simulation before there is one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::chooser::Chooser;
use crate::policy::Policy;
use crate::schedule::Schedule;
use crate::timeline::Timeline;

/// Everything that a run depends on.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) policy: Policy,
    /// An order that is taken instead of the policy's.
    pub(crate) schedule: Option<Arc<Schedule>>,
    pub(crate) max_steps: Option<u64>,
    pub(crate) max_time: Option<Duration>,
    pub(crate) autojump: bool,
    pub(crate) start_time: SystemTime,
    pub(crate) tape: Option<Tape>,
    /// Whether the threads of blocking calls take no turns.
    pub(crate) free_threads: bool,
    /// How long a turn of theirs may last, in real time.
    pub(crate) patience: Duration,
    pub(crate) timeline: Option<Timeline>,
}

impl Settings {
    pub(crate) const fn with_seed(seed: u64) -> Self {
        Self {
            seed,
            policy: Policy::Random,
            schedule: None,
            max_steps: None,
            max_time: None,
            autojump: true,
            start_time: SystemTime::UNIX_EPOCH,
            tape: None,
            free_threads: false,
            patience: Duration::from_secs(60),
            timeline: None,
        }
    }

    pub(crate) fn chooser(&self) -> Chooser {
        match &self.schedule {
            Some(schedule) => Chooser::replay(schedule),
            None => Chooser::new(self.policy, self.seed),
        }
    }
}

/// What a run leaves behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    pub(crate) steps: u64,
    pub(crate) schedule: Schedule,
}

/// Where a run puts its recording at its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Arc<Mutex<Recording>>);

impl Tape {
    pub(crate) fn put(&self, recording: Recording) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = recording;
    }

    pub(crate) fn take(&self) -> Recording {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut place)
    }
}
