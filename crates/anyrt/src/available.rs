//! Which backends are compiled in.

/// The names of the backends that are compiled in, in the order of the documentation.
///
/// # Examples
///
/// ```
/// for name in anyrt::available() {
///     assert!(name.parse::<anyrt::Current>().is_ok());
/// }
/// assert!("tokyo".parse::<anyrt::Current>().is_err());
/// ```
pub fn available() -> &'static [&'static str] {
    &[
        #[cfg(feature = "tokio")]
        "tokio",
        #[cfg(feature = "async-std")]
        "async-std",
        #[cfg(feature = "smol")]
        "smol",
        #[cfg(feature = "sim")]
        "sim",
    ]
}
