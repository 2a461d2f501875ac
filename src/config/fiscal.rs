//! `[[fiscal_items]]`: which item of the treasury (财政收入项目) a fee item is.

use super::error::ConfigError;
use super::section::Section;

/// A fee item with the treasury's item that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiscalItem {
    /// The fee item's code, as in `REG.RES`.
    pub item: String,
    /// The treasury's code.
    pub code: String,
    /// The treasury's name for it.
    pub name: String,
}

pub(super) fn read(section: &Section<'_>) -> Result<FiscalItem, ConfigError> {
    section.only(&["item", "code", "name"])?;
    Ok(FiscalItem {
        item: section.needed("item", "give the fee item's code, as in REG.RES")?,
        code: section.needed("code", "give the treasury's code of the item")?,
        name: section.needed("name", "give the treasury's name of the item")?,
    })
}
