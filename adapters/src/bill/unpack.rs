//! From a file's bytes to its text: gzip and zip are opened, UTF-8 (with or without a byte order
//! mark) and GB18030 decoded. What comes out is capped, so that a small hostile file cannot fill
//! the memory.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use encoding_rs::GB18030;
use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::BillError;

/// The largest text that a file may unpack to while it is held whole: 1 GiB, some four million rows.
/// What is read as it comes ([`super::stream`]) may be longer.
pub const LARGEST_TEXT: u64 = 1 << 30;

/// How many files a zip may hold; a provider's has two.
pub(super) const MOST_ENTRIES: usize = 64;

/// The text of a file. Of a zip it is the one entry that is `wanted`; if none is, the first entry
/// with any text, for the caller to say what it is.
pub(super) fn text<'a>(
    bytes: &'a [u8],
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Cow<'a, str>, BillError> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let unpacked = capped(MultiGzDecoder::new(bytes), LARGEST_TEXT)?;
        return decode_owned(unpacked).map(Cow::Owned);
    }
    if bytes.starts_with(b"PK") {
        return entry(bytes, wanted).map(Cow::Owned);
    }
    decode(bytes)
}

fn entry(bytes: &[u8], wanted: &dyn Fn(&str) -> bool) -> Result<String, BillError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(BillError::packing)?;
    if archive.len() > MOST_ENTRIES {
        let fault = format!("the zip holds {} files, more than {MOST_ENTRIES}", archive.len());
        return Err(BillError::Packing { fault });
    }
    let mut left = LARGEST_TEXT;
    let (mut found, mut other) = (None, None);
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(BillError::packing)?;
        if !file.is_file() {
            continue;
        }
        let unpacked = capped(file, left)?;
        left = left.saturating_sub(u64::try_from(unpacked.len()).unwrap_or(u64::MAX));
        // What is no text cannot be the bill.
        let Ok(text) = decode_owned(unpacked) else { continue };
        if wanted(&text) {
            if found.replace(text).is_some() {
                return Err(BillError::Several);
            }
            continue;
        }
        // The summary beside the detail explains itself better than some stray file.
        if other.is_none() && !text.trim().is_empty() {
            other = Some(text);
        }
    }
    found.or(other).ok_or_else(|| BillError::packing("the zip holds no text"))
}

fn capped(packed: impl Read, limit: u64) -> Result<Vec<u8>, BillError> {
    let mut unpacked = Vec::new();
    let mut window = packed.take(limit.saturating_add(1));
    window.read_to_end(&mut unpacked).map_err(BillError::packing)?;
    if u64::try_from(unpacked.len()).unwrap_or(u64::MAX) > limit {
        return Err(BillError::Packing {
            fault: format!("it unpacks to more than {LARGEST_TEXT} bytes"),
        });
    }
    Ok(unpacked)
}

/// The same without a copy where the bytes are UTF-8 already.
fn decode_owned(bytes: Vec<u8>) -> Result<String, BillError> {
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.remove(0);
            }
            Ok(text)
        }
        Err(not_utf8) => decode(not_utf8.as_bytes()).map(Cow::into_owned),
    }
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, BillError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let not_utf8 = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(fault) => fault,
    };
    // Cut inside its last letter, it is UTF-8 still; the reader tells what is missing.
    if not_utf8.error_len().is_none() {
        let whole = bytes.get(..not_utf8.valid_up_to()).unwrap_or_default();
        return std::str::from_utf8(whole).map(Cow::Borrowed).map_err(BillError::packing);
    }
    GB18030
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| BillError::packing(format!("it is neither UTF-8 ({not_utf8}) nor GB18030")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused_and_the_limit_named() {
        assert_eq!(capped(&b"12345"[..], 5).unwrap(), b"12345");
        let refused = capped(&b"123456"[..], 5).unwrap_err();
        assert!(refused.to_string().contains("1073741824"), "{refused}");
    }

    #[test]
    fn utf8_with_and_without_a_mark_and_gbk_are_one_text() {
        let gbk = GB18030.encode("支付宝").0.into_owned();
        for bytes in ["支付宝".as_bytes(), "\u{feff}支付宝".as_bytes(), &gbk] {
            assert_eq!(decode(bytes).unwrap(), "支付宝");
        }
        assert!(decode(&[0xff, 0xff, 0xff]).is_err());
        assert_eq!(decode(&"支付宝".as_bytes()[..8]).unwrap(), "支付");
    }
}
