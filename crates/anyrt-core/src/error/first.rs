//! The short way for those who want one error and not all of them.

use super::GroupError;

/// Takes the first error out of the result of a task group.
///
/// It is implemented for `Result<T, GroupError<E>>`, and for nothing else.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::task_group;
/// use std::num::ParseIntError;
/// use anyrt_core::FirstError;
///
/// async fn sum() -> Result<i32, ParseIntError> {
///     let sum = task_group::<Sim, _, _, _, _>(async |g| {
///         let a = g.spawn(async { "20".parse::<i32>() });
///         let b = g.spawn(async { "x".parse::<i32>() });
///         Ok(a.await + b.await)
///     });
///     Ok(sum.await.first_error()? + 1)
/// }
/// # anyrt_core::run(&Sim::default(), async {
/// assert_eq!(sum().await, "x".parse());
/// # });
/// ```
pub trait FirstError<T, E>: sealed::Sealed {
    /// Gives the error that came first; those that came after it are dropped.
    ///
    /// It is the one that cancelled the group. The later ones are most often its consequences, but they need not be.
    ///
    /// # Errors
    ///
    /// The first error of the group.
    fn first_error(self) -> Result<T, E>;
}

impl<T, E> FirstError<T, E> for Result<T, GroupError<E>> {
    fn first_error(self) -> Result<T, E> {
        self.map_err(GroupError::into_first)
    }
}

mod sealed {
    #[expect(
        unnameable_types,
        reason = "nobody else can implement what cannot be named"
    )]
    pub trait Sealed {}

    impl<T, E> Sealed for Result<T, super::GroupError<E>> {}
}
