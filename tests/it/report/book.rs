//! A workbook read again: its cells as fen and counts, never as fractions.

use std::io::Cursor;

use calamine::{Data, DataType as _, Range, Reader as _, Xlsx};

/// The sheets of a workbook by name, in order.
pub(super) struct Book(pub(super) Vec<(String, Range<Data>)>);

/// One row of a merchant's table on the cover: whose, what, and its twelve cells.
pub(super) struct Line {
    pub(super) whose: String,
    pub(super) item: String,
    pub(super) cells: Vec<i64>,
}

impl Book {
    pub(super) fn read(bytes: Vec<u8>) -> Self {
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let names = book.sheet_names();
        Self(
            names
                .into_iter()
                .map(|name| {
                    let range = book.worksheet_range(&name).unwrap();
                    (name, range)
                })
                .collect(),
        )
    }

    pub(super) fn sheet(&self, name: &str) -> &Range<Data> {
        &self.0.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// The rows of every detail sheet, without heads.
    pub(super) fn detail(&self) -> impl Iterator<Item = &[Data]> {
        let sheets = self.0.iter().filter(|(name, _)| name.starts_with("明细"));
        sheets.flat_map(|(_, range)| range.rows().skip(2))
    }

    /// The rows of a list, without head, total and signatures.
    pub(super) fn list(&self, name: &str) -> impl Iterator<Item = &[Data]> {
        self.sheet(name).rows().skip(2).filter(|row| row[0].as_f64().is_some())
    }

    /// The total of a list.
    pub(super) fn total(&self, name: &str) -> &[Data] {
        let is_total = |row: &&[Data]| text(&row[0]).starts_with("合计");
        self.sheet(name).rows().find(is_total).unwrap()
    }

    /// The tables on the cover.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut whose = String::new();
        let mut lines = Vec::new();
        for row in self.sheet("汇总").rows().skip(5) {
            let item = text(&row[1]);
            if !["支付", "退款", "净额", "手续费"].contains(&item.as_str()) {
                break;
            }
            if !text(&row[0]).is_empty() {
                whose = text(&row[0]).lines().next().unwrap().to_owned();
            }
            // Counts stand in the first column of each pair and group, amounts in the others.
            let cells = row[2..14].iter().enumerate().map(|(at, cell)| match at {
                0 | 2 | 4 | 6 | 9 => count(cell),
                _ => fen(cell),
            });
            lines.push(Line { whose: whose.clone(), item, cells: cells.collect() });
        }
        lines
    }

    /// The steps on the cover: name, counts and amounts of payments and refunds, net.
    pub(super) fn steps(&self) -> Vec<(String, [i64; 5])> {
        let rows = self.sheet("汇总").rows();
        let mut rows = rows.skip_while(|row| !text(&row[0]).starts_with("差额调节表"));
        rows.next().unwrap();
        let step = |row: &[Data]| {
            let cells = [count(&row[4]), fen(&row[5]), count(&row[6]), fen(&row[7]), fen(&row[9])];
            (text(&row[0]), cells)
        };
        rows.take_while(|row| !text(&row[0]).starts_with("核对一致净额")).map(step).collect()
    }

    /// Every text of every sheet.
    pub(super) fn texts(&self) -> Vec<String> {
        self.0.iter().flat_map(|(_, range)| range.rows().flatten().map(text)).collect()
    }
}

pub(super) fn text(cell: &Data) -> String {
    cell.get_string().unwrap_or_default().to_owned()
}

/// An amount in fen; an empty cell is nothing.
#[track_caller]
pub(super) fn fen(cell: &Data) -> i64 {
    if cell.is_empty() {
        return 0;
    }
    format!("{:.2}", cell.as_f64().unwrap()).replace('.', "").parse().unwrap()
}

#[track_caller]
pub(super) fn count(cell: &Data) -> i64 {
    if cell.is_empty() {
        return 0;
    }
    format!("{:.0}", cell.as_f64().unwrap()).parse().unwrap()
}
