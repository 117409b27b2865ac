//! The span of the `tracing` crate that is current where the code runs; without the feature there is none.

#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod on;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::{Entered, Span};
#[cfg(feature = "tracing")]
pub(crate) use self::on::{Entered, Span};
