//! What commands print, on standard output: results only. Errors and log lines go to stderr.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;
use zeroize::Zeroizing;

/// Standard output, or a test's buffer.
pub struct Output {
    to: Box<dyn Write + Send>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output(…)")
    }
}

impl Output {
    /// Prints to `to`.
    pub fn new(to: impl Write + Send + 'static) -> Self {
        Self { to: Box::new(to) }
    }

    /// Prints whole lines, at once.
    ///
    /// # Errors
    /// They could not be written. A reader that has gone away (`spare-key account list | head`)
    /// is no error.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        let written = self
            .to
            .write_all(text.as_bytes())
            .and_then(|()| self.to.write_all(b"\n"))
            .and_then(|()| self.to.flush());
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Prints a value as JSON, indented; the text is zeroed afterwards.
    ///
    /// # Errors
    /// As [`Output::print`].
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = Zeroizing::new(serde_json::to_string_pretty(value)?);
        self.print(&text)
    }

    /// Prints a table: a heading, and the columns as wide as they must be.
    ///
    /// # Errors
    /// As [`Output::print`].
    pub fn table<const N: usize>(
        &mut self,
        heading: [&str; N],
        rows: &[[String; N]],
    ) -> io::Result<()> {
        let width = |at: usize| {
            let cells = rows.iter().map(|row| row[at].chars().count());
            cells
                .chain([heading[at].chars().count()])
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        let line = |cells: [&str; N]| {
            let padded: Vec<String> = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            padded.join("  ").trim_end().to_owned()
        };
        let mut lines = vec![line(heading)];
        lines.extend(
            rows.iter()
                .map(|row| line(row.each_ref().map(String::as_str))),
        );
        self.print(&lines.join("\n"))
    }
}

/// Text that somebody else wrote, without what could steer a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Sends(Sender<Vec<u8>>);

    impl Write for Sends {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        assert!(Output::new(Fails(ErrorKind::BrokenPipe)).print("x").is_ok());
        assert!(
            Output::new(Fails(ErrorKind::StorageFull))
                .print("x")
                .is_err()
        );
    }

    #[test]
    fn a_table_is_as_wide_as_its_cells_and_no_line_ends_in_spaces() {
        let (sender, written) = channel();
        let rows = [
            ["auth0|alice".to_owned(), "7".to_owned()],
            ["b".to_owned(), "".to_owned()],
        ];
        Output::new(Sends(sender))
            .table(["ID", "LEFT"], &rows)
            .unwrap();
        let text: Vec<u8> = written.iter().flatten().collect();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "ID           LEFT\nauth0|alice  7\nb\n"
        );
    }

    /// Row A-106.
    #[test]
    fn nothing_that_is_printed_steers_a_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
