//! What is claimed and waits to be begun, a lane for each receiver. Lanes take turns, and each has
//! its own number at once, so that a receiver that is slow or dead keeps its own places busy and
//! nobody else's. A lane claims further ahead the faster it goes, and gives back what it cannot use.

use std::collections::{BTreeMap, VecDeque};

use crate::store::deliveries::{Claimed, Share};

/// How many deliveries a lane claims ahead at most.
pub(super) const AHEAD_MAX: usize = 1_000;

/// The lanes.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<String, Lane>,
    /// Those that have something to begin and a free place, in turn.
    turns: VecDeque<String>,
    waiting: usize,
}

#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Claimed>,
    under_way: usize,
    at_once: usize,
    /// How many it holds at most: under way, and claimed ahead.
    ahead: usize,
    has_turn: bool,
    /// Ended since the last claim.
    ended: usize,
    /// Begun and ended since the last second.
    lately: (usize, usize),
}

impl Lane {
    fn may_begin(&self) -> bool {
        !self.has_turn && !self.waiting.is_empty() && self.under_way < self.at_once
    }
}

impl Lanes {
    /// How many are claimed and not begun.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Puts a claimed delivery behind the others of its receiver.
    pub(super) fn put(&mut self, claimed: Claimed) {
        let at_once = usize::try_from(claimed.at_once).unwrap_or(1).max(1);
        let receiver = claimed.receiver.clone();
        let lane = self.lanes.entry(receiver).or_insert_with(|| Lane {
            waiting: VecDeque::new(),
            under_way: 0,
            at_once,
            ahead: at_once,
            has_turn: false,
            ended: 0,
            lately: (0, 0),
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

    /// The next delivery that may begin now.
    pub(super) fn begin(&mut self) -> Option<Claimed> {
        while let Some(receiver) = self.turns.pop_front() {
            let Some(lane) = self.lanes.get_mut(&receiver) else { continue };
            lane.has_turn = false;
            if lane.under_way >= lane.at_once {
                continue;
            }
            let Some(claimed) = lane.waiting.pop_front() else { continue };
            self.waiting = self.waiting.saturating_sub(1);
            lane.under_way = lane.under_way.saturating_add(1);
            lane.lately.0 = lane.lately.0.saturating_add(1);
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
        lane.lately.1 = lane.lately.1.saturating_add(1);
        if lane.may_begin() {
            lane.has_turn = true;
            self.turns.push_back(receiver.to_owned());
        }
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

    /// A second went by: what a lane holds without beginning any of it is taken out, to be given
    /// back, and a lane that slowed down claims less far ahead.
    pub(super) fn second(&mut self) -> Vec<Claimed> {
        let mut back = Vec::new();
        for lane in self.lanes.values_mut() {
            let (begun, ended) = std::mem::take(&mut lane.lately);
            lane.ahead = lane.ahead.min(ended.saturating_mul(2)).max(lane.at_once);
            if begun == 0 && lane.under_way >= lane.at_once {
                back.extend(lane.waiting.drain(..));
            }
        }
        self.waiting = self.waiting.saturating_sub(back.len());
        self.lanes.retain(|_, lane| lane.under_way > 0 || !lane.waiting.is_empty());
        back
    }

    /// Takes out everything that is not begun.
    pub(super) fn clear(&mut self) -> Vec<Claimed> {
        self.waiting = 0;
        self.turns.clear();
        let lanes = std::mem::take(&mut self.lanes);
        lanes.into_values().flat_map(|lane| lane.waiting).collect()
    }
}

#[cfg(test)]
mod tests;
