//! `cargo xtask weight`: how many crates an application gets with `anyrt`, and how long they build.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::shell::{self, Outcome};

/// Two empty applications; the second has what the first has.
const APPLICATIONS: [(&str, &str); 2] = [
    (
        "tokio",
        r#"tokio = { version = "1", default-features = false, features = ["rt-multi-thread", "time"] }"#,
    ),
    (
        "anyrt",
        r#"anyrt = { path = "../../../crates/anyrt", features = ["tokio"] }"#,
    ),
];

pub(crate) fn run() -> Outcome {
    let table = table()?;
    eprintln!("\n{table}");
    Ok(())
}

/// A section for the page about costs.
pub(crate) fn table() -> Outcome<String> {
    let mut table = String::from(
        "### Weight\n\n\
         | application with | crates | optimised build |\n\
         | --- | ---: | ---: |\n",
    );
    for (name, dependency) in APPLICATIONS {
        let (crates, seconds) = weigh(name, dependency)?;
        table += &format!("| `{name}` | {crates} | {seconds:.1} s |\n");
    }
    Ok(table)
}

fn weigh(name: &str, dependency: &str) -> Outcome<(usize, f64)> {
    let directory = format!("target/weight/{name}");
    let manifest = format!("--manifest-path={directory}/Cargo.toml");
    let output = format!("{directory}/target");
    let at = shell::root().join(&directory);
    set_up(&at, name, dependency).map_err(|why| format!("cannot make {directory}: {why}"))?;
    let lines = shell::output(&format!(
        "cargo tree {manifest} --prefix=none --edges=normal,build"
    ))?;
    let start = Instant::now();
    shell::run(&format!(
        "cargo build --quiet --release {manifest} --target-dir={output}"
    ))?;
    Ok((crates(&lines), start.elapsed().as_secs_f64()))
}

/// A package with the versions of this workspace, and nothing built.
fn set_up(at: &Path, name: &str, dependency: &str) -> std::io::Result<()> {
    if at.exists() {
        fs::remove_dir_all(at)?;
    }
    fs::create_dir_all(at.join("src"))?;
    fs::write(at.join("src/main.rs"), "fn main() {}\n")?;
    fs::copy(shell::root().join("Cargo.lock"), at.join("Cargo.lock"))?;
    let package = format!("[package]\nname = \"with-{name}\"\nedition = \"2024\"\n");
    let manifest = format!("{package}\n[dependencies]\n{dependency}\n\n[workspace]\n");
    fs::write(at.join("Cargo.toml"), manifest)
}

/// Those in the lines of `cargo tree`, where one may stand several times, but for the application itself.
fn crates(tree: &str) -> usize {
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    let names: BTreeSet<_> = names.filter(|name| !name.is_empty()).collect();
    names.len() - 1
}

#[cfg(test)]
mod tests {
    use super::crates;

    #[test]
    fn a_crate_counts_once_and_the_application_not() {
        let tree =
            "with-x v0.0.0 (/x)\ntokio v1.54.1\npin-project-lite v0.2.17\ntokio v1.54.1 (*)\n";
        assert_eq!(crates(tree), 2);
    }
}
