//! What Chinese SMS vendors count and refuse: lengths, parts, and letters that no template and no
//! variable may hold.

/// The longest message that is one part, in UTF-16 units, signature included.
pub const SINGLE_PART: usize = 70;
/// What each part of a longer message holds.
pub const LONG_PART: usize = 67;
/// The longest message that vendors take.
pub const LONGEST: usize = 500;

/// Letters that vendors refuse in templates: brackets that imitate a signature, and signs that
/// old phones do not show.
const REFUSED_SIGNS: &str = "【】〖〗『』「」•①②③④⑤⑥⑦⑧⑨⑩★☆※→←↑↓¥￥²³㎡㎥#";

/// Traditional forms that are common in names and addresses and that vendors refuse. Not the
/// whole list: the rest the vendor's review finds.
const TRADITIONAL: &str = "體國學車門馬鳥龍東區產權證書記費繳號國園關廣張陳劉黃趙吳孫葉蘇許鄭謝蕭羅韓馮鄧會業務處員們個這還進運達過遠說話請讓認試譯讀變貝財貨買賣資質貴賬購賓贈銀錢鐵鎮長開間聞陽陰陸隊際難雲電靈頁項順須預領頭題額顏願類飛飯館驗髮點齊齒";

/// The length of a message as it goes on air: UTF-16 units of `text` and, where the vendor adds
/// it, of `【signature】`. A rare letter such as 𠮷 counts two.
#[must_use]
pub fn length(signature: Option<&str>, text: &str) -> usize {
    let units = |text: &str| text.encode_utf16().count();
    let signed = signature.map_or(0, |signature| units(signature).saturating_add(2));
    units(text).saturating_add(signed)
}

/// How many parts a message of `length` units costs: one up to 70, else 67 each.
#[must_use]
pub const fn segments(length: usize) -> usize {
    if length <= SINGLE_PART { 1 } else { length.div_ceil(LONG_PART) }
}

/// The first letter that vendors refuse, if any.
#[must_use]
pub fn refused_letter(text: &str) -> Option<char> {
    text.chars().find(|letter| {
        letter.is_control() || REFUSED_SIGNS.contains(*letter) || TRADITIONAL.contains(*letter)
    })
}

/// Whether a text holds what looks like a link: vendors take links only in a template's fixed
/// words, and people should not learn to tap on them.
#[must_use]
pub fn has_link(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["://", "www.", ".com", ".cn", ".net", ".org"].iter().any(|mark| lower.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_70_is_one_part_and_of_71_is_two() {
        for (length, parts) in [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3), (160, 3), (500, 8)] {
            assert_eq!(segments(length), parts, "{length}");
        }
    }

    #[test]
    fn the_signature_and_its_brackets_count_and_rare_letters_count_two() {
        assert_eq!(length(None, "已登簿。"), 4);
        assert_eq!(length(Some("园区不动产"), "已登簿。"), 11);
        assert_eq!(length(None, "𠮷a，"), 4);
    }

    #[test]
    fn letters_that_vendors_refuse_are_found_before_they_do() {
        for (text, letter) in
            [("【园区】", '【'), ("88m²", '²'), ("①", '①'), ("不動產權", '產'), ("a\nb", '\n')]
        {
            assert_eq!(refused_letter(text), Some(letter), "{text}");
        }
        assert_eq!(refused_letter("受理号201811300001应缴登记费80.00元（至12-05），A/B。"), None);
    }

    #[test]
    fn a_link_is_no_value() {
        for link in ["http://a", "WWW.a", "pay.example.com", "a.cn/x"] {
            assert!(has_link(link), "{link}");
        }
        assert!(!has_link("80.00"));
    }
}
