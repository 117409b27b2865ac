//! One live simulation: its state behind one lock, shared by everything that belongs to it.
//!
//! One lock and not several, since "nothing can ever go on" is a statement about all of it at one moment.
//! No user code runs under it: futures and outputs are dropped, and wakers cloned, woken and dropped,
//! outside. (The wakers in `tasks` are `async_task`'s and ours; to clone one only counts up.)

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use anyrt_core::observe::{Event, Observer};
use async_task::Runnable;

use crate::clock::{Clock, Stuck};
use crate::hand::Hand;
use crate::limit::{Limit, What};
use crate::queue::{MAIN, Queue, Ready};
use crate::settings::{Recording, Settings};
use crate::timeline::Timeline;

/// How far a simulation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Main is done. Nothing is polled any more; what is in the queue is dropped.
    Ending,
    /// Nothing is left, and nothing comes in.
    Ended,
}

#[derive(Debug)]
pub(crate) struct Simulation {
    settings: Settings,
    /// What is alive in the tree; locked with nothing else.
    record: Timeline,
    state: Mutex<State>,
    /// For the driving thread, the only one that waits here.
    changed: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) clock: Clock,
    pub(crate) queue: Queue,
    /// The tasks whose futures are alive. Numbers are not used twice and the order is that of spawning,
    /// so that the end is the same every time too.
    pub(crate) tasks: BTreeMap<u64, Waker>,
    pub(crate) next_task: u64,
    /// Whether a blocking call has the turn. The driving thread waits meanwhile.
    pub(crate) turn_is_out: bool,
    /// The threads of blocking calls that have none to run; the latest is used first.
    pub(crate) idle: Vec<Hand>,
    /// Blocking calls that wait for a future.
    pub(crate) waiting_calls: usize,
    /// What is busy outside and may yet bring something: calls that wait there, and what was announced. It may be less
    /// than none, where threads wait that were never counted.
    pub(crate) busy: isize,
    /// The threads outside that wait, but go on by themselves some time.
    pub(crate) patient: isize,
    /// After so many steps in all main goes on next, whatever else could.
    alarm: Option<u64>,
    /// Who wants to know when nothing can go on, in the order in which they came.
    pub(crate) until_idle: Vec<Waker>,
    /// Whether the driving thread waits; a notification is a system call even if nobody does.
    is_waiting: bool,
}

impl State {
    /// Takes out the one that goes on next.
    pub(crate) fn choose(&mut self) -> Option<Ready> {
        if self.alarm.is_some_and(|alarm| alarm <= self.queue.steps()) {
            self.alarm = None;
            return Some(Ready::Main);
        }
        self.queue.choose()
    }

    /// Lets the clock jump to the next timers, and gives those.
    pub(crate) fn jump(&mut self) -> Result<Vec<Waker>, Stuck> {
        let due = self.clock.jump()?;
        self.queue.trace().jump(self.clock.elapsed());
        Ok(due)
    }
}

impl Simulation {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        let clock = Clock::new(settings.max_time, settings.autojump);
        Arc::new(Self {
            record: Timeline::of_run(settings.timeline.clone(), settings.seed, clock.now()),
            state: Mutex::new(State {
                phase: Phase::Running,
                clock,
                queue: Queue::new(settings.chooser(), settings.tape.is_some()),
                tasks: BTreeMap::new(),
                next_task: MAIN + 1,
                turn_is_out: false,
                idle: Vec::new(),
                waiting_calls: 0,
                busy: 0,
                patient: 0,
                alarm: None,
                until_idle: Vec::new(),
                is_waiting: false,
            }),
            changed: Condvar::new(),
            settings,
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn seed(&self) -> u64 {
        self.settings.seed
    }

    /// The limit that the run is at, if it is at one.
    pub(crate) fn limit(&self, state: &State, stuck: Option<Stuck>) -> Option<Limit> {
        let Settings {
            max_steps,
            max_time,
            ..
        } = self.settings;
        let what = match stuck {
            None => What::Steps(max_steps.filter(|&limit| state.queue.steps() >= limit)?),
            Some(Stuck::AtEnd) => What::Time(max_time?),
            Some(Stuck::Held(timers)) => What::Clock { timers },
            Some(Stuck::Idle) => return None,
        };
        Some(Limit {
            what,
            tasks: state.tasks.len(),
            steps: state.queue.steps(),
            elapsed: state.clock.elapsed(),
            seed: self.seed(),
        })
    }

    /// Lets main go on after so many steps, whatever else could; the one that is being taken is the first.
    pub(crate) fn set_alarm(&self, after: Option<u64>) {
        let mut state = self.lock();
        state.alarm = after.map(|after| state.queue.steps() + after - 1);
    }

    /// Whether the alarm is still to come.
    pub(crate) fn has_alarm(&self) -> bool {
        self.lock().alarm.is_some()
    }

    /// The run is over: leaves behind what was to be recorded.
    pub(crate) fn keep_record(&self, state: &mut State) {
        if let Some(tape) = &self.settings.tape {
            tape.put(Recording {
                steps: state.queue.steps(),
                schedule: state.queue.take_record(),
            });
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.lock().clock.now()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // To panic under the lock would be a bug of ours; destructors should not add a second one to it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the lock until something may have changed. Only for the driving thread.
    pub(crate) fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.wait_for(state, None)
    }

    /// The same, for a limited time.
    pub(crate) fn wait_for<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        limit: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        state.is_waiting = true;
        let woken = match limit {
            None => self.changed.wait(state),
            Some(limit) => match self.changed.wait_timeout(state, limit) {
                Ok((state, _)) => Ok(state),
                Err(error) => Err(PoisonError::new(error.into_inner().0)),
            },
        };
        let mut state = woken.unwrap_or_else(PoisonError::into_inner);
        state.is_waiting = false;
        state
    }

    /// Tells the driving thread to look again, unless it can do nothing.
    pub(crate) fn notify(&self, state: &State) {
        if state.is_waiting && !state.turn_is_out {
            self.changed.notify_one();
        }
    }

    /// So many more, or fewer, are busy outside.
    pub(crate) fn count_busy(&self, change: isize) {
        let mut state = self.lock();
        state.busy += change;
        self.notify(&state);
    }

    /// Wakes `waker` when nothing can go on, before the clock jumps.
    pub(crate) fn wake_when_idle(&self, waker: Waker) {
        let mut state = self.lock();
        if state.phase == Phase::Running {
            state.until_idle.push(waker);
            // The loop may wait already, for a thread that goes on after a while.
            self.notify(&state);
        }
    }

    /// What has happened so far, and is alive now.
    pub(crate) fn record(&self) -> &Timeline {
        &self.record
    }

    /// What happens when a task is woken.
    pub(crate) fn push(&self, who: u64, runnable: Runnable) {
        let mut state = self.lock();
        // The end waits until all tasks are gone, so none is left to be woken after it.
        debug_assert_ne!(state.phase, Phase::Ended, "a task has outlived its run");
        state.queue.push_task(who, runnable);
        self.notify(&state);
    }
}

impl Observer for Simulation {
    fn observe(&self, event: Event<'_>) {
        self.record.lock().take(event);
    }
}

/// To wake a simulation is to wake its main future.
impl Wake for Simulation {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.phase == Phase::Running {
            state.queue.push_main();
            self.notify(&state);
        }
    }
}
