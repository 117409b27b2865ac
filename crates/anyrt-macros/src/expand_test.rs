//! What `#[anyrt::test]` makes of a function.

use proc_macro::{Ident, Span, TokenStream, TokenTree};

use crate::backend::{Backend, none_is_on};
use crate::error::{Error, Result};
use crate::function::Function;
use crate::options::Options;
use crate::template::fill;

const OPTIONS: [&str; 6] = ["backends", "threads", "seed", "seeds", "timeout", "crate"];

/// The function stays where it is and as it is. Beside it comes a module of the same name, with the tests.
const EXPANSION: &str = "
    #[cfg(test)]
    $attributes $visibility async fn $name() $returns $body

    #[cfg(test)]
    $anyrt::__test! { $module $name [$on_tests] [$arrow] [$end] [$setters] $backends }

    #[cfg(test)]
    $anyrt::__how_many! { {$none} {} {} }
";

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options = Options::parse(attribute, &OPTIONS)?;
    let function = Function::parse(item, "#[anyrt::test]")?;
    let of_tests = |name: &str| matches!(name, "should_panic" | "ignore");
    let (on_tests, others) = function.attributes_by(of_tests);
    if function.has("should_panic") && !function.returns.is_empty() {
        let message = "a test that should panic returns nothing; remove this";
        return Err(Error::below(&function.returns, Span::call_site(), message));
    }

    // A name that comes from a macro, so that lints about it speak of the function only.
    let mut module = function.name.clone();
    module.set_span(Span::call_site().located_at(module.span()));
    let (arrow, end) = match &*function.returns {
        [] => ("", ";"),
        _ => ("-> ::std::process::ExitCode", ""),
    };
    Ok(fill(
        EXPANSION,
        &[
            ("attributes", others),
            ("visibility", function.visibility),
            ("name", TokenTree::from(function.name).into()),
            ("returns", function.returns.into_iter().collect()),
            ("body", function.body.into()),
            ("anyrt", options.anyrt),
            ("module", TokenTree::from(module).into()),
            ("on_tests", on_tests),
            ("arrow", fill(arrow, &[])),
            ("end", fill(end, &[])),
            ("setters", options.setters),
            ("backends", backends(options.backends)),
            ("none", none_is_on().tokens()),
        ],
    ))
}

/// `[tokio __tokio {}]` for each: its name, the macro that knows whether it is on, and the error if it is not.
///
/// Without names it is all that are on. With names these have to be on.
fn backends(named: Option<Vec<(Backend, Ident)>>) -> TokenStream {
    let one = |backend: Backend, off| {
        let name = backend.name();
        fill(&format!("[{name} __{name} {{$off}}]"), &[("off", off)])
    };
    match named {
        Some(named) => named
            .into_iter()
            .map(|(backend, name)| one(backend, backend.is_off(&name).tokens()))
            .collect(),
        None => Backend::ALL
            .into_iter()
            .map(|backend| one(backend, TokenStream::new()))
            .collect(),
    }
}
