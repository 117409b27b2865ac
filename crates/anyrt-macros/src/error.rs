//! What is wrong, and where: an error that the compiler shows below the tokens that are at fault.

use proc_macro::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub(crate) struct Error {
    message: String,
    first: Span,
    last: Span,
}

impl Error {
    pub(crate) fn new(at: Span, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            first: at,
            last: at,
        }
    }

    /// Below all of these tokens; `or` is for when there are none.
    pub(crate) fn below(tokens: &[TokenTree], or: Span, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            first: tokens.first().map_or(or, TokenTree::span),
            last: tokens.last().map_or(or, TokenTree::span),
        }
    }

    /// A call of `compile_error!`, which the compiler underlines from its first token to its last.
    pub(crate) fn tokens(&self) -> TokenStream {
        let call: TokenStream = "::core::compile_error!".parse().expect("these are tokens");
        let message = TokenTree::from(Literal::string(&self.message));
        let message = Group::new(Delimiter::Brace, message.into());
        let spanned = |mut token: TokenTree, span| {
            token.set_span(span);
            token
        };
        call.into_iter()
            .map(|token| spanned(token, self.first))
            .chain([spanned(message.into(), self.last)])
            .collect()
    }
}
