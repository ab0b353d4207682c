//! The binary: arguments in, exit code out.

use std::process::ExitCode;

use spare_key_server::cli;

fn main() -> ExitCode {
    cli::main()
}
