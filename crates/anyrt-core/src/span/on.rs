//! With the feature: a span of the `tracing` crate.

use std::future::Future;

use tracing::Instrument;
use tracing::instrument::Instrumented;

#[derive(Debug)]
pub(crate) struct Span(tracing::Span);

pub(crate) type Entered<'a> = tracing::span::Entered<'a>;

impl Default for Span {
    fn default() -> Self {
        Self(tracing::Span::none())
    }
}

impl Span {
    /// A new span below the current one if there is a name, and else, or where nobody is interested, the current one.
    pub(crate) fn of_task(name: Option<&str>) -> Self {
        match name {
            Some(name) => Self(tracing::info_span!(target: "anyrt", "task", name).or_current()),
            None => Self(tracing::Span::current()),
        }
    }

    /// A new span below the current one if there is a name.
    pub(crate) fn of_group(name: Option<&str>) -> Self {
        match name {
            Some(name) => Self(tracing::info_span!(target: "anyrt", "task_group", name)),
            None => Self::default(),
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn enter(&self) -> Entered<'_> {
        self.0.enter()
    }

    /// Polls and drops the future inside of this span.
    pub(crate) fn around<F: Future>(self, future: F) -> Instrumented<F> {
        future.instrument(self.0)
    }
}
