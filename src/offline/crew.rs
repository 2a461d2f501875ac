//! Threads that read a bill together, block by block in turn, so that the order is kept.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::Scope;

use adapters::bill::crew::{Crew, Done, Piece};
use domain::bill::BillRow;
use reconciliation::Held;

/// So many blocks may wait for each thread.
const WAITING: usize = 2;

/// How many rows a block has at most, nearly always.
const ROWS: usize = 1024;

/// Room for rows that were compared already: what is new has to be asked of the system each time.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Held>>);

impl Spare {
    /// Room for the rows of a block.
    fn room(&self) -> Held {
        let kept = self.0.lock().ok().and_then(|mut kept| kept.pop());
        kept.unwrap_or_else(|| Held::with_room_for(ROWS))
    }

    /// Takes back what nobody needs any more.
    pub(super) fn keep(&self, mut rows: Held) {
        rows.clear();
        if let Ok(mut kept) = self.0.lock() {
            kept.push(rows);
        }
    }
}

/// The threads, each with its way there and back.
pub(super) struct Threads {
    threads: Vec<(Sender<Piece>, Receiver<Done<Held>>)>,
    given: usize,
    taken: usize,
}

impl Threads {
    /// Starts so many of them; they end with this.
    pub(super) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        spare: &'scope Spare,
        count: usize,
    ) -> Self {
        let one = || {
            let (give, pieces) = mpsc::channel::<Piece>();
            let (done, take) = mpsc::channel();
            scope.spawn(move || {
                for piece in pieces {
                    if done.send(piece.read::<Self>(spare.room())).is_err() {
                        return;
                    }
                }
            });
            (give, take)
        };
        let threads = std::iter::repeat_with(one).take(count.max(1)).collect();
        Self { threads, given: 0, taken: 0 }
    }
}

impl Crew for Threads {
    type Rows = Held;

    fn most(&self) -> usize {
        self.threads.len().saturating_mul(WAITING)
    }

    fn give(&mut self, piece: Piece) {
        let turn = self.given.checked_rem(self.threads.len()).unwrap_or_default();
        self.given = self.given.saturating_add(1);
        // Where the thread is gone, nothing comes back either, which is told there.
        let _gone = self.threads.get(turn).map(|(give, _)| give.send(piece));
    }

    fn take(&mut self) -> Option<Done<Held>> {
        let turn = self.taken.checked_rem(self.threads.len()).unwrap_or_default();
        self.taken = self.taken.saturating_add(1);
        self.threads.get(turn)?.1.recv().ok()
    }

    fn room(&self) -> Held {
        Held::default()
    }

    fn keep(rows: &mut Held, row: &BillRow<'_>) {
        rows.push(row);
    }
}
