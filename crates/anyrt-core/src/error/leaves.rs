//! Errors of groups within groups.

use std::iter;

use super::GroupError;

impl<E> GroupError<GroupError<E>> {
    /// Makes one group error of the errors of several groups.
    ///
    /// The errors of one group stay together; the group that came first comes first.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::GroupError;
    ///
    /// let mut one = GroupError::from("a");
    /// one.rest.push("b");
    /// let mut both = GroupError::from(one);
    /// both.rest.push(GroupError::from("c"));
    /// assert!(both.flatten().into_iter().eq(["a", "b", "c"]));
    /// ```
    pub fn flatten(self) -> GroupError<E> {
        let GroupError {
            first, mut rest, ..
        } = self.first;
        rest.extend(self.rest.into_iter().flatten());
        GroupError {
            first,
            rest,
            group: self.group,
        }
    }
}

impl<E> GroupError<E> {
    /// The errors that are not themselves groups, at whatever depth.
    ///
    /// `nested` says which error carries the errors of a group. In its place come the errors of that group, in
    /// order: a group is an error of the group around it from the moment at which it ended.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::GroupError;
    ///
    /// #[derive(Debug, PartialEq)]
    /// enum Failure {
    ///     Lost(u8),
    ///     Batch(Box<GroupError<Failure>>),
    /// }
    /// use Failure::*;
    ///
    /// let mut batch = GroupError::from(Lost(2));
    /// batch.rest.push(Lost(3));
    /// let mut error = GroupError::from(Lost(1));
    /// error.rest.extend([Batch(Box::new(batch)), Lost(4)]);
    /// let leaves = error.leaves(|failure| match failure {
    ///     Batch(group) => Some(group),
    ///     _ => None,
    /// });
    /// assert!(leaves.eq(&[Lost(1), Lost(2), Lost(3), Lost(4)]));
    /// ```
    pub fn leaves<'a>(
        &'a self,
        mut nested: impl FnMut(&'a E) -> Option<&'a Self>,
    ) -> impl Iterator<Item = &'a E> {
        // The next one is the last, so that what is opened can be put in its place.
        let mut left: Vec<_> = self.iter().rev().collect();
        iter::from_fn(move || {
            loop {
                let error = left.pop()?;
                match nested(error) {
                    Some(group) => left.extend(group.iter().rev()),
                    None => return Some(error),
                }
            }
        })
    }

    /// Makes one group error of all that are not themselves groups, at whatever depth.
    ///
    /// `nested` gives the group that an error carries, or the error back if it carries none. Then
    /// [`split`](Self::split) sees every error, as `except*` does.
    ///
    /// # Examples
    ///
    /// ```
    /// # use anyrt_sim::Sim;
    /// # use anyrt_core::task_group;
    /// # anyrt_core::run(&Sim::default(), async {
    /// use std::error::Error;
    /// use std::num::ParseIntError;
    /// use anyrt_core::{DynGroupError, GroupError};
    ///
    /// type BoxError = Box<dyn Error + Send + Sync>;
    ///
    /// async fn inner() -> Result<(), BoxError> {
    ///     let group = task_group::<Sim, _, BoxError, _, _>(async |g| {
    ///         g.spawn(async { Ok("x".parse::<i32>()?) });
    ///         Err("no input".into())
    ///     });
    ///     Ok(group.await.map_err(DynGroupError)?)
    /// }
    ///
    /// let outer = task_group::<Sim, (), _, _, _>(async |_| inner().await);
    /// let error: GroupError<BoxError> = outer.await.unwrap_err();
    /// assert_eq!(error.len(), 1);
    /// let error = error.into_leaves(|e| e.downcast::<DynGroupError<_>>().map(|group| group.0));
    /// assert_eq!(error.len(), 2);
    /// let (parsing, others) = error.split(|e| e.is::<ParseIntError>());
    /// assert_eq!(parsing.unwrap().len(), 1);
    /// assert_eq!(others.unwrap().into_first().to_string(), "no input");
    /// # });
    /// ```
    pub fn into_leaves(self, mut nested: impl FnMut(E) -> Result<Self, E>) -> Self {
        // The next one is the last, as above. Every group has a first error, so the way down ends at a leaf.
        let mut left: Vec<E> = self.rest.into_iter().rev().collect();
        let mut descend = |mut error, left: &mut Vec<E>| {
            loop {
                match nested(error) {
                    Ok(group) => {
                        left.extend(group.rest.into_iter().rev());
                        error = group.first;
                    }
                    Err(leaf) => return leaf,
                }
            }
        };
        let group = self.group;
        let first = descend(self.first, &mut left);
        let mut rest = Vec::new();
        while let Some(error) = left.pop() {
            rest.push(descend(error, &mut left));
        }
        Self { first, rest, group }
    }
}
