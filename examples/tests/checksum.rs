//! What the example `checksum` promises.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use example::{Said, said};

#[path = "support/example.rs"]
mod example;

static CHECKSUM: LazyLock<PathBuf> = LazyLock::new(|| example::build("checksum"));

const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const BLAKE3_OF_ABC: &str = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";

/// A fresh directory for one test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("checksum")
            .join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes `abc` into a file, and makes the directories on the way to it.
    fn abc(self, name: &str) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "abc").unwrap();
        self
    }

    #[cfg(unix)]
    fn link(self, name: &str, target: &str) -> Self {
        std::os::unix::fs::symlink(target, self.0.join(name)).unwrap();
        self
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(&*CHECKSUM);
        command.current_dir(&self.0).args(args.split_whitespace());
        command
    }

    fn checksum(&self, args: &str) -> Said {
        said(&mut self.command(args))
    }
}

/// The list of these files, all of which hold `abc`.
fn list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("{SHA256_OF_ABC}  {name}\n"))
        .collect()
}

#[test]
fn known_content_has_the_known_hash() {
    let dir = Dir::new("known").abc("file");
    let sha256 = dir.checksum("file");
    assert_eq!(sha256.out, format!("{SHA256_OF_ABC}  file\n"));
    let blake3 = dir.checksum("--algorithm blake3 file");
    assert_eq!(blake3.out, format!("{BLAKE3_OF_ABC}  file\n"));
    for said in [sha256, blake3] {
        assert_eq!((said.err.as_str(), said.status), ("", Some(0)));
    }
}

#[test]
fn a_file_of_many_blocks_is_read_to_its_end() {
    let dir = Dir::new("long");
    fs::write(dir.0.join("million"), "a".repeat(1_000_000)).unwrap();
    let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0  million\n";
    assert_eq!(dir.checksum("million").out, expected);
}

#[test]
fn lines_are_sorted_by_path_byte_by_byte() {
    let dir = Dir::new("order")
        .abc("a/b")
        .abc("a.b")
        .abc("a/B/c")
        .abc("Z")
        .abc("a-b");
    let said = dir.checksum("--jobs 3 a a-b a.b Z");
    assert_eq!(said.out, list(&["Z", "a-b", "a.b", "a/B/c", "a/b"]));
}

#[test]
fn more_files_than_jobs_are_all_done_on_every_backend() {
    let names: Vec<_> = (100..200).map(|number| format!("d/{number}")).collect();
    let dir = names
        .iter()
        .fold(Dir::new("many"), |dir, name| dir.abc(name));
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for backend in ["tokio", "async-std", "smol", "sim"] {
        for jobs in [1, 7, 500] {
            let said = dir.checksum(&format!("--backend {backend} --jobs {jobs} d"));
            assert_eq!(said.out, list(&names), "{backend}, {jobs}");
            assert_eq!(
                (said.err.as_str(), said.status),
                ("", Some(0)),
                "{backend}, {jobs}"
            );
        }
    }
}

#[test]
fn all_backends_print_identical_lists() {
    let said =
        said(Command::new(&*CHECKSUM).args(["--backend", "all", env!("CARGO_MANIFEST_DIR")]));
    let lines: Vec<_> = said.out.lines().collect();
    let lists: Vec<_> = lines.chunks(lines.len() / 4).collect();
    assert!(lists[0].len() > 5);
    assert_eq!(lists, [lists[0]; 4]);
    let headers =
        ["tokio", "async-std", "smol", "sim"].map(|name| format!("checksum: on {name}\n"));
    assert_eq!((said.err, said.status), (headers.concat(), Some(0)));
}

#[test]
fn an_empty_directory_has_an_empty_list() {
    let expected = Said {
        out: String::new(),
        err: String::new(),
        status: Some(0),
    };
    assert_eq!(Dir::new("empty").checksum("."), expected);
}

#[test]
fn when_the_time_is_up_at_once_nothing_is_printed() {
    let dir = Dir::new("no-time").abc("file");
    for backend in ["tokio", "async-std", "smol", "sim"] {
        let said = dir.checksum(&format!("--backend {backend} --timeout 0 file"));
        let err = "checksum: the time was up; not all files are in the list\n";
        assert_eq!(
            (said.out.as_str(), said.err.as_str(), said.status),
            ("", err, Some(124)),
            "{backend}"
        );
    }
}

// In real time, since virtual time stands still while a thread reads. Half a second is plenty for the short file,
// and far too little for the long one.
#[test]
fn when_the_time_is_up_what_is_finished_is_printed() {
    let dir = Dir::new("some-time").abc("short");
    File::create(dir.0.join("long"))
        .unwrap()
        .set_len(1 << 36)
        .unwrap();
    let said = dir.checksum("--jobs 2 --timeout 0.5 .");
    assert_eq!((said.out, said.status), (list(&["./short"]), Some(124)));
    fs::remove_file(dir.0.join("long")).unwrap();
}

#[test]
fn a_limit_that_is_kept_is_not_mentioned() {
    let dir = Dir::new("enough-time").abc("file");
    let said = dir.checksum("--timeout 3600 file");
    assert_eq!(
        (said.out, said.err, said.status),
        (list(&["file"]), String::new(), Some(0))
    );
}

#[test]
fn bad_arguments_are_one_clear_line_and_status_2() {
    let dir = Dir::new("bad-arguments").abc("file");
    for (args, complaint) in [
        ("nowhere", "'nowhere'"),
        ("file nowhere", "'nowhere'"),
        (
            "--backend tokyo file",
            "unknown backend `tokyo`; compiled in: tokio, async-std, smol, sim",
        ),
        ("--jobs 0 file", "0 is not in 1..=500"),
        ("--jobs many file", "invalid digit"),
        ("--timeout -1 file", "negative"),
        ("--timeout soon file", "invalid float"),
        ("--algorithm md5 file", "sha256, blake3"),
        ("--quickly file", "--quickly"),
        ("", "required"),
    ] {
        let said = dir.checksum(args);
        assert!(
            said.err.starts_with("checksum: ") && said.err.contains(complaint),
            "{args}: {}",
            said.err
        );
        assert_eq!(
            (said.err.lines().count(), said.status),
            (1, Some(2)),
            "{args}: {}",
            said.err
        );
        assert_eq!(said.out, "", "{args}");
    }
}

// Links to nowhere cannot be read by anybody, not even by root, to whom permissions mean nothing.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_listed_at_the_end_and_all_else_is_done() {
    let dir = Dir::new("unreadable")
        .abc("a")
        .abc("d/z")
        .link("dangling", "nowhere")
        .link("loop", "loop");
    for backend in ["tokio", "async-std", "smol", "sim"] {
        let said = dir.checksum(&format!("--backend {backend} loop a dangling /dev/null d"));
        assert_eq!(
            (said.out, said.status),
            (list(&["a", "d/z"]), Some(1)),
            "{backend}"
        );
        let starts = [
            "checksum: /dev/null: ",
            "checksum: dangling: ",
            "checksum: loop: ",
        ];
        assert_eq!(
            said.err.lines().count(),
            starts.len(),
            "{backend}: {}",
            said.err
        );
        for (line, start) in said.err.lines().zip(starts) {
            assert!(line.starts_with(start), "{backend}: {line}");
        }
    }
}

/// This file opens, and then reading fails.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_fails_while_it_is_read_is_listed_at_the_end() {
    let said = Dir::new("read-error").abc("a").checksum("/proc/self/mem a");
    assert_eq!((said.out, said.status), (list(&["a"]), Some(1)));
    assert_eq!(
        said.err,
        "checksum: /proc/self/mem: Input/output error (os error 5)\n"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_arguments_and_not_inside_of_directories() {
    let dir = Dir::new("links")
        .abc("d/file")
        .link("to-d", "d")
        .link("to-file", "d/file")
        .link("d/up", "..");
    let said = dir.checksum("to-file to-d");
    assert_eq!(
        (said.out, said.err),
        (list(&["to-d/file", "to-file"]), String::new())
    );
}

#[cfg(unix)]
#[test]
fn names_are_escaped_as_sha256sum_does() {
    let dir = Dir::new("escaped")
        .abc("a\nb")
        .abc("c\\d")
        .abc("e\rf")
        .abc("g h");
    let escaped =
        ["./a\\nb", "./c\\\\d", "./e\\rf"].map(|name| format!("\\{SHA256_OF_ABC}  {name}\n"));
    assert_eq!(dir.checksum(".").out, escaped.concat() + &list(&["./g h"]));
}

#[cfg(target_os = "linux")]
#[test]
fn sha256sum_accepts_the_lists() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let dir = Dir::new("accepted")
        .abc("a\nb")
        .abc("c\\d")
        .abc("e/f  g")
        .abc("*h");
    fs::write(dir.0.join(OsStr::from_bytes(b"not \xff UTF-8")), "").unwrap();
    let lists = dir
        .command("--backend all .")
        .stderr(Stdio::null())
        .output()
        .unwrap()
        .stdout;
    fs::write(dir.0.join("LISTS"), lists).unwrap();
    let verdict = said(
        Command::new("sha256sum")
            .args(["-c", "--strict", "LISTS"])
            .current_dir(&dir.0),
    );
    assert_eq!((verdict.err.as_str(), verdict.status), ("", Some(0)));
    assert_eq!(
        verdict
            .out
            .lines()
            .filter(|line| line.ends_with(": OK"))
            .count(),
        4 * 5
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = Dir::new("closed-pipe").abc("file");
    let mut command = dir.command("--backend all file");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    // How far it came before it noticed is up to the machine; that it says nothing else is not.
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        err.lines().all(|line| line.starts_with("checksum: on ")),
        "{err}"
    );
    assert_eq!(output.status.code(), Some(0));
}

/// Standard error may be closed as well; an `eprintln!` would panic then.
#[test]
fn a_reader_of_the_errors_that_goes_away_is_no_error() {
    let dir = Dir::new("closed-errors").abc("file");
    let mut command = dir.command("--backend all file");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), list(&["file"; 4]));
    assert_eq!(output.status.code(), Some(0));
}
