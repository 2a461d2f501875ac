//! The room for bodies that are not whole yet. Whoever sends slowly holds some of it, and when there
//! is none left the body that was begun first is cut off: so nobody can keep a place by sending
//! nothing, and a callback that comes at the pace of its provider always finds one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::Full;

/// Room for the bytes of bodies that are still coming, shared by all callbacks of a process.
#[derive(Clone, Debug)]
pub struct Arriving {
    most: usize,
    bodies: Arc<Mutex<Bodies>>,
}

#[derive(Debug, Default)]
struct Bodies {
    bytes: usize,
    begun: u64,
    /// By the order in which they were begun.
    unfinished: BTreeMap<u64, Unfinished>,
}

#[derive(Debug)]
struct Unfinished {
    bytes: usize,
    /// Dropped where it is cut off.
    _let_go: oneshot::Sender<()>,
}

/// The room of one body; given back when this is dropped.
#[derive(Debug)]
pub struct Share {
    room: Arriving,
    number: u64,
}

/// Ends when the body is cut off.
#[derive(Debug)]
pub struct CutOff(oneshot::Receiver<()>);

impl Arriving {
    /// Room for `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, bodies: Arc::default() }
    }

    /// For a body of which nothing was read yet.
    #[must_use]
    pub fn begin(&self) -> (Share, CutOff) {
        let (let_go, cut_off) = oneshot::channel();
        let mut bodies = self.bodies();
        let number = bodies.begun;
        bodies.begun = number.saturating_add(1);
        bodies.unfinished.insert(number, Unfinished { bytes: 0, _let_go: let_go });
        (Share { room: self.clone(), number }, CutOff(cut_off))
    }

    fn bodies(&self) -> MutexGuard<'_, Bodies> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bodies {
    fn take_out(&mut self, number: u64) {
        if let Some(body) = self.unfinished.remove(&number) {
            self.bytes = self.bytes.saturating_sub(body.bytes);
        }
    }
}

impl Share {
    /// Takes room for `bytes` more, from the bodies that were begun before it where there is none.
    ///
    /// # Errors
    /// When it was cut off itself, or all others were begun after it and the room is theirs.
    pub fn grow(&self, bytes: usize) -> Result<(), Full> {
        let mut bodies = self.room.bodies();
        while bodies.bytes.saturating_add(bytes) > self.room.most {
            let Some((&oldest, _)) = bodies.unfinished.first_key_value() else { return Err(Full) };
            bodies.take_out(oldest);
            if oldest == self.number {
                return Err(Full);
            }
        }
        let own = bodies.unfinished.get_mut(&self.number).ok_or(Full)?;
        own.bytes = own.bytes.saturating_add(bytes);
        bodies.bytes = bodies.bytes.saturating_add(bytes);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.bodies().take_out(self.number);
    }
}

impl CutOff {
    /// Waits until the body is cut off.
    pub async fn happens(self) {
        let _dropped = self.0.await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn where_there_is_no_room_the_body_that_was_begun_first_is_cut_off() {
        let room = Arriving::new(100);
        let (oldest, oldest_cut) = room.begin();
        let (middle, middle_cut) = room.begin();
        let (newest, newest_cut) = room.begin();
        assert_eq!([oldest.grow(40), middle.grow(40), newest.grow(20)], [Ok(()); 3]);
        assert_eq!(newest.grow(30), Ok(()));
        oldest_cut.happens().await;
        assert_eq!(oldest.grow(1), Err(Full), "what was cut off is over");
        assert!(middle_cut.happens().now_or_never().is_none(), "one was enough");
        drop(middle);
        assert_eq!(newest.grow(50), Ok(()), "what is given back can be taken");
        assert_eq!(newest.grow(1), Err(Full), "the room is all its own");
        newest_cut.happens().await;
    }

    #[test]
    fn an_older_body_takes_no_room_from_younger_ones() {
        let room = Arriving::new(100);
        let (slow, _slow_cut) = room.begin();
        let (quick, quick_cut) = room.begin();
        assert_eq!([slow.grow(10), quick.grow(80)], [Ok(()); 2]);
        assert_eq!(slow.grow(80), Err(Full));
        assert!(quick_cut.happens().now_or_never().is_none());
    }
}
