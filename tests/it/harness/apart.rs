//! An office whose hub can be killed at any message to its database, and started again.

use std::ops::DerefMut;

use payhub::demo::{Office, Opening};
use sandbox::SandboxConfig;

use super::cluster::Lent;
use super::wire::Wire;
use super::{OPENING, World};

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Office {
        &mut self.office
    }
}

impl World {
    /// Opens an office whose hub reaches its database over a wire in the test's hands.
    pub(crate) async fn open_on_a_wire(
        more: &str,
        seed: u64,
        arrange: fn(&mut SandboxConfig),
    ) -> (Self, Wire) {
        let database = Lent::new().await;
        let wire = Wire::to(&database.socket_folder()).await;
        let opening = Opening {
            now: OPENING.parse().unwrap(),
            listen: ([127, 0, 0, 1], 0).into(),
            seed,
            more,
            arrange,
        };
        let settings = database.settings_over(&wire);
        let office = Office::open_apart(settings, &opening).await.expect("the office opens");
        (Self { office, database }, wire)
    }

    /// The wire is whole again, and another hub takes the place of the dead one, whose leases have
    /// run out by then.
    pub(crate) async fn reopen(&mut self, wire: &Wire) {
        self.office.kill().await;
        wire.mend();
        self.let_leases_end().await;
        let settings = self.database.settings_over(wire);
        self.office.start_again(settings).await.expect("the hub starts again");
    }

    /// Every lease is over: what a dead hub held is anybody's.
    pub(crate) async fn let_leases_end(&self) {
        self.database.end_leases().await;
    }
}
