//! What one run of a program shares: its clock, what has happened, and what was found to be wrong.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use anyrt::{Backend, Sim};
use futures::FutureExt;

use crate::errors::Holder;

/// More polls than any program of this size needs.
const MANY_POLLS: u64 = 100_000;

#[derive(Default)]
pub(crate) struct World {
    clock: OnceLock<(Sim, Instant)>,
    /// How deep this is in drops that nobody in anyrt has asked for.
    outside: AtomicUsize,
    polls: AtomicU64,
    tasks: AtomicUsize,
    facts: Mutex<Facts>,
}

#[derive(Default)]
struct Facts {
    marks: Vec<Mark>,
    violations: Vec<String>,
    panics: Vec<PanicIs>,
    errors: Vec<ErrorIs>,
}

/// Something that has happened: when, what, and to which part of the program.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) time: u64,
    pub(crate) what: &'static str,
    pub(crate) who: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PanicIs {
    OnItsWay,
    Caught,
    /// Another one was first in its group.
    Outdone,
    /// It came out of the run.
    Out,
}

enum ErrorIs {
    OnItsWay,
    Reported,
    Dropped(Holder),
}

/// The payload of a panic that the program raises on purpose.
pub(crate) struct Planned(usize);

pub(crate) type Payload = Box<dyn Any + Send>;

impl World {
    /// Sets the clock; for the run itself, when it begins.
    pub(crate) fn begin(&self) {
        let sim = Sim::current().expect("a program runs on the simulator");
        let start = sim.now();
        assert!(self.clock.set((sim, start)).is_ok());
    }

    /// Virtual milliseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.clock
            .get()
            .map_or(0, |(sim, _)| self.millis(sim.now()))
    }

    pub(crate) fn millis(&self, instant: Instant) -> u64 {
        let start = self.clock.get().map_or(instant, |(_, start)| *start);
        instant.saturating_duration_since(start).as_millis() as u64
    }

    pub(crate) fn instant(&self, millis: u64) -> Instant {
        let start = self.clock.get().expect("the run has begun").1;
        start + Duration::from_millis(millis)
    }

    pub(crate) fn mark(&self, what: &'static str, who: usize) {
        let time = self.now();
        self.facts().marks.push(Mark { time, what, who });
    }

    /// A promise was not kept.
    pub(crate) fn violation(&self, what: impl fmt::Display) {
        let time = self.now();
        self.mark("VIOLATION", 0);
        self.facts()
            .violations
            .push(format!("{what} (at {time} ms)"));
    }

    /// The number of a new task; that of main is 0.
    pub(crate) fn new_task(&self) -> usize {
        1 + self.tasks.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts a poll.
    pub(crate) fn polled(&self) {
        if self.polls.fetch_add(1, Ordering::Relaxed) == MANY_POLLS {
            self.violation("something is polled over and over");
        }
    }

    /// Drops something as code does that knows nothing of anyrt.
    pub(crate) fn drop_from_outside<T>(&self, thing: T) {
        self.outside.fetch_add(1, Ordering::Relaxed);
        drop(thing);
        self.outside.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether what is being dropped now is dropped by somebody else than anyrt.
    pub(crate) fn is_outside(&self) -> bool {
        self.outside.load(Ordering::Relaxed) > 0 || std::thread::panicking()
    }

    /// Raises a panic of the program.
    pub(crate) fn raise(&self) -> ! {
        let number = self.new_panic();
        self.mark("panics", number);
        panic_any(Planned(number))
    }

    fn new_panic(&self) -> usize {
        let panics = &mut self.facts().panics;
        panics.push(PanicIs::OnItsWay);
        panics.len() - 1
    }

    /// The number of a panic. One that the program has not raised is a violation.
    pub(crate) fn number_of(&self, payload: &(dyn Any + Send)) -> usize {
        if let Some(planned) = payload.downcast_ref::<Planned>() {
            return planned.0;
        }
        let message = message(payload);
        self.violation(format_args!("a panic that nobody has raised: {message}"));
        self.new_panic()
    }

    /// Lets a panic go on.
    pub(crate) fn resume(&self, number: usize) -> ! {
        resume_unwind(Box::new(Planned(number)))
    }

    pub(crate) fn panic_is(&self, number: usize, now: PanicIs) {
        let before = std::mem::replace(&mut self.facts().panics[number], now);
        if before != PanicIs::OnItsWay {
            self.violation(format_args!("panic {number} is {now:?} but was {before:?}"));
        }
    }

    pub(crate) fn new_error(&self) -> usize {
        let errors = &mut self.facts().errors;
        errors.push(ErrorIs::OnItsWay);
        errors.len() - 1
    }

    pub(crate) fn error_reported(&self, number: usize) {
        self.facts().errors[number] = ErrorIs::Reported;
    }

    /// Its value is gone, whether or not somebody has got it.
    pub(crate) fn error_dropped(&self, number: usize, holder: Holder) {
        let error = &mut self.facts().errors[number];
        if matches!(error, ErrorIs::OnItsWay) {
            *error = ErrorIs::Dropped(holder);
        }
    }

    /// After the run: whatever was raised has come out somewhere. Gives what was found, in order.
    pub(crate) fn end(&self) -> (Vec<Mark>, Vec<String>) {
        let Facts {
            marks,
            mut violations,
            panics,
            errors,
        } = std::mem::take(&mut *self.facts());
        for (number, panic) in panics.iter().enumerate() {
            if *panic == PanicIs::OnItsWay {
                violations.push(format!("panic {number} has vanished"));
            }
        }
        for (number, error) in errors.iter().enumerate() {
            match error {
                ErrorIs::Reported => {}
                ErrorIs::OnItsWay => violations.push(format!("error {number} has leaked")),
                ErrorIs::Dropped(holder) if holder.may_drop() => {}
                ErrorIs::Dropped(_) => violations.push(format!("error {number} was swallowed")),
            }
        }
        (marks, violations)
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("nothing panics under this lock")
    }
}

/// Awaits a part of the program, and catches its panic.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, Payload> {
    AssertUnwindSafe(future).catch_unwind().await
}

/// Calls something that may panic.
pub(crate) fn caught_in<T>(call: impl FnOnce() -> T) -> Result<T, Payload> {
    catch_unwind(AssertUnwindSafe(call))
}

/// The message of a panic.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a payload that is no text".to_owned())
}
