//! The hub's engine in a process of its own, with a carrier that does nothing: what is left is what
//! the engine and its transactions cost. `POST /run` works until the outbox is empty and answers how
//! long that took, as the peer does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use domain::Clock as _;
use payhub::clock::SystemClock;
use payhub::dispatch::{Carrier, Engine, Made};
use payhub::fault::Fault;
use payhub::store::StoreError;
use payhub::store::deliveries::{Claimed, DeliveryState, Outcome, Tried};
use payhub::store::{Store, Transaction};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::given::{Given, Outcome as Ended};

/// Takes every delivery without a word.
struct Nothing;

impl Carrier for Nothing {
    type Effect = ();

    async fn carry(&self, claimed: &Claimed) -> Result<Option<Made<()>>, Fault> {
        let now = SystemClock.now();
        let number = claimed.attempts + 1;
        let tried = Tried {
            begun_at: now,
            number,
            detail: String::new(),
            vendor_ref: None,
            status: Some(200),
            took_ms: Some(0),
        };
        let outcome = Outcome {
            state: DeliveryState::Done,
            receiver: None,
            attempts: number,
            tries: claimed.tries + 1,
            lookups: 0,
            next_at: now,
            word: "accepted",
            finished_at: Some(now),
            tried: Some(tried),
        };
        Ok(Some(Made { outcome, effect: None }))
    }

    async fn settle(&self, _: &Transaction<'_>, _: &Claimed, (): &()) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Serves at `listen` over the database of `url`, until it is killed.
pub fn serve(given: &Given) -> Ended<()> {
    let listen: SocketAddr = given.or("listen", ([127, 0, 0, 1], 0).into())?;
    let config: tokio_postgres::Config = given.or("url", String::new())?.parse()?;
    // As `payhub serve` has it.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let engine = Engine::new(Store::new(config)?, Arc::new(SystemClock), Nothing);
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            let mut bytes = [0; 1024];
            let read = stream.read(&mut bytes).await?;
            let body = if bytes.get(..read).is_some_and(|asked| asked.starts_with(b"POST /run ")) {
                let begun = Instant::now();
                let jobs = engine
                    .run_once()
                    .await
                    .map_err(|fault| format!("the engine: {}", fault.detail))?;
                format!(r#"{{"jobs":{jobs},"seconds":{}}}"#, begun.elapsed().as_secs_f64())
            } else {
                "ok".to_owned()
            };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await?;
        }
    })
}
