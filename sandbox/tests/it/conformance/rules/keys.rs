//! The provider changes its key: what the new one signs is believed once it is learnt, and not
//! before.

use adapters::provider::Learned;
use adapters::wire::Outcome;

use crate::conformance::case::{Case, accepted};

pub(in crate::conformance) fn what_a_new_key_signs_is_believed_once_the_key_is_learnt(case: &Case) {
    if case.mode.is_v2() {
        assert!(case.hub.renewed_keys().is_none(), "one secret for both sides");
        return;
    }
    if case.product.is_at_counter() {
        return; // nothing calls back, and a key is as good for every product
    }
    let payment = case.paid();
    case.engine.rotate_key(case.mode.merchant(), false).unwrap();
    let posted = case.posted().unwrap();
    assert!(case.opened(&posted).is_err(), "signed by a key that nobody knows yet");
    let early = case.query(&case.key());
    assert!(!matches!(early, Outcome::Refused(_)), "{early:?}");
    if case.mode.is_certified() {
        assert!(case.hub.renewed_keys().unwrap().is_key_missing());
        assert_eq!(case.learn(), Learned::New(1));
        assert!(!case.hub.renewed_keys().unwrap().is_key_missing());
        assert_eq!(case.opened(&posted).unwrap().facts.len(), 1);
        assert_eq!(case.found(), payment);
        assert!(accepted(case.refund(&payment, 1, 3000)).amount.is_some());
    } else {
        // A key that stands in the configuration is changed there, by a person.
        assert!(case.opened(&posted).is_err());
    }
}
