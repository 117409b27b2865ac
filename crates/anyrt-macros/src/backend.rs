//! The backends, as they are written in an attribute.

use proc_macro::{Ident, Span};

use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Tokio,
    AsyncStd,
    Smol,
    Sim,
}

impl Backend {
    pub(crate) const ALL: [Self; 4] = [Self::Tokio, Self::AsyncStd, Self::Smol, Self::Sim];

    /// Its name in an attribute, and that of the test on it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::AsyncStd => "async_std",
            Self::Smol => "smol",
            Self::Sim => "sim",
        }
    }

    pub(crate) fn parse(name: &Ident) -> Result<Self> {
        let named = |backend: &Self| name.to_string() == backend.name();
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            Error::new(
                name.span(),
                "no such backend; there are `tokio`, `async_std`, `smol` and `sim`",
            )
        })
    }

    /// The error for one that was named, where it is not compiled into `anyrt`.
    pub(crate) fn is_off(self, name: &Ident) -> Error {
        let feature = self.name().replace('_', "-");
        Error::new(
            name.span(),
            format!(
                "the backend `{name}` is not compiled in; add the feature `{feature}` to the dependency on `anyrt`"
            ),
        )
    }
}

/// The error where not one is compiled into `anyrt`.
pub(crate) fn none_is_on() -> Error {
    Error::new(
        Span::call_site(),
        "no backend is compiled in; add the feature `tokio`, `async-std`, `smol` or `sim` to the dependency on `anyrt`",
    )
}
