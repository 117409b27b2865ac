//! What a random program is made of: a tree of steps, as data.

use std::fmt;
use std::sync::Arc;

/// A part of a program. Shared, so that children of a group can own theirs.
pub(crate) type Part = Arc<Step>;

/// A program, in virtual milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The scopes that any step may refer to by their number, each with its time limit.
    pub(crate) scopes: Vec<Option<u64>>,
    pub(crate) main: Part,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    // What ends by itself, at once or after a while.
    Ready,
    Yield,
    Sleep(u64),
    Fail,
    Panic,
    // What only a cancellation or a stop ends; stands where one of them is sure to come.
    Forever,
    Stopping,
    Cancelled(usize),
    // What is done to a scope, wherever that is.
    Cancel(Target),
    Stop(Target, u64),
    /// From now on, or never.
    SetDeadline(Target, Option<u64>),
    // What has steps inside.
    Sequence(Vec<Part>),
    Group(Group),
    Spawn(Spawn),
    Scope(usize, Part),
    MoveOn(u64, Part),
    FailAfter(u64, Part),
    Shield(Part),
    Finally {
        body: Part,
        cleanup: Part,
    },
    /// All at once in one task; each is polled every time, or only those that were woken.
    Join {
        only_woken: bool,
        parts: Vec<Part>,
    },
    /// The second one is dropped when the first one ends, or the other way round.
    Race(Part, Part),
    /// Dropped when it has been polled so often and has not ended.
    DropAfter(u32, Part),
    CatchErrors(Part),
    CatchPanic(Part),
}

/// A scope that something is done to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Scope(usize),
    /// The scope of the children of a group that stands around in the text.
    Group(usize),
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: usize,
    /// Whether the body cancels the children at its end; they may be endless then.
    pub(crate) cancels: bool,
    pub(crate) body: Part,
}

#[derive(Clone, Debug)]
pub(crate) struct Spawn {
    /// A group that stands around in the text; it need not be the innermost one.
    pub(crate) into: usize,
    pub(crate) kind: Kind,
    /// Whether the child knows the groups inside of its own, which may have ended before it.
    pub(crate) escapes: bool,
    pub(crate) child: Part,
    /// What goes on while the handle is held.
    pub(crate) meanwhile: Part,
    pub(crate) handle: Handle,
    /// Whether a sibling gets the handle, and does what is to be done with it.
    pub(crate) by_sibling: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Named,
    Daemon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handle {
    Drop,
    Await,
    Outcome,
    Cancel,
}

impl Step {
    /// The steps inside.
    pub(crate) fn inside(&self) -> Vec<&Part> {
        match self {
            Self::Ready
            | Self::Yield
            | Self::Sleep(_)
            | Self::Fail
            | Self::Panic
            | Self::Forever
            | Self::Stopping
            | Self::Cancelled(_)
            | Self::Cancel(_)
            | Self::Stop(..)
            | Self::SetDeadline(..) => Vec::new(),
            Self::Sequence(parts) | Self::Join { parts, .. } => parts.iter().collect(),
            Self::Group(group) => vec![&group.body],
            Self::Spawn(spawn) => vec![&spawn.child, &spawn.meanwhile],
            Self::Scope(_, part)
            | Self::MoveOn(_, part)
            | Self::FailAfter(_, part)
            | Self::Shield(part)
            | Self::DropAfter(_, part)
            | Self::CatchErrors(part)
            | Self::CatchPanic(part) => vec![part],
            Self::Finally { body, cleanup } => vec![body, cleanup],
            Self::Race(first, second) => vec![first, second],
        }
    }

    /// Whether something in it ends only when it is cancelled or stopped.
    pub(crate) fn is_endless(&self) -> bool {
        matches!(self, Self::Forever | Self::Stopping | Self::Cancelled(_))
            || self.inside().iter().any(|part| part.is_endless())
    }

    /// The same step around other parts.
    pub(crate) fn with(&self, parts: Vec<Part>) -> Self {
        let mut step = self.clone();
        let mut parts = parts.into_iter();
        let mut next = || parts.next().unwrap_or_else(|| Self::Ready.into());
        match &mut step {
            Self::Ready
            | Self::Yield
            | Self::Sleep(_)
            | Self::Fail
            | Self::Panic
            | Self::Forever
            | Self::Stopping
            | Self::Cancelled(_)
            | Self::Cancel(_)
            | Self::Stop(..)
            | Self::SetDeadline(..) => {}
            Self::Sequence(list) | Self::Join { parts: list, .. } => *list = parts.collect(),
            Self::Group(Group { body: part, .. })
            | Self::Scope(_, part)
            | Self::MoveOn(_, part)
            | Self::FailAfter(_, part)
            | Self::Shield(part)
            | Self::DropAfter(_, part)
            | Self::CatchErrors(part)
            | Self::CatchPanic(part) => *part = next(),
            Self::Spawn(Spawn {
                child: first,
                meanwhile: second,
                ..
            })
            | Self::Finally {
                body: first,
                cleanup: second,
            }
            | Self::Race(first, second) => {
                *first = next();
                *second = next();
            }
        }
        step
    }

    /// One line for each step, those inside of it further in.
    fn print(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let inside = self.inside();
        let nothing = inside.iter().map(|_| Self::Ready.into()).collect();
        writeln!(f, "{:depth$}{:?}", "", self.with(nothing))?;
        inside.iter().try_for_each(|part| part.print(f, depth + 4))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scopes with time limits: {:?}", self.scopes)?;
        self.main.print(f, 0)
    }
}
