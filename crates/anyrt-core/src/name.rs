//! What is said when a backend is asked for by a name that nobody knows.

use std::fmt;

/// A backend was asked for that is not compiled in; the message lists those that are.
///
/// # Examples
///
/// ```
/// let unknown = anyrt_core::UnknownBackend::new("tokyo", &["tokio", "smol"]);
/// assert_eq!(unknown.to_string(), "unknown backend `tokyo`; compiled in: tokio, smol");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBackend {
    asked: String,
    available: &'static [&'static str],
}

impl UnknownBackend {
    /// The error for the name `asked` where only the backends `available` are compiled in.
    pub fn new(asked: impl Into<String>, available: &'static [&'static str]) -> Self {
        Self {
            asked: asked.into(),
            available,
        }
    }

    /// For a backend of its own: the error, unless it was asked for by one of its `names`.
    ///
    /// # Errors
    ///
    /// `UnknownBackend`, which lists the names.
    ///
    /// # Examples
    ///
    /// ```
    /// use anyrt_core::UnknownBackend;
    ///
    /// assert!(UnknownBackend::unless("smol", &["smol"]).is_ok());
    /// assert!(UnknownBackend::unless("small", &["smol"]).is_err());
    /// ```
    pub fn unless(asked: &str, names: &'static [&'static str]) -> Result<(), Self> {
        if names.contains(&asked) {
            Ok(())
        } else {
            Err(Self::new(asked, names))
        }
    }
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, available } = self;
        if available.is_empty() {
            write!(
                f,
                "unknown backend `{asked}`; none is compiled in: add the feature `tokio`, `async-std`, `smol` or \
                 `sim` of the crate `anyrt`"
            )
        } else {
            write!(
                f,
                "unknown backend `{asked}`; compiled in: {}",
                available.join(", ")
            )
        }
    }
}

impl std::error::Error for UnknownBackend {}
