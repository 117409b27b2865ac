//! What travels along: values and spans that are set once, and seen by all that is done for the sake of it.
//!
//! A request has an id, a tenant, a language. To hand them through every function is tedious, and libraries in between do
//! not know of them. [`task_local!`](crate::task_local) declares a key, and `KEY.scope(value, future)` sets a value for a
//! future:
//!
//! ```
//! use anyrt::{task_group, task_local, to_thread};
//!
//! task_local! {
//!     static REQUEST_ID: u64;
//! }
//!
//! fn log(what: &str) -> String {
//!     REQUEST_ID.try_with(|id| format!("[{id}] {what}")).unwrap_or_else(|_| what.to_owned())
//! }
//!
//! async fn handle() -> Vec<String> {
//!     let group = task_group(async |g| {
//!         let price = g.spawn(async { Ok::<_, ()>(log("the price, in a child")) });
//!         let picture = to_thread(|| log("the picture, in a thread")).await;
//!         Ok(vec![price.await, picture, log("the answer")])
//!     });
//!     group.await.unwrap()
//! }
//!
//! # #[cfg(feature = "sim")]
//! # anyrt::run_on(anyrt::Sim::default(), async {
//! let lines = REQUEST_ID.scope(7, handle()).await;
//! assert_eq!(lines, ["[7] the price, in a child", "[7] the picture, in a thread", "[7] the answer"]);
//! assert_eq!(log("done"), "done");
//! # });
//! ```
//!
//! Each key says whether it is inherited:
//!
//! | declared as                           | is a                            | its values    | seen by                          |
//! |---------------------------------------|---------------------------------|---------------|----------------------------------|
//! | `static ID: u64;`                     | [`TaskLocal`](crate::TaskLocal) | `Send + Sync` | the future, and what it launches |
//! | `static N: Cell<u32>, not inherited;` | [`OwnLocal`](crate::OwnLocal)   | anything      | the future alone                 |
//!
//! - What is launched takes over what is set *where it is launched*: a child where it is spawned, by whatever group; a
//!   closure where its `to_thread` begins; what goes through a portal where that is called; a cleanup where it is given to
//!   `on_exit`. What is set around the group does not matter, nor what is set where a child happens to be polled.
//! - Scopes, time limits, shields and the bodies of groups are in the same task, and see all of it.
//! - Nobody changes what others see: an inner value hides the outer one, for those who are inside. To share what
//!   changes, let the value be an `Arc` of an atomic or a lock.
//! - A value is seen by the destructors of what the future owns, and is dropped when the last one has ended who may see it.
//! - To take something over costs one pointer, however much is set; where nothing is set it costs nothing.
//!
//! Tasks that are not ours take nothing over: for `tokio::spawn`, put the value around the task by another `scope`.
//!
//! With the feature `tracing` the current span of that crate travels in the same way. A child that was given a name runs
//! in a span `task` with that name, and a group that was given a name in a span `task_group`; their level is `INFO`, their
//! target `anyrt`. Where the subscriber does not want these, a child runs in the span of its spawner.
