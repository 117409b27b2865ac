//! Groups whose errors are boxes of any error.

use std::error::Error;
use std::fmt;
use std::ops::Deref;

use self::sealed::AnyError;
use super::GroupError;

/// The errors of a group whose error type is a box of any error.
///
/// `Box<dyn Error + Send + Sync>`, `anyhow::Error` and `eyre::Report` take in every [`Error`] by `?`, and so
/// cannot be one themselves; nor is a [`GroupError`] of them. This is: `group.await.map_err(DynGroupError)?` puts
/// all errors into one such box, where `downcast` finds them again. Its [`source`](Error::source) is the first
/// error itself, not its box.
///
/// # Examples
///
/// ```
/// # use anyrt_sim::Sim;
/// # use anyrt_core::task_group;
/// use std::error::Error;
/// use std::num::ParseIntError;
/// use anyrt_core::DynGroupError;
///
/// type BoxError = Box<dyn Error + Send + Sync>;
///
/// async fn twice(text: &'static str) -> Result<i32, BoxError> {
///     let group = task_group::<Sim, _, BoxError, _, _>(async |g| {
///         let child = g.spawn(async move { Ok(text.parse::<i32>()?) });
///         Ok(child.await)
///     });
///     let number = group.await.map_err(DynGroupError)?;
///     Ok(2 * number)
/// }
/// # anyrt_core::run(&Sim::default(), async {
/// assert_eq!(twice("4").await.unwrap(), 8);
/// let error = twice("four").await.unwrap_err();
/// assert!(error.source().unwrap().is::<ParseIntError>());
/// let group = error.downcast::<DynGroupError<BoxError>>().unwrap().0;
/// assert_eq!(group.len(), 1);
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynGroupError<E>(pub GroupError<E>);

impl<E: fmt::Display> fmt::Display for DynGroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E> Error for DynGroupError<E>
where
    E: Deref<Target: AnyError> + fmt::Debug + fmt::Display,
{
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.first.as_error())
    }
}

mod sealed {
    use std::error::Error;

    /// What a box of any error may hold.
    #[expect(
        unnameable_types,
        reason = "nobody else can implement what cannot be named"
    )]
    pub trait AnyError {
        fn as_error(&self) -> &(dyn Error + 'static);
    }

    impl AnyError for dyn Error + 'static {
        fn as_error(&self) -> &(dyn Error + 'static) {
            self
        }
    }

    impl AnyError for dyn Error + Send + 'static {
        fn as_error(&self) -> &(dyn Error + 'static) {
            self
        }
    }

    impl AnyError for dyn Error + Send + Sync + 'static {
        fn as_error(&self) -> &(dyn Error + 'static) {
            self
        }
    }
}
