//! What the providers do wrong, and how often: aimed at one step, or as bad weather over an hour.

use sandbox::{Action, Fault, Operation, Place, Random};

use super::plan::Deed;

/// WeChat Pay's merchant, as the sandbox names it.
pub(super) const MCHID: &str = "1900000001";
/// The application at Alipay.
pub(super) const APP_ID: &str = "2021000000000000";

/// What can happen to an answer of a provider.
const ANSWERS: [Action; 9] = [
    Action::Drop,
    Action::DropAfterCommit,
    Action::DropAfterCommit,
    Action::Status500,
    Action::Status429,
    Action::Garbage,
    Action::Corrupt,
    Action::WrongSignature,
    Action::UnknownSerial,
];
/// What can happen to a callback.
const CALLBACKS: [Action; 9] = [
    Action::Drop,
    Action::Duplicate,
    Action::Delay,
    Action::Reorder,
    Action::Corrupt,
    Action::WrongSignature,
    Action::UnknownSerial,
    Action::SignTest,
    Action::XxeProbe,
];
/// What can happen to a text message.
const MESSAGES: [Action; 8] = [
    Action::Throttle,
    Action::NotEnough,
    Action::Drop,
    Action::Undelivered,
    Action::Status500,
    Action::Status429,
    Action::DropAfterCommit,
    Action::Garbage,
];
/// In how many steps of a thousand something is aimed at the step.
const AIMED: u16 = 450;

/// What goes wrong around a deed.
pub(super) fn aimed(chance: &mut Random, deed: &Deed) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !chance.happens(AIMED) {
        return faults;
    }
    match deed {
        Deed::Issue(_) => faults.push(message(chance)),
        Deed::Order { .. } => {
            let on = [Operation::Place, Operation::Place, Operation::Close, Operation::Query];
            faults.push(answer(chance, &on));
        }
        Deed::Pay(..) => {
            faults.push(callback(chance, Operation::Payment));
            if chance.happens(400) {
                faults.push(answer(chance, &[Operation::Query]));
            }
            if chance.happens(300) {
                faults.push(message(chance));
            }
        }
        Deed::Close(_) => faults.push(answer(chance, &[Operation::Close, Operation::Query])),
        Deed::Refund { .. } => {
            faults.push(match chance.below(10) {
                0 => {
                    Fault::new(Place::Answer, Action::NotEnough).during(Operation::Refund).times(2)
                }
                1 => of_wechat(Action::Abnormal),
                2 => of_wechat(Action::Closed),
                3..5 => callback(chance, Operation::Refund),
                _ => {
                    answer(chance, &[Operation::Refund, Operation::Refund, Operation::QueryRefund])
                }
            });
        }
        Deed::Look | Deed::Scan(_) | Deed::Decide { .. } => {
            faults.push(answer(chance, &[Operation::Query, Operation::Refund]));
        }
        Deed::Wait(_) => {
            faults.push(answer(chance, &[Operation::Bill, Operation::FetchBill, Operation::Query]));
        }
        Deed::Void
        | Deed::Repeat
        | Deed::RefundByHand { .. }
        | Deed::Storm(_)
        | Deed::Calm
        | Deed::BackendAnswers(_)
        | Deed::KeyChanges { .. } => {}
    }
    faults
}

/// Some faults that strike whatever comes, each with its probability.
pub(super) fn storm(chance: &mut Random) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..1 + chance.place(3) {
        let mut fault = match chance.place(3) {
            0 => Fault::new(Place::Callback, CALLBACKS[chance.place(CALLBACKS.len())]),
            1 => Fault::new(Place::Answer, ANSWERS[chance.place(ANSWERS.len())]),
            _ => Fault::new(Place::Sms, MESSAGES[chance.place(MESSAGES.len())]),
        };
        fault.probability = Some(100 + u16::try_from(chance.below(500)).unwrap());
        fault.delay_s = Some(delay(chance));
        if fault.on == Place::Answer {
            fault.delay_s = None;
        }
        faults.push(fault);
    }
    faults
}

fn times(chance: &mut Random) -> u32 {
    u32::try_from(1 + chance.below(3)).unwrap()
}

/// Seconds to minutes.
fn delay(chance: &mut Random) -> u32 {
    [3, 30, 200, 900][chance.place(4)]
}

fn answer(chance: &mut Random, on: &[Operation]) -> Fault {
    let operation = on[chance.place(on.len())];
    if chance.happens(30) {
        // In real time, and so seldom and short.
        let mut slow = Fault::new(Place::Answer, Action::Delay).during(operation).times(1);
        slow.delay_s = Some(1);
        return slow;
    }
    let action = ANSWERS[chance.place(ANSWERS.len())];
    Fault::new(Place::Answer, action).during(operation).times(times(chance))
}

fn callback(chance: &mut Random, of: Operation) -> Fault {
    let action = CALLBACKS[chance.place(CALLBACKS.len())];
    let mut fault = Fault::new(Place::Callback, action).during(of).times(times(chance));
    fault.delay_s = Some(delay(chance));
    fault
}

fn message(chance: &mut Random) -> Fault {
    Fault::new(Place::Sms, MESSAGES[chance.place(MESSAGES.len())]).times(times(chance))
}

/// A refund that WeChat Pay accepts, and that ends otherwise than it should.
fn of_wechat(action: Action) -> Fault {
    Fault::new(Place::Answer, action).during(Operation::Refund).for_merchant(MCHID).times(1)
}
