//! Plans who is told what, over which channel and when; pure.
