//! Papers over HTTP: their forms, the name under which a browser keeps one, and what a page may do.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::report;

/// How much of a name is taken over.
const LONGEST_NAME: usize = 100;

/// The forms of a paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A workbook.
    Workbook,
    /// A page.
    Page,
    /// A table for machines and spreadsheets.
    Table,
    /// Everything, for machines.
    Json,
}

impl Form {
    /// The form with this ending.
    pub(super) fn of(ending: &str) -> Option<Self> {
        match ending {
            "xlsx" => Some(Self::Workbook),
            "html" => Some(Self::Page),
            "csv" => Some(Self::Table),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The ending of its file.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Workbook => "xlsx",
            Self::Page => "html",
            Self::Table => "csv",
            Self::Json => "json",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Workbook => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Page => "text/html; charset=utf-8",
            Self::Table => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    const fn shown(self) -> &'static str {
        match self {
            Self::Page | Self::Json => "inline",
            Self::Workbook | Self::Table => "attachment",
        }
    }

    /// A paper in this form, by its name and by one of ASCII for old browsers.
    pub(super) fn send(self, (name, plain): (&str, &str), bytes: Vec<u8>) -> HttpResponse {
        let (shown, ending) = (self.shown(), self.ending());
        let name = encoded(&format!("{}.{ending}", harmless(name)));
        let named = format!("{shown}; filename=\"{plain}.{ending}\"; filename*=UTF-8''{name}");
        let may = format!(
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'",
            report::print_digest()
        );
        HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, self.content_type()))
            .insert_header((CONTENT_DISPOSITION, named))
            .insert_header(("content-security-policy", may))
            .body(bytes)
    }
}

/// A name that every file system takes.
fn harmless(name: &str) -> String {
    let harmless = |c: char| {
        if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '_' } else { c }
    };
    name.chars().take(LONGEST_NAME).map(harmless).collect()
}

/// A text as RFC 5987 writes it.
fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte);
    text.bytes().fold(String::new(), |mut done, byte| {
        if is_plain(byte) {
            done.push(char::from(byte));
        } else {
            done.push_str(&format!("%{byte:02X}"));
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_name_is_encoded_and_a_path_is_none() {
        assert_eq!(encoded("对 a.xlsx"), "%E5%AF%B9%20a.xlsx");
        assert_eq!(harmless("a/b\\c\"d\n"), "a_b_c_d_");
    }
}
