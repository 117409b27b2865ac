//! The steps about scopes: running in them, cancelling them, time limits, shields and cleanups.

use std::sync::Arc;
use std::time::Duration;

use anyrt::{CancelScope, Cancelled, fail_after, finally, move_on_after, shield};

use super::Env;
use crate::cleanup::Cleanup;
use crate::errors::{Failure, Holder};
use crate::limits::{Limits, Why};
use crate::place::Link;
use crate::program::{Part, Target};

impl Env {
    pub(super) async fn in_scope(&self, scope: usize, body: &Part) -> Result<(), Failure> {
        let scope = &self.scopes[scope];
        scope.limits.enter(self.world.now());
        let inside = self.inside(Link::Run(scope.limits.clone()));
        match scope.handle.run(inside.run(body)).await {
            Ok(result) => result,
            Err(cancelled) => {
                self.check_caught(&scope.limits, Some(&cancelled));
                Ok(())
            }
        }
    }

    pub(super) async fn move_on(&self, time: u64, body: &Part) -> Result<(), Failure> {
        let (limits, inside) = self.limited(time);
        match move_on_after(Duration::from_millis(time), inside.run(body)).await {
            Some(result) => result,
            None => {
                self.check_caught(&limits, None);
                Ok(())
            }
        }
    }

    pub(super) async fn fail_after(&self, time: u64, body: &Part) -> Result<(), Failure> {
        let (limits, inside) = self.limited(time);
        match fail_after(Duration::from_millis(time), inside.run(body)).await {
            Ok(result) => result,
            Err(_elapsed) => {
                self.check_caught(&limits, None);
                Err(Failure::raise(&self.world))
            }
        }
    }

    fn limited(&self, time: u64) -> (Arc<Limits>, Self) {
        let limits = Arc::new(Limits::with_timeout(Some(time)));
        limits.enter(self.world.now());
        let inside = self.inside(Link::Run(limits.clone()));
        (limits, inside)
    }

    /// A scope says that it has interrupted its body. Only one that was cancelled does, and no other around it.
    fn check_caught(&self, limits: &Limits, cancelled: Option<&Cancelled>) {
        let now = self.world.now();
        let told = cancelled.and_then(|cancelled| Why::of(cancelled.reason()));
        match limits.cancelled(now) {
            None => self
                .world
                .violation("a scope that was not cancelled says so"),
            Some((_, why)) if cancelled.is_some() && told != Some(why) => {
                let what = format_args!("a scope gives the reason {told:?}, not {why:?}");
                self.world.violation(what);
            }
            Some(_) => {}
        }
        if self.place.sight(now).certain.is_some() {
            self.world
                .violation("an inner scope has caught what is for an outer one");
        }
        self.world.mark("scope catches", self.task);
    }

    pub(super) async fn shield(&self, body: &Part) -> Result<(), Failure> {
        let inside = self.inside(Link::Shield);
        let mut watch = self.watch(|env| {
            if !env.world.is_outside() {
                env.world.violation("a shield was cut");
            }
        });
        let result = shield(inside.run(body)).await;
        watch.is_over = true;
        result
    }

    pub(super) async fn finally(&self, body: &Part, cleanup: &Part) -> Result<(), Failure> {
        let known = Arc::new(Cleanup::default());
        let body = {
            let known = known.clone();
            let body = self.inside(Link::Cleaned).run(body);
            async move {
                let mut result = body.await;
                if let Err(failure) = &mut result {
                    // It is kept until the cleanup is done.
                    failure.rest_in(&Holder::Cleanup(known));
                }
                result
            }
        };
        let cleanup = {
            let (env, known) = (self.inside(Link::Shield), known.clone());
            async move || {
                known.begins();
                env.world.mark("cleans up", env.task);
                if let Err(failure) = env.run(cleanup).await {
                    failure.report();
                }
                known.is_done();
            }
        };
        let mut watch = self.watch({
            let known = known.clone();
            move |env| match env.world.is_outside() {
                true => known.void(&env.world),
                false => known.check(&env.world),
            }
        });
        let mut result = finally(body, cleanup).await;
        watch.is_over = true;
        known.check(&self.world);
        if let Err(failure) = &mut result {
            failure.rest_in(&Holder::Nobody);
        }
        result
    }

    pub(super) fn cancel(&self, target: Target) {
        self.at(target, |scope, limits, now| {
            scope.cancel();
            limits.cancel(now);
        });
    }

    pub(super) fn stop(&self, target: Target, grace: u64) {
        self.at(target, |scope, limits, now| {
            scope.stop(Duration::from_millis(grace));
            limits.stop(now, grace);
        });
    }

    pub(super) fn set_deadline(&self, target: Target, time: Option<u64>) {
        self.at(target, |scope, limits, now| {
            let deadline = time.map(|time| now + time);
            scope.set_deadline(deadline.map(|deadline| self.world.instant(deadline)));
            limits.set_deadline(now, deadline);
        });
    }

    pub(super) async fn until_cancelled(&self, scope: usize) {
        let scope = &self.scopes[scope];
        let began = self.world.now();
        self.wait(scope.handle.cancelled()).await;
        let now = self.world.now();
        match scope.limits.cancelled(now) {
            None => self
                .world
                .violation("the cancellation of a scope was heard of before it came"),
            Some((at, _)) if now > at.max(began) => {
                self.world
                    .violation("the cancellation of a scope was heard of late");
            }
            Some(_) => {}
        }
    }

    /// Does something to a scope, and compares what it says of itself before and after.
    fn at(&self, target: Target, act: impl FnOnce(&CancelScope, &Limits, u64)) {
        let now = self.world.now();
        let (scope, limits) = match target {
            Target::Scope(scope) => (&self.scopes[scope].handle, &*self.scopes[scope].limits),
            Target::Group(id) => match self.open_group(id) {
                Some(group) if !group.known.may_be_closed() => {
                    (group.handle.scope(), &group.known.limits)
                }
                _ => return,
            },
        };
        let compare = || {
            let ours = (limits.cancelled(now).is_some(), limits.deadline(now));
            let deadline = scope.deadline().map(|at| self.world.millis(at));
            let theirs = (scope.is_cancelled(), deadline);
            if ours != theirs {
                let what =
                    format_args!("(cancelled, deadline) of a scope: {theirs:?}, not {ours:?}");
                self.world.violation(what);
            }
        };
        compare();
        act(scope, limits, now);
        compare();
        self.world.mark("acts on scope", self.task);
    }
}
