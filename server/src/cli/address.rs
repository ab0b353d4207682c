//! `spare-key account address`: where somebody is told of what happens to their codes and factors.

use clap::Args;

use super::Json;
use super::account::Id;
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::{Output, plain};
use super::wire::AddressesView;
use crate::config::Config;
use crate::domain::{ADDRESSES_MAX, AddressAdded, Caller};
use crate::model::MailAddress;

pub(super) const EXAMPLES: &str = "\
Examples:
  spare-key account address 'auth0|dora'
  spare-key account address 'auth0|dora' --add dora@home.example
  spare-key account address 'auth0|dora' --remove dora@home.example --json";

#[derive(Debug, Args)]
pub(super) struct Address {
    #[command(flatten)]
    id: Id,

    /// Tell the person at this address too: one that is known to be theirs; may be given several
    /// times
    #[arg(long, value_name = "ADDRESS", value_parser = mail)]
    add: Vec<MailAddress>,

    /// Tell the person no more at this address; may be given several times
    #[arg(long, value_name = "ADDRESS", value_parser = mail)]
    remove: Vec<MailAddress>,

    #[command(flatten)]
    json: Json,
}

fn mail(text: &str) -> Result<MailAddress, &'static str> {
    // What cannot be written to would be told of nothing.
    let fits = text.parse::<lettre::Address>().is_ok();
    MailAddress::parse(text)
        .filter(|_| fits)
        .ok_or("a mail address has an @ and neither spaces nor commas")
}

impl Address {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let Self {
            id,
            add,
            remove,
            json: Json { json },
        } = self;
        let app = open::administration(config, Absent::Refused)?;
        let mfa = app.mfa();
        let card = mfa.account(&id.into_inner()).await?;
        let caller = Caller::administrator(card.id.clone());
        for mail in &remove {
            if !mfa.remove_address(&caller, mail).await? {
                return Err(Failure::new(format!(
                    "{} is not told at {}",
                    plain(card.id.as_str()),
                    plain(mail.as_str())
                ))
                .remedy("see where they are told: spare-key account address ID"));
            }
        }
        for mail in &add {
            if mfa.add_address(&caller, mail).await? == AddressAdded::TooMany {
                return Err(Failure::new(format!(
                    "nobody is told at more than {ADDRESSES_MAX} addresses beside the one they sign in with"
                ))
                .remedy("remove one first: --remove ADDRESS"));
            }
        }
        let view = AddressesView::new(&card, &mfa.addresses(&card.id).await?);
        if json {
            return Ok(output.json(&view)?);
        }
        Ok(output.print(&view.text())?)
    }
}
