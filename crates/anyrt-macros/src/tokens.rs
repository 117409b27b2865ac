//! Looking at tokens.

use proc_macro::{Delimiter, TokenStream, TokenTree};

pub(crate) fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

pub(crate) fn is_ident(token: &TokenTree, ident: &str) -> bool {
    matches!(token, TokenTree::Ident(found) if found.to_string() == ident)
}

/// The tokens as they were written: what came out of a parameter of `macro_rules!` is in a group without delimiters.
pub(crate) fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut all = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                all.extend(flat(group.stream()));
            }
            other => all.push(other),
        }
    }
    all
}

/// What stands between the commas; one may stand at the end.
pub(crate) fn between_commas(tokens: &[TokenTree]) -> impl Iterator<Item = &[TokenTree]> {
    let is_comma = |token: &TokenTree| is_punct(token, ',');
    let tokens = match tokens.split_last() {
        Some((last, rest)) if is_comma(last) => rest,
        _ => tokens,
    };
    // Nothing at all would be one part, which is empty.
    let most = if tokens.is_empty() { 0 } else { usize::MAX };
    tokens.split(is_comma).take(most)
}
