//! The line between hubs: a connection of its own over which they tell each other that something
//! waits. It carries words, never facts; nothing is lost when one is.

use std::future::poll_fn;

use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client, NoTls, Notification, Statement};

use super::{Store, StoreError, sql};

/// One end of the line. Dropped, it hangs up.
pub struct Line {
    client: Client,
    tell: Statement,
}

/// What the others say on the line.
pub struct Hearing {
    own: i32,
    heard: mpsc::UnboundedReceiver<Notification>,
}

impl Store {
    /// Takes up the line. Must be called on the runtime that shall drive it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn line(&self) -> Result<(Line, Hearing), StoreError> {
        let (client, mut connection) = self.settings.connect(NoTls).await?;
        let (say, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    Ok(AsyncMessage::Notification(notification)) => {
                        // Who does not listen any more still tells.
                        let _hung_up = say.send(notification);
                    }
                    Ok(_notice) => {}
                    Err(error) => {
                        tracing::warn!(%error, "the line between hubs broke");
                        return;
                    }
                }
            }
        });
        let own = client.query_one(sql::LINE_OWN, &[]).await?.try_get(0)?;
        let tell = client.prepare(sql::LINE_TELL).await?;
        Ok((Line { client, tell }, Hearing { own, heard }))
    }
}

impl Line {
    /// Begins to hear what other hubs tell from now on.
    ///
    /// # Errors
    /// When the line breaks.
    pub async fn listen(&self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute(sql::LINE_LISTEN).await?)
    }

    /// Tells every hub that listens. Never in a transaction that writes: it would wait for all
    /// others that tell.
    ///
    /// # Errors
    /// When the line breaks.
    pub async fn tell(&self, word: &str) -> Result<(), StoreError> {
        self.client.query(&self.tell, &[&word]).await?;
        Ok(())
    }
}

impl Hearing {
    /// The next word of another hub; `None` when the line broke.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            let notification = self.heard.recv().await?;
            if notification.process_id() != self.own {
                return Some(notification.payload().to_owned());
            }
        }
    }
}
