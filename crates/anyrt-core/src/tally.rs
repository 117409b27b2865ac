//! One word that counts what a group waits for, so that neither spawning nor ending takes a lock.

use std::sync::atomic::{AtomicU64, Ordering};

const ONE_MEMBER: u64 = 1;
const MEMBERS: u64 = (1 << 32) - 1;
const ONE_ORPHAN: u64 = 1 << 32;
/// Orphans may be fewer than none where a runtime has dropped a child whose handle lives; counting from here
/// keeps the fields apart.
const NO_ORPHANS: u64 = 1 << 28;
const ORPHANS: u64 = (1 << 29) - 1;
const JOINING: u64 = 1 << 61;
const ABANDONED: u64 = 1 << 62;
const CLOSED: u64 = 1 << 63;

/// What a group waits for: its members, and its orphans.
///
/// A *member* is a child that has not ended, a group or a thread that this group would have to adopt.
/// An *orphan* is a child whose handle was dropped and whose output still exists. Counting both as
/// "waited for" is what makes "all values are dropped" true: the output of a child whose handle is gone
/// is dropped by the runtime a moment after the child has ended.
///
/// The orphans are counted as *outputs not yet dropped* less *handles alive*, summed over the children.
/// Both fall together where the handle takes the output, so that path touches the word no second time.
///
/// Neither is counted of an output [without a destructor](crate::delivery::is_counted).
pub(crate) struct Tally(AtomicU64);

/// What the one who counted down has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: others are left, or nobody waits yet.
    Nothing,
    /// Wake the group, which waits for just this.
    Wake,
    /// Nobody owns the group any more and nothing is left in it: tell the enclosing group.
    Release,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(NO_ORPHANS * ONE_ORPHAN))
    }

    /// Counts a new member, unless the group has ended.
    #[inline]
    pub(crate) fn join(&self) -> bool {
        self.join_all(1)
    }

    /// Counts so many new members, unless the group has ended.
    #[inline]
    pub(crate) fn join_all(&self, members: usize) -> bool {
        // A member that comes too late must not be seen, not even for a moment: the group may be opened again.
        let join = |now| (now & CLOSED == 0).then_some(now + members as u64 * ONE_MEMBER);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, join)
            .is_ok()
    }

    /// Counts a new member, even if the group has ended: nobody waits for it then.
    pub(crate) fn join_anyway(&self) {
        self.0.fetch_add(ONE_MEMBER, Ordering::Relaxed);
    }

    /// A member has ended.
    #[inline]
    pub(crate) fn leave(&self) -> Next {
        self.after(self.0.fetch_sub(ONE_MEMBER, Ordering::AcqRel) - ONE_MEMBER)
    }

    /// A handle was dropped; must come before the drop of the output.
    pub(crate) fn handle_dropped(&self) {
        self.0.fetch_add(ONE_ORPHAN, Ordering::Relaxed);
    }

    /// An output was dropped that no handle had taken.
    pub(crate) fn output_dropped(&self) -> Next {
        self.after(self.0.fetch_sub(ONE_ORPHAN, Ordering::AcqRel) - ONE_ORPHAN)
    }

    /// The body has ended: from now on the last one wakes the group.
    pub(crate) fn start_joining(&self) {
        self.0.fetch_or(JOINING, Ordering::AcqRel);
    }

    /// The group was dropped: from now on the last one releases it.
    pub(crate) fn abandon(&self) -> Next {
        let flags = JOINING | ABANDONED;
        self.after(self.0.fetch_or(flags, Ordering::AcqRel) | flags)
    }

    /// Ends the group if nothing is left in it.
    pub(crate) fn try_close(&self) -> bool {
        let close = |now| (is_empty(now) && now & CLOSED == 0).then_some(now | CLOSED);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, close)
            .is_ok()
    }

    /// Opens again what was closed a moment ago.
    pub(crate) fn reopen(&self) {
        self.0.fetch_and(!CLOSED, Ordering::AcqRel);
    }

    /// Whether nothing is left to wait for, as of now.
    pub(crate) fn is_empty(&self) -> bool {
        is_empty(self.0.load(Ordering::Acquire))
    }

    /// Whether the group has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// How many members there are.
    pub(crate) fn members(&self) -> usize {
        (self.0.load(Ordering::Relaxed) & MEMBERS) as usize
    }

    #[inline]
    fn after(&self, now: u64) -> Next {
        if now & JOINING == 0 || now & CLOSED != 0 || !is_empty(now) {
            Next::Nothing
        } else {
            self.after_last(now)
        }
    }

    fn after_last(&self, now: u64) -> Next {
        if now & ABANDONED == 0 {
            return Next::Wake;
        }
        // Of several who see it empty, one releases; a member that joined meanwhile will do it later.
        if self.try_close() {
            Next::Release
        } else {
            Next::Nothing
        }
    }
}

fn is_empty(word: u64) -> bool {
    word & MEMBERS == 0 && (word >> 32) & ORPHANS <= NO_ORPHANS
}
