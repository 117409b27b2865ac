//! The network in memory: wires that are cut and mended.

use std::io::ErrorKind::{ConnectionReset, TimedOut};

use anyrt_core::{move_on_after, sleep};
use anyrt_sim::Sim;
use anyrt_testing::{Host, HostListener, HostStream, Network};
use futures::{AsyncReadExt, AsyncWriteExt, join};

use crate::support::{kind, ms, rest, run, timed};

struct World {
    network: Network<Sim>,
    client: Host<Sim>,
    listener: HostListener,
}

impl World {
    async fn new(network: Network<Sim>) -> Self {
        let client = network.host("client");
        let listener = network.host("server").listen(80).await.unwrap();
        Self {
            network,
            client,
            listener,
        }
    }

    async fn connection(&self) -> (HostStream, HostStream) {
        let (here, there) = join!(self.client.connect("server:80"), self.listener.accept());
        (here.unwrap(), there.unwrap().0)
    }

    fn part(&self) {
        self.network.partition("client", "server");
    }

    fn heal(&self) {
        self.network.heal("server", "client");
    }
}

fn network() -> Network<Sim> {
    Network::new(7).latency(ms(10))
}

#[test]
fn to_connect_through_a_partition_times_out() {
    run(async {
        let world = World::new(network().connect_timeout(ms(500))).await;
        world.part();
        let (connected, time) = timed(world.client.connect("server:80")).await;
        assert_eq!((kind(connected.map(drop)), time), (Err(TimedOut), ms(500)));
    });
}

#[test]
fn who_connects_goes_on_when_the_wire_is_mended() {
    run(async {
        let world = World::new(network()).await;
        // Cut before the first way, and on each of the two.
        for cut_at in [0, 5, 15] {
            let heals = async {
                sleep::<Sim>(ms(cut_at)).await;
                world.part();
                sleep::<Sim>(ms(1000)).await;
                world.heal();
            };
            let ((), connected, accepted) = join!(
                heals,
                timed(world.client.connect("server:80")),
                world.listener.accept()
            );
            connected.0.unwrap();
            accepted.unwrap();
            let again = if cut_at < 10 { 20 } else { 10 };
            assert_eq!(connected.1, ms(cut_at + 1000 + again));
        }
    });
}

#[test]
fn what_has_arrived_is_read_and_what_has_not_arrives_after_all() {
    run(async {
        let world = World::new(network()).await;
        let (mut here, mut there) = world.connection().await;
        here.write_all(b"arrived").await.unwrap();
        sleep::<Sim>(ms(10)).await;
        here.write_all(b", under way").await.unwrap();
        world.part();
        here.write_all(b", late").await.unwrap();
        here.close().await.unwrap();

        let mut buf = [0; 100];
        assert_eq!(kind(there.read(&mut buf).await), Ok(7));
        assert!(
            move_on_after::<Sim, _>(ms(1_000_000), there.read(&mut buf))
                .await
                .is_none()
        );
        world.heal();
        let (left, time) = timed(rest(&mut there)).await;
        assert_eq!(
            (left.unwrap().as_str(), time),
            (", under way, late", ms(10))
        );
    });
}

#[test]
fn who_waits_for_what_was_sent_before_the_cut_waits_for_the_second_try() {
    run(async {
        let world = World::new(network()).await;
        let (mut here, mut there) = world.connection().await;
        here.write_all(b"1").await.unwrap();
        let parts = async {
            sleep::<Sim>(ms(5)).await;
            world.part();
            sleep::<Sim>(ms(1)).await;
            world.heal();
        };
        let mut buf = [0];
        let (read, ()) = join!(timed(there.read(&mut buf)), parts);
        assert_eq!((kind(read.0), read.1), (Ok(1), ms(16)));
    });
}

#[test]
fn without_latency_a_partition_holds_as_well() {
    run(async {
        let world = World::new(Network::new(7)).await;
        let (mut here, mut there) = world.connection().await;
        here.write_all(b"1").await.unwrap();
        world.part();
        here.write_all(b"2").await.unwrap();
        let mut buf = [0; 2];
        assert_eq!(kind(there.read(&mut buf).await), Ok(1));
        let heals = async {
            sleep::<Sim>(ms(5)).await;
            world.heal();
        };
        let (read, ()) = join!(timed(there.read(&mut buf)), heals);
        assert_eq!((kind(read.0), read.1), (Ok(1), ms(5)));
    });
}

#[test]
fn a_connection_that_was_made_before_the_cut_is_cut_and_so_is_the_way_back() {
    run(async {
        let world = World::new(network()).await;
        let (mut here, mut there) = world.connection().await;
        world.part();
        world.part();
        there.write_all(b"back").await.unwrap();
        drop(there);
        assert!(
            move_on_after::<Sim, _>(ms(100), here.read(&mut [0]))
                .await
                .is_none()
        );
        world.heal();
        assert_eq!(rest(&mut here).await.unwrap(), "back");
        world.heal();
    });
}

#[test]
fn others_do_not_notice() {
    run(async {
        let world = World::new(network()).await;
        let other = world.network.host("other");
        world.part();
        let (connected, accepted) = join!(other.connect("server:80"), world.listener.accept());
        let (mut here, mut there) = (connected.unwrap(), accepted.unwrap().0);
        here.write_all(b"1").await.unwrap();
        assert_eq!(
            timed(async { kind(there.read(&mut [0]).await) }).await,
            (Ok(1), ms(10))
        );
    });
}

#[test]
fn a_reset_breaks_the_connections_between_two_hosts_and_no_others() {
    run(async {
        let world = World::new(network()).await;
        let (mut here, mut there) = world.connection().await;
        let mut own = world
            .network
            .host("server")
            .connect("server:80")
            .await
            .unwrap();
        world.network.reset("client", "server");
        assert_eq!(kind(here.read(&mut [0]).await), Err(ConnectionReset));
        assert_eq!(kind(there.write(b"1").await), Err(ConnectionReset));
        own.write_all(b"1").await.unwrap();
        world.connection().await;
    });
}

#[test]
fn connections_that_have_gone_are_forgotten() {
    run(async {
        let world = World::new(Network::new(7)).await;
        for _ in 0..10_000 {
            world.connection().await;
        }
        let (mut here, mut there) = world.connection().await;
        world.part();
        here.write_all(b"1").await.unwrap();
        world.heal();
        assert_eq!(kind(there.read(&mut [0]).await), Ok(1));
    });
}
