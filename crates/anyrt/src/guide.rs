//! Which one when: the ways to do several things at once, and the trap in each of them.
//!
//! # The short answer
//!
//! - Children that compute, or that own all they need: [`task_group`](crate::task_group). They run in parallel.
//! - Children that mostly wait, and borrow: [`scoped_group`](crate::scoped_group). They take turns.
//! - Children that borrow and are not `Send`: [`local_group`](crate::local_group).
//! - Two or three futures that are known in advance and cannot fail: `join!` of the `futures` crate is fine.
//! - Code that blocks, or computes for more than a moment: [`to_thread`](crate::to_thread).
//!
//! # Side by side
//!
//! | what               | borrows         | parallel | an error        | cancelled           | dropped               |
//! |--------------------|-----------------|----------|-----------------|---------------------|-----------------------|
//! | `task_group`       | no              | yes      | ends the others | waits for all       | group around it waits |
//! | `scoped_group`     | yes             | no       | ends the others | waits for all       | drops them, in order  |
//! | `local_group`      | yes, not `Send` | no       | ends the others | waits for all       | drops them, in order  |
//! | `join!`            | yes, not `Send` | no       | ends nobody     | drops them          | drops them            |
//! | `FuturesUnordered` | yes, not `Send` | no       | ends nobody     | drops them          | drops them            |
//! | `to_thread`        | no              | yes      | is a value      | waits, or leaves it | group around it waits |
//!
//! *An error* is one of a child. Where it ends the others, it comes out when all have ended, along with theirs.
//!
//! *Cancelled* is by a scope or a time limit of this crate. In a group, each child ends by itself, and what holds in
//! one of them is waited for: a shield, a cleanup, a thread. Beside a group, what is dropped is dropped in the middle
//! of its work; if something in it holds, all that is in the same task goes on until that is done.
//!
//! *Dropped* is by code that knows nothing of scopes, such as `select!`. Nobody can wait there. Parallel children are
//! cancelled, and the group around them waits for them. Children that borrow are gone at once, since next may be what
//! they borrow.
//!
//! # The trap in each
//!
//! - *Parallel group*: a child is `'static` and `Send`, so what it shares is moved, cloned, or in an `Arc`. Each one
//!   costs a task of the runtime.
//! - *Scoped group*: all of it is one task, on one core. A child that computes for a second without an `.await` stops
//!   its siblings and the body for a second.
//! - *Local group*: its future is not `Send` either, so it can run in `main`, and not in a child of a parallel group.
//! - `join!`: it waits for all, also when the first one has failed at once; `try_join!` does not wait, and drops the
//!   others in the middle. Both poll each future that is not done whenever one is woken; `join_all` does so up to 30
//!   futures, so it is for a few.
//! - `FuturesUnordered`, and the streams made of it (`buffered`, `buffer_unordered`): the stream is the only driver
//!   of its children. While its consumer awaits something else, they stand still: connections time out, and if one of
//!   them has the lock that the consumer waits for, both wait for ever. That is a *futurelock*. With a limit of 0
//!   they never end.
//! - `select!`: it drops the branches that have lost in the middle of their work. With `&mut future` it does not drop
//!   them, but nobody polls them either: the other way into a futurelock.
//! - `JoinSet`: a task that has ended keeps its entry until somebody asks for it, so a set that only grows is a leak.
//!   A set that is dropped aborts its tasks and does not wait for their end.
//! - `spawn`: to drop the handle detaches the task on tokio and on async-std, and cancels it on smol. Its error then
//!   goes to nobody.
//! - *Threads*: a thread cannot be interrupted. A cancelled `to_thread` waits for it, or with
//!   [`abandon_on_cancel`](crate::ToThread::abandon_on_cancel) leaves it running. A run lets 40 run at once; the
//!   others wait.
//! - `std::thread::scope`: it borrows and is parallel, but blocks the thread of the runtime that it is called on. It
//!   belongs into a `to_thread`.
//!
//! # Which combinator
//!
//! Where nobody needs a handle, there are functions instead of groups. Each of them is a group inside: what it
//! cancels has ended when it returns, and all errors come out. The futures run in the task of the caller and may
//! borrow, as in a scoped group. The module [`parallel`] has the same names for futures that are `Send` and
//! `'static`, and run in parallel.
//!
//! | wanted                | here                  | `futures`                   | `futures-concurrency`   |
//! |-----------------------|-----------------------|-----------------------------|-------------------------|
//! | all values, in order  | `gather`              | `try_join_all`, `try_join!` | `try_join`              |
//! | the first result      | `race`, `race_with`   | `select_all`, `select!`     | `race`                  |
//! | a value for each item | `map_concurrent`      | `buffered`                  | `co().map(f).collect()` |
//! | work on each item     | `for_each_concurrent` | `try_for_each_concurrent`   | `co().try_for_each(f)`  |
//! | values as they come   | `as_completed`        | `buffer_unordered`          | `FutureGroup`, `merge`  |
//!
//! - [`gather`]: `try_join_all` drops the others when one fails, and their errors with them. What they have spawned
//!   runs on. For futures that cannot fail, `join!` and `join_all` are as good: nobody is cancelled there.
//! - [`race`]: `select!` and the other `race` drop the losers where they are. Here a loser may hold, and may come to a
//!   result of its own after the winner; `race_with` hands that out. An error is a result like any other here. For
//!   the first *success* there are `select_ok`, which keeps the last error only, and `race_ok`, which keeps all. The
//!   example `happy_eyeballs` does it with a group, and keeps all errors.
//! - [`map_concurrent`]: its values come in the order of the items. So do those of `buffered`, but there a slow item
//!   lets the values of later ones fill up the limit, and no further item is taken. `collect` after `co()` gives the
//!   values as they come.
//! - [`for_each_concurrent`]: the one of `futures` has no trap either, since all the work is inside of it. But a limit
//!   of 0 is no limit there, and never ends in `buffered`. Here it is a panic at the caller.
//! - [`as_completed`]: the body asks for the next value, and the futures go on while it is busy with one. It takes a
//!   stream of futures. To take items of several streams as they come, use `merge` or `select_all` of streams.
//!
//! [`gather`]: crate::gather
//! [`race`]: crate::race
//! [`map_concurrent`]: crate::map_concurrent
//! [`for_each_concurrent`]: crate::for_each_concurrent
//! [`as_completed`]: crate::as_completed
//! [`parallel`]: crate::parallel
//!
//! # Parallel group
//!
//! Each child is a task of the runtime and owns what it works on. The handle gives the value.
//!
//! ```
//! use anyrt::task_group;
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let texts = ["1 2 3", "4 5"].map(str::to_owned);
//! let group = task_group(async |g| {
//!     let [a, b] = texts.map(|text| {
//!         g.spawn(async move { text.split(' ').map(str::parse::<u32>).sum::<Result<u32, _>>() })
//!     });
//!     Ok(a.await + b.await)
//! });
//! assert_eq!(group.await.unwrap(), 15);
//! # });
//! ```
//!
//! # Scoped group
//!
//! The children borrow from whoever awaits the group: one connection for all of them, and a place of its own for each
//! result.
//!
//! ```
//! use std::time::Duration;
//! use anyrt::{now, scoped_group, sleep};
//!
//! struct Server;
//!
//! impl Server {
//!     async fn length_of(&self, name: &str) -> Result<usize, String> {
//!         sleep(Duration::from_secs(1)).await;
//!         Ok(name.len())
//!     }
//! }
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let (server, names, begin) = (Server, ["Ada", "Grace", "Barbara"], now());
//! let mut lengths = [0; 3];
//! let group = scoped_group(async |g| {
//!     for (name, length) in names.iter().zip(&mut lengths) {
//!         let server = &server;
//!         g.spawn(async move {
//!             *length = server.length_of(name).await?;
//!             Ok::<_, String>(())
//!         });
//!     }
//!     Ok(())
//! });
//! group.await.unwrap();
//! assert_eq!(lengths, [3, 5, 7]);
//! assert_eq!(now() - begin, Duration::from_secs(1)); // they have waited at the same time
//! # });
//! ```
//!
//! # Local group
//!
//! As above, with children that stay on their thread: they may share a `Cell`, and hold an `Rc`.
//!
//! ```
//! use std::cell::RefCell;
//! use anyrt::{checkpoint, local_group};
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let log = RefCell::new(Vec::new());
//! let group = local_group(async |g| {
//!     for name in ["a", "b"] {
//!         let log = &log;
//!         g.spawn(async move {
//!             for step in 1..=2 {
//!                 log.borrow_mut().push(format!("{name}{step}"));
//!                 checkpoint().await;
//!             }
//!             Ok::<_, ()>(())
//!         });
//!     }
//!     Ok(())
//! });
//! group.await.unwrap();
//! assert_eq!(log.into_inner(), ["a1", "b1", "a2", "b2"]);
//! # });
//! ```
//!
//! # `join!`
//!
//! No group, no handle, no allocation, and a type for each result. Nobody is told when another one fails.
//!
//! ```
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let (length, sum) = futures::join!(async { "abc".len() }, async { 1.5 + 2.5 });
//! assert_eq!((length, sum), (3, 4.0));
//! # });
//! ```
//!
//! # `FuturesUnordered`
//!
//! Here the trap is to be seen. The second download would be done after four seconds. But somebody has taken the
//! first one out of the stream and is busy with it, and meanwhile nobody polls the second. In a group it goes on.
//!
//! ```
//! use std::time::Duration;
//! use anyrt::{now, scoped_group, sleep};
//! use futures::stream::{FuturesUnordered, StreamExt};
//!
//! const SECOND: Duration = Duration::from_secs(1);
//!
//! async fn download(first_half: Duration) {
//!     sleep(first_half).await;
//!     sleep(SECOND).await;
//! }
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let begin = now();
//! let file = async |first_half| {
//!     download(first_half).await;
//!     now() - begin
//! };
//! let mut downloads: FuturesUnordered<_> = [SECOND, 3 * SECOND].into_iter().map(&file).collect();
//! assert_eq!(downloads.next().await, Some(2 * SECOND));
//! sleep(10 * SECOND).await; // busy with the first file
//! assert_eq!(downloads.next().await, Some(13 * SECOND));
//!
//! let begin = now();
//! let group = scoped_group(async |g| {
//!     let [first, second] = [SECOND, 3 * SECOND].map(|first_half| {
//!         g.spawn(async move {
//!             download(first_half).await;
//!             Ok::<_, ()>(now() - begin)
//!         })
//!     });
//!     assert_eq!(first.await, 2 * SECOND);
//!     sleep(10 * SECOND).await;
//!     Ok(second.await)
//! });
//! assert_eq!(group.await, Ok(4 * SECOND));
//! # });
//! ```
//!
//! # Threads
//!
//! For what blocks. The task that awaits it goes on with whatever else is in it.
//!
//! ```
//! use anyrt::{scoped_group, to_thread};
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let numbers = vec![3, 1, 2];
//! let group = scoped_group(async |g| {
//!     let owned = numbers.clone(); // the thread cannot borrow
//!     let sorted = g.spawn(async move {
//!         to_thread(move || {
//!             let mut numbers = owned;
//!             numbers.sort();
//!             numbers
//!         })
//!         .await
//!         .first()
//!         .copied()
//!         .ok_or("there are none")
//!     });
//!     Ok((sorted.await, numbers.len()))
//! });
//! assert_eq!(group.await, Ok((1, 3)));
//! # });
//! ```
