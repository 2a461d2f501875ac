//! Users of the finance office (用户): made at the command line, asked for whenever somebody acts in a
//! name. As long as there is none, names are believed.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use deadpool_postgres::GenericClient;
use domain::personal::Secret;
use domain::user::{UserAct, UserRole};
use serde_json::{Value, json};

use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::hub::{Hub, random};
use crate::seal::Sealer;
use crate::store::StoreError;
use crate::store::users::{self, User};

/// How long a name may be, in characters.
const LONGEST_NAME: usize = 64;
/// How long a reason may be, in characters.
const LONGEST_REASON: usize = 500;
/// How short and how long a password may be, in bytes.
const PASSWORD: std::ops::RangeInclusive<usize> = 10..=256;

/// A name as it is written down: no spaces around it, and nothing in it that cannot be seen.
///
/// # Errors
/// 422 `by_invalid`.
pub fn named<'a>(field: &str, name: &'a str) -> Result<&'a str, Fault> {
    let name = name.trim();
    // What cannot be seen makes no other person of a name.
    let is_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '·');
    let length = name.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && name.chars().all(is_of_a_name) {
        return Ok(name);
    }
    let detail = format!(
        "{field} must be a name of 1 to {LONGEST_NAME} letters, digits, spaces and . - _ ·"
    );
    Err(Fault::invalid("by_invalid", detail))
}

/// A reason as it is written down.
///
/// # Errors
/// 422 `reason_invalid`.
pub fn reasoned(reason: &str) -> Result<&str, Fault> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if (1..=LONGEST_REASON).contains(&length) && !reason.chars().any(char::is_control) {
        return Ok(reason);
    }
    let detail = format!("reason must have 1 to {LONGEST_REASON} characters");
    Err(Fault::invalid("reason_invalid", detail))
}

/// The name under which somebody may act: as it was given where there are no users, else that of an
/// enabled user with a role for it.
///
/// # Errors
/// 403 `user_not_allowed`.
pub async fn permit(
    client: &impl GenericClient,
    name: &str,
    act: UserAct,
) -> Result<String, Fault> {
    let name = name.trim();
    if !users::any(client).await? {
        return Ok(name.to_owned());
    }
    let user = enabled(client, name).await?;
    if user.roles.iter().any(|role| role.allows(act)) {
        return Ok(user.name);
    }
    let roles: Vec<&str> = user.roles.iter().map(|role| role.as_str()).collect();
    let detail = format!("{} is {} and may not {}", user.name, roles.join(", "), act.words());
    Err(Fault::forbidden("user_not_allowed", detail))
}

/// Whether somebody who acts in a name has a role; anybody has where there are no users.
///
/// # Errors
/// When the database does not answer.
pub async fn has_role(
    client: &impl GenericClient,
    name: &str,
    role: UserRole,
) -> Result<bool, Fault> {
    if !users::any(client).await? {
        return Ok(true);
    }
    let user = users::find(client, name).await?;
    Ok(user.is_some_and(|user| user.disabled_at.is_none() && user.roles.contains(&role)))
}

async fn enabled(client: &impl GenericClient, name: &str) -> Result<User, Fault> {
    let shown: String = name.chars().take(LONGEST_NAME).collect();
    match users::find(client, name).await? {
        Some(user) if user.disabled_at.is_none() => Ok(user),
        Some(user) => {
            let detail = format!("user {} is disabled", user.name);
            Err(Fault::forbidden("user_not_allowed", detail))
        }
        None => {
            let detail = format!(
                "there is no user {shown:?}: payhub user list shows them, user add makes one"
            );
            Err(Fault::forbidden("user_not_allowed", detail))
        }
    }
}

/// Makes a user, at whose first one names are no longer believed.
///
/// # Errors
/// 409 `user_taken`; 422 a name, roles or a password that cannot be.
pub async fn add(
    hub: &Hub,
    name: &str,
    roles: &[UserRole],
    password: &Secret,
) -> Result<User, Fault> {
    let name = named("NAME", name)?;
    let roles = UserRole::of_one(roles)
        .map_err(|error| Fault::invalid("roles_clash", error.to_string()))?;
    if roles.is_empty() {
        return Err(Fault::invalid("roles_clash", "give at least one role"));
    }
    let hash = hashed(password).await?;
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    if !users::insert(&tx, (name, &roles), &hash, now).await? {
        return Err(Fault::conflict("user_taken", format!("there is a user {name} already")));
    }
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let act = Act::of(
        audit::OPERATOR,
        "user.added",
        name,
        json!({
            "roles": words, "password": audit::stands_for(&hub.sealer, Some(&hash)),
        }),
    );
    audit::write_down(&tx, &hub.sealer, &[act], now).await?;
    let user = enabled(&tx, name).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(user)
}

/// Gives a user another password.
///
/// # Errors
/// 404 no such user who is enabled; 422 a password that cannot be.
pub async fn set_password(hub: &Hub, name: &str, password: &Secret) -> Result<(), Fault> {
    let hash = hashed(password).await?;
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    if !users::set_password(&tx, name, &hash).await? {
        return Err(Fault::not_found("user who is enabled"));
    }
    let data = json!({"password": audit::stands_for(&hub.sealer, Some(&hash))});
    changed(hub, &tx, name, ("user.password_changed", data)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

/// Disables a user: no act is allowed in the name any more, and no log-in.
///
/// # Errors
/// 404 no such user who is enabled.
pub async fn disable(hub: &Hub, name: &str) -> Result<(), Fault> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    if !users::disable(&tx, name, hub.clock.now()).await? {
        return Err(Fault::not_found("user who is enabled"));
    }
    changed(hub, &tx, name, ("user.disabled", json!({}))).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

async fn changed(
    hub: &Hub,
    client: &impl GenericClient,
    name: &str,
    (action, data): (&str, Value),
) -> Result<(), Fault> {
    let user = users::find(client, name).await?.ok_or_else(|| Fault::not_found("user"))?;
    let act = Act::of(audit::OPERATOR, action, &user.name, data);
    Ok(audit::write_down(client, &hub.sealer, &[act], hub.clock.now()).await?)
}

/// Whose password in the table is not the one that the audit trail says, a sentence each.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn prove(
    client: &impl GenericClient,
    sealer: &Sealer,
) -> Result<Vec<String>, StoreError> {
    let said: std::collections::BTreeMap<String, Option<String>> =
        users::passwords_said(client).await?.into_iter().collect();
    let mut breaks = Vec::new();
    for user in users::list(client).await? {
        let Some(Some(said)) = said.get(&user.name) else { continue };
        if audit::stands_for(sealer, Some(&user.password_hash)).as_ref() != Some(said) {
            let name = &user.name;
            breaks.push(format!("user {name} has another password than the audit trail says"));
        }
    }
    Ok(breaks)
}

/// The user who logs in with a name and a password; none where either is wrong, or the user is
/// disabled. It takes as long for a name that nobody has.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(hub: &Hub, name: &str, password: &Secret) -> Result<Option<User>, Fault> {
    let client = hub.store.client().await?;
    let found = users::find(&client, name).await?;
    drop(client);
    let nobodys = nobodys_hash()?;
    let hash = found.as_ref().map_or(nobodys, |user| user.password_hash.clone());
    let password = password.clone();
    let is_right = tokio::task::spawn_blocking(move || {
        // The outputs are compared in constant time.
        PasswordHash::new(&hash).is_ok_and(|hash| {
            hashing().verify_password(password.expose().as_bytes(), &hash).is_ok()
        })
    })
    .await
    .map_err(|error| Fault::internal(&error))?;
    Ok(found.filter(|user| is_right && user.disabled_at.is_none()))
}

/// A hash that no password has, of the same cost.
fn nobodys_hash() -> Result<String, Fault> {
    let salt = SaltString::encode_b64(&[0; 16]).map_err(|error| Fault::internal(&error))?;
    let params = hashing().params().clone();
    let (m, t, p) = (params.m_cost(), params.t_cost(), params.p_cost());
    // The output is all zeros: finding a password for it is finding a preimage.
    let output = "A".repeat(43);
    Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${output}"))
}

/// Argon2id with the parameters that its authors recommend where memory is 19 MiB.
fn hashing() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

async fn hashed(password: &Secret) -> Result<String, Fault> {
    let (shortest, longest) = (*PASSWORD.start(), *PASSWORD.end());
    if !PASSWORD.contains(&password.expose().len()) {
        let detail = format!("a password must have {shortest} to {longest} bytes");
        return Err(Fault::invalid("password_invalid", detail));
    }
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|error| Fault::internal(&error))?;
    let password = password.clone();
    let hash = tokio::task::spawn_blocking(move || {
        hashing().hash_password(password.expose().as_bytes(), &salt).map(|hash| hash.to_string())
    })
    .await
    .map_err(|error| Fault::internal(&error))?;
    hash.map_err(|error| Fault::internal(&error))
}
