//! The files as streams: the ledger is read once into a small table, the bill once against it, and
//! of both only those rows again that are no clean pair.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use adapters::bill::stream::{self, Marks, StreamError};
use domain::bill::{BillRow, BillTotals};
use reconciliation::{Again, Held, Reconciliation, Streaming, ledger};
use sha2::{Digest as _, Sha256};

use super::crew::{Spare, Threads};
use super::{Compared, OfflineError, bad_bill, bad_ledger, name, rules};
use crate::cli::OfflineArgs;
use crate::report::FileStamp;

/// How many blocks of the bill are read before they are compared.
const AHEAD: usize = 32;

/// How many threads read the bill.
const READERS: usize = 2;

/// Compares the files; `None` where one of them cannot be read twice or is not one text.
pub(super) fn compare(args: &OfflineArgs) -> Result<Option<Compared>, OfflineError> {
    let (Some(bill), Some(ledger)) = (regular(&args.bill)?, regular(&args.ledger)?) else {
        return Ok(None);
    };
    thread::scope(|scope| {
        // The hashes cost a good part of the reading; they have a thread of their own.
        let stamps = scope.spawn(|| (stamp(&args.bill, &bill), stamp(&args.ledger, &ledger)));
        let compared = matched(args, &bill, &ledger)?;
        let (bill, ledger) = ended(args, stamps.join())?;
        let (bill, ledger) = (bill?, ledger?);
        Ok(compared.map(|(result, totals)| Compared { result, totals, bill, ledger }))
    })
}

fn ended<T>(args: &OfflineArgs, joined: thread::Result<T>) -> Result<T, OfflineError> {
    joined.map_err(|_panicked| {
        let fault = io::Error::other("a thread that read it ended early");
        OfflineError::Read { file: args.bill.clone(), fault }
    })
}

type Matched = (Reconciliation, BillTotals);

fn matched(
    args: &OfflineArgs,
    mut bill: &File,
    ledger: &File,
) -> Result<Option<Matched>, OfflineError> {
    let unread = |fault| bad_ledger(&args.ledger, fault);
    let mut matcher = Streaming::new(rules(args));
    let spare = &Spare::default();
    let read = thread::scope(|scope| {
        let (send, batches) = mpsc::sync_channel(AHEAD);
        let reading = scope.spawn(move || read_ahead(bill, spare, &send));
        ledger::stream(ledger, &mut |row, place| matcher.ledger_row(row, place)).map_err(unread)?;
        matcher.bill_begins();
        for batch in batches {
            matcher.bill_rows(&batch);
            spare.keep(batch);
        }
        ended(args, reading.join())
    })?;
    let Some((totals, marks)) = sound(args, read)? else { return Ok(None) };
    let needed = matcher.bill_ends(totals.stated_day, totals.covers);
    let mut again = |row: BillRow<'_>| matcher.bill_row_again(&row);
    let read = match needed {
        Again::All => stream::read(&mut bill, &mut again).map(|_totals| ()),
        Again::Lines(lines) if lines.is_empty() => Ok(()),
        Again::Lines(lines) => match marks {
            Some(marks) => stream::again_at(&mut bill, &marks, &lines, &mut again),
            None => stream::again(&mut bill, &lines, &mut again),
        },
    };
    let Some(()) = sound(args, read)? else { return Ok(None) };
    let places = matcher.places();
    ledger::again(ledger, &places, &mut |row| matcher.ledger_row_again(row)).map_err(unread)?;
    Ok(Some((matcher.finish(), totals)))
}

/// Reads the bill while another thread compares. Where that one has given up nobody takes the rows.
fn read_ahead(
    mut bill: &File,
    spare: &Spare,
    send: &SyncSender<Held>,
) -> Result<(BillTotals, Option<Marks>), StreamError> {
    thread::scope(|scope| {
        let mut threads = Threads::start(scope, spare, READERS);
        stream::read_by(&mut bill, &mut threads, &mut |rows| {
            let _gone = send.send(rows);
        })
    })
}

/// `None` where only the whole of the bill can say what it is.
fn sound<T>(args: &OfflineArgs, read: Result<T, StreamError>) -> Result<Option<T>, OfflineError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StreamError::NotOneText) => Ok(None),
        Err(StreamError::Bill(fault)) => Err(bad_bill(&args.bill, fault)),
        Err(StreamError::Read(fault)) => Err(OfflineError::Read { file: args.bill.clone(), fault }),
    }
}

/// The file, if it is one that can be read twice.
fn regular(path: &Path) -> Result<Option<File>, OfflineError> {
    let unread = |fault| OfflineError::Read { file: path.to_owned(), fault };
    let file = File::open(path).map_err(unread)?;
    let is_regular = file.metadata().map_err(unread)?.is_file();
    Ok(is_regular.then_some(file))
}

/// Which file exactly it is. Its cursor is left alone.
fn stamp(path: &Path, file: &File) -> Result<FileStamp, OfflineError> {
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    let mut at = 0_u64;
    loop {
        let read = match file.read_at(&mut block, at) {
            Ok(0) => break,
            Ok(read) => read,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            Err(fault) => return Err(OfflineError::Read { file: path.to_owned(), fault }),
        };
        hash.update(block.get(..read).unwrap_or_default());
        at = at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FileStamp { name: name(path), sha256 })
}
