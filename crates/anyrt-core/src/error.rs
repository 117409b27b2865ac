//! What went wrong in a group: the first error and all that came after it.

use std::error::Error;
use std::fmt::{self, Write};

/// The errors of a task group, in the order in which they happened.
///
/// Every error that a child or the body returned is in here; nothing is swallowed. This is the Rust
/// face of Python's `ExceptionGroup` (PEP 654).
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # anyrt_core::run(&Sim::default(), async {
/// let result = anyrt_core::task_group::<Sim, (), _, _, _>(async |g| {
///     g.spawn(async { Err::<(), _>("no route") });
///     Ok(())
/// });
/// let error = result.await.unwrap_err();
/// assert_eq!(error.len(), 1);
/// assert_eq!(error.into_first(), "no route");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupError<E> {
    /// The error that came first, and cancelled the group.
    pub first: E,
    /// The errors that came after it, while the group was coming to its end.
    pub rest: Vec<E>,
}

impl<E> GroupError<E> {
    /// The error that came first.
    pub fn into_first(self) -> E {
        self.first
    }

    /// All errors, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        std::iter::once(&self.first).chain(&self.rest)
    }

    /// How many errors there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        1 + self.rest.len()
    }

    /// Parts the errors into those for which `matches` is true and the others, each in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::GroupError;
    ///
    /// let error = GroupError { first: 1, rest: vec![2, 3] };
    /// let (odd, even) = error.split(|n| n % 2 == 1);
    /// assert_eq!(odd.unwrap().len(), 2);
    /// assert_eq!(even.unwrap().into_first(), 2);
    /// ```
    pub fn split(self, mut matches: impl FnMut(&E) -> bool) -> (Option<Self>, Option<Self>) {
        let (yes, no) = self
            .into_iter()
            .partition::<Vec<E>, _>(|error| matches(error));
        (Self::from_vec(yes), Self::from_vec(no))
    }

    pub(crate) fn from_vec(errors: Vec<E>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(Self {
            first,
            rest: errors.collect(),
        })
    }
}

impl<E> IntoIterator for GroupError<E> {
    type Item = E;
    type IntoIter = std::iter::Chain<std::iter::Once<E>, std::vec::IntoIter<E>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.rest)
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.len();
        let errors = if count == 1 { "error" } else { "errors" };
        write!(f, "{count} {errors} in a task group")?;
        for error in self.iter() {
            f.write_str("\n- ")?;
            write!(Indented(f), "{error}")?;
        }
        Ok(())
    }
}

impl<E: Error + 'static> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.first)
    }
}

/// Indents every line after the first, so that a group within a group prints as a tree.
struct Indented<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Indented<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.0.write_str("\n  ")?;
            }
            self.0.write_str(line)?;
        }
        Ok(())
    }
}
