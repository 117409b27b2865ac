//! One direction of a stream: bytes on their way from one writer to one reader.
//!
//! Invariants: bytes are read in the order in which they were written, and each only once it has arrived. Whoever makes
//! one end go on wakes it: `readable` when something may be read, `writable` when there is room. Wakers are called
//! outside of the lock.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use atomic_waker::AtomicWaker;

use crate::clock::{Alarm, Clock};
use crate::link::Link;

#[derive(Debug)]
pub(crate) struct Pipe {
    state: Mutex<State>,
    readable: AtomicWaker,
    writable: AtomicWaker,
}

#[derive(Debug)]
struct State {
    link: Link,
    under_way: VecDeque<Parcel>,
    /// How many bytes that is, and how many there may be.
    len: usize,
    capacity: usize,
    /// How many bytes one read gives at most.
    chunk: usize,
    /// Whether the wire is cut: what has not arrived does not arrive.
    is_cut: bool,
    is_closed: bool,
    has_reader: bool,
    reads_fail: Option<Failure>,
    writes_fail: Option<Failure>,
}

/// What was written at once; without bytes it is the end of all.
#[derive(Debug)]
struct Parcel {
    arrival: Arrival,
    bytes: VecDeque<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    There,
    At(Instant),
    /// Not before the wire is mended.
    Never,
}

/// An end that fails after so many more bytes.
#[derive(Clone, Copy, Debug)]
struct Failure {
    after: usize,
    kind: ErrorKind,
}

/// What a read came to.
enum Read {
    Done(io::Result<usize>),
    /// There is something that arrives then.
    NotBefore(Instant),
    Nothing,
}

/// What a write came to.
pub(crate) enum Write {
    Done(io::Result<usize>),
    /// The wire has decided to break the whole connection.
    Reset,
}

impl Pipe {
    pub(crate) fn new(link: Link, capacity: usize, chunk: usize) -> Self {
        let state = State {
            link,
            under_way: VecDeque::new(),
            len: 0,
            capacity,
            chunk,
            is_cut: false,
            is_closed: false,
            has_reader: true,
            reads_fail: None,
            writes_fail: None,
        };
        Self {
            state: Mutex::new(state),
            readable: AtomicWaker::new(),
            writable: AtomicWaker::new(),
        }
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        alarm: &mut Alarm,
    ) -> Poll<io::Result<usize>> {
        self.readable.register(cx.waker());
        loop {
            let read = self.lock().read(buf);
            match read {
                Read::Done(result) => {
                    self.writable.wake();
                    return Poll::Ready(result);
                }
                Read::NotBefore(at) => {
                    ready!(alarm.poll_until(at, cx));
                    self.lock().arrived(at);
                }
                Read::Nothing => return Poll::Pending,
            }
        }
    }

    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8], clock: Clock) -> Poll<Write> {
        self.writable.register(cx.waker());
        let now = self.now(clock);
        let write = ready!(self.lock().write(buf, now));
        self.readable.wake();
        Poll::Ready(write)
    }

    /// Says how the writing end is.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.lock().writes_fail {
            Some(Failure { after: 0, kind }) => Err(kind.into()),
            _ => Ok(()),
        }
    }

    /// Nothing more is written; the end arrives like all else.
    pub(crate) fn close(&self, clock: Clock) {
        let now = self.now(clock);
        self.lock().close(now);
        self.readable.wake();
        self.writable.wake();
    }

    /// Nobody reads any more, so nothing is kept.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.has_reader = false;
        state.lose();
        drop(state);
        self.writable.wake();
    }

    /// Both ends fail at once, and what was under way is lost.
    pub(crate) fn fail(&self, kind: ErrorKind) {
        let mut state = self.lock();
        state.lose();
        let failure = Some(Failure { after: 0, kind });
        state.reads_fail = failure;
        state.writes_fail = failure;
        drop(state);
        self.readable.wake();
        self.writable.wake();
    }

    pub(crate) fn fail_reads(&self, after: usize, kind: ErrorKind) {
        self.lock().reads_fail = Some(Failure { after, kind });
        self.readable.wake();
    }

    pub(crate) fn fail_writes(&self, after: usize, kind: ErrorKind) {
        self.lock().writes_fail = Some(Failure { after, kind });
        self.writable.wake();
    }

    pub(crate) fn set_chunk(&self, chunk: usize) {
        self.lock().chunk = chunk;
    }

    /// Changes the wire for what is written from now on.
    pub(crate) fn rewire(&self, change: impl FnOnce(&mut Link)) {
        change(&mut self.lock().link);
    }

    /// Cuts the wire: what has not arrived by now does not arrive.
    pub(crate) fn cut(&self, now: Option<Instant>) {
        let mut state = self.lock();
        state.is_cut = true;
        if let Some(now) = now {
            state.arrived(now);
        }
        for parcel in &mut state.under_way {
            if parcel.arrival != Arrival::There {
                parcel.arrival = Arrival::Never;
            }
        }
    }

    /// Mends the wire, and sends again what did not arrive.
    pub(crate) fn mend(&self, now: Option<Instant>) {
        self.lock().mend(now);
        self.readable.wake();
    }

    /// The time, if it is of any concern.
    fn now(&self, clock: Clock) -> Option<Instant> {
        let is_timed = self.lock().link.is_timed();
        is_timed.then(|| clock.now()).flatten()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn read(&mut self, buf: &mut [u8]) -> Read {
        let mut room = buf.len().min(self.chunk);
        if let Some(failure) = self.reads_fail {
            if failure.after == 0 {
                return Read::Done(Err(failure.kind.into()));
            }
            room = room.min(failure.after);
        }
        let mut count = 0;
        while count < room {
            let Some(parcel) = self.under_way.front_mut() else {
                break;
            };
            match parcel.arrival {
                Arrival::There if !parcel.bytes.is_empty() => {}
                _ if count > 0 => break,
                Arrival::At(at) => return Read::NotBefore(at),
                Arrival::Never => return Read::Nothing,
                // The end stays where it is, for the next read.
                Arrival::There => return Read::Done(Ok(0)),
            }
            let (front, _) = parcel.bytes.as_slices();
            let taken = front.len().min(room - count);
            buf[count..count + taken].copy_from_slice(&front[..taken]);
            parcel.bytes.drain(..taken);
            count += taken;
            if parcel.bytes.is_empty() {
                self.under_way.pop_front();
            }
        }
        if count == 0 && room > 0 {
            return Read::Nothing;
        }
        self.len -= count;
        if let Some(failure) = &mut self.reads_fail {
            failure.after -= count;
        }
        Read::Done(Ok(count))
    }

    fn write(&mut self, buf: &[u8], now: Option<Instant>) -> Poll<Write> {
        let done = |result| Poll::Ready(Write::Done(result));
        let mut room = self.capacity - self.len;
        if let Some(failure) = self.writes_fail {
            if failure.after == 0 {
                return done(Err(failure.kind.into()));
            }
            room = room.min(failure.after);
        }
        if self.is_closed || !self.has_reader {
            return done(Err(ErrorKind::BrokenPipe.into()));
        }
        if buf.is_empty() {
            return done(Ok(0));
        }
        if room == 0 {
            return Poll::Pending;
        }
        if self.link.is_reset() {
            return Poll::Ready(Write::Reset);
        }
        let count = buf.len().min(room);
        self.len += count;
        if let Some(failure) = &mut self.writes_fail {
            failure.after -= count;
        }
        let packet = self.link.packet().unwrap_or(count);
        for bytes in buf[..count].chunks(packet) {
            self.send(bytes, now);
        }
        done(Ok(count))
    }

    fn send(&mut self, bytes: &[u8], now: Option<Instant>) {
        let arrival = self.arrival(bytes.len(), now);
        match self.under_way.back_mut() {
            Some(last) if last.arrival == arrival => last.bytes.extend(bytes),
            _ => self.under_way.push_back(Parcel {
                arrival,
                bytes: bytes.iter().copied().collect(),
            }),
        }
    }

    fn close(&mut self, now: Option<Instant>) {
        if !std::mem::replace(&mut self.is_closed, true) && self.has_reader {
            let arrival = self.arrival(0, now);
            let bytes = VecDeque::new();
            self.under_way.push_back(Parcel { arrival, bytes });
        }
    }

    fn arrival(&mut self, bytes: usize, now: Option<Instant>) -> Arrival {
        match now {
            _ if self.is_cut => Arrival::Never,
            None => Arrival::There,
            Some(now) => match self.link.arrival(now, bytes) {
                Some(at) => Arrival::At(at),
                None => Arrival::Never,
            },
        }
    }

    /// It is `now`.
    fn arrived(&mut self, now: Instant) {
        for parcel in &mut self.under_way {
            if matches!(parcel.arrival, Arrival::At(at) if at <= now) {
                parcel.arrival = Arrival::There;
            }
        }
    }

    fn mend(&mut self, now: Option<Instant>) {
        self.is_cut = false;
        self.link.forget();
        let now = now.filter(|_| self.link.is_timed());
        let mut under_way = std::mem::take(&mut self.under_way);
        for parcel in &mut under_way {
            if parcel.arrival == Arrival::Never {
                parcel.arrival = self.arrival(parcel.bytes.len(), now);
            }
        }
        self.under_way = under_way;
    }

    fn lose(&mut self) {
        self.under_way.clear();
        self.len = 0;
    }
}
