//! Where somebody is told.

use serde::Serialize;

use super::super::output::plain;
use crate::domain::AccountCard;
use crate::model::MailAddress;

/// Where an account's person is told of what happens.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct AddressesView {
    id: String,
    /// What they sign in with, if it is an address.
    login: Option<String>,
    addresses: Vec<String>,
}

impl AddressesView {
    pub(in crate::cli) fn new(card: &AccountCard, addresses: &[MailAddress]) -> Self {
        let login = card.login.clone();
        Self {
            id: card.id.as_str().to_owned(),
            login: login.filter(|login| MailAddress::parse(login).is_some()),
            addresses: addresses
                .iter()
                .map(|mail| mail.as_str().to_owned())
                .collect(),
        }
    }

    /// Lines for people.
    pub(in crate::cli) fn text(&self) -> String {
        let all: Vec<_> = self.login.iter().chain(&self.addresses).collect();
        if all.is_empty() {
            return format!("{} has no address: no mail tells them", plain(&self.id));
        }
        let lines = all.iter().map(|address| format!("\n  {}", plain(address)));
        format!(
            "{} is told at{}",
            plain(&self.id),
            lines.collect::<String>()
        )
    }
}
