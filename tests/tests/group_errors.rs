//! What group errors promise as plain values: how they print, what `?` makes of them, and that depth is no matter.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::io::{self, ErrorKind};

use anyhow::Context;
use anyrt::{DynGroupError, FirstError, GroupError};

fn group<E>(errors: impl IntoIterator<Item = E>) -> GroupError<E> {
    let mut errors = errors.into_iter();
    let mut group = GroupError::from(errors.next().expect("a group error is never empty"));
    group.rest.extend(errors);
    group
}

fn refused() -> io::Error {
    ErrorKind::ConnectionRefused.into()
}

/// An error that may carry a group, and prints as what it carries.
enum Failure {
    Text(&'static str),
    Group(Box<GroupError<Failure>>),
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Group(group) => group.fmt(f),
        }
    }
}

fn nested(group: GroupError<Failure>) -> Failure {
    Failure::Group(Box::new(group))
}

/// A message of several lines, a group of one, and a group within it.
fn mixed() -> GroupError<Failure> {
    let inner = group([Failure::Text("d\n  e\n"), Failure::Text("f")]);
    let middle = group([nested(inner)]);
    group([
        Failure::Text("a\n\nb\r\nc"),
        nested(middle),
        Failure::Text("g"),
    ])
}

#[test]
fn a_tree_keeps_the_lines_of_a_message_together() {
    let tree = "\
3 errors in a task group
- a

  b\r
  c
- 1 error in a task group
  - 2 errors in a task group
    - d
        e
    - f
- g";
    assert_eq!(mixed().to_string(), tree);
}

#[test]
fn one_line_is_one_line() {
    let line = "3 errors in a task group: [a b c; \
        1 error in a task group: [2 errors in a task group: [d e; f]]; g]";
    assert_eq!(format!("{:#}", mixed()), line);
    assert_eq!(
        format!("{:#}", group(["x"])),
        "1 error in a task group: [x]"
    );
}

#[test]
fn one_line_shows_the_causes_that_anyhow_knows() {
    let error = group([
        anyhow::anyhow!("no route").context("sync"),
        refused().into(),
    ]);
    assert_eq!(
        format!("{error:#}"),
        "2 errors in a task group: [sync: no route; connection refused]"
    );
    assert_eq!(
        error.to_string(),
        "2 errors in a task group\n- sync\n- connection refused"
    );
}

#[test]
fn the_question_mark_takes_errors_into_any_box() {
    fn fails() -> Result<(), GroupError<io::Error>> {
        Err(group([refused(), ErrorKind::TimedOut.into()]))
    }
    fn anyhow() -> anyhow::Result<()> {
        Ok(fails()?)
    }
    fn boxed() -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(fails()?)
    }
    let error = anyhow().context("sync").unwrap_err();
    assert_eq!(error.chain().count(), 3);
    let first = error.root_cause().downcast_ref::<io::Error>().unwrap();
    assert_eq!(first.kind(), ErrorKind::ConnectionRefused);
    let group: GroupError<io::Error> = error.downcast().unwrap();
    assert_eq!(group.len(), 2);
    let group: GroupError<io::Error> = *boxed().unwrap_err().downcast().unwrap();
    assert_eq!(group.len(), 2);
}

#[test]
fn the_question_mark_takes_boxes_into_boxes() {
    type Shared = Box<dyn Error + Send + Sync>;
    type Sent = Box<dyn Error + Send>;
    fn fails<E>(error: E) -> Result<(), DynGroupError<E>> {
        let result: Result<(), _> = Err(group([error]));
        result.map_err(DynGroupError)
    }
    fn shared() -> Result<(), Shared> {
        Ok(fails(Shared::from(refused()))?)
    }
    fn sent() -> Result<(), Box<dyn Error>> {
        Ok(fails(Box::new(refused()) as Sent)?)
    }
    fn local() -> Result<(), Box<dyn Error>> {
        Ok(fails(Box::<dyn Error>::from(refused()))?)
    }
    fn anyhow() -> anyhow::Result<()> {
        Ok(fails(anyhow::Error::from(refused()))?)
    }
    fn anyhow_of_shared() -> anyhow::Result<()> {
        Ok(fails(Shared::from(refused()))?)
    }
    fn shared_of_anyhow() -> Result<(), Shared> {
        Ok(fails(anyhow::Error::from(refused()))?)
    }
    let boxes: [Box<dyn Error>; 6] = [
        shared().unwrap_err(),
        sent().unwrap_err(),
        local().unwrap_err(),
        anyhow().unwrap_err().into(),
        anyhow_of_shared().unwrap_err().into(),
        shared_of_anyhow().unwrap_err(),
    ];
    for error in boxes {
        assert_eq!(
            error.to_string(),
            "1 error in a task group\n- connection refused"
        );
        // The first error itself, so that the chain of causes is not broken by its box.
        assert!(error.source().is_some_and(|first| first.is::<io::Error>()));
    }
}

#[test]
fn anyhow_finds_every_error_of_groups_within_groups() {
    let inner = group([
        anyhow::Error::new(refused()).context("a"),
        anyhow::anyhow!("b"),
    ]);
    let middle = group([DynGroupError(inner).into(), anyhow::anyhow!("c")]);
    let outer = group([
        // A context in between does not hide the group.
        anyhow::Error::new(DynGroupError(middle)).context("sync"),
        anyhow::anyhow!("d"),
    ]);
    let leaves = outer.leaves(|e| e.downcast_ref::<DynGroupError<_>>().map(|group| &group.0));
    let texts: Vec<_> = leaves.map(ToString::to_string).collect();
    assert_eq!(texts, ["a", "b", "c", "d"]);
    let flat = outer.into_leaves(|e| e.downcast::<DynGroupError<_>>().map(|group| group.0));
    let (refused, others) = flat.split(|e| e.is::<io::Error>());
    assert_eq!(refused.map(|group| group.len()), Some(1));
    assert_eq!(others.map(|group| group.len()), Some(3));
}

#[test]
fn the_first_error_of_boxes_is_a_box_for_the_question_mark() {
    fn first() -> anyhow::Result<()> {
        let two: [anyhow::Error; 2] = [refused().into(), anyhow::anyhow!("later")];
        Err(group(two)).first_error()?;
        Ok(())
    }
    assert!(first().unwrap_err().is::<io::Error>());
}

#[test]
fn the_depth_of_nested_groups_is_no_matter() {
    const DEPTH: usize = 100_000;
    let mut error = group([Failure::Text("innermost")]);
    for _ in 0..DEPTH {
        error = group([nested(error), Failure::Text("beside")]);
    }
    let leaves = error.leaves(|failure| match failure {
        Failure::Group(group) => Some(group),
        Failure::Text(_) => None,
    });
    assert_eq!(leaves.count(), DEPTH + 1);
    let flat = error.into_leaves(|failure| match failure {
        Failure::Group(group) => Ok(*group),
        Failure::Text(_) => Err(failure),
    });
    assert_eq!(flat.first.to_string(), "innermost");
    assert_eq!(flat.len(), DEPTH + 1);
}

#[test]
fn flatten_of_groups_of_groups_goes_level_by_level() {
    let error = group([
        group([group([1, 2]), group([3])]),
        group([group([4]), group([5, 6])]),
    ]);
    assert!(error.flatten().flatten().into_iter().eq(1..=6));
}

#[test]
fn a_loop_over_a_reference_sees_all_in_order() {
    let error = group([1, 2, 3]);
    let mut seen = Vec::new();
    for n in &error {
        seen.push(*n);
    }
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!(error.map(|n| n * 2), group([2, 4, 6]));
}
