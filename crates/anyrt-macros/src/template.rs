//! Code with holes: what the attributes expand to is written as text, as it will be read.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// The tokens of `template`, with what belongs there in the place of each `$name`.
///
/// Tokens of the template resolve where the attribute stands; those of the holes keep where they came from.
pub(crate) fn fill(template: &str, holes: &[(&str, TokenStream)]) -> TokenStream {
    splice(template.parse().expect("these are tokens"), holes)
}

fn splice(template: TokenStream, holes: &[(&str, TokenStream)]) -> TokenStream {
    let mut filled = TokenStream::new();
    let mut tokens = template.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(dollar) if dollar.as_char() == '$' => {
                let name = tokens.next().expect("a name follows").to_string();
                let hole = holes.iter().find(|(hole, _)| *hole == name);
                filled.extend(hole.expect("every hole is filled").1.clone());
            }
            TokenTree::Group(group) => {
                filled.extend([in_group(group.delimiter(), splice(group.stream(), holes))])
            }
            other => filled.extend([other]),
        }
    }
    filled
}

fn in_group(delimiter: Delimiter, tokens: TokenStream) -> TokenTree {
    Group::new(delimiter, tokens).into()
}
