//! Where a part of a program stands in the tree of scopes, and by what it is cancelled there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyrt::{current_effective_deadline, is_stopping};

use crate::child::Child;
use crate::group::Group;
use crate::limits::{Limits, Why};
use crate::world::World;

/// What stands around a part of a program.
pub(crate) enum Link {
    /// The body of a group and all that the group waits for.
    Body(Arc<Group>),
    /// The children of a group.
    Children(Arc<Group>),
    /// The daemons among them.
    Daemons(Arc<Group>),
    /// The task of a child.
    Child(Arc<Child>),
    /// A run of a scope; one that has ended has no say any more.
    Run(Arc<Limits>, Arc<AtomicBool>),
    /// What `finally` cleans up after.
    Cleaned,
    Shield,
    /// One of several parts in the same task: if another one holds, this one may have to wait as well.
    Fork,
}

/// A chain of links, from the inside out.
pub(crate) struct Place {
    pub(crate) link: Link,
    pub(crate) outer: Option<Arc<Place>>,
}

/// Why a part is cancelled, as seen from its place.
struct Cancel {
    since: u64,
    why: Why,
    known: Known,
}

/// From when on anyrt knows of a cancellation.
#[derive(PartialEq)]
enum Known {
    /// At once.
    Told,
    /// When somebody looks at the clock, which is at this very instant, in some order.
    Clock,
    /// When the child is polled, which is at this very instant, in some order.
    Polled,
    /// When the group looks whether it can end, and still finds that nothing but daemons is left.
    Perhaps,
}

/// The cancellations in sight of a place, taken together.
#[derive(Default)]
pub(crate) struct Sight {
    /// Since when something must know that it is cancelled.
    pub(crate) told: Option<u64>,
    /// The same, or it would know if it looked at the clock.
    pub(crate) certain: Option<u64>,
    /// The same, or it will know before the clock moves on.
    pub(crate) due: Option<u64>,
    /// Since when it may know.
    pub(crate) first: Option<u64>,
    /// All that may be the reason.
    pub(crate) reasons: Vec<Why>,
}

impl Place {
    pub(crate) fn new(link: Link, outer: &Arc<Self>) -> Arc<Self> {
        Arc::new(Self {
            link,
            outer: Some(outer.clone()),
        })
    }

    /// This place and those around it.
    pub(crate) fn around(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |place| place.outer.as_deref())
    }

    /// Those up to the nearest shield.
    fn visible(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |place| match place.link {
            Link::Shield => None,
            _ => place.outer.as_deref(),
        })
    }

    /// Whether it is in the body of this group, in a child of it, or further inside.
    pub(crate) fn is_inside(&self, group: &Arc<Group>) -> bool {
        self.around().any(|place| place.is_body_of(group))
    }

    fn is_body_of(&self, group: &Arc<Group>) -> bool {
        matches!(&self.link, Link::Body(body) if Arc::ptr_eq(body, group))
    }

    /// Whether whatever waits here is cut as soon as it is cancelled, since nothing else can hold there.
    pub(crate) fn is_alone(&self) -> bool {
        !matches!(self.link, Link::Fork)
    }

    pub(crate) fn sight(&self, now: u64) -> Sight {
        Sight::of(self.visible(), now)
    }

    /// Only up to the body of this group.
    pub(crate) fn sight_within(&self, group: &Arc<Group>, now: u64) -> Sight {
        let mut is_outside = false;
        let inside = self.visible().take_while(|place| {
            let inside = !is_outside;
            is_outside = place.is_body_of(group);
            inside
        });
        Sight::of(inside, now)
    }

    /// Compares anyrt's view of this place with ours; for code that runs there.
    pub(crate) fn compare(&self, world: &World) {
        let now = world.now();
        let ours = self.sight(now);
        let deadline = current_effective_deadline().map(|deadline| world.millis(deadline));
        let is_cancelled = deadline.is_some_and(|deadline| deadline <= now);
        if ours.certain.is_some() && !is_cancelled {
            world.violation("what is cancelled does not know it");
        }
        if !ours.is_possible() && is_cancelled {
            world.violation("something is cancelled without a reason");
        }
        let limit = self.visible().filter_map(|place| place.limit(now)).min();
        if !ours.is_possible() && deadline != limit {
            world.violation(format_args!(
                "the effective deadline is {deadline:?}, not {limit:?}"
            ));
        }
        let was_asked = self.stopping(now).is_some();
        if was_asked && !is_stopping() {
            world.violation("a stop was not heard of");
        }
        if is_stopping() && !was_asked && !ours.is_possible() {
            world.violation("a stop was heard of that nobody has asked for");
        }
    }

    /// Since when something around it, also outside of a shield, is asked to stop.
    pub(crate) fn stopping(&self, now: u64) -> Option<u64> {
        let limits = self.around().filter_map(Self::limits);
        limits.filter_map(|limits| limits.stopping(now)).min()
    }

    fn cancel(&self, now: u64) -> Option<Cancel> {
        let (since, why, known) = match &self.link {
            Link::Body(group) => {
                let (since, why) = group.cancelled()?;
                (since, why, Known::Told)
            }
            Link::Child(child) => (child.picked()?, Why::Explicit, Known::Polled),
            Link::Daemons(group) => (group.others_done()?, Why::Done, Known::Perhaps),
            Link::Cleaned | Link::Shield | Link::Fork => return None,
            Link::Children(_) | Link::Run(..) => {
                let (since, why) = self.limits()?.cancelled(now)?;
                let known = match why {
                    Why::Deadline | Why::Shutdown => Known::Clock,
                    _ => Known::Told,
                };
                (since, why, known)
            }
        };
        Some(Cancel { since, why, known })
    }

    fn limit(&self, now: u64) -> Option<u64> {
        self.limits()?.limit(now)
    }

    fn limits(&self) -> Option<&Limits> {
        match &self.link {
            Link::Children(group) => Some(&group.limits),
            Link::Run(limits, ended) if !ended.load(Ordering::Relaxed) => Some(limits),
            _ => None,
        }
    }
}

impl Sight {
    fn of<'a>(places: impl Iterator<Item = &'a Place>, now: u64) -> Self {
        let mut sight = Self::default();
        let earliest = |before: &mut Option<u64>, since: u64| {
            *before = Some(before.map_or(since, |before| before.min(since)));
        };
        for Cancel { since, why, known } in places.filter_map(|place| place.cancel(now)) {
            sight.reasons.push(why);
            earliest(&mut sight.first, since);
            if known == Known::Told {
                earliest(&mut sight.told, since);
            }
            if matches!(known, Known::Told | Known::Clock) {
                earliest(&mut sight.certain, since);
            }
            if known != Known::Perhaps {
                earliest(&mut sight.due, since);
            }
        }
        sight
    }

    pub(crate) fn is_possible(&self) -> bool {
        !self.reasons.is_empty()
    }

    /// Whether something that has waited since `began` has gone on waiting for longer than it may.
    pub(crate) fn is_late(&self, began: u64, now: u64) -> bool {
        self.due.is_some_and(|due| now > due.max(began))
    }
}
