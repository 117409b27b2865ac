//! The steps about scopes: running in them, cancelling them, time limits, shields and cleanups.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyrt::{CancelScope, Cancelled, fail_after, finally, move_on_after, shield, stopping};

use super::{Env, Watch};
use crate::cleanup::Cleanup;
use crate::errors::{Failure, Holder};
use crate::limits::{Limits, Why};
use crate::place::Link;
use crate::program::{Part, Target};

impl Env {
    pub(super) async fn in_scope(&self, scope: usize, body: &Part) -> Result<(), Failure> {
        let scope = &self.scopes[scope];
        let (inside, _running) = self.entered(&scope.limits);
        match scope.handle.run(inside.run(body)).await {
            Ok(result) => result,
            Err(cancelled) => {
                self.check_caught(&scope.limits, Some(&cancelled));
                Ok(())
            }
        }
    }

    pub(super) async fn move_on(&self, time: u64, body: &Part) -> Result<(), Failure> {
        let limits = Arc::new(Limits::with_timeout(Some(time)));
        let (inside, _running) = self.entered(&limits);
        match move_on_after(Duration::from_millis(time), inside.run(body)).await {
            Some(result) => result,
            None => {
                self.check_caught(&limits, None);
                Ok(())
            }
        }
    }

    pub(super) async fn fail_after(&self, time: u64, body: &Part) -> Result<(), Failure> {
        let limits = Arc::new(Limits::with_timeout(Some(time)));
        let (inside, _running) = self.entered(&limits);
        match fail_after(Duration::from_millis(time), inside.run(body)).await {
            Ok(result) => result,
            Err(_elapsed) => {
                self.check_caught(&limits, None);
                Err(Failure::raise(&self.world))
            }
        }
    }

    /// A run of a scope begins, and ends with what is given second.
    fn entered(&self, limits: &Arc<Limits>) -> (Self, Watch<impl Fn(&Self) + use<>>) {
        limits.enter(self.world.now());
        let ended = Arc::new(AtomicBool::new(false));
        let inside = self.inside(Link::Run(limits.clone(), ended.clone()));
        let running = self.watch(move |_| ended.store(true, Ordering::Relaxed));
        (inside, running)
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
            match target {
                Target::Group(id) => self.open_group(id).into_iter().for_each(|group| {
                    group.handle.cancel();
                }),
                Target::Scope(_) => scope.cancel(),
            }
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
        let since = |now| scope.limits.cancelled(now).map(|(at, _)| at);
        self.until(scope.handle.cancelled(), "cancellation", since)
            .await;
    }

    pub(super) async fn until_stopping(&self) {
        // A cancellation is one as well.
        let since = |now| {
            let cancelled = self.place.sight(now).due;
            self.place.stopping(now).into_iter().chain(cancelled).min()
        };
        self.until(stopping(), "stop", since).await;
    }

    /// Waits for something that has happened at the time that `since` gives, and is heard of at once.
    async fn until(
        &self,
        wait: impl Future<Output = ()>,
        what: &str,
        since: impl Fn(u64) -> Option<u64>,
    ) {
        let began = self.world.now();
        let is_late = || {
            let now = self.world.now();
            since(now).is_some_and(|since| now > since.max(began))
        };
        let mut watch = self.watch(|env| {
            if !env.world.is_outside() && is_late() {
                let what = format_args!("a {what} was not heard of");
                env.world.violation(what);
            }
        });
        self.wait(wait).await;
        watch.is_over = true;
        if is_late() {
            self.world
                .violation(format_args!("a {what} was heard of late"));
        }
        self.world.mark("hears of", self.task);
    }

    /// Does something to a scope, and compares what it says of itself then.
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
            let cancelled = limits.cancelled(now);
            let why = match target {
                Target::Scope(_) => cancelled.map(|(_, why)| why),
                // It may have been cancelled with the group before.
                Target::Group(_) => None,
            };
            let ours = (cancelled.is_some(), why, limits.deadline(now));
            let theirs = (
                scope.is_cancelled(),
                scope
                    .reason()
                    .filter(|_| why.is_some())
                    .and_then(|reason| Why::of(&reason)),
                scope.deadline().map(|at| self.world.millis(at)),
            );
            if ours != theirs {
                let what = format_args!("a scope says of itself {theirs:?}, not {ours:?}");
                self.world.violation(what);
            }
        };
        // Not before: a look at the scope would tell it that its deadline has passed.
        act(scope, limits, now);
        compare();
        self.world.mark("acts on scope", self.task);
    }
}
