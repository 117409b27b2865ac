//! What can go on now, and the choice between the candidates.
//!
//! Invariant: everything that was woken stands here exactly once. For tasks `async_task` sees to it, for
//! the main future the flag does.

use async_task::Runnable;
use fastrand::Rng;

/// Something that was woken.
#[derive(Debug)]
pub(crate) enum Ready {
    Main,
    Task(Runnable),
}

/// All that was woken, in the order in which it was, and the generator that chooses.
#[derive(Debug)]
pub(crate) struct Queue {
    ready: Vec<Ready>,
    main_is_in: bool,
    rng: Rng,
}

impl Queue {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            ready: Vec::new(),
            main_is_in: false,
            rng: Rng::with_seed(seed),
        }
    }

    pub(crate) fn push_main(&mut self) {
        if !self.main_is_in {
            self.main_is_in = true;
            self.ready.push(Ready::Main);
        }
    }

    pub(crate) fn push_task(&mut self, runnable: Runnable) {
        self.ready.push(Ready::Task(runnable));
    }

    /// Takes out the one that goes on next. All candidates are equally likely.
    pub(crate) fn choose(&mut self) -> Option<Ready> {
        if self.ready.is_empty() {
            return None;
        }
        // Not `rng.usize(..)`: it draws differently where pointers have 32 bits, and a seed has to name
        // the same order on every machine.
        let chosen = self.rng.u64(..self.ready.len() as u64) as usize;
        let ready = self.ready.swap_remove(chosen);
        if matches!(ready, Ready::Main) {
            self.main_is_in = false;
        }
        Some(ready)
    }

    /// Takes out everything.
    pub(crate) fn take(&mut self) -> Vec<Ready> {
        self.main_is_in = false;
        std::mem::take(&mut self.ready)
    }
}
