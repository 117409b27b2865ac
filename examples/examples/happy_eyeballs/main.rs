//! Connects to the first of several addresses that answers, without waiting long for those that do not.
//!
//! An attempt begins when the one before it has failed, or after a quarter of a second; the first connection wins, and
//! the other attempts have ended when it is used. The network is simulated: of each address it is said how long an
//! attempt takes, and how it ends. `algorithm.rs` knows nothing of that, and takes real sockets as well.
//!
//! ```text
//! cargo run --example happy_eyeballs -- --backend all
//! cargo run --example happy_eyeballs -- --backend sim 2001:db8::1=refused@20 192.0.2.1=ok@40
//! ```
//!
//! The status is 1 if there is no connection: try `192.0.2.1=refused@40 192.0.2.2=refused@20`, or `--timeout 300`.

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::net::IpAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyrt::{Backend, Current, UnknownBackend, available, fail_after, now, sleep};
use clap::Parser;

mod algorithm;

use algorithm::{STAGGER, happy_eyeballs};

/// Connects to the first of several addresses that answers
#[derive(Parser)]
struct Args {
    /// What to run on: tokio, async-std, smol or sim; `all` for one after the other
    #[arg(long, value_name = "NAME", default_value = "tokio", value_parser = backends)]
    backend: std::vec::Vec<Current>,
    /// How long an attempt is alone before the next one begins
    #[arg(long, value_name = "MILLIS", default_value_t = STAGGER.as_millis() as u64)]
    stagger: u64,
    /// For how long to try at all
    #[arg(long, value_name = "MILLIS", default_value = "10000")]
    timeout: u64,
    /// What becomes of a connection to an address, and after how long: ADDRESS=ok@MILLIS or ADDRESS=refused@MILLIS
    #[arg(value_name = "ROUTE", default_values = ["2001:db8::1=ok@600", "2001:db8::2=refused@20", "192.0.2.1=ok@60"])]
    routes: Vec<Route>,
}

fn backends(name: &str) -> Result<Vec<Current>, UnknownBackend> {
    match name {
        "all" => available().iter().map(|name| name.parse()).collect(),
        name => Ok(vec![name.parse()?]),
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut status = ExitCode::SUCCESS;
    for backend in &args.backend {
        say(&format!("on {}", backend.name()));
        if let Err(error) = anyrt::run_on(backend.clone(), connect_in_time(&args)) {
            writeln!(io::stderr(), "happy_eyeballs: {error}").ok();
            status = ExitCode::FAILURE;
        }
    }
    status
}

async fn connect_in_time(args: &Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    let begin = now();
    let stagger = Duration::from_millis(args.stagger);
    let attempts = happy_eyeballs(&args.routes, stagger, |route| route.connect(begin));
    let address = fail_after(Duration::from_millis(args.timeout), attempts).await??;
    say(&format!("connected to {address}"));
    Ok(())
}

/// What the simulated network does with an attempt to connect.
#[derive(Clone, Debug)]
struct Route {
    address: IpAddr,
    delay: Duration,
    is_open: bool,
}

impl Route {
    /// Where a real program has the `connect` of its sockets.
    async fn connect(&self, begin: Instant) -> io::Result<IpAddr> {
        let mut attempt = Attempt {
            address: self.address,
            begin,
            end: "given up",
        };
        attempt.say("connecting");
        sleep(self.delay).await;
        if self.is_open {
            attempt.end = "connected";
            Ok(self.address)
        } else {
            attempt.end = "refused";
            let message = format!("{}: {}", self.address, ErrorKind::ConnectionRefused);
            Err(io::Error::new(ErrorKind::ConnectionRefused, message))
        }
    }
}

impl FromStr for Route {
    type Err = Box<dyn Error + Send + Sync>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = || {
            let (address, rest) = text.split_once('=')?;
            let (end, delay) = rest.split_once('@')?;
            Some((address, end, delay))
        };
        let (address, end, delay) = parts().ok_or("not of the form ADDRESS=ok@MILLIS")?;
        Ok(Self {
            address: address.parse()?,
            delay: Duration::from_millis(delay.parse()?),
            is_open: match end {
                "ok" => true,
                "refused" => false,
                _ => return Err("neither `ok` nor `refused`".into()),
            },
        })
    }
}

/// Says at its end how it has ended, whether it was done or was dropped on the way.
struct Attempt {
    address: IpAddr,
    begin: Instant,
    end: &'static str,
}

impl Attempt {
    fn say(&self, what: &str) {
        let millis = (now() - self.begin).as_millis();
        say(&format!("{millis:>4} ms  {}: {what}", self.address));
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.say(self.end);
    }
}

/// Prints a line; a closed pipe is nobody's concern here.
fn say(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
