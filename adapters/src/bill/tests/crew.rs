//! A crew beside one reader: the same rows, the same totals, the same refusal, whatever stands in
//! the middle of a file of many blocks.

use std::collections::VecDeque;
use std::io::Cursor;

use domain::bill::{BillRow, BillTotals};

use super::{BACK, FOOTER, PAID, WECHAT, gzip, wechat};
use crate::bill::crew::{Crew, Done, Piece};
use crate::bill::stream::{self, Marks, StreamError};

/// Reads what it was given when it is asked for it, so many blocks later.
struct Late {
    most: usize,
    given: VecDeque<Piece>,
    blocks: usize,
}

impl Crew for Late {
    type Rows = Vec<String>;

    fn most(&self) -> usize {
        self.most
    }

    fn give(&mut self, piece: Piece) {
        self.blocks = self.blocks.saturating_add(1);
        self.given.push_back(piece);
    }

    fn take(&mut self) -> Option<Done<Vec<String>>> {
        self.given.pop_front().map(|piece| piece.read::<Self>(Vec::new()))
    }

    fn room(&self) -> Vec<String> {
        Vec::new()
    }

    fn keep(rows: &mut Vec<String>, row: &BillRow<'_>) {
        rows.push(format!("{row:?}"));
    }
}

type Told = Result<(Vec<String>, BillTotals), String>;

fn by_one(bytes: &[u8]) -> Told {
    let mut rows = Vec::new();
    let read = stream::read(&mut Cursor::new(bytes), &mut |row| rows.push(format!("{row:?}")));
    read.map(|totals| (rows, totals)).map_err(|fault| format!("{fault:?}"))
}

fn by_crew(bytes: &[u8], most: usize) -> (Told, Option<Marks>, usize) {
    let (mut crew, mut rows) = (Late { most, given: VecDeque::new(), blocks: 0 }, Vec::new());
    let read = stream::read_by(&mut Cursor::new(bytes), &mut crew, &mut |more| rows.extend(more));
    match read {
        Ok((totals, marks)) => (Ok((rows, totals)), marks, crew.blocks),
        Err(fault) => (Err(format!("{fault:?}")), None, crew.blocks),
    }
}

/// Whether both say the same; how many blocks the crew was given.
#[track_caller]
fn alike(bytes: &[u8], what: &str) -> usize {
    let alone = by_one(bytes);
    let mut given = 0;
    for most in [1, 3] {
        let (together, marks, blocks) = by_crew(bytes, most);
        assert!(together == alone, "{what}: {:?}", (together.map(|_| ()), alone.map(|_| ())));
        given = blocks;
        let (Some(marks), Ok((rows, _))) = (marks, &alone) else { continue };
        let line = |row: &String| -> u64 {
            let (line, _) = row.split_once("line: ").unwrap().1.split_once(',').unwrap();
            line.parse().unwrap()
        };
        for step in [1, 13, 999] {
            let wanted: Vec<&String> = rows.iter().step_by(step).collect();
            let lines: Vec<u64> = wanted.iter().map(|row| line(row)).collect();
            let mut again = Vec::new();
            let mut each = |row: BillRow<'_>| again.push(format!("{row:?}"));
            stream::again_at(&mut Cursor::new(bytes), &marks, &lines, &mut each).unwrap();
            assert!(wanted.into_iter().eq(&again), "{what}: again");
        }
    }
    given
}

/// Many rows with numbers of their own.
fn day() -> Vec<String> {
    let row = |n: usize| {
        let row = if n % 20 == 7 { BACK } else { PAID };
        row.replace("`P1,", &format!("`P{n},")).replace("`R1,", &format!("`R{n},"))
    };
    (0..6000).map(row).collect()
}

const SUMS: &str = "`6000,`399000.00,`2700.00,`300.00,`2377.80,`456000.00,`3000.00";

#[test]
fn a_crew_reads_what_one_reader_reads() {
    let whole = wechat(&day().concat(), SUMS);
    let (told, ..) = by_crew(whole.as_bytes(), 2);
    let (rows, totals) = told.unwrap();
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
    assert_eq!(rows.len(), 6000);
    assert!(alike(whole.as_bytes(), "whole") >= 3);
    assert!(alike(whole.trim_start_matches('\u{feff}').as_bytes(), "without a mark") >= 3);
    assert!(alike(whole.replace("\r\n", "\n").as_bytes(), "LF") >= 3);
    assert!(alike(whole.replace('`', "").as_bytes(), "without backticks") >= 3);
    assert!(alike(&gzip(whole.as_bytes()), "packed") >= 3);
    let (gb, ..) = encoding_rs::GB18030.encode(whole.trim_start_matches('\u{feff}'));
    assert_eq!(alike(&gb, "GB18030"), 0);
    for cut in [whole.len() - 1, whole.len() - 200, whole.len() / 2, 300_000] {
        alike(&whole.as_bytes()[..cut], "cut");
    }
}

#[test]
fn whatever_stands_in_the_middle_is_judged_as_one_reader_judges_it() {
    let footer = format!("{FOOTER}{SUMS}\r\n");
    for at in [0, 1500, 2999, 5999] {
        for other in [
            "",
            "\r\n",
            "  \r\n\r\n",
            "something\r\n",
            "`2018-11-30 10:00:00,`19\r\n",
            &PAID.replace("SUCCESS", "PAID"),
            &PAID.replace("80.00", "80.001"),
            &PAID.replace("2018", "2O18"),
            &PAID.replace("`80.00", "`92233720368547.00"),
            &PAID.replace("\r\n", ",`\r\n"),
            &PAID.replace('`', ""),
            &PAID.replace("`2018", "``2018"),
            &PAID.replace("P1", "订单"),
            &PAID.replace("P1", &"9".repeat(3000)),
            &PAID.replace("\r\n", "\n"),
            FOOTER,
            &footer,
            &WECHAT.replace('\u{feff}', ""),
        ] {
            let mut rows = day();
            rows.insert(at, other.to_owned());
            alike(wechat(&rows.concat(), SUMS).as_bytes(), &format!("{other:?} at {at}"));
        }
    }
    let mut bytes = wechat(&day().concat(), SUMS).into_bytes();
    bytes[400_000] = 0xff;
    alike(&bytes, "no text");
}

#[test]
fn a_crew_that_is_gone_is_told() {
    struct Gone;
    impl Crew for Gone {
        type Rows = ();
        fn most(&self) -> usize {
            1
        }
        fn give(&mut self, _: Piece) {}
        fn take(&mut self) -> Option<Done<()>> {
            None
        }
        fn room(&self) {}
        fn keep((): &mut (), _: &BillRow<'_>) {}
    }
    let whole = wechat(&day().concat(), SUMS);
    let read = stream::read_by(&mut Cursor::new(whole.as_bytes()), &mut Gone, &mut |()| ());
    assert!(matches!(read.map(|_| ()), Err(StreamError::Read(_))));
}
