//! Keeps the line to the other hubs: tells them what this one has committed, and wakes this one's
//! workers when another tells. While it is down everybody keeps to his period.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::hub::{Hub, Signals, Waiting};
use crate::store::StoreError;
use crate::store::line::{Hearing, Line};

/// The shortest time between two tellings: many commits are told of at once.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a broken line is left alone, at first and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Keeps the line until the process stops. A process without workers tells and does not listen.
pub(super) async fn keep(hub: Arc<Hub>, listens: bool, mut stopped: watch::Receiver<bool>) {
    let (least, most) = BACK_OFF;
    let mut back_off = least;
    while !*stopped.borrow() {
        tokio::select! {
            broken = hold(&hub, listens, &mut back_off) => {
                tracing::warn!(error = %broken, "no line to the other hubs; it is taken up again");
            }
            _ = stopped.changed() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(back_off) => back_off = back_off.saturating_mul(2).min(most),
            _ = stopped.changed() => {}
        }
    }
}

/// Why the line is down.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the connection ended")]
    Ended,
}

/// Holds the line for as long as it lasts.
async fn hold(hub: &Hub, listens: bool, back_off: &mut Duration) -> Broken {
    let taken_up = async {
        let (line, hearing) = hub.store.line().await?;
        if listens {
            line.listen().await?;
        }
        Ok::<_, StoreError>((line, hearing))
    };
    let (line, hearing) = match taken_up.await {
        Ok(both) => both,
        Err(error) => return error.into(),
    };
    *back_off = BACK_OFF.0;
    if listens {
        // What was told before is told to nobody again.
        Waiting::ALL.into_iter().for_each(|waiting| hub.signals.wake_here(waiting));
    }
    tokio::select! {
        broken = tell(&hub.signals, &line) => broken,
        broken = hear(&hub.signals, hearing) => broken,
    }
}

async fn tell(signals: &Signals, line: &Line) -> Broken {
    loop {
        let untold = signals.untold().await;
        for waiting in &untold {
            if let Err(error) = line.tell(waiting.as_str()).await {
                untold.into_iter().for_each(|waiting| signals.tell_again(waiting));
                return error.into();
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn hear(signals: &Signals, mut hearing: Hearing) -> Broken {
    while let Some(word) = hearing.next().await {
        // A newer hub may have more to tell.
        if let Some(waiting) = Waiting::ALL.into_iter().find(|known| known.as_str() == word) {
            signals.wake_here(waiting);
        }
    }
    Broken::Ended
}
