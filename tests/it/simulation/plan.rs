//! What happens in a run, drawn from its seed before it begins: an office with its rules, some days,
//! and each case's way through them, with what goes wrong at which step. A person can read it.

use std::fmt;

use domain::time::beijing;
use jiff::Timestamp;
use jiff::civil::Date;
use sandbox::Fault;

use super::crash::Trouble;

/// A whole run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// From which it is drawn.
    pub(super) seed: u64,
    /// What the office decided.
    pub(super) rules: Rules,
    /// The days that it lives, one after the other, also Sundays.
    pub(super) days: Vec<Date>,
    /// What happens, in order.
    pub(super) steps: Vec<Step>,
    /// What is wrong with the providers' bills.
    pub(super) bills: Vec<BillFault>,
}

/// What the office decided, and what it runs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Money that comes late is proposed to be given back, and settles nothing.
    pub(super) late_goes_back: bool,
    /// The hub gives proved duplicates back by itself.
    pub(super) duplicates_go_back: bool,
    /// From how many fen on a second person is asked for a refund.
    pub(super) second_person_from: Option<i64>,
    /// Two hubs work on one database.
    pub(super) two_hubs: bool,
    /// The database's server is the run's own, and is killed once.
    pub(super) database_dies: bool,
    /// WeChat Pay signs with certificates beside its public key, and changes them.
    pub(super) keys_change: bool,
}

/// Something happens.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// When.
    pub(super) at: Timestamp,
    /// Whose case it is; the office's own steps have none.
    pub(super) case: Option<usize>,
    /// What.
    pub(super) deed: Deed,
    /// What the providers do wrong from then on, each a few times.
    pub(super) faults: Vec<Fault>,
    /// What befalls a hub while it happens.
    pub(super) trouble: Option<Trouble>,
    /// Whether the backend calls the second hub, where there is one.
    pub(super) at_second: bool,
}

/// Which order of a case is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The one that was asked for first.
    First,
    /// The newest.
    Last,
}

/// How a payer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paying {
    /// Whether the provider ever tells the hub.
    pub(super) is_told: bool,
    /// Whether it goes through although the order is closed, expired or paid.
    pub(super) all_the_same: bool,
}

/// Which number a refund is asked for under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// The hub makes one.
    Hubs,
    /// The backend's own, the n-th of its case.
    Own(u8),
}

/// A way to pay: merchant and product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wallet {
    Native,
    Jsapi,
    App,
    Precreate,
    Create,
}

/// What somebody does.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// The backend issues the case's fees, by their item codes.
    Issue(Vec<&'static str>),
    /// It asks for an order for all of them.
    Order { wallet: Wallet, expires_in_s: i64 },
    /// The payer opens the code and does not pay yet.
    Scan(Which),
    /// The payer pays.
    Pay(Which, Paying),
    /// The backend closes an order.
    Close(Which),
    /// It asks for a refund of so many thousandths of what was paid.
    Refund { which: Which, permille: i64, number: Number },
    /// The second person decides on what waits for him.
    Decide { agrees: bool },
    /// The backend takes the case's first fee back.
    Void,
    /// It sends the case's last request again, under the same key.
    Repeat,
    /// It asks how the newest order stands, and the hub asks the provider.
    Look,
    /// Finance gives money back in the provider's own portal, past the hub.
    RefundByHand { which: Which, permille: i64 },
    /// Nobody does anything for so many minutes: the workers work.
    Wait(i64),
    /// The providers have a bad time: each of these strikes so often in a thousand.
    Storm(Vec<Fault>),
    /// It is over.
    Calm,
    /// The backend answers webhooks like this.
    BackendAnswers(u16),
    /// WeChat Pay signs with a new key.
    KeyChanges { overlap: bool },
}

/// What is wrong with a day's bill of a merchant.
#[derive(Clone, Debug)]
pub(super) struct BillFault {
    pub(super) day: Date,
    pub(super) by_wechat: bool,
    pub(super) what: BillTrouble,
}

/// What is wrong with a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BillTrouble {
    /// The first payment of the day is not in it.
    Missing,
    /// The first payment of the day has another amount in it.
    Changed,
    /// A payment is in it that nobody made.
    Extra,
    /// The provider says that nothing happened.
    EmptyDay,
    /// Not ready, so often.
    Late(u32),
    /// Cut in half, so often.
    Truncated(u32),
    /// With the hash of another file, so often.
    WrongHash(u32),
}

impl Wallet {
    /// Whether WeChat Pay is asked.
    pub(super) const fn is_wechat(self) -> bool {
        matches!(self, Self::Native | Self::Jsapi | Self::App)
    }

    /// The product's word.
    pub(super) const fn product(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Jsapi => "jsapi",
            Self::App => "app",
            Self::Precreate => "precreate",
            Self::Create => "create",
        }
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let choice = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
        write!(
            f,
            "{}; late money {}; duplicates {}; ",
            choice(self.two_hubs, "two hubs", "one hub"),
            choice(self.late_goes_back, "is proposed to go back", "settles its fee"),
            choice(self.duplicates_go_back, "go back by themselves", "are proposed to go back"),
        )?;
        match self.second_person_from {
            Some(fen) => write!(f, "a second person from {fen} fen")?,
            None => write!(f, "no second person")?,
        }
        let database = choice(self.database_dies, "; the database dies once", "");
        write!(f, "{database}{}", choice(self.keys_change, "; keys change", ""))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", beijing(self.at).strftime("%m-%d %H:%M:%S"))?;
        match self.case {
            Some(case) => write!(f, "case {case}: ")?,
            None => write!(f, "office: ")?,
        }
        write!(f, "{}", self.deed)?;
        for fault in &self.faults {
            write!(f, " | {}", told(fault))?;
        }
        match &self.trouble {
            Some(trouble) => write!(f, " | {trouble}"),
            None => Ok(()),
        }
    }
}

/// A fault in a few words.
fn told(fault: &Fault) -> String {
    let place = format!("{:?}", fault.on).to_lowercase();
    let operation = fault.operation.map(|it| format!(" {it:?}").to_lowercase()).unwrap_or_default();
    let times = fault.times.map(|it| format!(" x{it}")).unwrap_or_default();
    let chance = fault.probability.map(|it| format!(" {it}/1000")).unwrap_or_default();
    format!("{place}{operation}: {:?}{times}{chance}", fault.action)
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = |which: Which| match which {
            Which::First => "the first order",
            Which::Last => "the newest order",
        };
        match self {
            Self::Issue(items) => write!(f, "issue {}", items.join(", ")),
            Self::Order { wallet, expires_in_s } => {
                write!(f, "order by {} for {expires_in_s} s", wallet.product())
            }
            Self::Scan(which) => write!(f, "the payer scans {}", order(*which)),
            Self::Pay(which, paying) => write!(
                f,
                "the payer pays {}{}{}",
                order(*which),
                if paying.all_the_same { " all the same" } else { "" },
                if paying.is_told { "" } else { ", and the hub is never told" },
            ),
            Self::Close(which) => write!(f, "close {}", order(*which)),
            Self::Refund { which, permille, number } => {
                write!(f, "refund {permille}/1000 of {} ", order(*which))?;
                match number {
                    Number::Hubs => write!(f, "under a number of the hub"),
                    Number::Own(n) => write!(f, "under the backend's number {n}"),
                }
            }
            Self::Decide { agrees: true } => write!(f, "the second person agrees"),
            Self::Decide { agrees: false } => write!(f, "the second person declines"),
            Self::Void => write!(f, "void the first fee"),
            Self::Repeat => write!(f, "send the last request again"),
            Self::Look => write!(f, "look at the newest order"),
            Self::RefundByHand { which, permille } => {
                write!(f, "refund {permille}/1000 of {} in the portal", order(*which))
            }
            Self::Wait(minutes) => write!(f, "{minutes} minutes pass"),
            Self::Storm(faults) => {
                let faults: Vec<String> = faults.iter().map(told).collect();
                write!(f, "bad weather: {}", faults.join(", "))
            }
            Self::Calm => write!(f, "the weather clears"),
            Self::BackendAnswers(status) => write!(f, "the backend answers {status}"),
            Self::KeyChanges { overlap } => {
                let overlap = if *overlap { " beside the old one" } else { "" };
                write!(f, "WeChat Pay signs with a new key{overlap}")
            }
        }
    }
}

impl fmt::Display for BillFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = if self.by_wechat { "WeChat Pay" } else { "Alipay" };
        write!(f, "the bill of {provider} for {}: {:?}", self.day, self.what)
    }
}
