//! The shapes in which the combinators are written, as programs that compile and run.
#![cfg(feature = "sim")]

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;

use anyrt::{
    GroupError, Sim, as_completed, checkpoint, for_each_concurrent, gather, map_concurrent,
    parallel, race,
};
use futures::stream::{self, Stream, StreamExt};

struct Store {
    rows: Vec<u32>,
}

type Error = &'static str;

impl Store {
    async fn row(&self, n: usize) -> Result<u32, Error> {
        checkpoint().await;
        self.rows.get(n).copied().ok_or("no such row")
    }

    async fn name(&self, n: usize) -> Result<String, Error> {
        self.row(n).await.map(|row| row.to_string())
    }

    /// Futures of different types that borrow `self`, with `?`.
    async fn pair(&self) -> Result<(u32, String), GroupError<Error>> {
        let (row, name) = gather((self.row(0), self.name(1))).await?;
        Ok((row, name))
    }

    async fn first(&self) -> Result<u32, Error> {
        race((self.row(0), async { self.row(1).await })).await
    }

    /// A closure that borrows `self`, over an iterator.
    async fn rows(&self) -> Result<Vec<u32>, GroupError<Error>> {
        map_concurrent(0..self.rows.len(), 2, |n| self.row(n)).await
    }

    async fn sum(&self) -> Result<u32, GroupError<Error>> {
        let rows = (0..self.rows.len()).map(|n| self.row(n));
        as_completed(rows, 2, async |mut done| {
            let mut sum = 0;
            while let Some(row) = done.next().await {
                sum += row + self.row(0).await?;
            }
            Ok(sum)
        })
        .await
    }

    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` does not ask for `Send`"
    )]
    fn all(&self) -> impl Future<Output = Result<u32, GroupError<Error>>> + Send {
        async move {
            let (row, _) = self.pair().await?;
            Ok(row + self.first().await? + self.rows().await?[2] + self.sum().await?)
        }
    }

    fn boxed(&self) -> Pin<Box<dyn Future<Output = u32> + Send + '_>> {
        Box::pin(async move { self.all().await.unwrap_or(0) })
    }

    fn gather_sendable(&self) -> impl Future<Output = Result<[u32; 2], GroupError<Error>>> + Send {
        gather([self.row(0), self.row(1)])
    }

    fn race_sendable(&self) -> impl Future<Output = Result<u32, Error>> + Send {
        race(vec![self.row(0), self.row(1)])
    }

    fn map_sendable(&self) -> impl Future<Output = Result<Vec<u32>, GroupError<Error>>> + Send {
        map_concurrent(self.rows.iter(), None, |row| async move { Ok(row + 1) })
    }

    fn sum_sendable(&self) -> impl Future<Output = Result<u32, GroupError<Error>>> + Send {
        as_completed([self.row(0)], None, async move |mut done| {
            Ok(done.next().await.unwrap_or(0) + self.row(1).await?)
        })
    }
}

/// What is borrowed comes out, too: rustc forgets inside of an `async` block that all its `'a` are the same.
impl Store {
    async fn find(&self, n: usize) -> Result<&u32, Error> {
        checkpoint().await;
        self.rows.get(n).ok_or("no such row")
    }

    async fn gathered(&self) -> Result<u32, GroupError<Error>> {
        let [a, b] = gather([self.find(0), self.find(1)]).await?;
        let (c, d) = gather((self.find(0), async { self.find(1).await })).await?;
        Ok(a + b + c + d)
    }

    async fn raced(&self) -> Result<u32, Error> {
        let a = race([self.find(0), self.find(1)]).await?;
        let b = race((async { self.find(1).await }, self.find(0))).await?;
        Ok(a + b)
    }

    async fn mapped(&self) -> Result<u32, GroupError<Error>> {
        let rows = map_concurrent(stream::iter(&self.rows[1..]), 2, |row| async move {
            self.find(*row as usize - 1).await
        });
        for_each_concurrent(0..2, 2, async |n| self.find(n).await.map(drop)).await?;
        Ok(*rows.await?[0])
    }

    async fn completed(&self) -> Result<u32, GroupError<Error>> {
        let rows = (0..2).map(|n| self.find(n));
        let row = as_completed(rows, 2, async |mut done| done.next().await.ok_or("none"));
        row.await.copied()
    }
}

#[test]
fn they_are_send_with_values_and_errors_that_are_references() {
    anyrt::run_on(Sim::default(), async {
        assert_eq!(sendable(async { store().gathered().await }).await, Ok(6));
        assert_eq!(sendable(async { store().raced().await }).await, Ok(3));
        assert_eq!(sendable(async { store().mapped().await }).await, Ok(2));
        assert_eq!(sendable(async { store().completed().await }).await, Ok(1));
    });
}

fn store() -> Store {
    Store {
        rows: vec![1, 2, 3],
    }
}

/// As `tokio::spawn` would have it.
fn sendable<F: Future<Output: Send> + Send + 'static>(future: F) -> F {
    future
}

#[test]
fn futures_and_closures_borrow_self() {
    anyrt::run_on(Sim::default(), async {
        assert_eq!(store().pair().await, Ok((1, "2".to_owned())));
        assert_eq!(store().first().await, Ok(1));
        assert_eq!(store().rows().await, Ok(vec![1, 2, 3]));
        assert_eq!(store().sum().await, Ok(9));
    });
}

#[test]
fn they_are_send_if_the_futures_are() {
    anyrt::run_on(Sim::default(), async {
        assert_eq!(store().boxed().await, 14);
        assert_eq!(store().gather_sendable().await, Ok([1, 2]));
        assert_eq!(store().race_sendable().await, Ok(1));
        assert_eq!(store().map_sendable().await, Ok(vec![2, 3, 4]));
        assert_eq!(store().sum_sendable().await, Ok(3));
        assert_eq!(sendable(async { store().all().await }).await, Ok(14));
    });
}

#[cfg(feature = "tokio")]
#[test]
fn they_may_be_spawned_on_a_runtime_that_knows_nothing_of_us() {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let all = runtime.block_on(async { tokio::spawn(async { store().boxed().await }).await });
    assert_eq!(all.unwrap(), 14);
}

#[test]
fn they_need_not_be_send() {
    anyrt::run_on(Sim::default(), async {
        let count = Cell::new(0);
        let add = |n: u32| {
            let (count, n) = (&count, Rc::new(n));
            async move {
                checkpoint().await;
                count.set(count.get() + *n);
                Ok::<_, Rc<str>>(n)
            }
        };
        // Errors are kept by the group, so they alone have to be `Send`.
        let add = |n| async move { add(n).await.map_err(|_| ()) };
        assert_eq!(gather([add(1), add(2)]).await, Ok([Rc::new(1), Rc::new(2)]));
        assert_eq!(race([add(3)]).await, Ok(Rc::new(3)));
        let sum = map_concurrent(4..6, None, add).await.unwrap();
        assert_eq!(sum.iter().map(|n| **n).sum::<u32>(), 9);
        assert_eq!(count.get(), 15);
    });
}

#[test]
fn they_may_run_in_children_and_in_one_another() {
    anyrt::run_on(Sim::default(), async {
        let group = anyrt::task_group(async |g| {
            let rows = g.spawn(async { store().rows().await.map_err(GroupError::into_first) });
            Ok(rows.await)
        });
        assert_eq!(group.await, Ok(vec![1, 2, 3]));
        let store = store();
        let nested = map_concurrent(0..2, 2, async |n| {
            let rows = gather([store.row(n), store.row(n + 1)]).await;
            let [a, b] = rows.map_err(GroupError::into_first)?;
            race([async { Ok::<_, Error>(a + b) }]).await
        });
        assert_eq!(nested.await, Ok(vec![3, 5]));
    });
}

#[test]
fn sources_are_whatever_gives_items_and_the_closure_knows_their_type() {
    async fn lengths(texts: impl Stream<Item = String>) -> Vec<usize> {
        let lengths = map_concurrent(texts, 2, async |text| Ok::<_, ()>(text.len()));
        lengths.await.unwrap()
    }
    anyrt::run_on(Sim::default(), async {
        let mut texts = vec!["a".to_owned(), "bb".to_owned()];
        let lens = map_concurrent(&texts, 2, async |text| Ok::<_, ()>(text.len())).await;
        assert_eq!(lens, Ok(vec![1, 2]));
        let lens = map_concurrent(
            texts.iter(),
            None,
            |text| async move { Ok::<_, ()>(text.len()) },
        );
        assert_eq!(lens.await, Ok(vec![1, 2]));
        for_each_concurrent(texts.chunks_mut(1), 2, async |chunk| {
            chunk[0].push('!');
            Ok::<_, ()>(())
        })
        .await
        .unwrap();
        assert_eq!(lengths(stream::iter(texts)).await, [2, 3]);
        let mut numbers = stream::iter(0..3_u32).then(async |n| n + 1).boxed();
        let ones = map_concurrent(&mut numbers, 2, async |n| Ok::<_, ()>(n.count_ones()));
        assert_eq!(ones.await, Ok(vec![1, 1, 2]));
    });
}

#[test]
fn the_parallel_form_calls_closures_that_borrow() {
    anyrt::run_on(Sim::default(), async {
        let (texts, count) = (["1".to_owned(), "2".to_owned()], Cell::new(0));
        let parsed = parallel::map_concurrent(&texts, 2, |text| {
            count.set(count.get() + 1);
            let text = text.clone();
            async move { text.parse::<u32>() }
        });
        assert_eq!(parsed.await, Ok(vec![1, 2]));
        assert_eq!(count.get(), 2);
        let pair = parallel::gather((async { Ok::<_, ()>(1) }, async { Ok("two") }));
        assert_eq!(pair.await, Ok((1, "two")));
    });
}

#[test]
fn a_tuple_holds_up_to_twelve() {
    anyrt::run_on(Sim::default(), async {
        let n = |n: u32| async move { Ok::<_, ()>(n) };
        let all = gather((
            n(0),
            n(1),
            n(2),
            n(3),
            n(4),
            n(5),
            n(6),
            n(7),
            n(8),
            n(9),
            n(10),
            n(11),
        ));
        assert_eq!(all.await, Ok((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)));
        assert_eq!(gather((n(0),)).await, Ok((0,)));
        assert_eq!(race((n(0), n(1), n(2))).await, Ok(0));
    });
}

#[test]
fn completed_is_a_stream() {
    anyrt::run_on(Sim::default(), async {
        let store = store();
        let rows = (0..3).map(|n| store.row(n));
        let sum = as_completed(rows, None, async |done| {
            Ok(done
                .map(|row| row * 2)
                .fold(0, async |sum, row| sum + row)
                .await)
        });
        assert_eq!(sum.await, Ok(12));
    });
}
