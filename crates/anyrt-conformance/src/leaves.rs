//! What a caller makes of a group's errors: the leaves of groups within groups, one kind, the first, a box.

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::num::{IntErrorKind, ParseIntError};
use std::pin::Pin;

use anyrt_core::{Backend, DynGroupError, FirstError, GroupError, shield};
use futures::channel::oneshot;

use super::errors::told_when_cut;
use super::flavour::Rt;

type BoxError = Box<dyn Error + Send + Sync>;

/// What went wrong in a child: something, or a group.
#[derive(Debug, PartialEq)]
enum Failure {
    Lost(usize),
    Parse(ParseIntError),
    Group(Box<GroupError<Failure>>),
}
use Failure::{Group, Lost, Parse};

impl From<GroupError<Failure>> for Failure {
    fn from(group: GroupError<Failure>) -> Self {
        Group(Box::new(group))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Lost(number) => write!(f, "lost {number}"),
            Parse(error) => error.fmt(f),
            Group(group) => group.fmt(f),
        }
    }
}

fn by_reference(failure: &Failure) -> Option<&GroupError<Failure>> {
    match failure {
        Group(group) => Some(group),
        _ => None,
    }
}

fn by_value(failure: Failure) -> Result<GroupError<Failure>, Failure> {
    match failure {
        Group(group) => Ok(*group),
        other => Err(other),
    }
}

/// The errors of nested groups come level by level in the order of time, and a group among the others where it ended.
pub async fn leaves_come_in_the_order_of_time<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(async move {
            let middle = rt.task_group(async |g| {
                let told = told_when_cut(&g);
                g.spawn(async move { Ok(two_errors(rt, Lost(1), Lost(2)).await?) });
                shield(told).await.ok();
                Err::<(), _>(Lost(3))
            });
            Ok(middle.await?)
        });
        shield(told).await.ok();
        Err::<(), _>(Lost(4))
    });
    let error = outer.await.unwrap_err();
    assert_eq!(error.len(), 2);
    let leaves = error.leaves(by_reference);
    assert!(leaves.eq(&[Lost(1), Lost(2), Lost(3), Lost(4)]));
    let flat = error.into_leaves(by_value);
    assert_eq!(flat.first, Lost(1));
    assert_eq!(flat.rest, [Lost(2), Lost(3), Lost(4)]);
}

/// What came while a nested group was still on its way to its end comes before all of that group.
pub async fn a_nested_group_is_an_error_from_its_end_on<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        let (tell_inside, told_inside) = oneshot::channel::<()>();
        g.spawn(async move {
            let inner = rt.task_group(async |g| {
                let told_here = told_when_cut(&g);
                // Fails after the outer group has failed, which itself waits for the first error of this one.
                g.spawn(shield(async move {
                    told_here.await.ok();
                    drop(tell_inside);
                    told.await.ok();
                    Err::<(), _>(Lost(3))
                }));
                Err::<(), _>(Lost(2))
            });
            Ok(inner.await?)
        });
        shield(told_inside).await.ok();
        Err::<(), _>(Lost(1))
    });
    let error = outer.await.unwrap_err();
    assert_eq!(error.first, Lost(1));
    let leaves = error.leaves(by_reference);
    assert!(leaves.eq(&[Lost(1), Lost(2), Lost(3)]));
}

/// `flatten` keeps the errors of one group together, and its first error is the first of the first.
pub async fn flatten_puts_groups_one_after_the_other<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(two_errors(rt, "first", "second"));
        shield(told).await.ok();
        // Or else the cancellation of the outer group would choose the order.
        shield(two_errors(rt, "third", "fourth")).await
    });
    let error = outer.await.unwrap_err().flatten();
    assert_eq!(error.first, "first");
    assert_eq!(error.rest, ["second", "third", "fourth"]);
}

/// Nothing is swallowed, and looking and taking agree.
pub async fn none_of_the_leaves_of_a_tree_is_lost<B: Backend>(rt: Rt<B>) {
    type Grown = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;
    /// Five children at each node, down to the leaves, all of which fail.
    fn grow<B: Backend>(rt: Rt<B>, depth: u32, number: usize) -> Grown {
        Box::pin(async move {
            if depth == 0 {
                shield(rt.yields(number % 3)).await;
                return Err(Lost(number));
            }
            let group = rt.task_group(async |g| {
                for n in 0..5 {
                    g.spawn(grow(rt, depth - 1, 5 * number + n));
                }
                Ok(())
            });
            Ok(group.await?)
        })
    }
    let Err(Group(error)) = grow(rt, 4, 0).await else {
        panic!("no group has failed");
    };
    let number = |failure: &Failure| match failure {
        Lost(number) => *number,
        other => panic!("{other} is no leaf"),
    };
    let seen: Vec<_> = error.leaves(by_reference).map(number).collect();
    let taken: Vec<_> = error.into_leaves(by_value).iter().map(number).collect();
    assert_eq!(seen, taken);
    let mut sorted = taken;
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..625));
}

/// Python's `except*`: one kind is taken care of, at whatever depth, and the others go on up.
pub async fn one_kind_is_handled_and_the_others_go_on<B: Backend>(rt: Rt<B>) {
    /// Numbers that are no numbers count; losses are for the caller.
    async fn count<B: Backend>(rt: Rt<B>, lose: bool) -> Result<usize, GroupError<Failure>> {
        let group = rt.task_group(async |g| {
            let told = told_when_cut(&g);
            g.spawn(async move {
                let last = if lose { Lost(1) } else { parse("") };
                Ok::<(), _>(two_errors(rt, parse("x"), last).await?)
            });
            shield(told).await.ok();
            Err::<(), _>(if lose { Lost(2) } else { parse("256") })
        });
        let error = group.await.unwrap_err().into_leaves(by_value);
        let (parsing, others) = error.split(|failure| matches!(failure, Parse(_)));
        match others {
            Some(others) => Err(others),
            None => Ok(parsing.map_or(0, |parsing| parsing.len())),
        }
    }
    assert_eq!(count(rt, false).await, Ok(3));
    let others = count(rt, true).await.unwrap_err();
    assert_eq!(others.into_iter().collect::<Vec<_>>(), [Lost(1), Lost(2)]);
}

/// A group of boxes goes into one such box by `?`, with all errors, and its source is the first error itself.
pub async fn the_question_mark_boxes_a_group_of_boxes<B: Backend>(rt: Rt<B>) {
    async fn boxes<B: Backend>(rt: Rt<B>) -> Result<(), BoxError> {
        let first: BoxError = "x".parse::<i32>().unwrap_err().into();
        Ok(two_errors(rt, first, "second".into())
            .await
            .map_err(DynGroupError)?)
    }
    let error = boxes(rt).await.unwrap_err();
    assert!(
        error
            .source()
            .is_some_and(|first| first.is::<ParseIntError>())
    );
    let Ok(group) = error.downcast::<DynGroupError<BoxError>>() else {
        panic!("the group is not in the box");
    };
    let texts: Vec<_> = group.0.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["invalid digit found in string", "second"]);
}

/// Groups within boxes are found again at every level, and so is each error by its type.
pub async fn groups_within_boxes_are_found_by_downcast<B: Backend>(rt: Rt<B>) {
    async fn inner<B: Backend>(rt: Rt<B>) -> Result<(), BoxError> {
        let first: BoxError = "x".parse::<i32>().unwrap_err().into();
        let group = two_errors(rt, first, "second".into());
        Ok(group.await.map_err(DynGroupError)?)
    }
    async fn middle<B: Backend>(rt: Rt<B>) -> Result<(), BoxError> {
        let group = rt.task_group(async |g| {
            g.spawn(inner(rt));
            Ok::<_, BoxError>(())
        });
        Ok(group.await.map_err(DynGroupError)?)
    }
    let outer = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(middle(rt));
        shield(told).await.ok();
        Err::<(), BoxError>("third".into())
    });
    let error = outer.await.unwrap_err();
    let leaves = error.leaves(|e| e.downcast_ref::<DynGroupError<_>>().map(|group| &group.0));
    let texts: Vec<_> = leaves.map(ToString::to_string).collect();
    assert_eq!(texts, ["invalid digit found in string", "second", "third"]);
    let flat = error.into_leaves(|e| e.downcast::<DynGroupError<_>>().map(|group| group.0));
    assert_eq!(flat.len(), 3);
    let (parsing, _) = flat.split(|e| e.is::<ParseIntError>());
    assert_eq!(parsing.map(|parsing| parsing.len()), Some(1));
}

/// `first_error` gives the error that cancelled the group, or the value.
pub async fn first_error_is_the_one_that_cancelled_the_group<B: Backend>(rt: Rt<B>) {
    assert_eq!(two_errors(rt, 1, 2).await.first_error(), Err(1));
    let fine = rt.task_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(3) }).await));
    assert_eq!(fine.await.first_error(), Ok(3));
}

/// With `first_error` and `?` a nested group's error type is the outer group's, and needs no conversion.
pub async fn first_error_goes_up_through_groups_by_question_mark<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(async move {
            two_errors(rt, "first", "dropped").await.first_error()?;
            Ok(())
        });
        shield(told).await.ok();
        Err::<(), _>("second")
    });
    let error = outer.await.unwrap_err();
    assert_eq!(error.into_iter().collect::<Vec<_>>(), ["first", "second"]);
}

/// In a function that returns the errors of its group, `?` works beside the group as well.
pub async fn the_question_mark_works_beside_a_group<B: Backend>(rt: Rt<B>) {
    async fn sum<B: Backend>(
        rt: Rt<B>,
        a: &'static str,
        b: &'static str,
    ) -> Result<u8, GroupError<ParseIntError>> {
        let a: u8 = a.parse()?;
        let group = rt.task_group(async |g| Ok(g.spawn(async { b.parse::<u8>() }).await));
        Ok(a + group.await?)
    }
    assert_eq!(sum(rt, "1", "2").await, Ok(3));
    for (a, b) in [("", "2"), ("1", "")] {
        let error = sum(rt, a, b).await.unwrap_err();
        assert_eq!(error.len(), 1);
        assert_eq!(*error.into_first().kind(), IntErrorKind::Empty);
    }
}

/// A group of other errors goes into the error type of the group around it, with all of them in order.
pub async fn map_converts_all_errors_in_order<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(async move {
            let error = |text: &str| text.parse::<u8>().unwrap_err();
            let inner = two_errors(rt, error(""), error("256"));
            Ok(inner.await.map_err(|group| group.map(Parse))?)
        });
        shield(told).await.ok();
        Err::<(), _>(Lost(1))
    });
    let error = outer.await.unwrap_err();
    let leaves = error.leaves(by_reference);
    assert!(leaves.eq(&[parse(""), parse("256"), Lost(1)]));
}

/// Both ways of printing show all errors, in order, and which group each of them is from.
pub async fn nested_errors_print_as_a_tree_or_on_one_line<B: Backend>(rt: Rt<B>) {
    let outer = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(async move { Ok(two_errors(rt, Lost(1), Lost(2)).await?) });
        shield(told).await.ok();
        Err::<(), _>(Lost(3))
    });
    let error = outer.await.unwrap_err();
    let tree = "\
2 errors in a task group
- 2 errors in a task group
  - lost 1
  - lost 2
- lost 3";
    assert_eq!(error.to_string(), tree);
    let line = "2 errors in a task group: [2 errors in a task group: [lost 1; lost 2]; lost 3]";
    assert_eq!(format!("{error:#}"), line);
}

/// A group of two children that fails with these two errors, in this order.
async fn two_errors<B: Backend, E: Send + 'static>(
    rt: Rt<B>,
    first: E,
    second: E,
) -> Result<(), GroupError<E>> {
    let group = rt.task_group(async |g| {
        let told = told_when_cut(&g);
        g.spawn(async move { Err::<(), _>(first) });
        g.spawn(shield(async move {
            told.await.ok();
            Err::<(), _>(second)
        }));
        Ok(())
    });
    group.await
}

fn parse(text: &str) -> Failure {
    Parse(text.parse::<u8>().unwrap_err())
}
