//! An amount in words (大写金额), as it stands on anything that is signed in China.

use domain::money::Fen;

const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
const PLACES: [&str; 4] = ["", "拾", "佰", "仟"];
const GROUPS: [&str; 5] = ["", "万", "亿", "万亿", "亿亿"];

/// `人民币` is left to the form: `壹仟零伍元零叁分`, `捌拾元整`, `负伍分`.
#[must_use]
pub fn in_words(amount: Fen) -> String {
    let magnitude = amount.get().unsigned_abs();
    let (yuan, rest) = (magnitude.div_euclid(100), magnitude.rem_euclid(100));
    let (jiao, fen) = (rest.div_euclid(10), rest.rem_euclid(10));
    let mut words = String::new();
    if amount < Fen::ZERO {
        words.push('负');
    }
    if yuan > 0 || rest == 0 {
        words.push_str(&whole(yuan));
        words.push('元');
    }
    if rest == 0 {
        words.push('整');
        return words;
    }
    if jiao > 0 {
        words.push_str(digit(jiao));
        words.push('角');
    } else if yuan > 0 {
        words.push('零');
    }
    if fen > 0 {
        words.push_str(digit(fen));
        words.push('分');
    } else {
        words.push('整');
    }
    words
}

/// A whole number in words, in groups of four digits.
fn whole(number: u64) -> String {
    if number == 0 {
        return digit(0).to_owned();
    }
    let mut groups = Vec::new();
    let mut rest = number;
    while rest > 0 {
        groups.push(rest.rem_euclid(10_000));
        rest = rest.div_euclid(10_000);
    }
    let mut words = String::new();
    // A zero is said once wherever digits between two spoken ones are zero.
    let mut gap = false;
    for (group, unit) in groups.iter().zip(GROUPS).rev() {
        if *group == 0 {
            gap = true;
            continue;
        }
        if !words.is_empty() && (gap || *group < 1000) {
            words.push_str(digit(0));
        }
        words.push_str(&four(*group));
        words.push_str(unit);
        gap = group.rem_euclid(10) == 0;
    }
    words
}

/// 1 to 9999 in words, one zero for a gap inside.
fn four(group: u64) -> String {
    let mut words = String::new();
    let mut gap = false;
    for (place, name) in [1000, 100, 10, 1].into_iter().zip(PLACES.into_iter().rev()) {
        let value = group.div_euclid(place).rem_euclid(10);
        if value == 0 {
            gap = !words.is_empty();
            continue;
        }
        if gap {
            words.push_str(digit(0));
        }
        words.push_str(digit(value));
        words.push_str(name);
        gap = false;
    }
    words
}

fn digit(value: u64) -> &'static str {
    usize::try_from(value).ok().and_then(|index| DIGITS.get(index)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_banks_want_them() {
        for (fen, words) in [
            (0, "零元整"),
            (1, "壹分"),
            (10, "壹角整"),
            (15, "壹角伍分"),
            (100, "壹元整"),
            (103, "壹元零叁分"),
            (120, "壹元贰角整"),
            (1000, "壹拾元整"),
            (8000, "捌拾元整"),
            (10_000, "壹佰元整"),
            (100_503, "壹仟零伍元零叁分"),
            (101_000, "壹仟零壹拾元整"),
            (160_732, "壹仟陆佰零柒元叁角贰分"),
            (1_000_000, "壹万元整"),
            (1_000_500, "壹万零伍元整"),
            (10_500_000, "壹拾万零伍仟元整"),
            (10_700_053, "壹拾万零柒仟元伍角叁分"),
            (10_000_000_000, "壹亿元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (10_010_000_000, "壹亿零壹拾万元整"),
            (123_456_789_012, "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"),
            (-5, "负伍分"),
            (-800_000, "负捌仟元整"),
        ] {
            assert_eq!(in_words(Fen::new(fen)), words, "{fen}");
        }
    }
}
