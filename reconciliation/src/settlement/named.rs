//! What a bank's text names: a merchant's number, a day. A number counts only as a whole word.

use jiff::civil::Date;

/// Whether a text names one of these numbers.
pub(super) fn any(text: &str, numbers: &[String]) -> bool {
    words(text).any(|word| numbers.iter().any(|number| number == word))
}

/// The one day that a text names, as 20181130 or 2018-11-30; `None` where it names several.
pub(super) fn date(text: &str) -> Option<Date> {
    let mut days = words(text).filter_map(|word| {
        let is_day = match word.len() {
            8 => word.bytes().all(|byte| byte.is_ascii_digit()),
            10 => word.bytes().filter(|byte| *byte == b'-').count() == 2,
            _ => false,
        };
        is_day.then(|| word.parse::<Date>().ok()).flatten()
    });
    let first = days.next()?;
    days.all(|day| day == first).then_some(first)
}

/// The words of ASCII letters, digits and hyphens.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_named_as_a_whole_word_and_a_day_alone() {
        let numbers = ["1900000001".to_owned()];
        assert!(any("财付通1900000001清算", &numbers));
        assert!(!any("财付通19000000012清算", &numbers));
        let day = |text: &str| date(text).map(|day| day.to_string());
        assert_eq!(day("清算款20181130日"), Some("2018-11-30".to_owned()));
        assert_eq!(day("T 2018-11-30."), Some("2018-11-30".to_owned()));
        assert_eq!(day("20181130 20181201"), None);
        assert_eq!(day("19000000 1-1-111111 99999999"), None);
    }
}
