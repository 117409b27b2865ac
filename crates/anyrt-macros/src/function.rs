//! The function below an attribute, taken apart as far as the attributes need it.

use proc_macro::{Delimiter, Ident, Span, TokenStream, TokenTree};

use crate::argument::is_punct;
use crate::error::{Error, Result};

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
        let tokens = without_invisible_groups(item);
        let (attributes, tokens) = attributes(&tokens);
        let (visibility, tokens) = visibility(tokens);
        for other in &attributes {
            let advice = match &*other.name {
                "test" => "makes the tests by itself; remove this",
                "rstest" => "cannot stand above this; let it stand below",
                _ => continue,
            };
            let message = format!("`{attribute}` {advice}");
            return Err(Error::below(&other.tokens, Span::call_site(), message));
        }

        let keyword = tokens.iter().position(|token| is_ident(token, "fn"));
        let (qualifiers, name, tokens) = match keyword.map(|at| (at, &tokens[at + 1..])) {
            Some((at, [TokenTree::Ident(name), rest @ ..])) => (&tokens[..=at], name, rest),
            _ => {
                let message = format!("`{attribute}` belongs on an `async fn`");
                return Err(Error::below(tokens, Span::call_site(), message));
            }
        };
        match qualifiers {
            [is_async, _] if is_ident(is_async, "async") => {}
            [keyword] => {
                let message = format!("`{attribute}` is for an `async fn`; add `async`");
                return Err(Error::new(keyword.span(), message));
            }
            [others @ .., _] => {
                let message = format!("`{attribute}` is for a plain `async fn`");
                return Err(Error::below(others, name.span(), message));
            }
            [] => unreachable!("`fn` is among them"),
        }

        if tokens.first().is_some_and(|token| is_punct(token, '<')) {
            let end = tokens.iter().position(|token| is_punct(token, '>'));
            let generics = &tokens[..=end.unwrap_or(0)];
            let message = format!("`{attribute}` has nothing to fill these with; remove them");
            return Err(Error::below(generics, name.span(), message));
        }
        let (parameters, tokens) = match tokens {
            [TokenTree::Group(parameters), tokens @ ..] => (parameters.stream(), tokens),
            _ => return Err(Error::new(name.span(), "parameters are missing after this")),
        };
        if !parameters.is_empty() {
            let parameters: Vec<_> = parameters.into_iter().collect();
            let message = format!("`{attribute}` has no arguments to give; remove these");
            return Err(Error::below(&parameters, name.span(), message));
        }
        let (body, returns) = match tokens {
            [returns @ .., body @ TokenTree::Group(_)] => (body, returns),
            _ => return Err(Error::new(name.span(), "a body is missing after this")),
        };
        if let Some(at) = returns.iter().position(|token| is_ident(token, "where")) {
            let message =
                format!("without generic parameters there is nothing to bound; remove this");
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
    let mut tokens = without_invisible_groups(item).into_iter();
    tokens.find(|token| is_ident(token, "fn"))?;
    tokens.next().map(TokenStream::from)
}

/// What came out of a `macro_rules!` parameter is in a group without delimiters; here it does not matter.
fn without_invisible_groups(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flat = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flat.extend(without_invisible_groups(group.stream()));
            }
            other => flat.push(other),
        }
    }
    flat
}

fn attributes(mut tokens: &[TokenTree]) -> (Vec<Attribute>, &[TokenTree]) {
    let mut attributes = Vec::new();
    while let [hash, TokenTree::Group(content), rest @ ..] = tokens {
        if !is_punct(hash, '#') {
            break;
        }
        let path = without_invisible_groups(content.stream());
        let path = path
            .iter()
            .take_while(|token| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':'));
        attributes.push(Attribute {
            name: path.last().map(TokenTree::to_string).unwrap_or_default(),
            tokens: tokens[..2].to_vec(),
        });
        tokens = rest;
    }
    (attributes, tokens)
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

fn is_ident(token: &TokenTree, ident: &str) -> bool {
    matches!(token, TokenTree::Ident(found) if found.to_string() == ident)
}
