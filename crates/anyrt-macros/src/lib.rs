//! The attributes `#[anyrt::test]` and `#[anyrt::main]`; use them through the crate `anyrt`.
#![forbid(unsafe_code)]

mod error;
mod literal;
mod template;
mod backend;
mod argument;
mod options;
mod function;
mod expand_test;
mod expand_main;

use proc_macro::TokenStream;

/// TODO
#[proc_macro_attribute]
pub fn test(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand_test::expand(attribute, item.clone()).unwrap_or_else(|error| {
        // Editors go on to know the function.
        let template = "$error #[cfg(test)] $item";
        template::fill(template, &[("error", error.tokens()), ("item", item)])
    })
}

/// TODO
#[proc_macro_attribute]
pub fn main(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand_main::expand(attribute, item.clone()).unwrap_or_else(|error| {
        // Otherwise there are two errors more: that `main` is async, or that there is none.
        let name = function::name(item);
        let main = name.map(|name| template::fill("fn $name() {}", &[("name", name)]));
        [error.tokens(), main.unwrap_or_default()]
            .into_iter()
            .collect()
    })
}
