//! The network in memory: hosts, addresses, latency, errors.

use std::io::ErrorKind::{AddrInUse, ConnectionRefused, ConnectionReset, InvalidInput, NotFound};
use std::num::NonZeroU64;

use anyrt_core::{move_on_after, sleep, task_group};
use anyrt_sim::Sim;
use anyrt_testing::{Network, assert_pending, wait_all_blocked};
use futures::{AsyncReadExt, AsyncWriteExt, join};

use crate::support::{SEEDS, kind, ms, panic_of, rest, run, run_with, timed};

fn network() -> Network<Sim> {
    Network::new(7)
}

#[test]
fn who_connects_and_who_accepts_know_each_other() {
    run(async {
        let network = network();
        let (client, server) = (network.host("client"), network.host("server"));
        assert_eq!(
            (client.name(), network.host("client").name()),
            ("client", "client")
        );
        let listener = server.listen(80).await.unwrap();
        let (connected, accepted) = join!(client.connect("server:80"), listener.accept());
        let (mut here, (mut there, peer)) = (connected.unwrap(), accepted.unwrap());
        assert_eq!(
            (here.local_addr(), here.peer_addr()),
            ("client:49152", "server:80")
        );
        assert_eq!(
            (there.local_addr(), there.peer_addr()),
            ("server:80", peer.as_str())
        );
        assert_eq!(peer, "client:49152");

        here.write_all(b"question").await.unwrap();
        here.close().await.unwrap();
        assert_eq!(rest(&mut there).await.unwrap(), "question");
        there.write_all(b"answer").await.unwrap();
        drop(there);
        assert_eq!(rest(&mut here).await.unwrap(), "answer");

        // A host may connect to itself, and each connection has a port of its own.
        let more = server.connect("server:80").await.unwrap();
        let again = client.connect("server:80").await.unwrap();
        assert_eq!(
            (more.local_addr(), again.local_addr()),
            ("server:49152", "client:49153")
        );
    });
}

#[test]
fn each_way_takes_the_latency() {
    run(async {
        let network = network().latency(ms(20));
        let (client, server) = (network.host("client"), network.host("server"));
        let listener = server.listen(80).await.unwrap();
        let (connected, accepted) =
            join!(timed(client.connect("server:80")), timed(listener.accept()));
        assert_eq!((connected.1, accepted.1), (ms(40), ms(20)));
        let (mut here, (mut there, _)) = (connected.0.unwrap(), accepted.0.unwrap());
        here.write_all(b"question").await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(timed(there.read(&mut buf)).await.1, ms(20));
        there.write_all(b"answer").await.unwrap();
        assert_eq!(timed(here.read(&mut buf)).await.1, ms(20));
        // So does a refusal.
        let (refused, time) = timed(client.connect("server:81")).await;
        assert_eq!(
            (kind(refused.map(drop)), time),
            (Err(ConnectionRefused), ms(40))
        );
    });
}

#[test]
fn errors_are_those_of_sockets() {
    run(async {
        let network = network();
        let (client, server) = (network.host("client"), network.host("server"));
        for (address, expected) in [
            ("server:80", ConnectionRefused),
            ("nobody:80", NotFound),
            ("server", InvalidInput),
            ("server:http", InvalidInput),
            ("server:65536", InvalidInput),
            (":80", InvalidInput),
        ] {
            let connected = client.connect(address).await;
            let error = connected.expect_err("there is nothing to connect to");
            assert_eq!(error.kind(), expected, "{address}");
            assert!(!error.to_string().is_empty());
        }
        let listener = server.listen(80).await.unwrap();
        assert_eq!(kind(server.listen(80).await.map(drop)), Err(AddrInUse));
        client.listen(80).await.unwrap(); // ports belong to hosts
        drop(listener);
        assert_eq!(
            kind(client.connect("server:80").await.map(drop)),
            Err(ConnectionRefused)
        );
        server.listen(80).await.unwrap();
    });
}

#[test]
fn port_0_is_one_that_is_free() {
    run(async {
        let server = network().host("server");
        let listeners = [
            server.listen(0).await.unwrap(),
            server.listen(0).await.unwrap(),
        ];
        assert_ne!(listeners[0].port(), listeners[1].port());
        let address = format!("server:{}", listeners[1].port());
        server.connect(&address).await.unwrap();
        assert_pending!(Box::pin(listeners[0].accept()));
        listeners[1].accept().await.unwrap();
    });
}

#[test]
fn a_listener_that_goes_resets_those_who_were_not_accepted() {
    run(async {
        let network = network();
        let (client, server) = (network.host("client"), network.host("server"));
        let listener = server.listen(80).await.unwrap();
        let mut stream = client.connect("server:80").await.unwrap();
        let accepted = move_on_after::<Sim, _>(ms(0), std::future::pending::<()>());
        assert_eq!(accepted.await, None);
        drop(listener);
        assert_eq!(kind(stream.read(&mut [0]).await), Err(ConnectionReset));
    });
}

#[test]
fn an_accept_that_is_cancelled_loses_no_connection() {
    for seed in SEEDS {
        run_with(seed, async {
            let network = network();
            let (client, server) = (network.host("client"), network.host("server"));
            let listener = server.listen(80).await.unwrap();
            let group = task_group::<Sim, _, (), _, _>(async |g| {
                let scope = anyrt_core::CancelScope::<Sim>::new();
                let task = g.spawn({
                    let scope = scope.clone();
                    async move {
                        let accepted = scope.run(listener.accept()).await;
                        Ok((accepted.is_ok(), listener))
                    }
                });
                wait_all_blocked::<Sim>().await;
                let (stream, ()) = join!(client.connect("server:80"), async { scope.cancel() });
                let stream = stream.unwrap();
                let (accepted, listener) = task.await;
                if !accepted {
                    assert_eq!(listener.accept().await.unwrap().1, stream.local_addr());
                }
                Ok(())
            });
            group.await.unwrap();
        });
    }
}

#[test]
fn who_gives_up_connecting_leaves_a_connection_that_ends() {
    run(async {
        let network = network().latency(ms(10));
        let (client, server) = (network.host("client"), network.host("server"));
        let listener = server.listen(80).await.unwrap();
        let given_up = move_on_after::<Sim, _>(ms(15), client.connect("server:80"));
        let (given_up, accepted) = join!(given_up, listener.accept());
        assert!(given_up.is_none());
        assert_eq!(rest(&mut accepted.unwrap().0).await.unwrap(), "");
    });
}

#[test]
fn a_write_resets_its_connection_as_likely_as_said() {
    run(async {
        let network = network().resets(0.1).buffer(100_000);
        let server = network.host("server");
        let listener = server.listen(80).await.unwrap();
        let mut writes = 0;
        for _ in 0..200 {
            let (stream, accepted) = join!(server.connect("server:80"), listener.accept());
            let (mut stream, mut accepted) = (stream.unwrap(), accepted.unwrap().0);
            while let Ok(1) = stream.write(b"1").await {
                writes += 1;
            }
            assert_eq!(kind(stream.flush().await), Err(ConnectionReset));
            assert_eq!(kind(rest(&mut accepted).await), Err(ConnectionReset));
        }
        // Nine on average, in 200 connections.
        assert!((1200..2600).contains(&writes), "{writes}");
    });
}

#[test]
fn the_network_can_be_narrow_and_full() {
    run(async {
        let rate = NonZeroU64::new(1000).unwrap();
        let server = network().bytes_per_second(rate).buffer(500).host("server");
        let listener = server.listen(80).await.unwrap();
        let (stream, accepted) = join!(server.connect("server:80"), listener.accept());
        let (mut stream, mut accepted) = (stream.unwrap(), accepted.unwrap().0);
        let write = async {
            stream.write_all(&[0; 2000]).await.unwrap();
            stream.close().await.unwrap();
        };
        let (((), read), time) = timed(async { join!(write, rest(&mut accepted)) }).await;
        assert_eq!((read.unwrap().len(), time), (2000, ms(2000)));
    });
}

/// Who is served when, by a server that serves one at a time.
async fn day(seed: u64) -> Vec<(String, std::time::Duration)> {
    let network = Network::<Sim>::new(seed)
        .latency(ms(1)..=ms(50))
        .resets(0.05);
    let server = network.host("server");
    let listener = server.listen(80).await.unwrap();
    let group = task_group::<Sim, _, (), _, _>(async |g| {
        for n in 0..10 {
            let client = network.host(&format!("client{n}"));
            g.spawn(async move {
                for _ in 0..5 {
                    let Ok(mut stream) = client.connect("server:80").await else {
                        continue;
                    };
                    stream.write_all(b"hello").await.ok();
                    rest(&mut stream).await.ok();
                }
                Ok(())
            });
        }
        let mut served = Vec::new();
        let start = anyrt_core::now::<Sim>();
        while let Some(next) = move_on_after::<Sim, _>(ms(1000), listener.accept()).await {
            let (mut stream, peer) = next.unwrap();
            let mut buf = [0; 5];
            if stream.read_exact(&mut buf).await.is_ok() {
                stream.write_all(&buf).await.ok();
                served.push((peer, anyrt_core::now::<Sim>() - start));
            }
            sleep::<Sim>(ms(3)).await;
        }
        Ok(served)
    });
    group.await.unwrap()
}

#[test]
fn the_same_seeds_make_the_same_day() {
    let play = |seed| run_with(seed, day(seed));
    let days: Vec<_> = (0..10).map(play).collect();
    assert_eq!(days, (0..10).map(play).collect::<Vec<_>>());
    assert!(days.windows(2).all(|two| two[0] != two[1]));
    assert!(days.iter().all(|day| day.len() > 20));
}

#[test]
fn bad_options_are_refused_where_they_are_given() {
    for message in [
        panic_of(|| network().resets(2.0)),
        panic_of(|| network().buffer(0)),
        panic_of(|| network().partition("a", "b")),
    ] {
        assert!(message.starts_with("anyrt: "), "{message}");
    }
}
