//! TLS as it is spoken, against a server of the test's own.
