//! A server that says when it is ready, and on which port; nobody calls it before.
//!
//! Three further servers never get ready: one finds its port taken, one takes too long, and one has nothing to do.
//! Whoever starts them hears of it right there, and the group goes on. The ports are those of a small network within
//! this program, so that it runs on the simulator, too.
//!
//! ```text
//! cargo run --example start_handshake -- --backend sim
//! cargo run --example start_handshake -- --backend all
//! ```

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyrt::{
    Backend, Current, GroupError, Sim, Started, UnknownBackend, available, fail_after, on_exit,
    sleep, task_group,
};
use async_channel::{Receiver, Sender, bounded};
use clap::Parser;

/// A server that says when it is ready
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "tokio", value_parser = backends)]
    backend: std::vec::Vec<Current>,
    /// Seed of the simulator's order
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    for backend in args.backend {
        let backend = match backend {
            Current::Sim(_) => Sim::with_seed(args.seed).into(),
            other => other,
        };
        say(&format!("on {}", backend.name()));
        anyrt::run_on(backend, serve_and_call(Network::default()))?;
    }
    Ok(())
}

async fn serve_and_call(network: Network) -> io::Result<()> {
    let group = task_group(async |g| {
        let server = g.start(|started| serve(network.clone(), 0, started));
        let (port, server) = server.await.map_err(io::Error::other)?;
        say(&format!("a server is ready on port {port}"));
        let clients = ["Ada", "Grace"].map(|name| g.spawn(call(network.clone(), port, name)));
        for client in clients {
            say(&client.await);
        }

        let second = g.start(|started| serve(network.clone(), port, started));
        if let Err(error) = second.await {
            say(&format!("a second one: {error}"));
        }
        let slow = g.start(|started| serve_some_day(network.clone(), started));
        if let Err(elapsed) = fail_after(Duration::from_millis(20), slow).await {
            say(&format!("a slow one: {elapsed}"));
        }
        let idle = g.start(async |_: Started<u16>| Ok(()));
        if let Err(error) = idle.await {
            say(&format!("an idle one: {error}"));
        }

        g.cancel(); // The server has no end of its own.
        if let Err(stopped) = server.outcome().await {
            say(&format!("the server: {stopped}"));
        }
        Ok(())
    });
    group.await.map_err(GroupError::into_first)?;
    say(&format!("open ports: {}", network.lock().len()));
    Ok(())
}

/// Answers calls on `port`, or on a free one if that is 0, which it tells whoever has started it.
async fn serve(network: Network, port: u16, started: Started<u16>) -> io::Result<()> {
    let (port, calls) = network.bind(port)?;
    on_exit(async move { drop(network.lock().remove(&port)) });
    started.set(port);
    while let Ok((name, reply)) = calls.recv().await {
        reply.send(format!("hello, {name}")).await.ok();
    }
    Ok(())
}

async fn serve_some_day(network: Network, started: Started<u16>) -> io::Result<()> {
    on_exit(async { say("a slow one: cancelled, and has cleaned up") });
    sleep(Duration::from_secs(3600)).await;
    serve(network, 0, started).await
}

async fn call(network: Network, port: u16, name: &'static str) -> io::Result<String> {
    let server = network.lock().get(&port).cloned();
    let server = server.ok_or(ErrorKind::ConnectionRefused)?;
    let (reply, answer) = bounded(1);
    let sent = server.send((name, reply)).await;
    sent.map_err(io::Error::other)?;
    answer.recv().await.map_err(io::Error::other)
}

/// Who calls, and the way back to the caller.
type Call = (&'static str, Sender<String>);

/// The ports that are open, and where calls to them go.
#[derive(Clone, Default)]
struct Network(Arc<Mutex<BTreeMap<u16, Sender<Call>>>>);

impl Network {
    fn bind(&self, port: u16) -> io::Result<(u16, Receiver<Call>)> {
        let mut ports = self.lock();
        let next = ports.last_key_value().map_or(8000, |(last, _)| last + 1);
        let port = if port == 0 { next } else { port };
        if ports.contains_key(&port) {
            return Err(ErrorKind::AddrInUse.into());
        }
        let (calls, socket) = bounded(16);
        ports.insert(port, calls);
        Ok((port, socket))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u16, Sender<Call>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
