//! Bodies and queries, member by member: every fault is told, and nothing of what was sent is
//! repeated.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::said::No;
use crate::http::Web;
use crate::http::idempotency::sent_key;
use crate::http::json::{self, Unread};

/// What is said of a device's number that is none.
pub(super) const DEVICE_ID: &str = "device_id must be a string of decimal digits.";

/// Of a one-time password.
pub(super) const SIX_DIGITS: &str = "code must be a string of six digits.";

/// Of a code of either kind.
pub(super) const CODE: &str = "code must be a string of 6 to 256 characters.";

/// Of a body that is none.
pub(super) const OBJECT: &str = "The body must be a JSON object.";

/// The members of a body, and what is wrong with them.
pub(super) struct Fields {
    members: Map<String, Value>,
    faults: Vec<&'static str>,
}

impl FromRequest<Web> for Fields {
    type Rejection = No;

    async fn from_request(request: Request, web: &Web) -> Result<Self, No> {
        let members = json::members(request, web)
            .await
            .map_err(|unread| match unread {
                Unread::TooLarge => No::TooLarge,
                Unread::Lost => No::invalid("The body did not arrive."),
                Unread::MediaType => No::MediaType,
                Unread::NotAnObject => No::invalid(OBJECT),
            })?;
        Ok(Self {
            members,
            faults: Vec::new(),
        })
    }
}

impl Fields {
    /// A text that fits; without one the fault is noted and the text is empty.
    pub(super) fn text(
        &mut self,
        name: &str,
        fits: impl FnOnce(&str) -> bool,
        fault: &'static str,
    ) -> Zeroizing<String> {
        match self.members.remove(name) {
            Some(Value::String(text)) if fits(&text) => Zeroizing::new(text),
            _ => {
                self.faults.push(fault);
                Zeroizing::default()
            }
        }
    }

    /// The same, where it may be absent or null.
    pub(super) fn optional(
        &mut self,
        name: &str,
        fits: impl FnOnce(&str) -> bool,
        fault: &'static str,
    ) -> Option<String> {
        match self.members.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => {
                let text = self.text(name, fits, fault);
                (!text.is_empty()).then(|| text.as_str().to_owned())
            }
        }
    }

    /// The number of a device. What can be nobody's is 0.
    pub(super) fn device(&mut self) -> i64 {
        let text = self.text("device_id", is_number, DEVICE_ID);
        number(&text)
    }

    /// Six digits.
    pub(super) fn otp(&mut self) -> Zeroizing<String> {
        let six = |text: &str| text.len() == 6 && is_number(text);
        self.text("code", six, SIX_DIGITS)
    }

    /// A code of either kind.
    pub(super) fn code(&mut self) -> Zeroizing<String> {
        let fits = |text: &str| text.len() <= 256 && text.chars().count() >= 6;
        self.text("code", fits, CODE)
    }

    /// That nothing was wrong.
    pub(super) fn done(self) -> Result<(), No> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(No::Invalid(self.faults))
        }
    }
}

/// `^[0-9]+$`.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number as this dialect writes it; 0 for what it would write otherwise, which is nobody's.
pub(super) fn number(text: &str) -> i64 {
    text.parse()
        .ok()
        .filter(|number: &i64| number.to_string() == text)
        .unwrap_or(0)
}

/// Which part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) take: usize,
    pub(super) skip: usize,
    pub(super) count_only: bool,
}

impl Page {
    /// From a query; what is not known is left aside.
    pub(super) fn read(query: Option<&str>) -> Result<Self, No> {
        let mut page = Self {
            take: 50,
            skip: 0,
            count_only: false,
        };
        let mut faults = Vec::new();
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query.unwrap_or_default()).unwrap_or_default();
        for (name, value) in pairs {
            match name.as_str() {
                "take" => match value.parse() {
                    Ok(take @ 1..=50) => page.take = take,
                    _ => faults.push("take must be a number from 1 to 50."),
                },
                // No number beyond what the document says there may be.
                "skip" => match value.parse::<u32>() {
                    Ok(skip) => page.skip = skip as usize,
                    _ => faults.push("skip must be a number from 0."),
                },
                "count_only" => match value.parse() {
                    Ok(count_only) => page.count_only = count_only,
                    _ => faults.push("count_only must be true or false."),
                },
                _ => {}
            }
        }
        if faults.is_empty() {
            Ok(page)
        } else {
            Err(No::Invalid(faults))
        }
    }
}

/// What is said of an idempotency key that is none.
const UNFIT_KEY: &str = "Idempotency-Key must be 1 to 255 visible ASCII characters, sent once.";

/// The caller's idempotency key, if it sent one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, No> {
    sent_key(headers).map_err(|_| No::invalid(UNFIT_KEY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_only_as_it_is_written() {
        assert_eq!(number("71"), 71);
        for none in ["", "071", "+1", "-1", "99999999999999999999", "7a"] {
            assert!(number(none) <= 0 && number(none) != 71, "{none}");
        }
    }

    #[test]
    fn a_page_has_bounds_and_defaults() {
        let read = |query| Page::read(Some(query)).map_err(|no| no.told().messages.len());
        assert_eq!(read("").unwrap(), Page::read(None).unwrap());
        assert_eq!(read("take=50&skip=3&count_only=true&x=y").unwrap().skip, 3);
        for wrong in [
            "take=0",
            "take=51",
            "take=x",
            "skip=-1",
            "skip=4294967296",
            "count_only=1",
        ] {
            assert_eq!(read(wrong), Err(1), "{wrong}");
        }
        assert_eq!(read("take=0&skip=-1"), Err(2));
    }
}
