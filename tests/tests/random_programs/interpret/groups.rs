//! The steps about groups: opening them, spawning into them, and what is done with handles.

use std::sync::Arc;

use anyrt::{Task, TaskGroup, task_group};

use super::{Env, Running};
use crate::child::Child;
use crate::errors::{Failure, Holder};
use crate::group::{End, Group, Value};
use crate::place::{Link, Place};
use crate::program::{self, Handle, Kind, Spawn};
use crate::world::{caught, message};

/// A group that can be spawned into, and what is known of it.
#[derive(Clone)]
pub(super) struct OpenGroup {
    pub(super) known: Arc<Group>,
    pub(super) handle: TaskGroup<Failure>,
    /// The places of its children, and of its daemons.
    children: Arc<Place>,
    daemons: Arc<Place>,
}

impl Env {
    pub(super) fn open_group(&self, id: usize) -> Option<&OpenGroup> {
        self.groups.iter().find(|group| group.known.id == id)
    }

    pub(super) async fn group(&self, plan: &program::Group) -> Result<(), Failure> {
        let known = Group::new(plan.id, &self.world, Some(self.place.clone()));
        let mut watch = self.watch({
            let known = known.clone();
            move |env| match env.world.is_outside() {
                true => known.dropped(),
                false => known.cut(),
            }
        });
        let group = task_group(|handle| self.body(plan, known.clone(), handle));
        let result = caught(group).await;
        watch.is_over = true;
        known.returned(&result);
        match result {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let mut failure = Failure::Group(Box::new(error));
                failure.rest_in(&Holder::Nobody);
                Err(failure)
            }
            Err(payload) => self.world.resume(self.world.number_of(&*payload)),
        }
    }

    async fn body(
        &self,
        plan: &program::Group,
        known: Arc<Group>,
        handle: TaskGroup<Failure>,
    ) -> Result<(), Failure> {
        let mut env = self.inside(Link::Body(known.clone()));
        let children = Place::new(Link::Children(known.clone()), &env.place);
        env.groups.push(OpenGroup {
            known: known.clone(),
            handle: handle.clone(),
            daemons: Place::new(Link::Daemons(known.clone()), &children),
            children,
        });
        let mut watch = env.watch({
            let known = known.clone();
            move |_| known.body_ends(End::Cut)
        });
        let result = caught(env.run(&plan.body)).await;
        watch.is_over = true;
        if plan.cancels && matches!(result, Ok(Ok(()))) {
            handle.cancel();
            known.limits.cancel(self.world.now());
        }
        let (end, result) = self.outcome(&known, result);
        known.body_ends(end);
        result.unwrap_or_else(|panic| self.world.resume(panic))
    }

    /// Tells the group how its body or a child of it has ended. The inner error is the number of a panic.
    fn outcome(
        &self,
        group: &Arc<Group>,
        result: Result<Result<(), Failure>, crate::world::Payload>,
    ) -> (End, Result<Result<(), Failure>, usize>) {
        match result {
            Ok(Ok(())) => (End::Value, Ok(Ok(()))),
            Ok(Err(mut failure)) => {
                group.fails(&mut failure);
                (End::Failed, Ok(Err(failure)))
            }
            Err(payload) => {
                let panic = self.world.number_of(&*payload);
                group.panics(panic);
                (End::Panicked, Err(panic))
            }
        }
    }

    pub(super) async fn spawn(&self, spawn: &Spawn) -> Result<(), Failure> {
        let Some(group) = self.open_group(spawn.into) else {
            return Ok(());
        };
        let (known, env) = self.child_of(group, spawn);
        let work = env.run(&spawn.child);
        let child = env.child(self, known.clone(), group.known.clone(), work);
        let handle = &group.handle;
        match spawn.kind {
            Kind::Plain => self.go_on(group, spawn, known, handle.spawn(child)).await,
            Kind::Named => {
                let task = handle.spawn_named("somebody", child);
                self.go_on(group, spawn, known, task).await
            }
            Kind::Daemon => {
                let task = handle.spawn_daemon(async { child.await.map(drop) });
                self.go_on(group, spawn, known, task).await
            }
        }
    }

    /// What is known of a new child, and what it knows itself.
    fn child_of(&self, group: &OpenGroup, spawn: &Spawn) -> (Arc<Child>, Self) {
        let is_daemon = spawn.kind == Kind::Daemon;
        let known = Child::new(&self.world, &group.known, is_daemon);
        let outer = match is_daemon {
            true => &group.daemons,
            false => &group.children,
        };
        let mut env = Self {
            place: Place::new(Link::Child(known.clone()), outer),
            task: self.world.new_task(),
            ..self.clone()
        };
        if !spawn.escapes {
            let own = env
                .groups
                .iter()
                .position(|open| open.known.id == spawn.into);
            env.groups.truncate(own.map_or(0, |own| own + 1));
        }
        (known, env)
    }

    /// The future of a child.
    fn child(
        self,
        spawner: &Self,
        known: Arc<Child>,
        group: Arc<Group>,
        work: Running,
    ) -> impl Future<Output = Result<Value, Failure>> + Send + use<> {
        let is_waited_for = spawner.place.is_inside(&group);
        let watch = self.watch({
            let known = known.clone();
            move |env| known.gone(&env.place)
        });
        async move {
            let _watch = watch;
            self.world.mark("child begins", self.task);
            known.begins();
            let result = caught(work).await;
            let (end, result) = self.outcome(&group, result);
            known.ends(end);
            match result {
                Ok(result) => result.map(|()| Value::new(&group, is_waited_for)),
                Err(panic) => self.world.resume(panic),
            }
        }
    }

    /// After the spawn: does what is to be done with the handle, or has a sibling do it.
    async fn go_on<T: Send + 'static>(
        &self,
        group: &OpenGroup,
        spawn: &Spawn,
        known: Arc<Child>,
        task: Task<T>,
    ) -> Result<(), Failure> {
        if !spawn.by_sibling {
            return self.with_handle(spawn, &known, task).await;
        }
        let plain = Spawn {
            kind: Kind::Plain,
            ..spawn.clone()
        };
        let (sibling, env) = self.child_of(group, &plain);
        let work: Running = {
            let env = env.clone();
            Box::pin(async move { env.with_handle(&plain, &known, task).await })
        };
        let sibling = env.child(self, sibling, group.known.clone(), work);
        drop(group.handle.spawn(sibling));
        Ok(())
    }

    async fn with_handle<T: Send + 'static>(
        &self,
        spawn: &Spawn,
        known: &Child,
        task: Task<T>,
    ) -> Result<(), Failure> {
        self.run(&spawn.meanwhile).await?;
        let began = self.world.now();
        match spawn.handle {
            Handle::Drop => drop(task),
            Handle::Outcome => {
                let outcome = self.wait(task.outcome()).await;
                known.check(&outcome, began);
            }
            Handle::Cancel => {
                known.pick();
                let value = self.wait(task.cancel()).await;
                known.check_cancelled(value.is_some(), began);
            }
            Handle::Await => match caught(self.wait(task)).await {
                Ok(value) => known.check(&Ok(value), began),
                Err(payload) => {
                    let is_in_vain =
                        message(&*payload).starts_with("anyrt: awaited a task that has no");
                    let sight = self.place.sight(self.world.now());
                    let has_value = known.end() == Some(End::Value);
                    if !is_in_vain || has_value || sight.certain.is_some() {
                        self.world.number_of(&*payload);
                    }
                    self.world.mark("awaits in vain", self.task);
                    self.world.raise();
                }
            },
        }
        Ok(())
    }
}
