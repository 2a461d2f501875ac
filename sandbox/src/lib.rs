//! The providers' side for tests and demonstrations: WeChat Pay, Alipay and an SMS vendor, with faults on demand.
