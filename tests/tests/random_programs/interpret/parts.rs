//! The steps that run several parts in one task, or drop a part without asking: what `join!`, `select!` and foreign
//! timeouts do.

use std::future::poll_fn;
use std::task::Poll;

use futures::future::{Either, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt};

use super::Env;
use crate::errors::{Failure, Holder};
use crate::place::Link;
use crate::program::Part;

impl Env {
    pub(super) async fn join(&self, only_woken: bool, parts: &[Part]) -> Result<(), Failure> {
        let fork = self.inside(Link::Fork);
        let parts = parts.iter().map(|part| {
            let part = fork.run(part);
            async move {
                let mut result = part.await;
                if let Err(failure) = &mut result {
                    // If the others are interrupted meanwhile, it goes with them.
                    failure.rest_in(&Holder::Program);
                }
                result
            }
        });
        let results = if only_woken {
            let parts: FuturesUnordered<_> = parts.collect();
            parts.collect::<Vec<_>>().await
        } else {
            join_all(parts).await
        };
        let mut failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        for failure in &mut failures {
            failure.rest_in(&Holder::Nobody);
        }
        match failures.len() {
            0 => Ok(()),
            1 => failures.pop().map_or(Ok(()), Err),
            _ => Err(Failure::Several(failures)),
        }
    }

    pub(super) async fn race(&self, first: &Part, second: &Part) -> Result<(), Failure> {
        let fork = self.inside(Link::Fork);
        let both = select(fork.run(first), fork.run(second));
        match both.await {
            Either::Left((result, loser)) | Either::Right((result, loser)) => {
                self.world.mark("dropped from outside", self.task);
                self.world.drop_from_outside(loser);
                result
            }
        }
    }

    pub(super) async fn drop_after(&self, polls: u32, body: &Part) -> Result<(), Failure> {
        let mut body = self.run(body);
        let mut left = polls;
        let ended = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match body.as_mut().poll(cx) {
                Poll::Pending if left == 0 => Poll::Ready(None),
                polled => polled.map(Some),
            }
        });
        match ended.await {
            Some(result) => result,
            None => {
                self.world.mark("dropped from outside", self.task);
                self.world.drop_from_outside(body);
                Ok(())
            }
        }
    }
}
