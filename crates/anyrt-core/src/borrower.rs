//! Who a token of a limiter is for, where that matters.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Whoever a token is taken for by [`Limiter::acquire_on_behalf_of`](crate::Limiter::acquire_on_behalf_of): a
/// number or a name.
///
/// Equal borrowers are the same one. It is none of the user's own types, since it is compared under the limiter's lock.
///
/// # Examples
///
/// ```
/// use anyrt_core::Borrower;
///
/// assert_eq!(Borrower::from("disk"), Borrower::from("disk".to_owned()));
/// assert_ne!(Borrower::from("7"), Borrower::from(7));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Borrower(Key);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Number(u64),
    Name(Arc<str>),
}

impl From<u64> for Borrower {
    fn from(number: u64) -> Self {
        Self(Key::Number(number))
    }
}

impl From<&str> for Borrower {
    fn from(name: &str) -> Self {
        Self(Key::Name(name.into()))
    }
}

impl From<String> for Borrower {
    fn from(name: String) -> Self {
        Self(Key::Name(name.into()))
    }
}

impl From<Arc<str>> for Borrower {
    fn from(name: Arc<str>) -> Self {
        Self(Key::Name(name))
    }
}

impl fmt::Display for Borrower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Key::Number(number) => write!(f, "{number}"),
            Key::Name(name) => write!(f, "`{name}`"),
        }
    }
}

/// A borrower asked for a second token of one limiter.
///
/// # Examples
///
/// ```
/// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
/// let limiter = anyrt_core::Limiter::new(2);
/// let _permit = limiter.acquire_on_behalf_of("disk").await;
/// let error = limiter.acquire_on_behalf_of("disk").await.unwrap_err();
/// assert!(error.to_string().starts_with("`disk` has a token"));
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyBorrowing(pub(crate) Borrower);

impl AlreadyBorrowing {
    /// Who asked.
    ///
    /// # Examples
    ///
    /// ```
    /// # anyrt_core::run(&anyrt_sim::Sim::default(), async {
    /// let limiter = anyrt_core::Limiter::new(2);
    /// let _permit = limiter.acquire_on_behalf_of(7).await;
    /// let error = limiter.acquire_on_behalf_of(7).await.unwrap_err();
    /// assert_eq!(error.borrower(), &7.into());
    /// # });
    /// ```
    pub fn borrower(&self) -> &Borrower {
        &self.0
    }
}

impl fmt::Display for AlreadyBorrowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has a token of this limiter already, or waits for one",
            self.0
        )
    }
}

impl Error for AlreadyBorrowing {}
