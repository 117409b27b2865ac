//! Runs a program, step by step, and watches what becomes of it.

mod groups;
mod parts;
mod scopes;

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyrt::{CancelScope, checkpoint, sleep};

use crate::errors::Failure;
use crate::group::{End, Group};
use crate::leaf::Leaf;
use crate::limits::Limits;
use crate::place::{Link, Place};
use crate::program::{Part, Program, Step};
use crate::world::{PanicIs, World, caught};

use self::groups::OpenGroup;

/// What becomes of a part of a program.
type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// What a part of a program knows of its surroundings.
#[derive(Clone)]
struct Env {
    world: Arc<World>,
    place: Arc<Place>,
    /// The number of the task, for the marks.
    task: usize,
    /// The groups that stand around in the text, the outermost first.
    groups: Vec<OpenGroup>,
    scopes: Arc<Vec<Scope>>,
}

/// A scope of the program, and what is known of it.
struct Scope {
    handle: CancelScope,
    limits: Arc<Limits>,
}

/// Tells of a part that was dropped before its end, by whomever.
struct Watch<F: Fn(&Env)> {
    env: Env,
    call: F,
    is_over: bool,
}

impl<F: Fn(&Env)> Drop for Watch<F> {
    fn drop(&mut self) {
        if !self.is_over {
            (self.call)(&self.env);
        }
    }
}

/// Runs a whole program. `run` is the group that the run itself is.
pub(crate) async fn main(program: Program, world: Arc<World>, run: Arc<Group>) {
    world.begin();
    let place = Arc::new(Place {
        link: Link::Body(run.clone()),
        outer: None,
    });
    let scopes = program.scopes.iter().map(|timeout| Scope {
        handle: match timeout {
            Some(timeout) => CancelScope::with_timeout(Duration::from_millis(*timeout)),
            None => CancelScope::new(),
        },
        limits: Arc::new(Limits::with_timeout(*timeout)),
    });
    let env = Env {
        world: world.clone(),
        place,
        task: 0,
        groups: Vec::new(),
        scopes: Arc::new(scopes.collect()),
    };
    let mut watch = env.watch(|_| run.body_ends(End::Cut));
    let result = caught(env.run(&program.main)).await;
    watch.is_over = true;
    match result {
        Ok(result) => {
            if let Err(failure) = result {
                failure.report();
            }
            run.body_ends(End::Value);
        }
        Err(payload) => {
            let number = world.number_of(&*payload);
            run.panics(number);
            run.body_ends(End::Panicked);
            world.resume(number);
        }
    }
}

impl Env {
    /// The same surroundings, and one link more.
    fn inside(&self, link: Link) -> Self {
        Self {
            place: Place::new(link, &self.place),
            ..self.clone()
        }
    }

    /// Waits, and watches the wait.
    fn wait<F: Future>(&self, wait: F) -> Leaf<F> {
        Leaf::new(&self.world, &self.place, self.task, wait)
    }

    /// Calls `call` if what goes on here is dropped before it is over.
    fn watch<F: Fn(&Self)>(&self, call: F) -> Watch<F> {
        Watch {
            env: self.clone(),
            call,
            is_over: false,
        }
    }

    /// A part of the program. Boxed, since it may have parts of its own kind.
    fn run(&self, part: &Part) -> Running {
        let (env, part) = (self.clone(), part.clone());
        Box::pin(async move { env.step(&part).await })
    }

    async fn step(&self, step: &Step) -> Result<(), Failure> {
        let world = &self.world;
        match step {
            Step::Ready => {}
            Step::Yield => self.wait(checkpoint()).await,
            Step::Sleep(time) => self.wait(sleep(Duration::from_millis(*time))).await,
            Step::Fail => return Err(Failure::raise(world)),
            Step::Panic => world.raise(),
            Step::Forever => self.wait(pending()).await,
            Step::Stopping => self.until_stopping().await,
            Step::Cancelled(scope) => self.until_cancelled(*scope).await,
            Step::Cancel(target) => self.cancel(*target),
            Step::Stop(target, grace) => self.stop(*target, *grace),
            Step::SetDeadline(target, time) => self.set_deadline(*target, *time),
            Step::Sequence(parts) => {
                for part in parts {
                    self.run(part).await?;
                }
            }
            Step::Group(group) => self.group(group).await?,
            Step::Spawn(spawn) => self.spawn(spawn).await?,
            Step::Scope(scope, body) => self.in_scope(*scope, body).await?,
            Step::MoveOn(time, body) => self.move_on(*time, body).await?,
            Step::FailAfter(time, body) => self.fail_after(*time, body).await?,
            Step::Shield(body) => self.shield(body).await?,
            Step::Finally { body, cleanup } => self.finally(body, cleanup).await?,
            Step::Join { only_woken, parts } => self.join(*only_woken, parts).await?,
            Step::Race(first, second) => self.race(first, second).await?,
            Step::DropAfter(polls, body) => self.drop_after(*polls, body).await?,
            Step::CatchErrors(body) => {
                if let Err(failure) = self.run(body).await {
                    failure.report();
                }
            }
            Step::CatchPanic(body) => match caught(self.run(body)).await {
                Ok(result) => result?,
                Err(payload) => {
                    let number = world.number_of(&*payload);
                    world.panic_is(number, PanicIs::Caught);
                    world.mark("panic caught", number);
                }
            },
        }
        Ok(())
    }
}
