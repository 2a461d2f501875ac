//! WeChat side of v2 as the tests need it.
