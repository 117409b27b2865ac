//! What went wrong in a group: the first error and all that came after it.

mod display;
mod dynamic;
mod first;
mod leaves;

use std::error::Error;
use std::iter::{Chain, Once, once};
use std::sync::Arc;
use std::{slice, vec};

pub use self::dynamic::DynGroupError;
pub use self::first::FirstError;

/// The errors of a task group, in the order in which they happened.
///
/// Every error that a child or the body returned is in here; nothing is swallowed. This is the Rust
/// face of Python's `ExceptionGroup` (PEP 654): where Python says `except*`, [`split`](Self::split)
/// parts the errors by kind. Errors of groups within groups are taken out by
/// [`flatten`](GroupError::flatten), [`leaves`](Self::leaves) and [`into_leaves`](Self::into_leaves).
///
/// `{}` prints the errors as a tree with a line for each, `{:#}` prints them on one line.
///
/// With an `E` that is an [`Error`] it is one itself, and `?` makes an `anyhow::Error` or a
/// `Box<dyn Error + Send + Sync>` of it; its [`source`](Error::source) is the first error. With an `E` that is
/// such a box already, there is [`DynGroupError`] for that. Those who want only the first error take
/// [`first_error`](FirstError::first_error).
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
/// assert_eq!(error.to_string(), "1 error in a task group\n- no route");
/// assert_eq!(error.into_first(), "no route");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupError<E> {
    /// The error that came first, and cancelled the group.
    pub first: E,
    /// The errors that came after it, while the group was coming to its end.
    pub rest: Vec<E>,
    /// The name of the group, if it was given one.
    pub group: Option<Arc<str>>,
}

impl<E> GroupError<E> {
    /// The error that came first.
    pub fn into_first(self) -> E {
        self.first
    }

    /// All errors, the first one first.
    pub fn iter(&self) -> Iter<'_, E> {
        once(&self.first).chain(&self.rest)
    }

    /// How many errors there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        1 + self.rest.len()
    }

    /// Parts the errors into those for which `matches` is true and the others, each in order.
    ///
    /// This is `except*`: take care of the one part, and return the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::{Error, ErrorKind};
    /// use anyrt_core::GroupError;
    ///
    /// /// It is no matter if somebody hangs up.
    /// fn serve(error: GroupError<Error>) -> Result<usize, GroupError<Error>> {
    ///     match error.split(|e| e.kind() == ErrorKind::BrokenPipe) {
    ///         (_, Some(others)) => Err(others),
    ///         (hung_up, None) => Ok(hung_up.map_or(0, |group| group.len())),
    ///     }
    /// }
    ///
    /// let [a, b] = [ErrorKind::BrokenPipe, ErrorKind::TimedOut].map(Error::from);
    /// let mut error = GroupError::from(a);
    /// error.rest.push(b);
    /// let others = serve(error).unwrap_err();
    /// assert_eq!(others.len(), 1);
    /// assert_eq!(others.first.kind(), ErrorKind::TimedOut);
    /// ```
    pub fn split(self, mut matches: impl FnMut(&E) -> bool) -> (Option<Self>, Option<Self>) {
        let group = self.group.clone();
        let (yes, no) = self
            .into_iter()
            .partition::<Vec<E>, _>(|error| matches(error));
        (Self::from_vec(yes, &group), Self::from_vec(no, &group))
    }

    /// Converts each error, and keeps the order.
    ///
    /// `?` converts one error and not a whole group; this is for a group inside of a group with another type of
    /// errors.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::GroupError;
    ///
    /// let parse = |text: &str| text.parse::<u8>().unwrap_err();
    /// let mut error = GroupError::from(parse("x"));
    /// error.rest.push(parse("256"));
    /// let error = error.map(|e| e.to_string());
    /// assert_eq!(error.rest, ["number too large to fit in target type"]);
    /// ```
    pub fn map<F>(self, mut convert: impl FnMut(E) -> F) -> GroupError<F> {
        GroupError {
            first: convert(self.first),
            rest: self.rest.into_iter().map(convert).collect(),
            group: self.group,
        }
    }

    pub(crate) fn from_vec(errors: Vec<E>, group: &Option<Arc<str>>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(Self {
            first,
            rest: errors.collect(),
            group: group.clone(),
        })
    }
}

type Iter<'a, E> = Chain<Once<&'a E>, slice::Iter<'a, E>>;

impl<'a, E> IntoIterator for &'a GroupError<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E> IntoIterator for GroupError<E> {
    type Item = E;
    type IntoIter = Chain<Once<E>, vec::IntoIter<E>>;

    fn into_iter(self) -> Self::IntoIter {
        once(self.first).chain(self.rest)
    }
}

/// An error that came alone, so that `?` works beside groups in a function that returns their errors.
impl<E> From<E> for GroupError<E> {
    fn from(error: E) -> Self {
        Self {
            first: error,
            rest: Vec::new(),
            group: None,
        }
    }
}

impl<E: Error + 'static> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.first)
    }
}
