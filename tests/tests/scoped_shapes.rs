//! The shapes in which borrowing groups are written, as programs that compile and run.
#![cfg(feature = "sim")]

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Mutex;

use anyrt::{GroupError, ScopedGroup, Sim, checkpoint, local_group, scoped_group};

struct Store {
    rows: Vec<u32>,
}

impl Store {
    async fn row(&self, n: usize) -> Result<u32, &'static str> {
        checkpoint().await;
        self.rows.get(n).copied().ok_or("no such row")
    }

    /// A method that borrows `self`, with `?` in the body and in the children.
    async fn sum(&self) -> Result<u32, GroupError<&'static str>> {
        scoped_group(async |g| {
            let a = g.spawn(self.row(0));
            let b = g.spawn(async { Ok(self.row(1).await? + self.row(2).await?) });
            let c = self.row(0).await?;
            Ok(a.await + b.await + c)
        })
        .await
    }

    fn sum_sendable(&self) -> impl Future<Output = Result<u32, GroupError<&'static str>>> + Send {
        scoped_group(async move |g| {
            let a = g.spawn(self.row(0));
            Ok(a.await)
        })
    }

    fn sum_boxed(&self) -> Pin<Box<dyn Future<Output = u32> + Send + '_>> {
        Box::pin(async move { self.sum().await.unwrap_or(0) })
    }
}

fn store() -> Store {
    Store {
        rows: vec![1, 2, 3],
    }
}

#[test]
fn children_borrow_self() {
    let sum = anyrt::run_on(Sim::default(), async { store().sum().await });
    assert_eq!(sum, Ok(7));
}

#[test]
fn the_future_is_send_and_may_be_boxed() {
    anyrt::run_on(Sim::default(), async {
        assert_eq!(store().sum_sendable().await, Ok(1));
        assert_eq!(store().sum_boxed().await, 7);
    });
}

#[test]
fn it_may_run_in_a_task_of_the_runtime() {
    anyrt::run_on(Sim::default(), async {
        let group = anyrt::task_group(async |g| {
            let child = g.spawn(async { store().sum().await.map_err(GroupError::into_first) });
            Ok(child.await)
        });
        assert_eq!(group.await, Ok(7));
    });
}

#[test]
fn children_borrow_disjoint_parts_mutably() {
    anyrt::run_on(Sim::default(), async {
        let (mut a, mut b) = (1, vec![1, 2, 3, 4]);
        let group = scoped_group(async |g| {
            g.spawn(async {
                a += 1;
                Ok::<_, ()>(())
            });
            for half in b.chunks_mut(2) {
                g.spawn(async move {
                    half.iter_mut().for_each(|n| *n *= 2);
                    Ok(())
                });
            }
            Ok(())
        });
        group.await.unwrap();
        assert_eq!((a, b), (2, vec![2, 4, 6, 8]));
    });
}

#[test]
fn children_spawn_children() {
    fn visit<'env>(
        g: ScopedGroup<'env, ()>,
        seen: &'env Mutex<Vec<u32>>,
        n: u32,
    ) -> Pin<Box<dyn Future<Output = Result<(), ()>> + Send + 'env>> {
        Box::pin(async move {
            seen.lock().unwrap().push(n);
            if n < 3 {
                g.spawn(visit(g.clone(), seen, n + 1));
            }
            Ok(())
        })
    }
    anyrt::run_on(Sim::default(), async {
        let seen = Mutex::new(Vec::new());
        let group = scoped_group(async |g| {
            g.spawn(visit(g.clone(), &seen, 0));
            Ok(())
        });
        group.await.unwrap();
        assert_eq!(seen.into_inner().unwrap(), [0, 1, 2, 3]);
    });
}

#[test]
fn groups_nest_and_inner_children_borrow_from_outer_bodies() {
    anyrt::run_on(Sim::default(), async {
        let words = ["a".to_owned(), "b".to_owned()];
        let group = scoped_group(async |outer| {
            let joined = outer.spawn(async {
                let local = words.join("-");
                let inner = scoped_group(async |g| {
                    let len = g.spawn(async { Ok::<_, ()>(local.len()) });
                    Ok(len.await + words.len())
                });
                inner.await.map_err(GroupError::into_first)
            });
            Ok(joined.await)
        });
        assert_eq!(group.await, Ok(5));
    });
}

#[test]
fn children_of_a_local_group_need_not_be_send() {
    anyrt::run_on(Sim::default(), async {
        let count = Cell::new(0);
        let group = local_group(async |g| {
            let handles: Vec<_> = (1..=3)
                .map(|n| {
                    let count = &count;
                    g.spawn(async move {
                        checkpoint().await;
                        count.set(count.get() + n);
                        Ok::<_, ()>(std::rc::Rc::new(n))
                    })
                })
                .collect();
            let mut sum = 0;
            for handle in handles {
                sum += *handle.await;
            }
            Ok(sum)
        });
        assert_eq!(group.await, Ok(6));
        assert_eq!(count.get(), 6);
    });
}
