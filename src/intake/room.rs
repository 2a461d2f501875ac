//! The room for bytes of callbacks in hand: what was read whole and is not answered yet. Nobody waits for
//! room. Long bodies have a room of their own, so that whoever sends many of them takes none from
//! callbacks of the usual length.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The length up to which a callback is of the usual kind, in bytes; real ones have two to four
/// thousand, and what is kept of them is twice that.
const USUAL: usize = 16 * 1024;

/// There is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Room for bytes, shared by all callbacks of a process.
#[derive(Clone, Debug)]
pub struct Room {
    usual: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

/// The room that one callback has taken; given back when this is dropped.
#[derive(Debug)]
pub struct Held {
    room: Room,
    usual: Option<OwnedSemaphorePermit>,
    long: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for `most` bytes, a third of them for what is longer than usual.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        let long = most / 3;
        Self {
            usual: Arc::new(Semaphore::new(most.saturating_sub(long))),
            long: Arc::new(Semaphore::new(long)),
        }
    }

    /// For a callback that has taken none yet.
    #[must_use]
    pub fn enter(&self) -> Held {
        Held { room: self.clone(), usual: None, long: None }
    }
}

impl Held {
    /// Takes room for `bytes` more.
    ///
    /// # Errors
    /// When there is none; what was taken before stays taken.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let held = self.usual.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let usual = bytes.min(USUAL.saturating_sub(held));
        take(&self.room.usual, &mut self.usual, usual)?;
        take(&self.room.long, &mut self.long, bytes.saturating_sub(usual))
    }
}

fn take(
    room: &Arc<Semaphore>,
    held: &mut Option<OwnedSemaphorePermit>,
    bytes: usize,
) -> Result<(), Full> {
    if bytes == 0 {
        return Ok(());
    }
    let bytes = u32::try_from(bytes).map_err(|_longer_than_any_callback| Full)?;
    let more = Arc::clone(room).try_acquire_many_owned(bytes).map_err(|_none_left| Full)?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bodies_take_no_room_from_those_of_the_usual_length() {
        let room = Room::new(12 * USUAL);
        let mut long: Vec<Held> = (0..4).map(|_| room.enter()).collect();
        for held in &mut long[..2] {
            assert_eq!(held.grow(3 * USUAL), Ok(()));
        }
        assert_eq!(long[2].grow(USUAL + 1), Err(Full), "the long ones' room is taken");
        drop(long);
        let mut usual: Vec<Held> = (0..8).map(|_| room.enter()).collect();
        assert!(usual.iter_mut().all(|held| held.grow(USUAL).is_ok()));
        assert_eq!(room.enter().grow(1), Err(Full));
        usual.pop();
        let mut another = room.enter();
        assert_eq!(another.grow(1), Ok(()), "what is given back can be taken");
    }

    #[test]
    fn a_body_that_comes_in_pieces_takes_what_it_has_in_all() {
        let room = Room::new(6 * USUAL);
        let mut held = room.enter();
        for _ in 0..USUAL {
            held.grow(3).unwrap();
        }
        assert_eq!(held.grow(1), Err(Full), "{} of usual length, the rest long", USUAL);
        assert_eq!(room.enter().grow(USUAL), Ok(()));
    }
}
