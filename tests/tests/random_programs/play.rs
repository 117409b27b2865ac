//! One run of a program on the simulator, and what was found.

use std::cell::{Cell, OnceCell};
use std::panic::{set_hook, take_hook};
use std::sync::{Arc, Once};

use anyrt::{Backend, Sim};

use crate::group::Group;
use crate::interpret;
use crate::program::Program;
use crate::world::{Mark, PanicIs, World, caught_in, message};

/// What is known after a run.
pub(crate) struct Played {
    pub(crate) marks: Vec<Mark>,
    /// The promises that were not kept, in the order in which that was found.
    pub(crate) violations: Vec<String>,
    /// The simulator's own account of who went on, and when.
    pub(crate) trace: u64,
}

/// Runs a program in the order of this seed.
pub(crate) fn play(program: &Program, seed: u64) -> Played {
    let world = Arc::new(World::default());
    let run = Group::new(usize::MAX, &world, None);
    let main = interpret::main(program.clone(), world.clone(), run.clone());
    let sim = OnceCell::new();
    let main = async {
        sim.get_or_init(|| Sim::current().expect("it runs on the simulator"));
        main.await;
    };
    let result = quietly(|| caught_in(|| anyrt::run_on(Sim::with_seed(seed), main)));
    let mut hang = None;
    let result = match result {
        Ok(()) => Ok(Ok(())),
        Err(payload) => {
            let text = message(&*payload);
            if text.starts_with("deadlock") {
                hang = Some(text);
            } else {
                world.panic_is(world.number_of(&*payload), PanicIs::Out);
            }
            Err(payload)
        }
    };
    if hang.is_none() {
        run.returned(&result);
    }
    let (marks, mut violations) = world.end();
    // It comes last, and is the cause of the rest.
    hang.into_iter().for_each(|hang| violations.insert(0, hang));
    let trace = sim.get().map_or(0, Sim::trace);
    Played {
        marks,
        violations,
        trace,
    }
}

/// Calls `play`. A panic in it is part of the game, and says nothing on the terminal.
fn quietly<T>(play: impl FnOnce() -> T) -> T {
    thread_local! {
        static IS_PLAYING: Cell<bool> = const { Cell::new(false) };
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_PLAYING.get() {
                usual(panic);
            }
        }));
    });
    IS_PLAYING.set(true);
    let played = play();
    IS_PLAYING.set(false);
    played
}
