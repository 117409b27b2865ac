//! Takes the source of the core as it is, and puts shuttle's locks, atomics, threads and thread-locals in the place of
//! std's.

use std::fs;
use std::path::{Path, PathBuf};

/// What is written in the core, and what stands there in the model.
const INSTEAD: [(&str, &str); 3] = [
    ("std::sync::", "crate::instead::sync::"),
    ("std::thread", "crate::instead::thread"),
    ("thread_local! {", "crate::instead::local! {"),
];

fn main() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../anyrt-core/src");
    println!("cargo::rerun-if-changed={}", core.display());
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"async-task\", \"tracing\"))");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("core");
    translate(&core, &out);
}

/// A folder of modules, and the folders in it.
fn translate(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder for the model");
    for entry in fs::read_dir(from).expect("the source of the core") {
        let path = entry.expect("an entry of a folder").path();
        let name = path.file_name().expect("it is no root");
        if path.is_dir() {
            translate(&path, &to.join(name));
        } else {
            let mut text = fs::read_to_string(&path).expect("a source file");
            if has_static_atomics(&text) {
                // Models run side by side and share what is static, so that stays as it is.
                text = text.replace("std::sync::atomic::", "core::sync::atomic::");
            }
            // The modules of `lib.rs` are beside it, those of others in a folder of their name.
            let mut below = to.to_owned();
            if name == "lib.rs" {
                text = text.replace("//!", "//");
            } else {
                below.extend(path.file_stem());
            }
            fs::write(to.join(name), translated(&text, &below)).expect("a file for the model");
        }
    }
}

/// The text of one file, the modules of which are `below`.
fn translated(text: &str, below: &Path) -> String {
    text.lines()
        .map(|line| translated_line(line, below))
        .collect()
}

fn has_static_atomics(text: &str) -> bool {
    let is_one = |line: &str| line.trim_start().starts_with("static ") && line.contains(": Atomic");
    text.lines().any(is_one)
}

fn translated_line(line: &str, below: &Path) -> String {
    // What is said of the whole crate, or includes a file, is for the core alone.
    let is_of_crate = line.starts_with("#![");
    if is_of_crate || line.starts_with("#[doc =") {
        return String::new();
    }
    let module = line
        .strip_suffix(';')
        .and_then(|line| line.split_once("mod "));
    if let Some((visibility @ ("" | "pub " | "pub(crate) "), name)) = module {
        let path = below.join(name).with_extension("rs");
        return format!("#[path = {path:?}] {visibility}mod {name};\n");
    }
    // In a macro for the user.
    if line.contains("::std::") {
        return format!("{line}\n");
    }
    let put = |line: String, (std, instead): &(&str, &str)| line.replace(std, instead);
    INSTEAD.iter().fold(format!("{line}\n"), put)
}
