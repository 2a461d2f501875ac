//! Several hubs, each a process of its own, over one database: what is told by one is done by
//! another, and whichever of them dies, nothing is lost and nothing is done twice.

mod dead;
mod dispatch;
mod roles;
mod rolling;
mod stop;
pub(crate) mod town;
