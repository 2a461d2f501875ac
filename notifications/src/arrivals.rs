//! Receipts of a message that went out in parts: some vendors report each part.

use domain::delivery::Arrival;

/// What the receipts of a message's `parts` say together, when `expected` of them are due: it
/// arrived when all parts did; it did not when one did not; else nothing yet (`None`). Pass one
/// receipt a part: a repeated one would count twice.
#[must_use]
pub fn fold(parts: &[Arrival], expected: usize) -> Option<Arrival> {
    let lost = parts.iter().find(|part| **part != Arrival::Delivered);
    match lost {
        Some(lost) => Some(lost.clone()),
        None if !parts.is_empty() && parts.len() >= expected => Some(Arrival::Delivered),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::delivery::Undelivered;

    use super::*;

    #[test]
    fn a_message_arrived_when_all_its_parts_did() {
        // T35: receipts of a long message are folded.
        let lost = || Arrival::Undelivered {
            reason: Undelivered::Unreachable,
            code: "UNDELIV".to_owned(),
        };
        let here = || Arrival::Delivered;
        assert_eq!(fold(&[here()], 2), None);
        assert_eq!(fold(&[here(), here()], 2), Some(here()));
        assert_eq!(fold(&[here(), lost()], 3), Some(lost()));
        assert_eq!(fold(&[], 0), None);
        assert_eq!(fold(&[here()], 1), Some(here()));
    }
}
