//! `payhub user`: people of the finance office.

use std::io::Read as _;

use domain::personal::Secret;
use domain::time::rfc3339;

use super::{Stop, open};
use crate::cli::{Exit, NewUserArgs, PasswordArgs, UserCommand};
use crate::config::Environment;
use crate::hub::random_hex;
use crate::store::users as stored;
use crate::{terminal, users};

/// The longest password that is read, in bytes; a longer one is refused, not cut.
const LONGEST: u64 = 1024;

pub(super) async fn user(asked: &UserCommand, environment: &Environment) -> Result<Exit, Stop> {
    match asked {
        UserCommand::Add(NewUserArgs { user, role }) => {
            let (password, is_made) = password(user)?;
            let (hub, database) = open(user.user.config.config.as_deref(), environment).await?;
            let added = users::add(&hub, &user.user.name, role, &password).await;
            database.close().await?;
            let added = added.map_err(Stop::of)?;
            terminal::say(line(&added));
            show(&password, is_made);
        }
        UserCommand::Passwd(args) => {
            let (password, is_made) = password(args)?;
            let (hub, database) = open(args.user.config.config.as_deref(), environment).await?;
            let done = users::set_password(&hub, &args.user.name, &password).await;
            database.close().await?;
            done.map_err(Stop::of)?;
            terminal::say(format_args!("{} has another password", args.user.name));
            show(&password, is_made);
        }
        UserCommand::List(config) => {
            let (hub, database) = open(config.config.as_deref(), environment).await?;
            let client = hub.store.client().await.map_err(Stop::problem)?;
            let known = stored::list(&client).await.map_err(Stop::problem)?;
            drop(client);
            database.close().await?;
            known.iter().for_each(|user| terminal::say(line(user)));
            if known.is_empty() {
                terminal::say("no users: every name is believed");
            }
        }
        UserCommand::Disable(args) => {
            let (hub, database) = open(args.config.config.as_deref(), environment).await?;
            let done = users::disable(&hub, &args.name).await;
            database.close().await?;
            done.map_err(Stop::of)?;
            terminal::say(format_args!("{} is disabled", args.name));
        }
    }
    Ok(Exit::Done)
}

fn line(user: &stored::User) -> String {
    let roles: Vec<&str> = user.roles.iter().map(|role| role.as_str()).collect();
    let state = user.disabled_at.map_or_else(
        || format!("since {}", rfc3339(user.created_at)),
        |at| format!("disabled {}", rfc3339(at)),
    );
    format!("{}  {}  {state}", user.name, roles.join(","))
}

/// The password that is given, or one that is made; whether it was made.
fn password(asked: &PasswordArgs) -> Result<(Secret, bool), Stop> {
    if !asked.password_stdin {
        let made = random_hex::<10>().map_err(Stop::problem)?;
        return Ok((Secret::new(made), true));
    }
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| Stop::bad_usage(format!("standard input: {error}")))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok((Secret::new(line.strip_suffix('\r').unwrap_or(line)), false))
}

/// A password that was made is shown once; one that was given is known.
fn show(password: &Secret, is_made: bool) {
    if is_made {
        terminal::say(format_args!("password: {}", password.expose()));
        terminal::say("it is shown this once; the database holds a hash of it");
    }
}
