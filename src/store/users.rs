//! Users: names, roles and the hashes of their passwords.

use deadpool_postgres::GenericClient;
use domain::user::{UserRole, folded};
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{StoreError, change, sql, typed};

/// A user. The hash of the password shows in no `Debug`.
#[derive(Clone)]
pub struct User {
    /// The name, as it was given.
    pub name: String,
    /// What the user may do.
    pub roles: Vec<UserRole>,
    /// The password's hash (argon2id).
    pub password_hash: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when no more.
    pub disabled_at: Option<Timestamp>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("roles", &self.roles).finish()
    }
}

/// Whether there is any user.
///
/// # Errors
/// When the database does not answer.
pub async fn any(client: &impl GenericClient) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(sql::USERS_ANY).await?;
    Ok(client.query_one(&statement, &[]).await?.try_get(0)?)
}

/// A user by name, however it is spaced and written.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &impl GenericClient, name: &str) -> Result<Option<User>, StoreError> {
    let statement = client.prepare_cached(sql::USERS_FIND).await?;
    client.query_opt(&statement, &[&folded(name)]).await?.map(|row| user(&row)).transpose()
}

/// Every user.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &impl GenericClient) -> Result<Vec<User>, StoreError> {
    let statement = client.prepare_cached(sql::USERS_LIST).await?;
    client.query(&statement, &[]).await?.iter().map(user).collect()
}

/// Makes a user; false when the name is taken.
///
/// # Errors
/// `an_auditor_and_an_admin_do_nothing_else`, `a_cashier_does_not_check`.
pub async fn insert(
    client: &impl GenericClient,
    (name, roles): (&str, &[UserRole]),
    password_hash: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    change(client, sql::USERS_INSERT, &[&name, &folded(name), &roles, &password_hash, &now]).await
}

/// Gives a user another password; false when there is none who is not disabled.
///
/// # Errors
/// When the database does not answer.
pub async fn set_password(
    client: &impl GenericClient,
    name: &str,
    password_hash: &str,
) -> Result<bool, StoreError> {
    change(client, sql::USERS_PASSWD, &[&folded(name), &password_hash]).await
}

/// Disables a user; false when there is none, or it was done before.
///
/// # Errors
/// When the database does not answer.
pub async fn disable(
    client: &impl GenericClient,
    name: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::USERS_DISABLE, &[&folded(name), &now]).await
}

fn user(row: &Row) -> Result<User, StoreError> {
    let words: Vec<String> = row.try_get("roles")?;
    let roles = words.iter().map(|word| typed("users.roles", word)).collect::<Result<_, _>>()?;
    Ok(User {
        name: row.try_get("name")?,
        roles,
        password_hash: row.try_get("password_hash")?,
        created_at: row.try_get("created_at")?,
        disabled_at: row.try_get("disabled_at")?,
    })
}

/// What the audit trail says last of each user's password, by name; nothing where an earlier program
/// said it.
///
/// # Errors
/// When the database does not answer.
pub async fn passwords_said(
    client: &impl GenericClient,
) -> Result<Vec<(String, Option<String>)>, StoreError> {
    let statement = client.prepare_cached(sql::USERS_PASSWORDS_SAID).await?;
    let rows = client.query(&statement, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
