//! Reads a bill file, whoever made it.
