//! What stands in the parentheses of an attribute: options, each with its value.

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::literal;
use crate::tokens::{between_commas, flat, is_punct};

/// All options of both attributes, as one writes them.
const FORMS: [(&str, &str); 7] = [
    ("backend", "backend = tokio"),
    ("backends", "backends(tokio, sim)"),
    ("threads", "threads = 2"),
    ("seed", "seed = 7"),
    ("seeds", "seeds = 0..100"),
    ("timeout", "timeout = \"5s\""),
    ("crate", "crate = path::to::anyrt"),
];

/// One option: its name, and what follows up to the comma.
#[derive(Debug)]
pub(crate) struct Argument {
    name: Ident,
    rest: Vec<TokenTree>,
}

/// The options in `attribute`, each of which has to be one of `known`.
pub(crate) fn parse(attribute: TokenStream, known: &[&str]) -> Result<Vec<Argument>> {
    let mut arguments: Vec<Argument> = Vec::new();
    let tokens = flat(attribute);
    for part in between_commas(&tokens) {
        let Some(TokenTree::Ident(name)) = part.first() else {
            let options = known.iter().map(|name| form(name)).collect::<Vec<_>>();
            let options = options.join("`, `");
            let message = format!("an option is missing here; there are `{options}`");
            return Err(Error::below(part, Span::call_site(), message));
        };
        if !known.contains(&&*name.to_string()) {
            let options = known.join("`, `");
            let message = format!("no such option; there are `{options}`");
            return Err(Error::new(name.span(), message));
        }
        if arguments.iter().any(|other| other.is(&name.to_string())) {
            return Err(Error::new(name.span(), "this option is there twice"));
        }
        arguments.push(Argument {
            name: name.clone(),
            rest: part[1..].to_vec(),
        });
    }
    Ok(arguments)
}

fn form(name: &str) -> &'static str {
    let form = FORMS.iter().find(|(option, _)| *option == name);
    form.expect("every option has a form").1
}

impl Argument {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.to_string() == name
    }

    /// An error about all of it.
    pub(crate) fn error(&self, message: impl Into<String>) -> Error {
        let name = TokenTree::from(self.name.clone());
        let all: Vec<_> = [name].into_iter().chain(self.rest.clone()).collect();
        Error::below(&all, self.name.span(), message)
    }

    /// An error unless one of the backends for which this has a meaning is among the `named` ones.
    pub(crate) fn needs(&self, of: &[Backend], named: Option<&[(Backend, Ident)]>) -> Result<()> {
        let Some(named) = named else { return Ok(()) };
        if named.iter().any(|(backend, _)| of.contains(backend)) {
            return Ok(());
        }
        let of: Vec<_> = of.iter().map(|backend| backend.name()).collect();
        let of = of.join("` and `");
        Err(self.error(format!(
            "this means nothing to the backends that are named; it is for `{of}`"
        )))
    }

    fn wrong(&self) -> Error {
        self.error(format!("write it like `{}`", form(&self.name.to_string())))
    }

    /// What follows the `=`.
    fn value(&self) -> Result<&[TokenTree]> {
        match self.rest.split_first() {
            Some((equals, value)) if is_punct(equals, '=') => Ok(value),
            _ => Err(self.wrong()),
        }
    }

    fn literal(&self) -> Result<String> {
        match self.value()? {
            [TokenTree::Literal(literal)] => Ok(literal.to_string()),
            _ => Err(self.wrong()),
        }
    }

    pub(crate) fn integer(&self) -> Result<u64> {
        literal::integer(&self.literal()?).ok_or_else(|| self.wrong())
    }

    pub(crate) fn at_least_one(&self) -> Result<u64> {
        match self.integer()? {
            0 => Err(self.error("a runtime needs at least one worker thread")),
            number => Ok(number),
        }
    }

    pub(crate) fn milliseconds(&self) -> Result<u64> {
        literal::milliseconds(&self.literal()?).ok_or_else(|| self.wrong())
    }

    /// The first and the last number of `0..100` or `0..=99`.
    pub(crate) fn range(&self) -> Result<(u64, u64)> {
        let integer = |token: &TokenTree| literal::integer(&token.to_string());
        let (first, end) = match self.value()? {
            [first, dot, dots @ .., end] if is_punct(dot, '.') => {
                let first = integer(first).ok_or_else(|| self.wrong())?;
                let end = integer(end).ok_or_else(|| self.wrong())?;
                match dots {
                    [dot] if is_punct(dot, '.') => (first, end.checked_sub(1)),
                    [dot, equals] if is_punct(dot, '.') && is_punct(equals, '=') => {
                        (first, Some(end))
                    }
                    _ => return Err(self.wrong()),
                }
            }
            _ => return Err(self.wrong()),
        };
        match end.filter(|end| first <= *end) {
            Some(last) => Ok((first, last)),
            None => Err(self.error("there is no seed in this range")),
        }
    }

    pub(crate) fn path(&self) -> Result<TokenStream> {
        let value = self.value()?;
        let of_a_path =
            |token: &TokenTree| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':');
        if value.is_empty() || !value.iter().all(of_a_path) {
            return Err(self.wrong());
        }
        Ok(value.iter().cloned().collect())
    }

    pub(crate) fn backend(&self) -> Result<(Backend, Ident)> {
        match self.value()? {
            [TokenTree::Ident(name)] => Ok((Backend::parse(name)?, name.clone())),
            _ => Err(self.wrong()),
        }
    }

    /// At least one backend, and none twice.
    pub(crate) fn backends(&self) -> Result<Vec<(Backend, Ident)>> {
        let list = match &*self.rest {
            [TokenTree::Group(list)] if list.delimiter() == Delimiter::Parenthesis => list,
            _ => return Err(self.wrong()),
        };
        let backends = self.listed(list)?;
        if backends.is_empty() {
            return Err(self.error("this is a test on no backend; name one, or remove the option"));
        }
        Ok(backends)
    }

    fn listed(&self, list: &Group) -> Result<Vec<(Backend, Ident)>> {
        let mut backends: Vec<(Backend, Ident)> = Vec::new();
        let tokens = flat(list.stream());
        for part in between_commas(&tokens) {
            let [TokenTree::Ident(name)] = part else {
                return Err(Error::below(
                    part,
                    list.span(),
                    "name backends here: `tokio`, `async_std`, `smol`, `sim`",
                ));
            };
            let backend = Backend::parse(name)?;
            if backends.iter().any(|(other, _)| *other == backend) {
                return Err(Error::new(name.span(), "this backend is there twice"));
            }
            backends.push((backend, name.clone()));
        }
        Ok(backends)
    }
}
