//! What is claimed and waits to be begun, a lane for each receiver. Lanes take turns, and each has
//! its own number at once, so that a receiver that is slow or dead keeps its own places busy and
//! nobody else's. A lane claims further ahead the faster it goes, and gives back what it cannot use.

use std::collections::{BTreeMap, VecDeque};

use crate::store::deliveries::{Cargo, Claimed, Share};

/// How many deliveries a lane claims ahead at most.
const AHEAD_MAX: usize = 2_000;
/// How many are claimed and wait, at most, in all lanes.
const WAITING_MAX: usize = 4_000;
/// How large their bodies are together, at most, by the size of what was claimed lately.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// The lanes.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<String, Lane>,
    /// Those that have something to begin and a free place, in turn.
    turns: VecDeque<String>,
    waiting: usize,
    /// How large the bodies of those are.
    bytes: usize,
    /// How large a body is lately, about.
    usual: usize,
}

#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Claimed>,
    under_way: usize,
    at_once: usize,
    /// How many it holds at most: under way, and claimed ahead.
    ahead: usize,
    has_turn: bool,
    /// How many outcomes are not yet written that let nothing more begin.
    holds: usize,
    /// Ended since the last claim.
    ended: usize,
    /// Ended since the last second.
    lately: usize,
    /// It was there when the last second went by.
    is_seasoned: bool,
}

impl Lane {
    fn may_begin(&self) -> bool {
        !self.has_turn
            && self.holds == 0
            && !self.waiting.is_empty()
            && self.under_way < self.at_once
    }
}

impl Lanes {
    /// How many are claimed and not begun.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many more may be claimed.
    pub(super) fn room(&self) -> usize {
        let bytes = BYTES_MAX.saturating_sub(self.bytes);
        let by_size = bytes.checked_div(self.usual).unwrap_or(WAITING_MAX);
        WAITING_MAX.saturating_sub(self.waiting).min(by_size)
    }

    /// Puts a claimed delivery behind the others of its receiver.
    pub(super) fn put(&mut self, claimed: Claimed) {
        let at_once = usize::try_from(claimed.at_once).unwrap_or(1).max(1);
        let receiver = claimed.receiver.clone();
        let size = size(&claimed);
        self.bytes = self.bytes.saturating_add(size);
        self.usual = self.usual.saturating_mul(7).saturating_add(size).div_ceil(8);
        let lane = self.lanes.entry(receiver).or_insert_with(|| Lane {
            waiting: VecDeque::new(),
            under_way: 0,
            at_once,
            ahead: at_once,
            has_turn: false,
            holds: 0,
            ended: 0,
            lately: 0,
            is_seasoned: false,
        });
        lane.at_once = at_once;
        lane.ahead = lane.ahead.max(at_once);
        lane.waiting.push_back(claimed);
        self.waiting = self.waiting.saturating_add(1);
        if lane.may_begin() {
            lane.has_turn = true;
            if let Some(claimed) = lane.waiting.back() {
                self.turns.push_back(claimed.receiver.clone());
            }
        }
    }

    /// The next delivery that may begin now. When all places of the process are taken, `is_full`, a
    /// receiver that has none under way may begin one all the same.
    pub(super) fn begin(&mut self, is_full: bool) -> Option<Claimed> {
        for _ in 0..self.turns.len() {
            let receiver = self.turns.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&receiver) else { continue };
            if is_full && lane.under_way > 0 {
                self.turns.push_back(receiver);
                continue;
            }
            lane.has_turn = false;
            if lane.under_way >= lane.at_once || lane.holds > 0 {
                continue;
            }
            let Some(claimed) = lane.waiting.pop_front() else { continue };
            self.waiting = self.waiting.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(size(&claimed));
            lane.under_way = lane.under_way.saturating_add(1);
            if lane.may_begin() {
                lane.has_turn = true;
                self.turns.push_back(receiver);
            }
            return Some(claimed);
        }
        None
    }

    /// A delivery of this receiver is no longer under way.
    pub(super) fn end(&mut self, receiver: &str) {
        let Some(lane) = self.lanes.get_mut(receiver) else { return };
        lane.under_way = lane.under_way.saturating_sub(1);
        lane.ended = lane.ended.saturating_add(1);
        lane.lately = lane.lately.saturating_add(1);
        if lane.may_begin() {
            lane.has_turn = true;
            self.turns.push_back(receiver.to_owned());
        }
    }

    /// Begins nothing more of a receiver; what waited for it is taken out, to be given back.
    pub(super) fn hold(&mut self, receiver: &str) -> Vec<Claimed> {
        let Some(lane) = self.lanes.get_mut(receiver) else { return Vec::new() };
        lane.holds = lane.holds.saturating_add(1);
        let back = Vec::from(std::mem::take(&mut lane.waiting));
        self.left(&back);
        back
    }

    /// One of the holds is over.
    pub(super) fn go_on(&mut self, receiver: &str) {
        let Some(lane) = self.lanes.get_mut(receiver) else { return };
        lane.holds = lane.holds.saturating_sub(1);
        if lane.may_begin() {
            lane.has_turn = true;
            self.turns.push_back(receiver.to_owned());
        }
    }

    /// These do not wait any more.
    fn left(&mut self, back: &[Claimed]) {
        self.waiting = self.waiting.saturating_sub(back.len());
        let bytes = back.iter().map(size).fold(0, usize::saturating_add);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// How many of each known receiver a claim may take, where `room` is left in all. A lane that
    /// ran empty at its pace claims twice as far ahead from now.
    pub(super) fn shares(&mut self, room: usize) -> Vec<Share> {
        let fair = room.checked_div(self.lanes.len()).unwrap_or(room).max(1);
        let mut shares = Vec::with_capacity(self.lanes.len());
        for (receiver, lane) in &mut self.lanes {
            if lane.waiting.is_empty() && lane.ended.saturating_mul(2) >= lane.ahead {
                lane.ahead = lane.ahead.saturating_mul(2).min(AHEAD_MAX).max(lane.at_once);
            }
            lane.ended = 0;
            let held = lane.under_way.saturating_add(lane.waiting.len());
            let places = lane.ahead.saturating_sub(held).min(fair);
            let places = i32::try_from(places).unwrap_or(i32::MAX);
            shares.push(Share { receiver: receiver.clone(), places });
        }
        shares
    }

    /// A second went by: a lane that slowed down claims less far ahead, and what it holds beyond
    /// that is taken out, to be given back.
    pub(super) fn second(&mut self) -> Vec<Claimed> {
        let mut back = Vec::new();
        for lane in self.lanes.values_mut() {
            let ended = std::mem::take(&mut lane.lately);
            lane.ahead = lane.ahead.min(ended.saturating_mul(2)).max(lane.at_once);
            let keeps = lane.ahead.saturating_sub(lane.under_way);
            if lane.is_seasoned && lane.waiting.len() > keeps {
                back.extend(lane.waiting.split_off(keeps));
            }
            lane.is_seasoned = true;
        }
        self.left(&back);
        self.lanes
            .retain(|_, lane| lane.under_way > 0 || lane.holds > 0 || !lane.waiting.is_empty());
        back
    }

    /// Takes out everything that is not begun.
    pub(super) fn clear(&mut self) -> Vec<Claimed> {
        (self.waiting, self.bytes) = (0, 0);
        self.turns.clear();
        let lanes = std::mem::take(&mut self.lanes);
        lanes.into_values().flat_map(|lane| lane.waiting).collect()
    }
}

/// How much memory the body takes.
fn size(claimed: &Claimed) -> usize {
    match &claimed.cargo {
        Cargo::Event { body, .. } => body.len(),
        Cargo::Notification(_) => 0,
    }
}

#[cfg(test)]
mod tests;
