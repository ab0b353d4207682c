//! The names of the prompt's parts, as the vectors and JavaScript say them.

use super::{Effect, Event, Failure, Notice, Phase, Way};

impl Phase {
    /// Its name in lower case with dashes.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Shown => "shown",
            Phase::Activating => "activating",
            Phase::Done => "done",
            Phase::Expired => "expired",
            Phase::Left => "left",
        }
    }
}

impl Way {
    /// Its name in lower case with dashes.
    pub const fn name(self) -> &'static str {
        match self {
            Way::Copied => "copied",
            Way::Downloaded => "downloaded",
            Way::Printed => "printed",
            Way::WroteDown => "wrote-down",
        }
    }
}

impl Failure {
    /// Its name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Failure::Network => "network",
            Failure::Expired => "expired",
            Failure::Refused => "refused",
        }
    }
}

impl Event {
    /// The event of that name. `activation-failed` has a reason, `network`, `expired` or
    /// `refused`; for any other word, and for none, the server is taken to have refused.
    /// `None` for a name that is no event's.
    pub fn named(name: &str, reason: &str) -> Option<Event> {
        Some(match name {
            "copy" => Event::Copy,
            "download" => Event::Download,
            "print" => Event::Print,
            "wrote-down" => Event::WroteDown,
            "copied" => Event::Copied,
            "copy-refused" => Event::CopyRefused,
            "downloaded" => Event::Downloaded,
            "download-failed" => Event::DownloadFailed,
            "printed" => Event::Printed,
            "print-failed" => Event::PrintFailed,
            "ticked" => Event::Ticked,
            "unticked" => Event::Unticked,
            "continue" => Event::Continue,
            "activated" => Event::Activated,
            "activation-failed" => Event::ActivationFailed(match reason {
                "network" => Failure::Network,
                "expired" => Failure::Expired,
                _ => Failure::Refused,
            }),
            "expired" => Event::Expired,
            "left" => Event::Left,
            _ => return None,
        })
    }
}

impl Effect {
    /// Its name in lower case with dashes, without what it carries.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Copy => "copy",
            Effect::Download => "download",
            Effect::Print => "print",
            Effect::SelectText => "select-text",
            Effect::Announce(_) => "announce",
            Effect::Activate { .. } => "activate",
            Effect::Wipe => "wipe",
        }
    }
}

impl Notice {
    /// Its name in lower case with dashes: a text key.
    pub const fn name(self) -> &'static str {
        match self {
            Notice::Copied => "copied",
            Notice::CopyRefused => "copy-refused",
            Notice::Downloaded => "downloaded",
            Notice::DownloadFailed => "download-failed",
            Notice::Printed => "printed",
            Notice::PrintFailed => "print-failed",
            Notice::WroteDown => "wrote-down",
            Notice::SaveFirst => "save-first",
            Notice::TickFirst => "tick-first",
            Notice::Activating => "activating",
            Notice::Done => "done",
            Notice::Network => "network",
            Notice::Refused => "refused",
            Notice::Expired => "expired",
        }
    }
}
