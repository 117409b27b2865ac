//! The shapes in which borrowing groups are written, as programs that compile and run.
#![cfg(feature = "sim")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::num::ParseIntError;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use anyrt::{
    CancelScope, GroupError, GroupOptions, ScopedGroup, ScopedTask, Sim, StartError, Started,
    checkpoint, fail_after, local_group, scoped_group, shield, task_group,
};

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

trait Source {
    async fn total(&self) -> Result<u32, GroupError<&'static str>>;

    fn total_sendable(&self) -> impl Future<Output = Result<u32, GroupError<&'static str>>> + Send;
}

impl Source for Store {
    async fn total(&self) -> Result<u32, GroupError<&'static str>> {
        scoped_group(async |g| {
            let mut handles = Vec::new();
            for n in 0..self.rows.len() {
                handles.push(g.spawn(self.row(n)));
            }
            let mut total = 0;
            for handle in handles {
                total += handle.await;
            }
            Ok(total)
        })
        .await
    }

    async fn total_sendable(&self) -> Result<u32, GroupError<&'static str>> {
        let total = scoped_group(async |g| Ok(g.spawn(self.row(1)).await));
        total.await
    }
}

#[test]
fn it_may_be_an_async_fn_of_a_trait() {
    async fn through_the_trait(source: &impl Source) -> u32 {
        source.total().await.unwrap() + source.total_sendable().await.unwrap()
    }
    let total = anyrt::run_on(Sim::default(), async { through_the_trait(&store()).await });
    assert_eq!(total, 8);
}

#[test]
fn it_may_be_a_method_that_borrows_self_mutably() {
    struct Counter(u32, Vec<u32>);
    impl Counter {
        async fn count(&mut self) -> Result<(), GroupError<()>> {
            let Self(one, many) = self;
            let one_of_many = &mut many[0];
            scoped_group(async |g| {
                g.spawn(async {
                    *one += 1;
                    Ok(())
                });
                *one_of_many += 1;
                Ok(())
            })
            .await
        }
    }
    let mut counter = Counter(0, vec![0]);
    anyrt::run_on(Sim::default(), async { counter.count().await }).unwrap();
    assert_eq!((counter.0, counter.1), (1, vec![1]));
}

#[cfg(feature = "tokio")]
#[test]
fn it_may_run_in_a_task_of_tokio_itself() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let sum = runtime.block_on(async {
        let words = tokio::spawn(async {
            let store = store();
            let (sum, sendable) = (store.sum().await, store.sum_sendable().await);
            let words = ["a", "b"].map(str::to_owned);
            let group = scoped_group(async |g| {
                let lens = [0, 1].map(|n| {
                    let words = &words;
                    g.spawn(async move { Ok::<_, ()>(words[n].len()) })
                });
                let [a, b] = lens;
                Ok(a.await + b.await)
            });
            (sum, sendable, group.await)
        });
        words.await.unwrap()
    });
    assert_eq!(sum, (Ok(7), Ok(1), Ok(2)));
}

#[test]
fn the_question_mark_converts_errors_everywhere() {
    async fn parse(text: &str) -> Result<u32, ParseIntError> {
        checkpoint().await;
        text.parse()
    }
    async fn sum(texts: &[&str]) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
        let group = scoped_group(async |g| {
            let first = g.spawn(parse(texts[0]));
            let second = g.spawn(async { Ok(parse(texts[1]).await? + 1) });
            Ok(first.await + second.await + parse(texts[2]).await?)
        });
        Ok(group.await?)
    }
    anyrt::run_on(Sim::default(), async {
        assert_eq!(sum(&["1", "2", "3"]).await.unwrap(), 7);
        assert!(sum(&["1", "2", "three"]).await.is_err());
        assert!(sum(&["1", "two", "3"]).await.is_err());
    });
}

#[test]
fn groups_with_options_borrow_as_well() {
    anyrt::run_on(Sim::default(), async {
        let (running, most) = (Cell::new(0), Cell::new(0));
        let work = async |_: &str| {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            checkpoint().await;
            running.set(running.get() - 1);
            Ok(())
        };
        let words = ["to", "be", "or", "not"].map(str::to_owned);
        let group = GroupOptions::<()>::new().limit(2).run_local(async |g| {
            for word in &words {
                g.spawn(work(word));
            }
            Ok(())
        });
        assert_eq!(group.await, Ok(()));
        assert_eq!(most.get(), 2);
        let letters = Mutex::new(0);
        let options = GroupOptions::new().supervise().name("letters");
        let group = options.run_scoped(async |g| {
            for word in &words {
                g.spawn(async {
                    *letters.lock().unwrap() += word.len();
                    match word.len() {
                        2 => Ok(()),
                        _ => Err(word.as_str().to_owned()),
                    }
                });
            }
            Ok(())
        });
        assert_eq!(group.await.unwrap_err().into_first(), "not");
        assert_eq!(letters.into_inner().unwrap(), 9);
    });
}

#[test]
fn started_children_and_daemons_borrow_as_well() {
    anyrt::run_on(Sim::default(), async {
        let names = Mutex::new(BTreeMap::from([("localhost".to_owned(), 80)]));
        let (looked_up, ticks) = (Mutex::new(0), Mutex::new(0));
        let group = scoped_group(async |g| {
            g.spawn_daemon(async {
                loop {
                    *ticks.lock().unwrap() += 1;
                    checkpoint().await;
                }
            });
            let started = g.start(async |started: Started<u16>| {
                let port = *names.lock().unwrap().get("localhost").ok_or("no host")?;
                started.set(port);
                checkpoint().await;
                *looked_up.lock().unwrap() += 1;
                Ok(&names)
            });
            let (port, server) = started.await.map_err(|_: StartError<&str>| "not started")?;
            let names = server.await;
            let cleared = g.spawn_when_free(async {
                names.lock().unwrap().clear();
                Ok(())
            });
            cleared.await.await;
            Ok(port)
        });
        assert_eq!(group.await, Ok(80));
        assert_eq!(looked_up.into_inner().unwrap(), 1);
        assert!(ticks.into_inner().unwrap() > 0);
        assert!(names.into_inner().unwrap().is_empty());
    });
}

#[test]
fn values_may_borrow_and_handles_may_wander() {
    async fn longest<'env>(
        g: &ScopedGroup<'env, ()>,
        words: &'env [String],
    ) -> ScopedTask<&'env str> {
        let words = words.iter().map(String::as_str);
        let longest = words.max_by_key(|word| word.len());
        g.spawn(async move { longest.ok_or(()) })
    }
    anyrt::run_on(Sim::default(), async {
        let words = ["to", "be", "or", "not"].map(str::to_owned);
        let group = scoped_group(async |g| {
            let found = longest(&g, &words).await;
            let in_a_child = g.spawn(async { Ok(found.await) });
            Ok(in_a_child.await)
        });
        assert_eq!(group.await, Ok("not"));
    });
}

#[test]
fn it_goes_into_whatever_else_there_is() {
    anyrt::run_on(Sim::default(), async {
        let name = String::from("name");
        let hour = Duration::from_secs(3600);
        let len = || scoped_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(name.len()) }).await));
        assert_eq!(shield(len()).await, Ok(4));
        assert_eq!(fail_after(hour, len()).await, Ok(Ok(4)));
        assert_eq!(CancelScope::new().run(len()).await, Ok(Ok(4)));
        let (a, b) = futures::join!(len(), len());
        assert_eq!((a, b), (Ok(4), Ok(4)));
        let group = scoped_group(async |g| {
            // A parallel group in a child, and what has to be owned there.
            let owned = name.clone();
            let parallel = g.spawn(async {
                let group = task_group(async |inner| {
                    Ok(inner.spawn(async move { Ok::<_, ()>(owned.len()) }).await)
                });
                group.await.map_err(drop)
            });
            Ok(parallel.await + name.len())
        });
        assert_eq!(group.await, Ok(8));
    });
}

#[test]
fn the_body_of_a_local_group_may_be_any_closure() {
    anyrt::run_on(Sim::default(), async {
        let shared = Rc::new(Cell::new(1));
        let moved = shared.clone();
        let group = local_group(async move |g| {
            g.spawn(async { Ok::<_, ()>(()) });
            Ok(moved.get())
        });
        assert_eq!(group.await, Ok(1));
        let group = local_group(|g| async move {
            let shared = shared.clone();
            Ok::<_, ()>(g.spawn(async move { Ok(shared.get()) }).await)
        });
        assert_eq!(group.await, Ok(1));
    });
}
