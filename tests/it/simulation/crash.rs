//! What befalls hubs and database: at a message to the database that the plan names, before the
//! database hears it or before the hub hears the answer.

use std::fmt;

use nix::sys::signal::Signal;
use sandbox::Random;

use super::scene::Scene;
use crate::harness::wire::Cut;

/// How many steps of a thousand have a trouble.
pub(super) const PERMILLE: u16 = 130;

/// What befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fall {
    /// The hub dies where it stands.
    Killed,
    /// It goes on without its database for a while.
    Outage,
    /// It loses its connections and may have new ones at once.
    Blip,
    /// The database's server is killed by a signal; the hub lives.
    Database(Signal),
}

/// A fall at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    /// At which message from the step's beginning.
    pub(super) n: u64,
    /// On which side of the database's work.
    pub(super) cut: Cut,
    /// What befalls.
    pub(super) fall: Fall,
    /// Whether it befalls the second hub, where there is one.
    pub(super) of_second: bool,
}

impl Trouble {
    /// A trouble of a hub.
    pub(super) fn of_hub(chance: &mut Random) -> Self {
        let fall = match chance.below(10) {
            0..6 => Fall::Killed,
            6..8 => Fall::Outage,
            _ => Fall::Blip,
        };
        Self::at_some_message(chance, fall)
    }

    /// The database dies.
    pub(super) fn database(chance: &mut Random) -> Self {
        let signal = if chance.happens(500) { Signal::SIGKILL } else { Signal::SIGQUIT };
        Self { of_second: false, ..Self::at_some_message(chance, Fall::Database(signal)) }
    }

    /// Early messages are those of the step itself, later ones those of the workers behind it.
    fn at_some_message(chance: &mut Random, fall: Fall) -> Self {
        let widest = [4, 12, 30, 80][chance.place(4)];
        let cut = if chance.happens(500) { Cut::Before } else { Cut::After };
        Self { n: 1 + chance.below(widest), cut, fall, of_second: chance.happens(300) }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hub = if self.of_second { "the second hub" } else { "the hub" };
        let side = match self.cut {
            Cut::Before => "before the database hears message",
            Cut::After => "before the hub hears the answer to message",
        };
        match self.fall {
            Fall::Killed => write!(f, "{hub} is killed ")?,
            Fall::Outage => write!(f, "{hub} is without its database from ")?,
            Fall::Blip => write!(f, "{hub} loses its connections ")?,
            Fall::Database(signal) => write!(f, "the database gets {signal} ")?,
        }
        write!(f, "{side} {}", self.n)
    }
}

impl Scene {
    /// Arms a step's trouble.
    pub(super) fn arm(&self, trouble: &Trouble) {
        let wire = self.wire(trouble.of_second);
        wire.arm(trouble.n, trouble.cut);
        if trouble.fall == Fall::Blip {
            wire.heal_at_once();
        }
    }

    /// Comes when the trouble ends whatever is under way: a hub that only loses its database goes
    /// on.
    pub(super) async fn falls(&self, trouble: Option<&Trouble>) {
        match trouble {
            Some(Trouble { fall: Fall::Killed | Fall::Database(_), of_second, .. }) => {
                self.wire(*of_second).severed().await;
            }
            Some(Trouble { fall: Fall::Outage | Fall::Blip, .. }) | None => {
                std::future::pending().await
            }
        }
    }

    /// After the step: whether the trouble came, and if so everything is there again.
    pub(super) async fn recover(&mut self, trouble: &Trouble) -> Result<bool, String> {
        let fell = self.wire(trouble.of_second).disarm();
        if fell {
            match trouble.fall {
                Fall::Killed => self.restart(trouble.of_second).await?,
                Fall::Outage | Fall::Blip => {}
                Fall::Database(signal) => self.database.crash(signal).await,
            }
        }
        self.wire(trouble.of_second).mend();
        if fell {
            self.database.end_leases().await;
        }
        Ok(fell)
    }
}
