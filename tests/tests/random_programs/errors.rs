//! The errors of a program: each can be told from all others, and knows whether anybody has got it.

use std::mem::take;
use std::sync::Arc;

use anyrt::GroupError;

use crate::cleanup::Cleanup;
use crate::group::Group;
use crate::world::World;

/// What a part of a program fails with.
pub(crate) enum Failure {
    One(Raised),
    /// Of a nested group.
    Group(Box<GroupError<Failure>>),
    /// Of parts that ran at once.
    Several(Vec<Failure>),
}

/// One error. Whoever drops it instead of reporting it must have a reason.
pub(crate) struct Raised {
    number: usize,
    world: Arc<World>,
    holder: Holder,
}

/// What an error rests in on its way up.
#[derive(Clone, Default)]
pub(crate) enum Holder {
    /// Nothing: it is handed on from one poll function to the next.
    #[default]
    Nobody,
    /// Code of the program that may be interrupted meanwhile, and then drops it.
    Program,
    Cleanup(Arc<Cleanup>),
    Group(Arc<Group>),
}

impl Holder {
    /// Whether what it held may have been dropped.
    pub(crate) fn may_drop(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Program => true,
            Self::Cleanup(cleanup) => cleanup.may_drop_errors(),
            Self::Group(group) => group.may_drop_errors(),
        }
    }
}

impl Failure {
    pub(crate) fn raise(world: &Arc<World>) -> Self {
        let number = world.new_error();
        world.mark("fails", number);
        Self::One(Raised {
            number,
            world: world.clone(),
            holder: Holder::Nobody,
        })
    }

    /// From now on it rests there.
    pub(crate) fn rest_in(&mut self, holder: &Holder) {
        match self {
            Self::One(raised) => raised.holder = holder.clone(),
            Self::Group(error) => {
                error.first.rest_in(holder);
                error.rest.iter_mut().for_each(|one| one.rest_in(holder));
            }
            Self::Several(all) => all.iter_mut().for_each(|one| one.rest_in(holder)),
        }
    }

    /// The numbers of all errors in it.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        match self {
            Self::One(raised) => vec![raised.number],
            Self::Group(error) => error.iter().flat_map(Self::numbers).collect(),
            Self::Several(all) => all.iter().flat_map(Self::numbers).collect(),
        }
    }

    /// Somebody has got it.
    pub(crate) fn report(self) {
        match self {
            Self::One(raised) => {
                raised.world.error_reported(raised.number);
                raised.world.mark("reported", raised.number);
            }
            Self::Group(error) => error.into_iter().for_each(Self::report),
            Self::Several(all) => all.into_iter().for_each(Self::report),
        }
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.world
            .error_dropped(self.number, take(&mut self.holder));
    }
}
