//! A zip file as Alipay makes it: entry names in GBK bytes without the UTF-8 flag, which is why it
//! is written here byte for byte.

use std::io::{self, Write as _};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Deflated, no flags, made by version 2.0; 1 January 1980.
const VERSION: u16 = 20;
const DEFLATED: u16 = 8;
const DATE: u16 = 0x0021;

/// Packs files of (name in GBK, content).
pub(super) fn zip(files: &[(Vec<u8>, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let offset = length(&archive)?;
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        packed.write_all(content)?;
        let packed = packed.finish()?;
        let mut crc = Crc::new();
        crc.update(content);
        let mut facts = Vec::new();
        for number in [0, DEFLATED, 0, DATE] {
            facts.extend_from_slice(&u16::to_le_bytes(number));
        }
        for number in [crc.sum(), length(&packed)?, length(content)?] {
            facts.extend_from_slice(&u32::to_le_bytes(number));
        }
        facts.extend_from_slice(&short(name)?);
        facts.extend_from_slice(&[0, 0]); // no extra field

        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&u16::to_le_bytes(VERSION));
        archive.extend_from_slice(&facts);
        archive.extend_from_slice(name);
        archive.extend_from_slice(&packed);

        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&u16::to_le_bytes(VERSION));
        directory.extend_from_slice(&u16::to_le_bytes(VERSION));
        directory.extend_from_slice(&facts);
        directory.extend_from_slice(&[0; 10]); // no comment, first disk, no attributes
        directory.extend_from_slice(&u32::to_le_bytes(offset));
        directory.extend_from_slice(name);
    }
    let (offset, size) = (length(&archive)?, length(&directory)?);
    let count = u16::try_from(files.len()).map_err(io::Error::other)?.to_le_bytes();
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&u32::to_le_bytes(size));
    archive.extend_from_slice(&u32::to_le_bytes(offset));
    archive.extend_from_slice(&[0, 0]);
    Ok(archive)
}

fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(io::Error::other)
}

fn short(bytes: &[u8]) -> io::Result<[u8; 2]> {
    Ok(u16::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;

    #[test]
    fn another_reader_opens_the_archive_and_sees_raw_names_without_the_utf8_flag() {
        let (name, _, _) = encoding_rs::GBK.encode("业务明细.csv");
        let files = [(name.to_vec(), b"first".repeat(50)), (b"b.csv".to_vec(), b"second".to_vec())];
        let packed = zip(&files).unwrap();
        assert_eq!(&packed[6..8], [0, 0], "no flags");
        let mut opened = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        for (place, (name, content)) in files.iter().enumerate() {
            let mut file = opened.by_index(place).unwrap();
            assert_eq!(file.name_raw(), name);
            let mut read = Vec::new();
            file.read_to_end(&mut read).unwrap();
            assert_eq!(&read, content);
        }
    }
}
