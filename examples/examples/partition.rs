//! A client that tries again against a server behind a wire that is cut for ten minutes and then mended.
//!
//! Client and server take any `Net`, so they would run on sockets as they are. Here the network is simulated, and on the
//! simulator the ten minutes are over at once; the same seed prints the same. What can be seen: a request whose answer was
//! lost has reached the server all the same, so who tries again has to expect that it is done twice.
//!
//! ```text
//! cargo run --example partition -- --seed 7
//! cargo run --example partition -- --seed 7 --cut 86400
//! cargo run --example partition -- --backend tokio --cut 1
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyrt::testing::{Listener, Net, Network};
use anyrt::{
    Backend, Current, GroupError, Sim, Started, UnknownBackend, available, fail_after, now, sleep,
    task_group,
};
use clap::Parser;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How many requests there are, and how long it is from an answer to the next one.
const REQUESTS: u64 = 8;
const INTERVAL: Duration = Duration::from_millis(100);

/// How long the client waits for an answer.
const LIMIT: Duration = Duration::from_millis(500);

/// How long it waits before it tries again: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// When the wire is cut.
const CUT_AT: Duration = Duration::from_millis(450);

/// A client that tries again while the wire to its server is cut
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "sim", value_parser = backends)]
    backend: std::vec::Vec<Current>,
    /// Seed of the network, and of the simulator's order
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,
    /// For how long the wire is cut
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    cut: u64,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    for backend in &args.backend {
        let backend = match backend {
            Current::Sim(_) => Sim::with_seed(args.seed).into(),
            other => other.clone(),
        };
        say(&format!("on {}", backend.name()));
        anyrt::run_on(backend, play(args.seed, Duration::from_secs(args.cut)))?;
    }
    Ok(())
}

/// Runs server and client, cuts the wire between them and mends it, and says what became of it.
async fn play(seed: u64, cut: Duration) -> io::Result<()> {
    let latency = Duration::from_millis(5)..=Duration::from_millis(40);
    let network = Network::new(seed).latency(latency);
    let (here, there) = (network.host("client"), network.host("server"));
    let clock = Clock(now());
    let ledger = Ledger::default();
    let group = task_group(async |g| {
        let server = g.start(|started| serve(there, ledger.clone(), started));
        server.await.map_err(io::Error::other)?;
        g.spawn(async move {
            sleep(CUT_AT).await;
            network.partition("client", "server");
            clock.say("the wire is cut");
            sleep(cut).await;
            network.heal("client", "server");
            clock.say("the wire is mended");
            Ok(())
        });
        let mut client = Client::new(here, clock);
        for number in 1..=REQUESTS {
            client.ask(number).await;
            sleep(INTERVAL).await;
        }
        g.cancel(); // The server has no end of its own.
        Ok(client.attempts)
    });
    let attempts = group.await.map_err(GroupError::into_first)?;
    let booked = ledger.lock();
    let done = booked.len();
    let twice = booked.values().filter(|times| **times > 1).count();
    say(&format!(
        "{attempts} attempts; {done} requests done, {twice} of them more than once"
    ));
    Ok(())
}

/// Answers requests on any number of connections.
async fn serve(net: impl Net, ledger: Ledger, started: Started<()>) -> io::Result<()> {
    let listener = net.listen(80).await?;
    started.set(());
    let connections = task_group(async |g| {
        loop {
            let (stream, _) = listener.accept().await?;
            let ledger = ledger.clone();
            g.spawn(async move {
                // A connection that breaks concerns the client, who tries again.
                answer(stream, ledger).await.ok();
                Ok(())
            });
        }
    });
    connections.await.map_err(GroupError::into_first)
}

/// A request is a number, and its answer the same number.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, ledger: Ledger) -> io::Result<()> {
    let mut number = [0; 8];
    loop {
        stream.read_exact(&mut number).await?;
        *ledger.lock().entry(u64::from_be_bytes(number)).or_default() += 1;
        stream.write_all(&number).await?;
    }
}

/// Asks the server until there is an answer.
struct Client<N: Net> {
    net: N,
    /// While nobody asks, if the last answer has come.
    connection: Option<N::Stream>,
    attempts: u32,
    clock: Clock,
}

impl<N: Net> Client<N> {
    fn new(net: N, clock: Clock) -> Self {
        Self {
            net,
            connection: None,
            attempts: 0,
            clock,
        }
    }

    async fn ask(&mut self, number: u64) {
        let mut pause = FIRST_PAUSE;
        loop {
            self.attempts += 1;
            let failure = match fail_after(LIMIT, self.attempt(number)).await {
                Ok(Ok(())) => return self.clock.say(&format!("{number} is answered")),
                Ok(Err(error)) => error.to_string(),
                Err(elapsed) => elapsed.to_string(),
            };
            self.clock
                .say(&format!("{number}: {failure}; again in {pause:?}"));
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }

    /// An attempt that fails or is interrupted drops its connection, as the answer may be on its way.
    async fn attempt(&mut self, number: u64) -> io::Result<()> {
        let mut stream = match self.connection.take() {
            Some(stream) => stream,
            None => self.net.connect("server:80").await?,
        };
        stream.write_all(&number.to_be_bytes()).await?;
        stream.read_exact(&mut [0; 8]).await?;
        self.connection = Some(stream);
        Ok(())
    }
}

/// How often each request was done.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<BTreeMap<u64, u32>>>);

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time since the beginning.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn say(self, what: &str) {
        let time = (now() - self.0).as_secs_f64();
        say(&format!("{time:9.3} s  {what}"));
    }
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
