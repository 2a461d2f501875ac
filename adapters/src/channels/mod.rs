//! Channels over which people are told.
