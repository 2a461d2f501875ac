//! The flat XML of the old interface: one root, elements of text below it, nothing else. No
//! document type, no entities of anybody's own, no attributes, no element twice.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// The elements of a document by name.
pub(crate) type Fields = BTreeMap<String, String>;

/// Longer documents are refused.
const LARGEST: usize = 64 * 1024;

/// A reader's place in a document.
#[derive(Default)]
struct Place {
    fields: Fields,
    /// Whether the root is open.
    inside: bool,
    /// Whether the root was closed.
    done: bool,
    /// The element that is open below the root, and its text so far.
    open: Option<(String, String)>,
}

/// Reads a document below `root`; the error says what is wrong with it, for people.
pub(super) fn read(bytes: &[u8], root: &str) -> Result<Fields, &'static str> {
    if bytes.is_empty() {
        return Err("post数据为空");
    }
    if bytes.len() > LARGEST {
        return Err("XML过长");
    }
    let text = std::str::from_utf8(bytes).or(Err("编码格式错误，请使用UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut place = Place::default();
    loop {
        match reader.read_event().or(Err("XML格式错误"))? {
            Event::Start(element) => place.start(&element, root)?,
            Event::Empty(element) => {
                place.start(&element, root)?;
                place.end();
            }
            Event::End(_) => place.end(),
            Event::Text(text) => place.text(&text.xml10_content())?,
            Event::CData(text) => place.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => place.text(&resolved(&reference)?)?,
            Event::Decl(_) if !place.inside && !place.done => {}
            Event::Decl(_) => return Err("XML声明不在开头"),
            Event::DocType(_) => return Err("XML不允许包含DOCTYPE"),
            Event::PI(_) => return Err("XML不允许包含处理指令"),
            Event::Comment(_) => return Err("XML不允许包含注释"),
            Event::Eof if place.done => return Ok(place.fields),
            Event::Eof => return Err("XML不完整"),
        }
    }
}

impl Place {
    fn start(&mut self, element: &BytesStart<'_>, root: &str) -> Result<(), &'static str> {
        if !element.attributes_raw().trim().is_empty() {
            return Err("XML不允许包含属性");
        }
        let name = element.name().as_ref().to_owned();
        if !self.inside && !self.done && name == root {
            self.inside = true;
            return Ok(());
        }
        if !self.inside {
            return Err("XML根元素错误");
        }
        if self.open.is_some() {
            return Err("XML元素不允许嵌套");
        }
        if self.fields.contains_key(&name) {
            return Err("XML元素重复");
        }
        self.open = Some((name, String::new()));
        Ok(())
    }

    fn end(&mut self) {
        match self.open.take() {
            Some((name, text)) => drop(self.fields.insert(name, text)),
            None => (self.inside, self.done) = (false, true),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), &'static str> {
        match &mut self.open {
            Some((_, so_far)) => so_far.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("XML元素之外有文本"),
        }
        Ok(())
    }
}

/// What a reference stands for: a letter by its number, or one of XML's own five.
fn resolved(reference: &BytesRef<'_>) -> Result<String, &'static str> {
    let unknown = "XML不允许包含实体";
    if let Some(letter) = reference.resolve_char_ref().or(Err(unknown))? {
        return Ok(letter.to_string());
    }
    let text = match reference.xml10_content().as_ref() {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        _ => return Err(unknown),
    };
    Ok(text.to_owned())
}

/// Writes a document: every value in CDATA.
pub(super) fn written<'a>(
    root: &str,
    fields: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> String {
    let mut text = format!("<{root}>");
    for (name, value) in fields {
        let value = value.replace("]]>", "]]]]><![CDATA[>");
        text.push_str(&format!("<{name}><![CDATA[{value}]]></{name}>\n"));
    }
    text.push_str(&format!("</{root}>"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, fields: &[(&str, &str)]) {
        let read = read(text.as_bytes(), "xml").unwrap();
        let wanted: Fields =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(read, wanted, "{text}");
    }

    #[test]
    fn text_cdata_and_the_five_references_are_read() {
        check("<xml/>", &[]);
        check(
            "<xml><a>1</a><b><![CDATA[<2>&]]></b><c/></xml>",
            &[("a", "1"), ("b", "<2>&"), ("c", "")],
        );
        check(
            "<?xml version=\"1.0\"?>\n<xml>\n <a>x&lt;&#x8d39;&amp;y</a>\n</xml>\n",
            &[("a", "x<费&y")],
        );
        check("<xml><a>1<![CDATA[2]]>3</a></xml>", &[("a", "123")]);
    }

    #[test]
    fn whatever_is_not_flat_plain_xml_is_refused() {
        for text in [
            "",
            "{}",
            "<xml>",
            "<xml><a></xml>",
            "<xml><a>1</b></xml>",
            "<root><a>1</a></root>",
            "<xml><a>1</a><a>1</a></xml>",
            "<xml><a><b>1</b></a></xml>",
            "<xml><a n=\"1\">1</a></xml>",
            "<xml>stray</xml>",
            "<xml></xml><xml></xml>",
            "<xml></xml>stray",
            "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>",
            "<xml><a>&nbsp;</a></xml>",
            "<xml><?php 1 ?></xml>",
            "<xml><!-- a --></xml>",
        ] {
            assert!(read(text.as_bytes(), "xml").is_err(), "{text}");
        }
        assert!(read(b"<xml><a>\xff</a></xml>", "xml").is_err());
        assert!(read(format!("<xml>{}</xml>", " ".repeat(70_000)).as_bytes(), "xml").is_err());
    }

    #[test]
    fn what_is_written_is_read_back_even_where_it_ends_cdata() {
        let fields = Fields::from([("a".to_owned(), "1]]>2&<".to_owned())]);
        assert_eq!(read(written("xml", &fields).as_bytes(), "xml"), Ok(fields));
    }
}
