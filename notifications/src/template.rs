//! The texts, by event and language, as data that is checked when it is read.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::params::{Kind, ParamError, Params};
use crate::text;

/// The language that every text exists in.
pub const DEFAULT_LOCALE: &str = "zh-CN";

/// The texts that come with the hub, by language.
const BUILT_IN: [(&str, &str); 2] =
    [(DEFAULT_LOCALE, include_str!("../data/zh-CN.toml")), ("en", include_str!("../data/en.toml"))];

/// How much a message minds the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// It goes out at any hour.
    Immediate,
    /// It waits for the end of quiet hours.
    Normal,
    /// It waits for office hours of a working day: for staff.
    OfficeHours,
}

/// What must still be true when a message leaves, or it is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The fee is still owed: nobody is asked to pay twice.
    FeeOwed,
}

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its event's code, such as `FEE.ISSUED`.
    pub code: String,
    /// Its language.
    pub locale: String,
    /// How much it minds the hour.
    pub urgency: Urgency,
    /// How long it is of use, in hours.
    pub valid_hours: u32,
    /// What must still be true when it leaves.
    pub only_while: Option<Condition>,
    /// The code of the text to use when one of its variables is not given.
    pub plain: Option<String>,
    /// Its pieces in order.
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    Variable(String, Kind),
}

/// A text with its values, ready for a channel.
pub(crate) struct Rendered {
    /// What the person reads.
    pub(crate) text: String,
    /// The values in the order of the text, each once.
    pub(crate) params: Vec<(String, String)>,
}

impl Template {
    /// The text with `params` in it; values that the text does not need are left out.
    pub(crate) fn render(&self, params: &Params) -> Result<Rendered, ParamError> {
        let mut rendered = Rendered { text: String::new(), params: Vec::new() };
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(words) => rendered.text.push_str(words),
                Piece::Variable(name, kind) => {
                    let value = params.shaped(name, *kind)?;
                    rendered.text.push_str(&value);
                    if !rendered.params.iter().any(|(known, _)| known == name) {
                        rendered.params.push((name.clone(), value));
                    }
                }
            }
        }
        Ok(rendered)
    }

    /// Its variables in order.
    fn variables(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Fixed(_) => None,
            Piece::Variable(name, _) => Some(name.as_str()),
        })
    }
}

/// All texts, by language and event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    templates: BTreeMap<(String, String), Template>,
}

impl Catalogue {
    /// The texts that come with the hub.
    ///
    /// # Errors
    /// None in a hub that passed its tests: they read these texts.
    pub fn built_in() -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for (locale, data) in BUILT_IN {
            catalogue.add(locale, data)?;
        }
        Ok(catalogue)
    }

    /// Adds the texts of one language, in place of those with the same code.
    ///
    /// # Errors
    /// The first text that is wrong, and why.
    pub fn add(&mut self, locale: &str, data: &str) -> Result<(), CatalogueError> {
        let file: File = toml::from_str(data).map_err(|source| CatalogueError {
            locale: locale.to_owned(),
            code: "the file".to_owned(),
            fault: source.to_string(),
        })?;
        for row in file.templates {
            let code = row.code.clone();
            let template = row.read(locale).map_err(|fault| CatalogueError {
                locale: locale.to_owned(),
                code: code.clone(),
                fault,
            })?;
            self.templates.insert((locale.to_owned(), code), template);
        }
        Ok(())
    }

    /// The text of an event in a language, else in [`DEFAULT_LOCALE`].
    #[must_use]
    pub fn find(&self, code: &str, locale: &str) -> Option<&Template> {
        let find = |locale: &str| self.templates.get(&(locale.to_owned(), code.to_owned()));
        find(locale).or_else(|| find(DEFAULT_LOCALE))
    }

    /// The text to use with `params`: the event's own, or its plain form when a variable that
    /// only the full form has is not given.
    pub(crate) fn choose(&self, code: &str, locale: &str, params: &Params) -> Option<&Template> {
        let full = self.find(code, locale)?;
        let is_whole = full.variables().all(|name| params.has(name));
        let plain = full.plain.as_ref().filter(|_| !is_whole);
        plain.and_then(|plain| self.find(plain, locale)).or(Some(full))
    }

    /// All texts in order of language and code.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.templates.values()
    }
}

/// A text that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{locale}, {code}: {fault}")]
pub struct CatalogueError {
    locale: String,
    code: String,
    fault: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    templates: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: String,
    urgency: Urgency,
    valid_hours: u32,
    only_while: Option<Condition>,
    plain: Option<String>,
    text: String,
    params: BTreeMap<String, Kind>,
}

impl Row {
    fn read(self, locale: &str) -> Result<Template, String> {
        let pieces = pieces(&self.text, &self.params)?;
        for piece in &pieces {
            let Piece::Fixed(words) = piece else { continue };
            if let Some(letter) = text::refused_letter(words) {
                return Err(format!("SMS vendors refuse {letter:?}"));
            }
        }
        let template = Template {
            code: self.code,
            locale: locale.to_owned(),
            urgency: self.urgency,
            valid_hours: self.valid_hours,
            only_while: self.only_while,
            plain: self.plain,
            pieces,
        };
        for name in self.params.keys() {
            if !template.variables().any(|variable| variable == name) {
                return Err(format!("the text does not use {name}"));
            }
        }
        Ok(template)
    }
}

/// Cuts a text at its `{variables}`.
fn pieces(text: &str, kinds: &BTreeMap<String, Kind>) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((fixed, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}').ok_or("a { is not closed")?;
        let kind = kinds.get(name).ok_or_else(|| format!("{name} has no kind"))?;
        pieces.push(Piece::Fixed(fixed.to_owned()));
        pieces.push(Piece::Variable(name.to_owned(), *kind));
        rest = behind;
    }
    pieces.push(Piece::Fixed(rest.to_owned()));
    let stray =
        pieces.iter().any(|piece| matches!(piece, Piece::Fixed(words) if words.contains('}')));
    if stray { Err("a } was not opened".to_owned()) } else { Ok(pieces) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(code: &str, locale: &str, params: &Params) -> String {
        let catalogue = Catalogue::built_in().unwrap();
        catalogue.choose(code, locale, params).unwrap().render(params).unwrap().text
    }

    fn paid() -> Params {
        Params::new().with("no", "201811300001").with("amt", "80.00")
    }

    #[test]
    fn every_text_is_good_and_every_plain_form_exists_and_needs_less() {
        let catalogue = Catalogue::built_in().unwrap();
        assert_eq!(catalogue.iter().filter(|template| template.locale == "zh-CN").count(), 27);
        for template in catalogue.iter() {
            let Some(plain) = &template.plain else { continue };
            let plain = catalogue.find(plain, &template.locale).unwrap();
            assert!(plain.variables().all(|name| template.variables().any(|known| known == name)));
            assert!(plain.variables().count() < template.variables().count());
            assert_eq!(plain.locale, template.locale);
        }
    }

    #[test]
    fn a_payer_without_an_electronic_bill_gets_the_text_without_it() {
        assert_eq!(
            render("PAY.SUCCEEDED", "zh-CN", &paid()),
            "受理号201811300001登记费80.00元已缴清。"
        );
        let with_bill = paid().with("bill", "32010118").with("entry", "园区政务小程序");
        assert_eq!(
            render("PAY.SUCCEEDED", "zh-CN", &with_bill),
            "受理号201811300001登记费80.00元已缴清，电子票据32010118可在园区政务小程序下载。"
        );
    }

    #[test]
    fn a_language_without_the_text_falls_back_to_chinese() {
        assert!(render("PAY.SUCCEEDED", "en", &paid()).starts_with("Case 201811300001"));
        assert!(render("PAY.SUCCEEDED", "ja", &paid()).starts_with("受理号"));
        let case = Params::new().with("no", "1");
        assert_eq!(render("CASE.APPROVED", "en", &case), "受理号1已审核通过。");
    }

    #[test]
    fn a_text_that_vendors_would_refuse_is_refused_when_it_is_read() {
        let read = |text: &str, params: &str| {
            let row = format!(
                "[[templates]]\ncode='X'\nurgency='normal'\nvalid_hours=1\ntext='{text}'\nparams={{{params}}}"
            );
            Catalogue::default().add("zh-CN", &row)
        };
        assert_eq!(read("好{a}。", "a='words'"), Ok(()));
        for (text, params) in [
            ("【园区】好", ""),
            ("88m²", ""),
            ("{a}", ""),
            ("好", "a='words'"),
            ("{a", "a='words'"),
            ("a}", ""),
            ("好", "a='novel'"),
        ] {
            assert!(read(text, params).is_err(), "{text}");
        }
    }
}
