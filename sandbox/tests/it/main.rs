//! The sandbox from outside: requests signed and answers verified by a path of their own (crate
//! `rsa`), never by the sandbox's or the hub's code.

#[cfg(test)]
mod alipay;
#[cfg(test)]
mod bills;
#[cfg(test)]
mod callbacks;
#[cfg(test)]
mod control;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod office;
#[cfg(test)]
mod receiver;
#[cfg(test)]
mod sms;
#[cfg(test)]
mod wechat;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod combined;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod wechat_products;
