//! All promises by name; [`suite!`](crate::suite) makes tests of them.

/// Writes the macro `suite!`, which makes one test of every promise named here.
///
/// `async` modules hold promises about what happens in a run, `run` modules promises about whole runs.
macro_rules! promises {
    ($($module:ident with $check:ident: $($promise:ident)*;)*) => {
        promises! { ($) $($module with $check: $($promise)*;)* }

        #[cfg(test)]
        const LISTED: &[(&str, &str, &[&str])] = &[$((
            stringify!($module),
            include_str!(concat!(stringify!($module), ".rs")),
            &[$(stringify!($promise)),*],
        )),*];
    };
    (($d:tt) $($module:ident with $check:ident: $($promise:ident)*;)*) => {
        /// Makes a test of every promise, for the backend that the expression gives.
        #[macro_export]
        macro_rules! suite {
            ($d backend:expr) => {
                $(mod $module {
                    $(#[test]
                    fn $promise() {
                        $crate::$check($d backend, $crate::$module::$promise);
                    })*
                })*
            };
        }
    };
}

promises! {
    groups with check:
        gives_the_value_of_the_body
        waits_for_children_whose_handles_were_dropped
        the_first_error_cancels_siblings_and_body
    ;

    tasks with check:
    ;

    errors with check:
    ;

    scopes with check:
    ;

    deadlines with check:
    ;

    shields with check:
    ;

    outside with check:
    ;

    threads with check:
    ;

    limiters with check:
    ;

    backends with check:
    ;

    runs with check_run:
    ;

    misuse with check:
    ;
}

#[cfg(test)]
#[test]
fn every_promise_is_listed() {
    for (module, source, listed) in LISTED {
        let declared = source.lines().filter_map(|line| {
            let line = line.strip_prefix("pub async fn ").or_else(|| line.strip_prefix("pub fn "))?;
            line.split(['<', '(']).next()
        });
        for promise in declared {
            assert!(listed.contains(&promise), "{module}::{promise} is not in the list of list.rs");
        }
    }
}
