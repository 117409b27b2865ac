//! What has happened in a run, to be looked at.

mod perfetto;
mod rows;
mod svg;
mod words;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::{env, fmt, fs, io, thread};

use crate::quiet::is_quiet;
use crate::record::Record;
use crate::report::report;

/// What has happened in a run: groups, scopes, tasks and threads, from when to when in virtual time, and how they ended.
///
/// [`SimBuilder::timeline`](crate::SimBuilder::timeline) fills it. It can be written as a picture, or as a trace for
/// [Perfetto](https://ui.perfetto.dev). The same seed gives the same, byte for byte.
///
/// Where the environment variable `ANYRT_TRACE` names a directory, each run that panics, deadlocks included, leaves
/// both there, and says on standard error where.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use anyrt_core::{run, sleep, task_group};
/// use anyrt_sim::{Sim, Timeline};
///
/// let timeline = Timeline::new();
/// run(&Sim::builder().seed(7).timeline(&timeline).build(), async {
///     let group = task_group::<Sim, _, (), _, _>(async |g| {
///         g.spawn_named("tea", async { Ok(sleep::<Sim>(Duration::from_secs(180)).await) });
///         g.spawn_named("eggs", async { Ok(sleep::<Sim>(Duration::from_secs(300)).await) });
///         Ok(())
///     });
///     group.await.unwrap();
/// });
/// assert!(timeline.to_svg().contains("eggs"));
/// assert!(timeline.to_perfetto_json().contains("eggs"));
/// ```
#[derive(Clone, Default)]
pub struct Timeline(Arc<Mutex<Record>>);

/// Names the directory for the timelines of runs that fail.
const DIRECTORY: &str = "ANYRT_TRACE";

impl Timeline {
    /// One that nothing has filled yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The one for a run that begins: what a user wants filled, or one that only knows what is alive.
    pub(crate) fn of_run(wanted: Option<Self>, seed: u64, start: Instant) -> Self {
        let keeps_all = wanted.is_some() || env::var_os(DIRECTORY).is_some();
        let timeline = wanted.unwrap_or_default();
        *timeline.lock() = Record::new(seed, start, keeps_all);
        timeline
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree of what is alive now, for a run that cannot go on.
    pub(crate) fn report(&self) -> String {
        report(&self.lock())
    }

    /// A picture: bars in virtual time, those of tasks within those of their groups, coloured by how they ended, with
    /// marks where something was cancelled, failed, or ran out of time.
    ///
    /// It is one file without references to others, for a browser, a README or a report. A run without virtual time
    /// is drawn by its events.
    pub fn to_svg(&self) -> String {
        svg::draw(&self.lock())
    }

    /// A trace in the JSON format of Chrome, which [Perfetto](https://ui.perfetto.dev) opens: a track for each task and
    /// thread, in the order of the tree.
    pub fn to_perfetto_json(&self) -> String {
        perfetto::write(&self.lock())
    }

    /// Writes both, `name.svg` and `name.json`, into `directory`, which is made if need be; gives the path of the picture.
    ///
    /// # Errors
    ///
    /// What the file system has to say.
    pub fn write_to(&self, directory: impl AsRef<Path>, name: &str) -> io::Result<PathBuf> {
        let directory = directory.as_ref();
        fs::create_dir_all(directory)?;
        let picture = directory.join(format!("{name}.svg"));
        fs::write(&picture, self.to_svg())?;
        fs::write(
            directory.join(format!("{name}.json")),
            self.to_perfetto_json(),
        )?;
        Ok(picture)
    }

    /// The run has failed: leaves its timeline where somebody wants to have it. Of a search that is the last run.
    pub(crate) fn leave(&self) {
        let Some(directory) = env::var_os(DIRECTORY).filter(|_| !is_quiet()) else {
            return;
        };
        let thread = thread::current();
        let name = thread.name().unwrap_or("run").replace("::", "-");
        let name = name.replace(|c: char| !c.is_alphanumeric() && !"-_.".contains(c), "_");
        let name = format!("{name}-seed{}", self.lock().seed());
        match self.write_to(directory, &name) {
            Ok(picture) => eprintln!(
                "anyrt: the timeline of this run is in {}",
                picture.display()
            ),
            Err(error) => eprintln!("anyrt: the timeline of this run cannot be written: {error}"),
        }
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline")
            .field("until", &self.lock().end().time)
            .finish_non_exhaustive()
    }
}
