//! Asking whoever sits at the terminal: for a yes, for a password. Nothing is asked where nobody
//! sits.

use std::fs;
use std::io::{BufRead, IsTerminal, Read, Write, stderr, stdin};
use std::path::Path;

use zeroize::{Zeroize, Zeroizing};

use super::failure::Failure;

/// More than the longest password in bytes; what comes after is not read.
const LONGEST: u64 = 4 * 1024;

/// Whether to go on without asking.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Yes {
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl Yes {
    /// Goes on after a yes.
    pub(super) fn confirm(self, what: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !stdin().is_terminal() {
            return Err(Failure::usage(format!(
                "{what} cannot be undone, and nobody is here to ask"
            ))
            .remedy("add --yes"));
        }
        let mut answer = String::new();
        write!(stderr(), "{what} cannot be undone. Go on? [y/N] ")?;
        stdin().lock().read_line(&mut answer)?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            Ok(())
        } else {
            Err(Failure::new("nothing was done").remedy("answer y to go on"))
        }
    }
}

/// Where a password comes from. Never an argument: those are seen by every process.
pub(super) enum PasswordFrom<'a> {
    /// The first line of standard input, or a prompt.
    Terminal,
    /// The first line of standard input.
    Stdin,
    /// The first line of a file.
    File(&'a Path),
}

impl PasswordFrom<'_> {
    pub(super) fn read(&self) -> Result<Zeroizing<String>, Failure> {
        match self {
            Self::Terminal if stdin().is_terminal() => prompt(),
            Self::Terminal | Self::Stdin => first_line(stdin().lock(), "standard input"),
            Self::File(path) => {
                let name = path.display().to_string();
                let file = fs::File::open(path).map_err(|error| unreadable(&name, &error))?;
                first_line(file, &name)
            }
        }
    }
}

fn prompt() -> Result<Zeroizing<String>, Failure> {
    let ask = |text| {
        rpassword::prompt_password(text)
            .map(Zeroizing::new)
            .map_err(|error| unreadable("the terminal", &error))
    };
    let password = ask("Password: ")?;
    if password == ask("Once more: ")? {
        Ok(password)
    } else {
        Err(Failure::new("the two passwords are not the same").remedy("try again"))
    }
}

fn first_line(from: impl Read, name: &str) -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(256));
    std::io::BufReader::new(from.take(LONGEST))
        .read_until(b'\n', &mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    while bytes
        .last()
        .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
    {
        bytes.pop();
    }
    String::from_utf8(std::mem::take(&mut *bytes))
        .map(Zeroizing::new)
        .map_err(|error| {
            error.into_bytes().zeroize();
            Failure::new(format!("the password in {name} is not UTF-8"))
                .remedy("give it as text in UTF-8")
        })
}

fn unreadable(name: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("the password could not be read from {name}"))
        .because(error)
        .remedy("pipe it in with --password-stdin, or name a file with --password-file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_a_line_without_its_end() {
        for (given, password) in [
            ("correct horse\n", "correct horse"),
            ("correct horse\r\nsecond line", "correct horse"),
            (" kept \n", " kept "),
            ("", ""),
        ] {
            assert_eq!(
                first_line(given.as_bytes(), "here").unwrap().as_str(),
                password
            );
        }
        let error = first_line(&b"\xff\xfe"[..], "here").unwrap_err();
        assert!(error.text().contains("not UTF-8"));
    }
}
