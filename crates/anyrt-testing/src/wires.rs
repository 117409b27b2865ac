//! The state of a network: its hosts, who listens there, which wires are cut, and which connections there are.
//!
//! Invariant: a connection is cut exactly if its pair of hosts is in `cuts`. All of it changes under one lock, under which
//! nothing is woken.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_channel::Sender;
use event_listener::Event;
use fastrand::Rng;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::delay::Delay;
use crate::host_stream::HostStream;
use crate::link::Link;
use crate::memory_stream::MemoryStream;
use crate::pipe::Pipe;

/// Where the ports begin that nobody has asked for.
const FIRST_EPHEMERAL: u16 = 49152;

#[derive(Debug)]
pub(crate) struct Shared {
    wires: Mutex<Wires>,
    /// Notified when a wire is mended.
    pub(crate) mended: Event,
    clock: Clock,
}

#[derive(Debug)]
pub(crate) struct Wires {
    pub(crate) latency: Delay,
    pub(crate) bytes_per_second: Option<NonZeroU64>,
    pub(crate) resets: Chance,
    pub(crate) buffer: usize,
    pub(crate) connect_timeout: Duration,
    rng: Rng,
    hosts: BTreeMap<Arc<str>, HostState>,
    cuts: BTreeSet<Pair>,
    connections: Vec<(Pair, [Weak<Pipe>; 2])>,
}

#[derive(Debug)]
struct HostState {
    listeners: BTreeMap<u16, Sender<HostStream>>,
    next_ephemeral: u16,
}

/// Two hosts, in the order of their names.
type Pair = (Arc<str>, Arc<str>);

impl Shared {
    pub(crate) fn new(seed: u64, buffer: usize, clock: Clock) -> Self {
        Self {
            wires: Mutex::new(Wires {
                latency: Delay::default(),
                bytes_per_second: None,
                resets: Chance::default(),
                buffer,
                connect_timeout: Duration::from_secs(30),
                rng: Rng::with_seed(seed),
                hosts: BTreeMap::new(),
                cuts: BTreeSet::new(),
                connections: Vec::new(),
            }),
            mended: Event::new(),
            clock,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Wires> {
        self.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a connection, and hands one end of it to whoever listens there.
    pub(crate) fn open(&self, from: &Arc<str>, to: &str, port: u16) -> io::Result<HostStream> {
        let opened = self.lock().open(from, to, port, self.clock);
        let (client, server, backlog) = opened.ok_or_else(|| {
            let message = format!("nobody listens on {to}:{port}");
            io::Error::new(ErrorKind::ConnectionRefused, message)
        })?;
        // The listener may have gone in between; then the connection is as good as reset.
        if let Err(refused) = backlog.try_send(server) {
            refused.into_inner().control().reset();
        }
        Ok(client)
    }

    #[track_caller]
    pub(crate) fn cut(&self, a: &str, b: &str) {
        let mut wires = self.lock();
        let pair = wires.pair(a, b);
        let pipes = wires.between(&pair);
        wires.cuts.insert(pair);
        drop(wires);
        let now = self.clock.now();
        pipes.iter().for_each(|pipe| pipe.cut(now));
    }

    #[track_caller]
    pub(crate) fn mend(&self, a: &str, b: &str) {
        let mut wires = self.lock();
        let pair = wires.pair(a, b);
        let pipes = wires.between(&pair);
        wires.cuts.remove(&pair);
        drop(wires);
        let now = self.clock.now();
        pipes.iter().for_each(|pipe| pipe.mend(now));
        self.mended.notify(usize::MAX);
    }

    #[track_caller]
    pub(crate) fn reset(&self, a: &str, b: &str) {
        let wires = self.lock();
        let pipes = wires.between(&wires.pair(a, b));
        drop(wires);
        let kind = ErrorKind::ConnectionReset;
        pipes.iter().for_each(|pipe| pipe.fail(kind));
    }
}

impl Wires {
    /// The host of this name, which is there from now on.
    pub(crate) fn host(&mut self, name: &str) -> Arc<str> {
        if let Some((name, _)) = self.hosts.get_key_value(name) {
            return Arc::clone(name);
        }
        let name: Arc<str> = name.into();
        let state = HostState {
            listeners: BTreeMap::new(),
            next_ephemeral: FIRST_EPHEMERAL,
        };
        self.hosts.insert(Arc::clone(&name), state);
        name
    }

    pub(crate) fn has_host(&self, name: &str) -> bool {
        self.hosts.contains_key(name)
    }

    pub(crate) fn is_cut(&self, a: &str, b: &str) -> bool {
        self.cuts.contains(&self.pair(a, b))
    }

    /// How long a way takes this time.
    pub(crate) fn latency(&mut self) -> Duration {
        self.latency.draw(&mut self.rng)
    }

    /// Registers a listener, and gives its port; `None` if there is one already.
    pub(crate) fn listen(
        &mut self,
        host: &str,
        port: u16,
        backlog: Sender<HostStream>,
    ) -> Option<u16> {
        let host = self.hosts.get_mut(host)?;
        let port = if port == 0 { host.ephemeral() } else { port };
        if host.listeners.contains_key(&port) {
            return None;
        }
        host.listeners.insert(port, backlog);
        Some(port)
    }

    pub(crate) fn stop_listening(&mut self, host: &str, port: u16) {
        if let Some(host) = self.hosts.get_mut(host) {
            host.listeners.remove(&port);
        }
    }

    fn open(
        &mut self,
        from: &Arc<str>,
        to: &str,
        port: u16,
        clock: Clock,
    ) -> Option<(HostStream, HostStream, Sender<HostStream>)> {
        let backlog = self.hosts.get(to)?.listeners.get(&port)?.clone();
        let pair = self.pair(from, to);
        let is_cut = self.cuts.contains(&pair);
        let (there, back) = (self.pipe(is_cut), self.pipe(is_cut));
        let (client, server) = MemoryStream::pair(there, back, clock);
        // A growing list is the time to look for connections that have gone.
        if self.connections.len() == self.connections.capacity() {
            let is_alive = |pipe: &Weak<Pipe>| pipe.strong_count() > 0;
            self.connections
                .retain(|(_, pipes)| pipes.iter().any(is_alive));
        }
        let pipes = client.control().pipes().map(Arc::downgrade);
        self.connections.push((pair, pipes));
        let ephemeral = self.hosts.get_mut(from).map_or(0, HostState::ephemeral);
        let local: Arc<str> = format!("{from}:{ephemeral}").into();
        let peer: Arc<str> = format!("{to}:{port}").into();
        Some((
            HostStream::new(client, Arc::clone(&local), Arc::clone(&peer)),
            HostStream::new(server, peer, local),
            backlog,
        ))
    }

    /// One direction of a connection, with a generator of its own.
    fn pipe(&mut self, is_cut: bool) -> Pipe {
        let rng = self.rng.fork();
        let link = Link::new(self.latency, self.bytes_per_second, self.resets, rng);
        let pipe = Pipe::new(link, self.buffer, usize::MAX);
        if is_cut {
            pipe.cut(None);
        }
        pipe
    }

    #[track_caller]
    fn pair(&self, a: &str, b: &str) -> Pair {
        let name = |name: &str| match self.hosts.get_key_value(name) {
            Some((name, _)) => Arc::clone(name),
            None => panic!("anyrt: the network has no host `{name}`; `Network::host` makes one"),
        };
        let (a, b) = (name(a), name(b));
        if a <= b { (a, b) } else { (b, a) }
    }

    fn between(&self, pair: &Pair) -> Vec<Arc<Pipe>> {
        let of_pair = self.connections.iter().filter(|(of, _)| of == pair);
        of_pair
            .flat_map(|(_, pipes)| pipes.iter().filter_map(Weak::upgrade))
            .collect()
    }
}

impl HostState {
    /// A port that nobody listens on. They come round, as there are more connections in a test than ports.
    fn ephemeral(&mut self) -> u16 {
        loop {
            let port = self.next_ephemeral;
            self.next_ephemeral = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL);
            if !self.listeners.contains_key(&port) {
                return port;
            }
        }
    }
}
