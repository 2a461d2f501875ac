//! The sandbox from outside: requests signed and answers verified by a path of their own (crate
//! `rsa`), never by the sandbox's or the hub's code.

#[cfg(test)]
mod alipay;
#[cfg(test)]
mod alipay_bills;
#[cfg(test)]
mod alipay_cashier;
#[cfg(test)]
mod alipay_counter;
#[cfg(test)]
mod alipay_hub;
#[cfg(test)]
mod alipay_modes;
#[cfg(test)]
mod alipay_notices;
#[cfg(test)]
mod alipay_office;
#[cfg(test)]
mod alipay_verdicts;
#[cfg(test)]
mod bills;
#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod combined;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod control;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod hub_wechat;
#[cfg(test)]
mod office;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod sms;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod wechat;
#[cfg(test)]
mod wechat_products;
#[cfg(test)]
mod wechat_v2;
