//! Draws what a program does: a page of a web shop is put together, and the simulator writes down who did what when.
//!
//! Nothing in the program knows of that. What is printed is a picture, or a trace, to be put into a file. It is in virtual
//! time, and so the same on every machine.
//!
//! ```text
//! cargo run --example timeline
//! cargo run --example timeline -- --seed 3 --format perfetto
//! ```

use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;

use anyrt::{GroupOptions, Sim, Timeline, finally, move_on_after, run_on, sleep};
use clap::{Parser, ValueEnum};

/// Draws what a program does
#[derive(Parser)]
struct Args {
    /// Seed of the simulator's order
    #[arg(long, value_name = "N", default_value = "7")]
    seed: u64,
    /// What to write: a picture, or a trace for Perfetto
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Svg,
    Perfetto,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let timeline = Timeline::new();
    let sim = Sim::builder().seed(args.seed).timeline(&timeline).build();
    run_on(sim, page());
    let text = match args.format {
        Format::Svg => timeline.to_svg(),
        Format::Perfetto => timeline.to_perfetto_json(),
    };
    io::stdout().write_all(text.as_bytes())
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// All parts at once; what is optional is left out when it is late.
async fn page() {
    let page = GroupOptions::<Infallible>::new().name("page");
    let page = page.run(async |g| {
        g.spawn_daemon(async {
            loop {
                sleep(millis(50)).await; // counts visitors, as long as there is something to count
            }
        });
        g.spawn_named("user", async {
            sleep(millis(40)).await;
            Ok(())
        });
        g.spawn_named("prices", async {
            prices().await;
            Ok(())
        });
        g.spawn_named("reviews", async {
            reviews().await;
            Ok(())
        });
        g.spawn_named("advertisements", async {
            move_on_after(millis(150), advertisements()).await;
            Ok(())
        });
        Ok(())
    });
    let Ok(()) = page.await.map_err(|error| match error.first {});
}

/// Asks four shops, two at a time.
async fn prices() {
    let shops = GroupOptions::<Infallible>::new()
        .name("four shops, two at a time")
        .limit(2);
    let asked = shops.run(async |g| {
        for (shop, time) in [
            ("Aldgate", 70),
            ("Borough", 110),
            ("Camden", 60),
            ("Dalston", 80),
        ] {
            g.spawn_named(shop, async move {
                sleep(millis(time)).await;
                Ok(())
            });
        }
        Ok(())
    });
    let _ = asked.await;
}

/// The first answer counts; an error cancels nothing.
async fn reviews() {
    let mirrors = GroupOptions::<&str>::new()
        .name("first answer of three")
        .supervise_with(|_, _| {});
    let answer = mirrors.run(async |g| {
        let found = g.scope().clone();
        for (mirror, time) in [("mirror 1", 250), ("mirror 2", 60), ("mirror 3", 120)] {
            let found = found.clone();
            g.spawn_named(mirror, async move {
                sleep(millis(time)).await;
                if mirror == "mirror 2" {
                    return Err("no route");
                }
                found.cancel_with("answered");
                Ok(())
            });
        }
        Ok(())
    });
    let _ = answer.await;
}

/// Too slow; but what was opened is closed all the same.
async fn advertisements() {
    finally(sleep(millis(400)), async || sleep(millis(60)).await).await;
}
