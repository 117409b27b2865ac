//! What can go on now, and what was chosen so far.
//!
//! Invariant: everything that was woken stands here exactly once. For tasks `async_task` sees to it, for
//! the main future the flag does, and a call that stands here waits for its turn and can do nothing else.

use async_task::Runnable;

use crate::chooser::Chooser;
use crate::hand::Call;
use crate::line::Line;
use crate::schedule::{Detour, Schedule};
use crate::trace::Trace;

/// The number of the main future. Tasks and calls have those from one on.
pub(crate) const MAIN: u64 = 0;

/// Something that was woken.
#[derive(Debug)]
pub(crate) enum Ready {
    Main,
    Task(Runnable),
    Call(Call),
}

/// All that was woken, in the order in which it was, and the rule that chooses.
#[derive(Debug)]
pub(crate) struct Queue {
    line: Line<(u64, Ready)>,
    main_is_in: bool,
    chooser: Chooser,
    steps: u64,
    trace: Trace,
    /// What was chosen, if somebody wants to know.
    record: Option<Schedule>,
}

impl Queue {
    pub(crate) fn new(chooser: Chooser, is_recorded: bool) -> Self {
        Self {
            line: Line::new(),
            main_is_in: false,
            chooser,
            steps: 0,
            trace: Trace::default(),
            record: is_recorded.then(Schedule::default),
        }
    }

    pub(crate) fn push_main(&mut self) {
        if !self.main_is_in {
            self.main_is_in = true;
            self.push(MAIN, Ready::Main);
        }
    }

    pub(crate) fn push_task(&mut self, who: u64, runnable: Runnable) {
        self.push(who, Ready::Task(runnable));
    }

    pub(crate) fn push_call(&mut self, call: Call) {
        self.push(call.who, Ready::Call(call));
    }

    fn push(&mut self, who: u64, ready: Ready) {
        let number = self.line.push((who, ready));
        self.chooser.came(who, number);
    }

    /// Takes out the one that goes on next.
    pub(crate) fn choose(&mut self) -> Option<Ready> {
        let candidates = self.line.len();
        if candidates == 0 {
            return None;
        }
        let rank = self.chooser.choose(self.steps, &self.line);
        if let (Some(record), true) = (&mut self.record, rank > 0) {
            let step = self.steps;
            record.0.push(Detour { step, rank });
        }
        let (who, ready) = self.line.take(rank);
        if matches!(ready, Ready::Main) {
            self.main_is_in = false;
        }
        self.steps += 1;
        self.trace.step(who, candidates);
        Some(ready)
    }

    /// A task or a call has ended.
    pub(crate) fn forget(&mut self, who: u64) {
        self.chooser.forget(who);
    }

    /// How often something was chosen.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// What was chosen so far, if it was recorded.
    pub(crate) fn take_record(&mut self) -> Schedule {
        self.record.take().unwrap_or_default()
    }

    /// Takes out everything.
    pub(crate) fn take(&mut self) -> Vec<Ready> {
        self.main_is_in = false;
        let all = self.line.take_all();
        all.into_iter().map(|(_, ready)| ready).collect()
    }
}
