//! Running one command line, written as one would type it.
//!
//! A line is a plain string so that what runs, what is printed, and what a failure tells you to repeat are the same.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a chore gives back; the error is a line for the user.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The top of the workspace, wherever `cargo xtask` was called.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Prints `line` and runs it at the top of the workspace; its output goes straight to the terminal.
pub(crate) fn run(line: &str) -> Outcome {
    eprintln!("$ {line}");
    let status = command(line)
        .status()
        .map_err(|why| format!("cannot start `{line}`: {why}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("failed ({status}), repeat it with: {line}"))
    }
}

/// Runs `line` at the top of the workspace, and gives what it prints.
pub(crate) fn output(line: &str) -> Outcome<String> {
    let output = command(line)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|why| format!("cannot start `{line}`: {why}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!("failed ({}): {line}", output.status))
    }
}

/// Words in front that read `NAME=value` are environment, the next one is the program. There is no quoting.
fn command(line: &str) -> Command {
    let mut words = line.split_whitespace().peekable();
    let mut environment = Vec::new();
    while let Some(pair) = words.peek().and_then(|word| word.split_once('=')) {
        environment.push(pair);
        words.next();
    }
    let mut command = match words.next() {
        // The cargo that runs this program, which need not be the first one in the path.
        Some("cargo") => Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
        program => Command::new(program.unwrap_or_default()),
    };
    command.args(words).envs(environment).current_dir(root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_environment_then_program_then_arguments() {
        let command = command("A=1 B=x=y prog --flag=z -- w");
        let environment: Vec<_> = command.get_envs().collect();
        assert_eq!(
            environment,
            [
                ("A".as_ref(), Some("1".as_ref())),
                ("B".as_ref(), Some("x=y".as_ref()))
            ]
        );
        assert_eq!(command.get_program(), "prog");
        assert_eq!(
            command.get_args().collect::<Vec<_>>(),
            ["--flag=z", "--", "w"]
        );
    }

    #[test]
    fn a_failure_names_the_line() {
        let failure = run("no-such-program --flag").unwrap_err();
        assert!(
            failure.starts_with("cannot start `no-such-program --flag`"),
            "{failure}"
        );
    }
}
