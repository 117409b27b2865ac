//! What a run consists of: the things that are alive, as an observer hears of them, and in a trace those that were.
//!
//! A thing that has ended is forgotten when nothing is left below it, unless the run is traced. It is numbered when it
//! begins; so the same run has the same numbers.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::Location;
use std::time::{Duration, Instant};

use anyrt_core::Reason;
use anyrt_core::observe::{Ending, Event, Id, Part, Wait, What};
use slab::Slab;

/// All times are counted from the start of the run.
#[derive(Debug, Default)]
pub(crate) struct Record {
    seed: u64,
    start: Option<Instant>,
    keeps_all: bool,
    /// The virtual time. It stands here, too, so that to take down an event takes no other lock.
    now: Duration,
    things: Slab<Thing>,
    living: HashMap<Id, usize, BuildHasherDefault<Words>>,
    next_number: u64,
    /// When something happened last.
    end: Moment,
}

/// A point in virtual time, and how many events had been before it, since much may happen at one point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    pub(crate) time: Duration,
    pub(crate) step: u64,
}

#[derive(Debug)]
pub(crate) struct Thing {
    pub(crate) number: u64,
    pub(crate) what: What,
    pub(crate) name: Option<Box<str>>,
    pub(crate) at: Option<&'static Location<'static>>,
    pub(crate) parent: Option<usize>,
    /// How many are below it, those that have ended not counted unless they have something below.
    below: usize,
    pub(crate) begun: Moment,
    /// When it was found pending last.
    pub(crate) polled: Option<Duration>,
    /// Until when it waited for its turn, if it had to.
    pub(crate) queued: Option<Moment>,
    pub(crate) waits: Vec<Waiting>,
    pub(crate) cancelled: Vec<Cancelled>,
    pub(crate) ended: Option<(Moment, End)>,
}

/// What something waits for, and who that is if it is a thing.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) on: Wait,
    /// Where the thing is, and its number there.
    whom: Option<(usize, u64)>,
}

#[derive(Debug)]
pub(crate) struct Cancelled {
    pub(crate) at: Moment,
    pub(crate) part: Part,
    pub(crate) reason: Reason,
}

/// How something has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Value,
    Error,
    Panic,
    Cancelled(Reason),
    Lost,
}

impl Record {
    pub(crate) fn new(seed: u64, start: Instant, keeps_all: bool) -> Self {
        Self {
            seed,
            start: Some(start),
            keeps_all,
            ..Self::default()
        }
    }

    /// What a deadline is, counted from the start.
    pub(crate) fn since_start(&self, at: Instant) -> Duration {
        let start = self.start.unwrap_or(at);
        at.saturating_duration_since(start)
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn end(&self) -> Moment {
        self.end
    }

    pub(crate) fn get(&self, key: usize) -> Option<&Thing> {
        self.things.get(key)
    }

    /// All things in the order in which they began, with their keys.
    pub(crate) fn in_order(&self) -> Vec<(usize, &Thing)> {
        let mut all: Vec<_> = self.things.iter().collect();
        all.sort_by_key(|(_, thing)| thing.number);
        all
    }

    /// The clock has moved.
    pub(crate) fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Takes down an event.
    pub(crate) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Begins {
                id,
                what,
                below,
                name,
                at,
            } => {
                let begun = self.moment();
                let parent = below.and_then(|below| self.living.get(&below).copied());
                let key = self.things.insert(Thing {
                    number: self.next_number,
                    what,
                    name: name.map(Box::from),
                    at,
                    parent,
                    below: 0,
                    begun,
                    polled: None,
                    queued: None,
                    waits: Vec::new(),
                    cancelled: Vec::new(),
                    ended: None,
                });
                self.next_number += 1;
                if let Some(parent) = parent {
                    self.things[parent].below += 1;
                }
                self.living.insert(id, key);
            }
            Event::Waits { id, on } => self.take_waits(id, on),
            Event::Cancelled { id, part, reason } => {
                let at = self.moment();
                let reason = reason.clone();
                if let Some(thing) = self.living(id) {
                    thing.cancelled.push(Cancelled { at, part, reason });
                }
            }
            Event::Ends { id, how } => {
                if let Some(key) = self.living.remove(&id) {
                    if self.things[key].is_queued() {
                        self.things[key].queued = Some(self.moment());
                    }
                    self.things[key].ended = Some((self.moment(), End::from(how)));
                    self.forget(key);
                }
            }
            _ => {}
        }
    }

    /// This comes with almost every poll, and most often says nothing new.
    fn take_waits(&mut self, id: Id, on: &[Wait]) {
        let Some(&key) = self.living.get(&id) else {
            return;
        };
        let now = Moment {
            time: self.now,
            step: self.end.step,
        };
        let thing = &mut self.things[key];
        thing.polled = Some(self.now);
        if on.is_empty() && thing.waits.is_empty() {
            return;
        }
        let was_queued = thing.is_queued();
        let mut waits = std::mem::take(&mut thing.waits);
        waits.clear();
        waits.extend(on.iter().map(|&on| Waiting {
            on,
            whom: self.whom(on),
        }));
        let thing = &mut self.things[key];
        thing.waits = waits;
        if was_queued && !thing.is_queued() {
            thing.queued = Some(now);
        }
    }

    fn moment(&mut self) -> Moment {
        self.end = Moment {
            time: self.now,
            step: self.end.step + 1,
        };
        self.end
    }

    fn living(&mut self, id: Id) -> Option<&mut Thing> {
        self.things.get_mut(*self.living.get(&id)?)
    }

    fn whom(&self, on: Wait) -> Option<(usize, u64)> {
        let (Wait::Task(id) | Wait::Ready(id) | Wait::Thread(id)) = on else {
            return None;
        };
        let key = *self.living.get(&id)?;
        Some((key, self.things[key].number))
    }

    /// The thing that is waited for, if it is still there.
    pub(crate) fn waited_for(&self, waiting: &Waiting) -> Option<&Thing> {
        let (key, number) = waiting.whom?;
        self.things.get(key).filter(|thing| thing.number == number)
    }

    /// Forgets what has ended with nothing left below it, and with it those above that only waited for that.
    fn forget(&mut self, key: usize) {
        let mut next = Some(key).filter(|_| !self.keeps_all);
        while let Some(key) = next {
            let thing = &self.things[key];
            if thing.ended.is_none() || thing.below > 0 {
                return;
            }
            next = self.things.remove(key).parent;
            if let Some(parent) = next {
                self.things[parent].below -= 1;
            }
        }
    }
}

impl Thing {
    /// What it is, and its name; a thing without a name has its number.
    pub(crate) fn title(&self) -> String {
        let what = match self.what {
            What::Run => return "the run".into(),
            What::Group => "group",
            What::Task => "task",
            What::Daemon => "daemon",
            What::Scope { deadline: Some(_) } => "time limit",
            What::Scope { deadline: None } => "scope",
            What::Shield => "shield",
            What::Cleanup => "cleanup",
            What::Thread => "thread",
            _ => "something",
        };
        match &self.name {
            Some(name) => format!("{what} `{name}`"),
            None => format!("{what} #{}", self.number),
        }
    }

    /// Whether it was not its turn yet when it was polled last.
    fn is_queued(&self) -> bool {
        let mut waits = self.waits.iter();
        waits.any(|waiting| matches!(waiting.on, Wait::Turn { .. }))
    }

    /// Whether it is polled on its own, and not as a part of what it stands in.
    pub(crate) fn is_child(&self) -> bool {
        matches!(self.what, What::Task | What::Daemon)
    }
}

impl From<Ending<'_>> for End {
    fn from(how: Ending<'_>) -> Self {
        match how {
            Ending::Value => Self::Value,
            Ending::Error => Self::Error,
            Ending::Panic => Self::Panic,
            Ending::Cancelled(reason) => Self::Cancelled(reason.clone()),
            _ => Self::Lost,
        }
    }
}

/// A hasher for names that are numbers already, and that nobody chooses to do harm. It is asked at every poll.
#[derive(Debug, Default)]
struct Words(u64);

impl Hasher for Words {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u64(&mut self, word: u64) {
        // The factor is that of the golden ratio. The map takes the low bits, and they are the weak ones.
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_isize(&mut self, word: isize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}
