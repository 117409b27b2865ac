//! The function below an attribute, taken apart as far as the attributes need it.

use proc_macro::{Ident, Span, TokenStream, TokenTree};

use crate::error::{Error, Result};
use crate::tokens::{flat, is_ident, is_punct};

/// An `async fn` without parameters.
#[derive(Debug)]
pub(crate) struct Function {
    attributes: Vec<Attribute>,
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    /// With the arrow; empty if there is none.
    pub(crate) returns: Vec<TokenTree>,
    pub(crate) body: TokenTree,
}

/// One of the other attributes of the function.
#[derive(Debug)]
struct Attribute {
    /// The last part of its path.
    name: String,
    tokens: Vec<TokenTree>,
}

impl Function {
    /// Takes apart the item below `attribute`.
    pub(crate) fn parse(item: TokenStream, attribute: &str) -> Result<Self> {
        let tokens = flat(item);
        let (attributes, tokens) = attributes(&tokens);
        has_no_rival(&attributes, attribute)?;
        let (visibility, tokens) = visibility(tokens);
        let (name, tokens) = name_of_async_fn(tokens, attribute)?;
        let tokens = after_no_parameters(tokens, name, attribute)?;
        let [returns @ .., body @ TokenTree::Group(_)] = tokens else {
            return Err(Error::new(name.span(), "a body is missing after this"));
        };
        if let Some(at) = returns.iter().position(|token| is_ident(token, "where")) {
            let message = "without generic parameters there is nothing to bound; remove this";
            return Err(Error::below(&returns[at..], name.span(), message));
        }
        Ok(Self {
            attributes,
            visibility: visibility.iter().cloned().collect(),
            name: name.clone(),
            returns: returns.to_vec(),
            body: body.clone(),
        })
    }

    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|other| other.name == attribute)
    }

    /// The attributes that are `chosen` by their names, and the others.
    pub(crate) fn attributes_by(
        &self,
        chosen: impl Fn(&str) -> bool,
    ) -> (TokenStream, TokenStream) {
        let (chosen, others): (Vec<_>, Vec<_>) = self
            .attributes
            .iter()
            .partition(|attribute| chosen(&attribute.name));
        let tokens = |attributes: Vec<&Attribute>| {
            let all = attributes.into_iter().flat_map(|one| &one.tokens);
            all.cloned().collect()
        };
        (tokens(chosen), tokens(others))
    }
}

/// The name of a function that is otherwise wrong.
pub(crate) fn name(item: TokenStream) -> Option<TokenStream> {
    let mut tokens = flat(item).into_iter();
    tokens.find(|token| is_ident(token, "fn"))?;
    tokens.next().map(TokenStream::from)
}

fn attributes(mut tokens: &[TokenTree]) -> (Vec<Attribute>, &[TokenTree]) {
    let mut attributes = Vec::new();
    while let [hash, TokenTree::Group(content), rest @ ..] = tokens {
        if !is_punct(hash, '#') {
            break;
        }
        let content = flat(content.stream());
        let of_the_path =
            |token: &&TokenTree| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':');
        let last = content.iter().take_while(of_the_path).last();
        attributes.push(Attribute {
            name: last.map(TokenTree::to_string).unwrap_or_default(),
            tokens: tokens[..2].to_vec(),
        });
        tokens = rest;
    }
    (attributes, tokens)
}

fn has_no_rival(attributes: &[Attribute], attribute: &str) -> Result<()> {
    for other in attributes {
        let advice = match &*other.name {
            "test" => "does this by itself; remove this",
            "rstest" => "cannot stand above this; let it stand below",
            _ => continue,
        };
        let message = format!("`{attribute}` {advice}");
        return Err(Error::below(&other.tokens, Span::call_site(), message));
    }
    Ok(())
}

/// `pub`, `pub(crate)` and the like, or nothing.
fn visibility(tokens: &[TokenTree]) -> (&[TokenTree], &[TokenTree]) {
    let length = match tokens {
        [public, TokenTree::Group(_), ..] if is_ident(public, "pub") => 2,
        [public, ..] if is_ident(public, "pub") => 1,
        _ => 0,
    };
    tokens.split_at(length)
}

fn name_of_async_fn<'a>(
    tokens: &'a [TokenTree],
    attribute: &str,
) -> Result<(&'a Ident, &'a [TokenTree])> {
    let keyword = tokens.iter().position(|token| is_ident(token, "fn"));
    let parts = keyword.map(|at| (&tokens[..at], &tokens[at], &tokens[at + 1..]));
    let Some((before, keyword, [TokenTree::Ident(name), after @ ..])) = parts else {
        let message = format!("`{attribute}` belongs on an `async fn`");
        return Err(Error::below(tokens, Span::call_site(), message));
    };
    match before {
        [only] if is_ident(only, "async") => Ok((name, after)),
        [] => {
            let message = format!("`{attribute}` is for an `async fn`; add `async`");
            Err(Error::new(keyword.span(), message))
        }
        others => {
            let message = format!("`{attribute}` is for a plain `async fn`");
            Err(Error::below(others, keyword.span(), message))
        }
    }
}

/// What follows the parentheses, in which there must be nothing.
fn after_no_parameters<'a>(
    tokens: &'a [TokenTree],
    name: &Ident,
    attribute: &str,
) -> Result<&'a [TokenTree]> {
    let [first, after @ ..] = tokens else {
        return Err(Error::new(name.span(), "parameters are missing after this"));
    };
    if is_punct(first, '<') {
        let end = tokens.iter().position(|token| is_punct(token, '>'));
        let generics = &tokens[..=end.unwrap_or(0)];
        let message = format!("`{attribute}` has nothing to fill these with; remove them");
        return Err(Error::below(generics, name.span(), message));
    }
    match first {
        TokenTree::Group(parameters) if !parameters.stream().is_empty() => {
            let parameters: Vec<_> = parameters.stream().into_iter().collect();
            let message = format!("`{attribute}` has no arguments to give; remove these");
            Err(Error::below(&parameters, name.span(), message))
        }
        _ => Ok(after),
    }
}
