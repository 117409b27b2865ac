//! The job: a time limit around a walk and a group, whose tasks hash one file each on a thread.

use std::convert::Infallible;
use std::future::pending;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};

use anyrt::{CancelScope, Limiter, Permit, TaskGroup, task_group, to_thread};
use indicatif::ProgressBar;

use crate::algorithm::Algorithm;
use crate::args::Args;
use crate::report::{Finding, Report};
use crate::walk::walk;

/// Hashes all that the arguments name. What is finished when the time is up is in the report.
pub(crate) async fn checksum(args: &Args) -> Report {
    let (findings, received) = channel();
    let job = Job {
        algorithm: args.algorithm,
        scope: args
            .timeout
            .map_or_else(CancelScope::new, CancelScope::with_timeout),
        threads: Limiter::new(args.jobs()),
        findings,
        bar: ProgressBar::new(0), // On standard error, and only if that is a terminal.
    };
    let (scope, bar) = (job.scope.clone(), job.bar.clone());
    let result = scope.run(job.hash_all(args.paths.clone())).await;
    bar.finish_and_clear();
    // Whether finished or interrupted: all tasks and threads have ended, so nothing more is going to be sent.
    Report::new(received.into_iter().collect(), result.is_err())
}

#[derive(Clone)]
struct Job {
    algorithm: Algorithm,
    scope: CancelScope,
    threads: Limiter,
    findings: Sender<Finding>,
    bar: ProgressBar,
}

impl Job {
    async fn hash_all(self, paths: Vec<PathBuf>) {
        let files = self.find_files(paths).await;
        self.bar.set_length(files.len() as u64);
        // Few enough tasks for any number of files, and enough that no thread waits for the next one.
        let window = Limiter::new(2 * self.threads.total());
        let Ok(()) = task_group(async |group: TaskGroup<Infallible>| {
            for file in files {
                let permit = window.acquire().await;
                group.spawn(self.clone().hash_one(file, permit));
            }
            Ok(())
        })
        .await;
    }

    async fn find_files(&self, paths: Vec<PathBuf>) -> Vec<PathBuf> {
        let (scope, findings) = (self.scope.clone(), self.findings.clone());
        let fail = move |finding| drop(findings.send(finding));
        match to_thread(move || walk(&paths, &scope, fail)).await {
            Some(files) => files,
            None => pending().await, // The scope is cancelled, so this ends here.
        }
    }

    async fn hash_one(self, path: PathBuf, _permit: Permit) -> Result<(), Infallible> {
        let Self {
            algorithm,
            scope,
            threads,
            findings,
            bar,
        } = self;
        let hash = move || {
            let hash = algorithm.hash_file(&path, &scope).transpose();
            hash.map(|hash| Finding { path, hash })
        };
        match to_thread(hash).limiter(&threads).await {
            Some(finding) => drop(findings.send(finding)),
            None => pending().await, // The scope is cancelled, so this ends here.
        }
        bar.inc(1);
        Ok(())
    }
}
