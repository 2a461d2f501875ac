//! A transaction whose statements are sent many at once: a way to the database and back costs both
//! sides more than most statements do.

use std::future::Future;

use deadpool_postgres::{GenericClient, Object, Transaction};
use futures_util::future::{try_join, try_join_all};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row, Statement};

use super::StoreError;

const BEGIN: &str = "BEGIN";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// What is sent to the database: a statement and its parameters.
pub(crate) struct Sent<'a> {
    statement: &'static str,
    parameters: Vec<&'a (dyn ToSql + Sync)>,
}

impl<'a> Sent<'a> {
    /// A statement with its parameters.
    pub(crate) fn of(statement: &'static str, parameters: Vec<&'a (dyn ToSql + Sync)>) -> Self {
        Self { statement, parameters }
    }
}

/// The rows of each statement that was sent, in their order.
pub(crate) type Answers = std::vec::IntoIter<Vec<Row>>;

/// Where the statements of a transaction are sent.
pub(crate) trait Statements: Sync + Send {
    /// Sends statements, which the database runs in this order: one way there and back.
    fn send(
        &mut self,
        sent: Vec<Sent<'_>>,
    ) -> impl Future<Output = Result<Answers, StoreError>> + Send;

    /// Sends the last statements of the transaction, and what ends it where that is this one's.
    fn end(&mut self, sent: Vec<Sent<'_>>) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A transaction of its own: begun with the first statements, committed with the last. Dropped in
/// between, its connection is given up, and nothing of it was done.
pub(crate) struct Unit {
    client: Option<Object>,
    is_open: bool,
}

impl Unit {
    /// On a connection.
    pub(crate) const fn on(client: Object) -> Self {
        Self { client: Some(client), is_open: false }
    }

    /// Takes back what was sent, after an error.
    pub(crate) async fn roll_back(mut self) {
        let Some(client) = self.client.take() else { return };
        if self.is_open && client.batch_execute(ROLLBACK).await.is_err() {
            drop(Object::take(client));
        }
        self.is_open = false;
    }

    async fn all(&mut self, sent: Vec<Sent<'_>>, is_last: bool) -> Result<Answers, StoreError> {
        let Some(client) = &self.client else { return Ok(Vec::new().into_iter()) };
        let prepared = prepare(client, &sent).await?;
        let begins = !std::mem::replace(&mut self.is_open, true);
        let begin = alone(client, begins.then_some(BEGIN));
        let commit = alone(client, is_last.then_some(COMMIT));
        // Each leaves when it is first asked for: in this order, and none behind one that could not
        // leave.
        let middle = try_join_all(queries(client, &prepared, &sent));
        let ((), (answers, ())) = try_join(begin, try_join(middle, commit)).await?;
        self.is_open = !is_last;
        Ok(answers.into_iter())
    }
}

/// Prepares what is not prepared yet, before anything is sent: later it would come too late.
async fn prepare(
    client: &impl GenericClient,
    sent: &[Sent<'_>],
) -> Result<Vec<Statement>, StoreError> {
    let mut prepared = Vec::with_capacity(sent.len());
    for sent in sent {
        prepared.push(client.prepare_cached(sent.statement).await?);
    }
    Ok(prepared)
}

fn queries<'a>(
    client: &'a impl GenericClient,
    prepared: &'a [Statement],
    sent: &'a [Sent<'a>],
) -> impl Iterator<Item = impl Future<Output = Result<Vec<Row>, Error>> + Send + 'a> {
    prepared.iter().zip(sent).map(|(statement, sent)| client.query(statement, &sent.parameters))
}

async fn alone(client: &impl GenericClient, word: Option<&str>) -> Result<(), Error> {
    match word {
        Some(word) => client.batch_execute(word).await,
        None => Ok(()),
    }
}

/// Sends statements at once, which the database runs in this order.
pub(crate) async fn together(
    client: &impl GenericClient,
    sent: Vec<Sent<'_>>,
) -> Result<Answers, StoreError> {
    let prepared = prepare(client, &sent).await?;
    Ok(try_join_all(queries(client, &prepared, &sent)).await?.into_iter())
}

impl Statements for &Transaction<'_> {
    async fn send(&mut self, sent: Vec<Sent<'_>>) -> Result<Answers, StoreError> {
        together(*self, sent).await
    }

    async fn end(&mut self, sent: Vec<Sent<'_>>) -> Result<(), StoreError> {
        self.send(sent).await.map(drop)
    }
}

impl Statements for Unit {
    async fn send(&mut self, sent: Vec<Sent<'_>>) -> Result<Answers, StoreError> {
        self.all(sent, false).await
    }

    async fn end(&mut self, sent: Vec<Sent<'_>>) -> Result<(), StoreError> {
        self.all(sent, true).await.map(drop)
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if let Some(client) = self.client.take().filter(|_| self.is_open) {
            drop(Object::take(client));
        }
    }
}
