//! The hub: PostgreSQL, HTTP, workers, configuration and the command line.
