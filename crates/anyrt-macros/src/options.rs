//! What was asked for in the parentheses of either attribute.

use proc_macro::{Ident, TokenStream};

use crate::argument::{self, Argument};
use crate::backend::Backend;
use crate::error::Result;

#[derive(Debug)]
pub(crate) struct Options {
    /// The path of the facade.
    pub(crate) anyrt: TokenStream,
    /// With the names that were written, for errors about them.
    pub(crate) backends: Option<Vec<(Backend, Ident)>>,
    /// `.threads(2)` and so on: calls of the facade's `Runner` for what was given.
    pub(crate) setters: TokenStream,
}

impl Options {
    /// Those of `known` that are in `attribute`; others are errors.
    pub(crate) fn parse(attribute: TokenStream, known: &[&str]) -> Result<Self> {
        let arguments = argument::parse(attribute, known)?;
        let find = |name| arguments.iter().find(|argument| argument.is(name));

        let backends = match (find("backend"), find("backends")) {
            (Some(backend), _) => Some(vec![backend.backend()?]),
            (None, Some(backends)) => Some(backends.backends()?),
            (None, None) => None,
        };
        let mut setters = String::new();
        if let Some(threads) = find("threads") {
            let number = threads.at_least_one()?;
            threads.needs(&[Backend::Tokio, Backend::Smol], backends.as_deref())?;
            setters += &format!(".threads({number})");
        }
        if let Some(seed) = find("seed") {
            let number = seed.integer()?;
            seed.needs(&[Backend::Sim], backends.as_deref())?;
            setters += &format!(".seeds({number}, {number})");
        }
        if let Some(seeds) = find("seeds") {
            let (first, last) = seeds.range()?;
            seeds.needs(&[Backend::Sim], backends.as_deref())?;
            if find("seed").is_some() {
                return Err(seeds.error("let there be either `seed` or `seeds`"));
            }
            setters += &format!(".seeds({first}, {last})");
        }
        if let Some(timeout) = find("timeout") {
            setters += &format!(".milliseconds({})", timeout.milliseconds()?);
        }
        Ok(Self {
            anyrt: find("crate").map_or_else(
                || Ok("::anyrt".parse().expect("this is a path")),
                Argument::path,
            )?,
            backends,
            setters: setters.parse().expect("these are tokens"),
        })
    }
}
