//! The XML of v2, read strictly and written safely: one root, fields without attributes below it,
//! and nothing else. Whatever XML can do beyond that (declared types, entities, nesting, comments,
//! a field twice) is refused, because a signature over it would mean something else to each reader.

use std::collections::BTreeMap;
use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

/// The most that is read, in bytes.
const LARGEST: usize = 64 * 1024;
/// The longest name of a field.
const LONGEST_NAME: usize = 64;

/// Fields by name, in the order of their bytes: the order in which v2 signs them.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// The value of a field; an empty one counts as missing, as it does in a signature.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether there is such a field, empty or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Sets a field.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The same with one more field, where there is a value for it.
    pub(super) fn with(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.set(name, value);
        }
        self
    }

    /// Names and values in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Fields {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl fmt::Debug for Fields {
    /// Values may be personal or secret: only the names are shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a text is not v2's XML; it repeats nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the XML {0}")]
pub(super) struct XmlError(&'static str);

/// Writes fields under the root `xml`, each value in CDATA.
pub(super) fn write(fields: &Fields) -> String {
    let mut text = String::from("<xml>");
    for (name, value) in fields.iter() {
        // CDATA ends at the first `]]>`, so one inside a value is split over two sections.
        let value = value.replace("]]>", "]]]]><![CDATA[>");
        text.push_str(&format!("<{name}><![CDATA[{value}]]></{name}>"));
    }
    text.push_str("</xml>");
    text
}

/// Reads the fields under the root of that name.
///
/// # Errors
/// When it is anything but one such root with plain fields below it.
pub(super) fn read(root: &str, bytes: &[u8]) -> Result<Fields, XmlError> {
    if bytes.len() > LARGEST {
        return Err(XmlError("is larger than 64 KiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_source| XmlError("is not UTF-8"))?;
    if !text.chars().all(is_letter) {
        return Err(XmlError("holds a character that XML forbids"));
    }
    let mut reader = Reader::from_str(text);
    let settings = reader.config_mut();
    settings.expand_empty_elements = true;
    settings.trim_markup_names_in_closing_tags = false;
    let mut place = Place::Before { declared: false };
    let mut fields = Fields::default();
    loop {
        let event = reader.read_event().map_err(|_source| XmlError("is not well-formed"))?;
        match place.after(root, event, &mut fields)? {
            Some(next) => place = next,
            None => return Ok(fields),
        }
    }
}

/// Where the reader stands.
enum Place {
    /// Before the root.
    Before { declared: bool },
    /// Below the root, between two fields.
    Between,
    /// In a field.
    In { name: String, value: String },
    /// Behind the root.
    Behind,
}

impl Place {
    /// Where it stands after an event; `None`: the text is read to its end.
    fn after(
        self,
        root: &str,
        event: Event<'_>,
        fields: &mut Fields,
    ) -> Result<Option<Self>, XmlError> {
        let next = match (self, event) {
            (Self::Before { declared: false }, Event::Decl(declaration)) => {
                declares_utf_8(&declaration)?;
                Self::Before { declared: true }
            }
            (Self::Before { .. }, Event::Start(start)) if name_of(&start)? == root => Self::Between,
            (Self::Between, Event::Start(start)) => {
                Self::In { name: name_of(&start)?.to_owned(), value: String::new() }
            }
            (Self::Between, Event::End(_)) => Self::Behind,
            (Self::In { name, value }, Event::End(_)) => {
                if fields.0.insert(name, value).is_some() {
                    return Err(XmlError("has a field twice"));
                }
                Self::Between
            }
            (Self::In { name, mut value }, Event::Text(text)) => {
                value.push_str(&text.xml10_content());
                Self::In { name, value }
            }
            (Self::In { name, mut value }, Event::CData(text)) => {
                value.push_str(&text.xml10_content());
                Self::In { name, value }
            }
            (Self::In { name, mut value }, Event::GeneralRef(reference)) => {
                value.push(letter(&reference)?);
                Self::In { name, value }
            }
            // Blanks between fields and around the root mean nothing. With a declaration, nothing
            // but blanks may stand before the root, and the declaration itself stands first.
            (Self::Before { .. }, Event::Text(text)) if is_blank(&text) => {
                Self::Before { declared: true }
            }
            (Self::Between, Event::Text(text)) if is_blank(&text) => Self::Between,
            (Self::Behind, Event::Text(text)) if is_blank(&text) => Self::Behind,
            (Self::Behind, Event::Eof) => return Ok(None),
            (Self::In { .. }, Event::Start(_)) => return Err(XmlError("has a field in a field")),
            (_, Event::DocType(_)) => return Err(XmlError("declares a document type")),
            (_, Event::Comment(_)) => return Err(XmlError("holds a comment")),
            (_, Event::PI(_) | Event::Decl(_)) => return Err(XmlError("holds an instruction")),
            (_, Event::Eof) => return Err(XmlError("ends too early")),
            (
                _,
                Event::Start(_)
                | Event::End(_)
                | Event::Empty(_)
                | Event::Text(_)
                | Event::CData(_)
                | Event::GeneralRef(_),
            ) => return Err(XmlError("is not one root with fields below it")),
        };
        Ok(Some(next))
    }
}

fn name_of<'a>(start: &'a BytesStart<'_>) -> Result<&'a str, XmlError> {
    if !start.attributes_raw().is_empty() {
        return Err(XmlError("has an attribute"));
    }
    let name: &str = start;
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$');
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(good) {
        return Err(XmlError("has a field whose name is not one of v2"));
    }
    Ok(name)
}

fn declares_utf_8(declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("UTF-8") => Ok(()),
        Some(_) => Err(XmlError("declares another encoding than UTF-8")),
    }
}

/// The character that a reference stands for: the five of XML, or one by its number.
fn letter(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    let name: &str = reference;
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match reference.resolve_char_ref() {
            Ok(Some(letter)) if is_letter(letter) => Ok(letter),
            Ok(_) | Err(_) => Err(XmlError("refers to something that is not a character")),
        },
    }
}

/// What XML 1.0 takes for a character.
fn is_letter(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}
