//! The command line: what is asked for, by whom it is done, and how it ends.
//!
//! Commands print results on stdout, errors and log lines on stderr, and end with 0 (done), 1
//! (refused or failed) or 2 (wrong usage). Administration works on the store itself, also while
//! servers run on it.

mod account;
mod address;
mod api_key;
mod ask;
mod backup;
mod calibrate;
mod check;
mod client;
mod courier;
mod failure;
mod import;
mod keyring;
mod open;
mod output;
mod restore;
mod serve;
mod signing_key;
mod stop;
mod tls;
mod wire;

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use clap::{Args, Command as Clap, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use self::failure::{Exit, Failure};
pub use self::output::Output;
use crate::config::{Config, ConfigError, KEYRING_SECRET, Settings};
use crate::{dev, logging};

/// Recovery codes for login pages: issues, hashes, numbers and redeems them.
///
/// Without a command it starts for development, as `spare-key dev` does.
#[derive(Debug, Parser)]
#[command(name = "spare-key", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    dev: DevArgs,

    #[command(flatten)]
    settings: Settings,
}

const EXAMPLES: &str = "\
Examples:
  spare-key                                 try it: http://127.0.0.1:8080/ with demo accounts
  spare-key --https                         the same at https://127.0.0.1:8443/
  spare-key keyring init --keyring keyring.toml
  spare-key serve --keyring keyring.toml --store sqlite:spare-key.db \\
                  --issuer https://login.example.com
  spare-key account list --remaining-at-most 3

Exit codes: 0 done, 1 refused or failed, 2 wrong usage.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Start for development: demo accounts, data in ./spare-key-data/
    ///
    /// Makes ./spare-key-data/ with a keyring, a database and demo accounts when they are not
    /// there, prints addresses and credentials, and keeps the data for the next start. Delete the
    /// folder to start over. Listens on this computer only; --https makes a certificate authority
    /// there too and says how clients are told to trust it.
    Dev(DevArgs),

    /// Start for production
    ///
    /// Needs a keyring, an issuer and a store, and names what is missing. Speaks TLS with
    /// --tls-cert and --tls-key; without them plain HTTP, behind a proxy with TLS that
    /// --trusted-proxy names. A renewed certificate is read at the next start. SIGTERM and Ctrl-C
    /// let open requests finish.
    #[command(after_help = serve::EXAMPLES)]
    Serve,

    /// Add, list, help and remove the people who sign in
    #[command(subcommand, after_help = open::NOTE)]
    Account(account::Account),

    /// Add, list and remove the programs that call the API
    #[command(subcommand, after_help = open::NOTE)]
    Client(client::Client),

    /// Add, list and remove the API keys that people's own programs carry
    #[command(subcommand, after_help = open::NOTE)]
    ApiKey(api_key::ApiKey),

    /// Take over recovery codes that another system made
    ///
    /// All codes of an account or none; live at once; ended by the first that the person makes here.
    /// Says what was read, imported, left alone and refused, and ends with 1 when something was
    /// refused. Nothing that is printed holds a code or a digest.
    #[command(after_help = import::EXAMPLES)]
    Import(import::Import),

    /// Make, rotate and list the server's own keys
    ///
    /// The keyring is what makes a stolen database worthless. Keep it away from the database, and
    /// keep a copy: without it no stored code can be redeemed.
    #[command(subcommand)]
    Keyring(keyring::Keyring),

    /// List and rotate the keys that tokens are signed with
    ///
    /// They lie in the store, sealed by the keyring, and any number of servers share them. The
    /// first is made when it is first needed, by these commands too.
    #[command(subcommand, after_help = open::NOTE)]
    SigningKey(signing_key::SigningKey),

    /// Copy the database to a file, also while servers run on it
    ///
    /// The copy is one state of the database, checked, for its owner alone, and never written over
    /// another file. It says of itself that it is a backup: no server starts on it before
    /// `spare-key restore` has put it in place. The keyring is not in it.
    #[command(after_help = backup::NOTE)]
    Backup(backup::Backup),

    /// Put a backup in place, and say what becomes of the codes that were live in it
    ///
    /// What came after the backup is not in it: codes that were used are unused there, and batches
    /// that were replaced or revoked are live. So one of --codes and --spent-from must be given.
    /// Whichever it is, all sessions, trusted devices and signed tokens end, and the numbers of
    /// batches jump by 1000, so that none is given twice.
    #[command(after_help = restore::NOTE)]
    Restore(restore::Restore),

    /// Measure the slow hash here, and propose what to ask of it
    ///
    /// Parameters for a wanted time and memory, never below OWASP's floors, and what guessing a code
    /// would cost whoever has the database, with the arithmetic. Changes nothing.
    #[command(after_help = calibrate::NOTE)]
    Calibrate(calibrate::Calibrate),

    /// Say whether everything is fit to serve
    ///
    /// Looks at configuration, store, keyring, clock and browser module with the settings that
    /// `spare-key serve` would have, and ends with 1 when something is not fit.
    Check(Json),
}

/// What `dev` takes besides the settings.
#[derive(Debug, Clone, Copy, Args)]
struct DevArgs {
    /// Let dev listen where others can reach it, with its well-known passwords
    #[arg(long)]
    i_know_this_is_not_production: bool,

    /// Let dev speak https, on 127.0.0.1:8443, with a certificate made at the first start
    #[arg(long)]
    https: bool,
}

impl DevArgs {
    fn reach(self) -> dev::Reach {
        if self.i_know_this_is_not_production {
            dev::Reach::Anywhere
        } else {
            dev::Reach::Loopback
        }
    }

    fn scheme(self) -> dev::Scheme {
        if self.https {
            dev::Scheme::Https
        } else {
            dev::Scheme::Http
        }
    }

    /// What stands before the command and what stands behind it.
    fn and(self, other: Self) -> Self {
        Self {
            i_know_this_is_not_production: self.i_know_this_is_not_production
                || other.i_know_this_is_not_production,
            https: self.https || other.https,
        }
    }
}

/// For programs.
#[derive(Debug, Clone, Copy, Args)]
struct Json {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Reads the arguments, does what they say, and tells how it went.
pub fn main() -> ExitCode {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut output = Output::new(stdout());
    match run(cli, &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // There is nowhere left to say that stderr is gone.
            let _written = writeln!(stderr(), "{}", failure.text());
            failure.exit.into()
        }
    }
}

/// The command line. Settings are taken everywhere and shown in the help where they matter.
fn command() -> Clap {
    let mut command = Cli::command();
    // Only a built command has its global arguments in the subcommands.
    command.build();
    command.mut_subcommands(|command| match command.get_name() {
        "dev" => hide(command, &["tls_cert", "tls_key"]),
        "account" | "client" | "api-key" | "import" | "signing-key" => hide(command, &SERVING),
        "calibrate" => {
            let of_no_use = SERVING.iter().filter(|setting| **setting != "workers");
            let all: Vec<&str> = of_no_use
                .copied()
                .chain(["store", "keyring", "recovery_codes"])
                .collect();
            hide(command, &all)
        }
        "backup" | "restore" => {
            let all = [SERVING.as_slice(), &["keyring", "recovery_codes"]].concat();
            hide(command, &all)
        }
        "keyring" => {
            let all = [SERVING.as_slice(), &["recovery_codes"]].concat();
            hide(command, &all).mut_subcommands(|command| match command.get_name() {
                "list" => command,
                _ => hide(command, &["store"]),
            })
        }
        _ => command,
    })
}

/// Settings that only a server has a use for.
const SERVING: [&str; 12] = [
    "hash_cost",
    "keep_events",
    "listen",
    "tls_cert",
    "tls_key",
    "issuer",
    "no_pages",
    "trusted_proxy",
    "trust_issuer",
    "product",
    "theme",
    "workers",
];

fn hide(command: Clap, settings: &[&str]) -> Clap {
    command
        .mut_args(|arg| {
            let out_of_place = settings.contains(&arg.get_id().as_str());
            let hidden = arg.is_hide_set() || out_of_place;
            arg.hide(hidden)
        })
        .mut_subcommands(|command| hide(command, settings))
}

fn run(cli: Cli, output: &mut Output) -> Result<(), Failure> {
    let Cli {
        command,
        dev,
        settings,
    } = cli;
    let command = match command {
        None => Command::Dev(dev),
        Some(Command::Dev(args)) => Command::Dev(args.and(dev)),
        // Left alone it would answer in the clear, and nobody would have been told.
        Some(_) if dev.https => {
            return Err(Failure::usage("--https is for spare-key dev").remedy(
                "start for development with: spare-key dev --https, or for production with: \
                 spare-key serve --tls-cert FILE --tls-key FILE",
            ));
        }
        Some(other) => other,
    };
    let config = Config::read(settings, std::env::var_os(KEYRING_SECRET));
    start_logging(&command, config.as_ref().ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("no threads could be started").because(&error))?;
    runtime.block_on(command.run(config, output))
}

fn start_logging(command: &Command, config: Option<&Config>) -> Result<(), Failure> {
    let Some(config) = config else { return Ok(()) };
    let filter = config.log.as_deref().unwrap_or(match command {
        Command::Serve => "info",
        // Requests are not told of one by one: they would push the credentials off the screen.
        Command::Dev(_) => "warn,spare_key_server=info,spare_key_server::http::layers=warn",
        _ => "warn",
    });
    logging::start(filter, config.log_format).map_err(|error| {
        Failure::usage("the log filter cannot be read")
            .because(&error)
            .remedy("give a level (error, warn, info, debug) or module=level, with commas between")
    })
}

impl Command {
    async fn run(
        self,
        config: Result<Config, ConfigError>,
        output: &mut Output,
    ) -> Result<(), Failure> {
        match self {
            Self::Check(Json { json }) => check::run(config, output, json).await,
            Self::Calibrate(calibrate) => calibrate.run(&config?, output).await,
            Self::Dev(args) => serve::dev(&config?, args.reach(), args.scheme(), output).await,
            Self::Serve => serve::run(&config?).await,
            Self::Account(account) => account.run(&config?, output).await,
            Self::Import(import) => import.run(&config?, output).await,
            Self::Client(client) => client.run(&config?, output).await,
            Self::ApiKey(keys) => keys.run(&config?, output).await,
            Self::Keyring(keyring) => keyring.run(&config?, output).await,
            Self::Backup(backup) => backup.run(&config?, output),
            Self::Restore(restore) => restore.run(&config?, output),
            Self::SigningKey(keys) => keys.run(&config?, output).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_argument_is_explained() {
        command().debug_assert();
        let mut waiting = vec![command()];
        while let Some(command) = waiting.pop() {
            let name = command.get_name().to_owned();
            assert!(command.get_about().is_some(), "{name}");
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{name} {}", arg.get_id());
            }
            waiting.extend(command.get_subcommands().cloned());
        }
    }

    /// Row A-30.
    #[test]
    fn no_argument_takes_a_secret() {
        let mut waiting = vec![command()];
        while let Some(command) = waiting.pop() {
            for arg in command.get_arguments() {
                let id = arg.get_id().as_str();
                assert!(
                    !["password", "secret", "code", "token"].contains(&id),
                    "{id}"
                );
            }
            waiting.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn a_setting_can_stand_before_and_behind_the_command() {
        for line in [
            ["spare-key", "--listen", "127.0.0.1:1", "serve"],
            ["spare-key", "serve", "--listen", "127.0.0.1:1"],
        ] {
            let matches = command().try_get_matches_from(line).unwrap();
            let cli = Cli::from_arg_matches(&matches).unwrap();
            assert_eq!(cli.settings.listen.unwrap().port(), 1);
        }
    }
}
