//! A program from a seed, such that it ends if all promises are kept.
//!
//! What has no end of its own (`Step::Forever` and the like) stands only where the surroundings are bounded: below a
//! time limit, in a daemon, in a group that cancels its children, in the second part of a race. A shield lifts that.
//! Who waits for a child waits for one that was there before, so nobody waits in a circle.

use fastrand::Rng;

use crate::program::{Group, Handle, Kind, Part, Program, Spawn, Step, Target};

/// The program of this seed.
pub(crate) fn program(seed: u64) -> Program {
    // Not the generator of the schedule, which has the same seed.
    let mut rng = Rng::with_seed(!seed);
    let scopes = (0..2 + rng.u32(..4)).map(|_| rng.bool().then(|| time(&mut rng)));
    let scopes: Vec<_> = scopes.collect();
    let budget = 6 + rng.u32(..60);
    let mut generator = Generator {
        rng,
        budget,
        groups: 0,
        scopes: &scopes,
    };
    let main = generator.outermost();
    Program { scopes, main }
}

/// Few different times, so that they often coincide.
fn time(rng: &mut Rng) -> u64 {
    const TIMES: [u64; 8] = [0, 1, 1, 2, 3, 5, 8, 13];
    TIMES[rng.u32(..8) as usize]
}

struct Generator<'a> {
    rng: Rng,
    /// How many more steps there may be.
    budget: u32,
    /// How many groups there are.
    groups: usize,
    scopes: &'a [Option<u64>],
}

/// The surroundings of a step.
#[derive(Clone, Default)]
struct Around {
    depth: u32,
    /// Whether something is sure to end it.
    bounded: bool,
    groups: Vec<OpenGroup>,
    /// The scopes that must not be run, since they are running around here.
    running: Vec<usize>,
}

#[derive(Clone, Copy)]
struct OpenGroup {
    id: usize,
    bounded: bool,
    cancels: bool,
    /// Whether it stands around in the text only, not around the task: what bounds the group may wait for the task.
    escaped: bool,
}

impl Around {
    fn bounded(&self, bounded: bool) -> Self {
        Self {
            bounded,
            ..self.clone()
        }
    }
}

impl Generator<'_> {
    fn outermost(&mut self) -> Part {
        let mut parts = Vec::new();
        while self.budget > 0 {
            let part = match self.rng.u32(..4) {
                0 => self.part(&Around::default()),
                _ => self.group(&Around::default()).into(),
            };
            let part = Step::CatchErrors(Step::CatchPanic(part).into()).into();
            parts.push(part);
        }
        Step::Sequence(parts).into()
    }

    fn part(&mut self, around: &Around) -> Part {
        self.step(around).into()
    }

    fn step(&mut self, around: &Around) -> Step {
        let around = &Around {
            depth: around.depth + 1,
            ..around.clone()
        };
        if self.budget == 0 || around.depth > 9 {
            return self.leaf(around);
        }
        self.budget -= 1;
        match self.rng.u32(..120) {
            0..20 => self.leaf(around),
            20..38 => self.sequence(around),
            38..52 => self.group(around),
            52..74 if !around.groups.is_empty() => self.spawn(around),
            74..84 => self.scope(around),
            84..88 => Step::MoveOn(self.time(), self.part(&around.bounded(true))),
            88..92 => Step::FailAfter(self.time(), self.part(&around.bounded(true))),
            92..97 => Step::Shield(self.part(&around.bounded(false))),
            97..104 => Step::Finally {
                body: self.part(around),
                cleanup: self.part(&around.bounded(false)),
            },
            104..108 => Step::Join {
                only_woken: self.rng.bool(),
                parts: self.parts(around),
            },
            108..111 => Step::Race(self.part(around), self.part(&around.bounded(true))),
            111..115 => Step::DropAfter(self.rng.u32(..4), self.part(around)),
            115..118 => Step::CatchErrors(self.part(around)),
            118.. => Step::CatchPanic(self.part(around)),
            _ => self.sequence(around),
        }
    }

    fn leaf(&mut self, around: &Around) -> Step {
        match self.rng.u32(..100) {
            0..12 if around.bounded => Step::Forever,
            12..22 if around.bounded => Step::Stopping,
            22..28 if around.bounded => Step::Cancelled(self.any_scope()),
            0..34 => Step::Yield,
            34..62 => Step::Sleep(self.time()),
            62..66 => Step::Ready,
            66..73 => Step::Fail,
            73..78 => Step::Panic,
            78..88 => Step::Cancel(self.target(around)),
            88..96 => Step::Stop(self.target(around), self.time()),
            _ => self.set_deadline(around),
        }
    }

    fn sequence(&mut self, around: &Around) -> Step {
        Step::Sequence(self.parts(around))
    }

    fn parts(&mut self, around: &Around) -> Vec<Part> {
        let count = 2 + self.rng.u32(..3);
        (0..count).map(|_| self.part(around)).collect()
    }

    fn group(&mut self, around: &Around) -> Step {
        let group = OpenGroup {
            id: self.groups,
            bounded: around.bounded,
            cancels: self.rng.u32(..5) == 0,
            escaped: false,
        };
        self.groups += 1;
        let mut inside = around.clone();
        inside.groups.push(group);
        // Most groups have children.
        let spawns = (0..self.rng.u32(..3)).map(|_| self.spawn(&inside).into());
        let mut parts: Vec<Part> = spawns.collect();
        parts.push(self.part(&inside));
        Step::Group(Group {
            id: group.id,
            cancels: group.cancels,
            body: Step::Sequence(parts).into(),
        })
    }

    fn spawn(&mut self, around: &Around) -> Step {
        // Most often the innermost one.
        let last = around.groups.len() - 1;
        let place = match self.rng.u32(..4) {
            0 => self.rng.u32(..=last as u32) as usize,
            _ => last,
        };
        let group = around.groups[place];
        let kind = match self.rng.u32(..6) {
            0 => Kind::Daemon,
            1 => Kind::Named,
            _ => Kind::Plain,
        };
        let ends_with_the_others = kind == Kind::Daemon || group.cancels;
        let escapes = self.rng.u32(..4) == 0;
        let mut inside = around.bounded(group.bounded || ends_with_the_others);
        if !escapes {
            inside.groups.truncate(place + 1);
        }
        for group in &mut inside.groups[place + 1..] {
            group.escaped = true;
        }
        let child = self.part(&inside);
        let by_sibling = self.rng.u32(..5) == 0;
        inside.bounded = group.bounded;
        let meanwhile = match self.rng.u32(..3) {
            0 if by_sibling => self.part(&inside),
            0 => self.part(around),
            _ => Step::Ready.into(),
        };
        let may_wait = !(ends_with_the_others || group.escaped && group.bounded);
        let handle = match self.rng.u32(..5) {
            0 => Handle::Cancel,
            1 | 2 if !may_wait => Handle::Drop,
            1 => Handle::Await,
            2 => Handle::Outcome,
            _ => Handle::Drop,
        };
        Step::Spawn(Spawn {
            into: group.id,
            kind,
            escapes,
            child,
            meanwhile,
            handle,
            by_sibling,
        })
    }

    fn scope(&mut self, around: &Around) -> Step {
        let scope = self.any_scope();
        if around.running.contains(&scope) {
            return self.leaf(around);
        }
        let mut inside = around.bounded(around.bounded || self.scopes[scope].is_some());
        inside.running.push(scope);
        Step::Scope(scope, self.part(&inside))
    }

    fn target(&mut self, around: &Around) -> Target {
        let any = |rng: &mut Rng, count: usize| rng.u32(..count as u32) as usize;
        match (self.rng.u32(..3), around.running.len(), around.groups.len()) {
            (0, running @ 1.., _) => Target::Scope(around.running[any(&mut self.rng, running)]),
            (1, _, groups @ 1..) => Target::Group(around.groups[any(&mut self.rng, groups)].id),
            _ => Target::Scope(self.any_scope()),
        }
    }

    fn set_deadline(&mut self, around: &Around) -> Step {
        let target = self.target(around);
        // What may bound something keeps a limit.
        let bounds = matches!(target, Target::Scope(scope) if self.scopes[scope].is_some());
        let time = (bounds || self.rng.u32(..4) > 0).then(|| self.time());
        Step::SetDeadline(target, time)
    }

    fn any_scope(&mut self) -> usize {
        self.rng.u32(..self.scopes.len() as u32) as usize
    }

    fn time(&mut self) -> u64 {
        time(&mut self.rng)
    }
}
