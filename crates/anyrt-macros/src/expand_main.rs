//! What `#[anyrt::main]` makes of a function.

use proc_macro::{Span, TokenStream, TokenTree};

use crate::backend::none_is_on;
use crate::error::{Error, Result};
use crate::function::Function;
use crate::options::Options;
use crate::template::fill;

const OPTIONS: [&str; 4] = ["backend", "threads", "seed", "crate"];

/// The function moves as it is into one that is not async, so that the compiler says of it what it always says.
const EXPANSION: &str = "
    $docs $visibility fn $name() $returns {
        $attributes async fn $name() $returns $body
        $run
    }
";

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let options = Options::parse(attribute, &OPTIONS)?;
    let function = Function::parse(item, "#[anyrt::main]")?;

    let name = TokenStream::from(TokenTree::from(function.name.clone()));
    let holes = [
        ("anyrt", options.anyrt),
        ("setters", options.setters),
        ("name", name.clone()),
        ("none", none_is_on().tokens()),
        ("several", several_are_on().tokens()),
    ];
    let run = match options.backends.as_deref() {
        Some([(backend, written), ..]) => {
            let off = ("off", backend.is_off(written).tokens());
            let holes = [&holes[..], &[off]].concat();
            let backend = backend.name();
            fill(
                &format!(
                    "$anyrt::__{backend}!({{ $anyrt::__Runner::new({backend:?})$setters.run_main($name) }} {{ $off }})"
                ),
                &holes,
            )
        }
        _ => fill(
            "$anyrt::__how_many!({ $none } { $anyrt::__Runner::only()$setters.run_main($name) } { $several })",
            &holes,
        ),
    };
    let (docs, attributes) = function.attributes_by(|name| name == "doc");
    Ok(fill(
        EXPANSION,
        &[
            ("docs", docs),
            ("attributes", attributes),
            ("visibility", function.visibility),
            ("name", name),
            ("returns", function.returns.into_iter().collect()),
            ("body", function.body.into()),
            ("run", run),
        ],
    ))
}

fn several_are_on() -> Error {
    Error::new(
        Span::call_site(),
        "several backends are compiled in; say which one, as in `#[anyrt::main(backend = tokio)]`",
    )
}
