//! Alipay OpenAPI.
