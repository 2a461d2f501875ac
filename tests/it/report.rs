//! The paper that finance signs, read again from outside: the workbook by another reader and by
//! LibreOffice, the page as text. What one part says, every other part must bear out to the fen.

mod book;
mod foots;
mod office;
mod outcomes;
mod sorted;
mod words;
