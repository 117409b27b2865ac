//! Programs with borrowing groups that the compiler rejects, each with what to do instead.
//!
//! There is nothing in here but this text. The codes are those that rustc gives. A stable rustdoc sees only that a
//! program is rejected, so each has a twin that differs in one thing and is accepted; `RUSTC_BOOTSTRAP=1 cargo test
//! --package anyrt --doc rejected` compares the codes as well.
//!
//! **What is borrowed has to live longer than the group.** Declare it before.
//!
//! ```compile_fail,E0597
//! # async fn rejected() {
//! let group;
//! {
//!     let text = String::from("to be");
//!     group = anyrt::scoped_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(text.len()) }).await));
//! }
//! assert_eq!(group.await, Ok(5));
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let text = String::from("to be");
//! let group;
//! {
//!     group = anyrt::scoped_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(text.len()) }).await));
//! }
//! assert_eq!(group.await, Ok(5));
//! # }
//! ```
//!
//! **What belongs to the body does not live longer than the group**, since the body ends first. Declare it before the
//! group, or give it to the child with `async move`.
//!
//! ```compile_fail,E0373
//! # async fn rejected() {
//! let group = anyrt::scoped_group(async |g| {
//!     let text = String::from("to be");
//!     Ok::<_, ()>(g.spawn(async { Ok(text.len()) }).await)
//! });
//! assert_eq!(group.await, Ok(5));
//! # }
//! ```
//!
//! ```compile_fail,E0597
//! # async fn rejected() {
//! # async fn len(text: &str) -> Result<usize, ()> { Ok(text.len()) }
//! let group = anyrt::scoped_group(async |g| {
//!     let text = String::from("to be");
//!     Ok(g.spawn(len(&text)).await)
//! });
//! assert_eq!(group.await, Ok(5));
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let group = anyrt::scoped_group(async |g| {
//!     let text = String::from("to be");
//!     Ok::<_, ()>(g.spawn(async move { Ok(text.len()) }).await)
//! });
//! assert_eq!(group.await, Ok(5));
//! # }
//! ```
//!
//! **The handle of the group belongs to the body, too.** Give the child a clone.
//!
//! ```compile_fail,E0373
//! # async fn rejected() {
//! let group = anyrt::scoped_group(async |g| {
//!     g.spawn(async {
//!         g.cancel();
//!         Ok::<_, ()>(())
//!     });
//!     Ok(())
//! });
//! # group.await.unwrap();
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let group = anyrt::scoped_group(async |g| {
//!     let sibling = g.clone();
//!     g.spawn(async move {
//!         sibling.cancel();
//!         Ok::<_, ()>(())
//!     });
//!     Ok(())
//! });
//! # group.await.unwrap();
//! # }
//! ```
//!
//! **Two children do not borrow the same thing mutably.** Give each its part (`split_at_mut`, `chunks_mut`), or share a
//! `Mutex`, in a local group a `Cell`.
//!
//! ```compile_fail,E0499
//! # async fn rejected() {
//! let mut counts = [0, 0];
//! let group = anyrt::scoped_group(async |g| {
//!     g.spawn(async { Ok::<_, ()>(counts[0] += 1) });
//!     g.spawn(async { Ok(counts[1] += 1) });
//!     Ok(())
//! });
//! # group.await.unwrap();
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let mut counts = [0, 0];
//! let [one, two] = &mut counts;
//! let group = anyrt::scoped_group(async |g| {
//!     g.spawn(async { Ok::<_, ()>(*one += 1) });
//!     g.spawn(async { Ok(*two += 1) });
//!     Ok(())
//! });
//! # group.await.unwrap();
//! # }
//! ```
//!
//! **Neither do a child and the body, or whoever has the group.** Do it when the group has ended.
//!
//! ```compile_fail,E0503
//! # async fn rejected() {
//! let mut count = 0;
//! let group = anyrt::scoped_group(async |g| {
//!     g.spawn(async { Ok::<_, ()>(count += 1) });
//!     assert!(count < 2);
//!     Ok(())
//! });
//! # group.await.unwrap();
//! # }
//! ```
//!
//! ```compile_fail,E0506
//! # async fn rejected() {
//! let mut count = 0;
//! let group = anyrt::scoped_group(async |g| {
//!     g.spawn(async { Ok::<_, ()>(count += 1) });
//!     Ok(())
//! });
//! count = 2;
//! group.await.unwrap();
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let mut count = 0;
//! let group = anyrt::scoped_group(async |g| {
//!     g.spawn(async { Ok::<_, ()>(count += 1) });
//!     Ok(())
//! });
//! group.await.unwrap();
//! count = 2;
//! # }
//! ```
//!
//! **What a child gives does not borrow from the child.** Give the thing itself.
//!
//! ```compile_fail,E0515
//! # async fn rejected() {
//! let group = anyrt::scoped_group(async |g| {
//!     let child = g.spawn(async {
//!         let text = String::from("to be");
//!         Ok::<_, ()>(text.as_str())
//!     });
//!     Ok(child.await)
//! });
//! assert_eq!(group.await, Ok("to be"));
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let group = anyrt::scoped_group(async |g| {
//!     let child = g.spawn(async {
//!         let text = String::from("to be");
//!         Ok::<_, ()>(text)
//!     });
//!     Ok(child.await)
//! });
//! assert_eq!(group.await.as_deref(), Ok("to be"));
//! # }
//! ```
//!
//! **What a group gives lives no longer than what its children have borrowed.** Give the thing itself here, too.
//!
//! ```compile_fail,E0515
//! async fn rejected() -> &'static str {
//!     let text = String::from("to be");
//!     let group = anyrt::scoped_group(async |g| {
//!         Ok::<_, ()>(g.spawn(async { Ok(text.as_str()) }).await)
//!     });
//!     group.await.unwrap()
//! }
//! ```
//!
//! ```
//! async fn accepted() -> String {
//!     let text = String::from("to be");
//!     let group = anyrt::scoped_group(async |g| {
//!         Ok::<_, ()>(g.spawn(async { Ok(text.as_str()) }).await)
//!     });
//!     group.await.unwrap().to_owned()
//! }
//! ```
//!
//! **A handle that escapes from its group takes no shorter borrows.** Spawn inside of the group.
//!
//! ```compile_fail,E0597
//! # async fn rejected() {
//! let group = anyrt::scoped_group(async |g| Ok::<_, ()>(g));
//! let escaped = group.await.unwrap();
//! {
//!     let text = String::from("to be");
//!     escaped.spawn(async { Ok(assert!(text.is_empty())) });
//! }
//! drop(escaped);
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let text = String::from("to be");
//! let group = anyrt::scoped_group(async |g| Ok::<_, ()>(g));
//! let escaped = group.await.unwrap();
//! {
//!     escaped.spawn(async { Ok(assert!(text.is_empty())) });
//! }
//! drop(escaped);
//! # }
//! ```
//!
//! **The children of a scoped group are `Send`**, so that the group is. For what is not there is
//! [`local_group`](crate::local_group).
//!
//! ```compile_fail,E0277
//! # async fn rejected() {
//! let shared = std::rc::Rc::new(7);
//! let group = anyrt::scoped_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(*shared) }).await));
//! assert_eq!(group.await, Ok(7));
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let shared = std::rc::Rc::new(7);
//! let group = anyrt::local_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(*shared) }).await));
//! assert_eq!(group.await, Ok(7));
//! # }
//! ```
//!
//! **A local group is not `Send`**, whatever its children are, and neither is its handle. Where it has to go to another
//! thread there is [`scoped_group`](crate::scoped_group).
//!
//! ```compile_fail,E0277
//! fn rejected() -> impl Future<Output = Result<(), anyrt::GroupError<()>>> + Send {
//!     anyrt::local_group(async |g| Ok(g.spawn(async { Ok(()) }).await))
//! }
//! ```
//!
//! ```
//! fn accepted() -> impl Future<Output = Result<(), anyrt::GroupError<()>>> + Send {
//!     anyrt::scoped_group(async |g| Ok(g.spawn(async { Ok(()) }).await))
//! }
//! ```
//!
//! **The children of a parallel group borrow nothing.** Move it or share it in an `Arc`, or take a scoped group if they
//! need not run in parallel.
//!
//! ```compile_fail,E0597
//! # async fn rejected() {
//! let text = String::from("to be");
//! let group = anyrt::task_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(text.len()) }).await));
//! assert_eq!(group.await, Ok(5));
//! # }
//! ```
//!
//! ```
//! # async fn accepted() {
//! let text = String::from("to be");
//! let group = anyrt::scoped_group(async |g| Ok::<_, ()>(g.spawn(async { Ok(text.len()) }).await));
//! assert_eq!(group.await, Ok(5));
//! # }
//! ```
