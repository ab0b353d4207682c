//! The "save your codes" prompt as a machine: `step(state, event)` gives state and effects.
//!
//! It knows when a person may go on and what the page has to do next. It does nothing itself:
//! effects are data, the element carries them out and feeds the outcome back, so that a refused
//! clipboard is an event and not a silent success. It never holds a code, only the generation and
//! the count. It's for comfort: the server asks for the confirmation too.
//!
//! ```text
//! Shown ── Continue (saved and ticked) ──▶ Activating ── Activated ──▶ Done
//!   ▲                                          │
//!   └───────── ActivationFailed ───────────────┤  (network, refused)
//!                                              └──▶ Expired            Left from anywhere
//! ```

mod names;

/// Where the prompt is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// The codes are on the screen.
    Shown,
    /// The server was asked to make them live.
    Activating,
    /// They are live.
    Done,
    /// The batch was not confirmed in time: these codes will never work.
    Expired,
    /// The page was left; the codes are gone from it.
    Left,
}

/// How the codes were saved.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Way {
    /// Copied to the clipboard.
    Copied,
    /// Downloaded as a file.
    Downloaded,
    /// Printed.
    Printed,
    /// Written down by hand.
    WroteDown,
}

impl Way {
    /// All of them, in the order of the buttons.
    pub const ALL: [Way; 4] = [Way::Copied, Way::Downloaded, Way::Printed, Way::WroteDown];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Why an activation did not happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Failure {
    /// No answer came. The batch may be live or not: asking again is safe.
    Network,
    /// The pending batch is over its time.
    Expired,
    /// The server said no.
    Refused,
}

/// What happened: clicks, and outcomes of effects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// Clicked: copy.
    Copy,
    /// Clicked: download.
    Download,
    /// Clicked: print.
    Print,
    /// Clicked: "I wrote them down". Intention and outcome in one.
    WroteDown,
    /// The clipboard took the codes.
    Copied,
    /// The clipboard refused.
    CopyRefused,
    /// The file was handed to the browser.
    Downloaded,
    /// The file could not be made.
    DownloadFailed,
    /// The print dialog closed.
    Printed,
    /// The print dialog could not be opened.
    PrintFailed,
    /// The box "I have saved these codes" was ticked.
    Ticked,
    /// The box was cleared.
    Unticked,
    /// Clicked: continue.
    Continue,
    /// The server made the batch live.
    Activated,
    /// The server did not.
    ActivationFailed(Failure),
    /// The time of the pending batch ran out.
    Expired,
    /// The page is being left (`pagehide`).
    Left,
}

/// What the live region is to say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Notice {
    /// Copied.
    Copied,
    /// The clipboard refused; the codes are selected, to be copied by hand.
    CopyRefused,
    /// Downloaded.
    Downloaded,
    /// The download failed.
    DownloadFailed,
    /// Printed.
    Printed,
    /// Printing failed.
    PrintFailed,
    /// Noted that they were written down.
    WroteDown,
    /// Continue came too early: save them in one of the four ways, then tick the box.
    SaveFirst,
    /// Continue came too early: tick the box.
    TickFirst,
    /// The codes are being made live.
    Activating,
    /// The codes are live.
    Done,
    /// No answer from the server: try again.
    Network,
    /// The server refused: the old codes still work.
    Refused,
    /// Too late: these codes will never work, get new ones.
    Expired,
}

/// What the page has to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Write the codes to the clipboard; answer `Copied` or `CopyRefused`.
    Copy,
    /// Hand the file to the browser; answer `Downloaded` or `DownloadFailed`.
    Download,
    /// Open the print dialog; answer `Printed` or `PrintFailed`.
    Print,
    /// Select the codes, so that they can be copied by hand.
    SelectText,
    /// Say it in the live region.
    Announce(Notice),
    /// Ask the server to make this generation live; answer `Activated` or `ActivationFailed`.
    Activate {
        /// The generation that is on the screen, and no other.
        generation: u32,
    },
    /// Take the codes from the page.
    Wipe,
}

/// What the page has to do, in this order. Two effects at most.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Effects([Option<Effect>; 2]);

impl Effects {
    const fn one(effect: Effect) -> Effects {
        Effects([Some(effect), None])
    }

    const fn announced(notice: Notice, effect: Effect) -> Effects {
        Effects([Some(Effect::Announce(notice)), Some(effect)])
    }

    /// The effects in their order.
    pub fn iter(&self) -> impl Iterator<Item = Effect> + '_ {
        self.0.iter().flatten().copied()
    }
}

/// The state of one prompt for one batch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct State {
    generation: u32,
    count: u8,
    phase: Phase,
    ways: u8,
    ticked: bool,
    failure: Option<Failure>,
}

impl State {
    /// A prompt that shows `count` codes of this generation, not yet saved.
    pub const fn new(generation: u32, count: u8) -> State {
        State {
            generation,
            count,
            phase: Phase::Shown,
            ways: 0,
            ticked: false,
            failure: None,
        }
    }

    /// The generation of the batch on the screen.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// How many codes are on the screen.
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// Where the prompt is.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether the box is ticked.
    pub const fn ticked(&self) -> bool {
        self.ticked
    }

    /// The ways in which the codes were saved, in the order of the buttons.
    pub fn saved_by(&self) -> impl Iterator<Item = Way> + use<> {
        let ways = self.ways;
        Way::ALL
            .into_iter()
            .filter(move |way| ways & way.bit() != 0)
    }

    /// Why the last activation failed, until the next is tried.
    pub const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Whether Continue does something: shown, saved in one of the four ways, and ticked.
    pub const fn can_continue(&self) -> bool {
        matches!(self.phase, Phase::Shown) && self.ways != 0 && self.ticked
    }
}

/// The next state and what the page has to do for it.
///
/// Pure and total: an event that means nothing in the present phase changes nothing and has no
/// effect.
pub fn step(state: &State, event: Event) -> (State, Effects) {
    let mut next = *state;
    let effects = next.take(event);
    (next, effects)
}

impl State {
    fn take(&mut self, event: Event) -> Effects {
        match (self.phase, event) {
            (Phase::Left, _) => Effects::default(),
            (_, Event::Left) => {
                self.phase = Phase::Left;
                Effects::one(Effect::Wipe)
            }
            (Phase::Shown, event) => self.shown(event),
            (Phase::Activating, event) => self.activating(event),
            (Phase::Done | Phase::Expired, _) => Effects::default(),
        }
    }

    fn shown(&mut self, event: Event) -> Effects {
        Effects::one(match event {
            Event::Copy => Effect::Copy,
            Event::Download => Effect::Download,
            Event::Print => Effect::Print,
            Event::Copied => self.saved(Way::Copied, Notice::Copied),
            Event::Downloaded => self.saved(Way::Downloaded, Notice::Downloaded),
            Event::Printed => self.saved(Way::Printed, Notice::Printed),
            Event::WroteDown => self.saved(Way::WroteDown, Notice::WroteDown),
            Event::CopyRefused => {
                return Effects::announced(Notice::CopyRefused, Effect::SelectText);
            }
            Event::DownloadFailed => Effect::Announce(Notice::DownloadFailed),
            Event::PrintFailed => Effect::Announce(Notice::PrintFailed),
            Event::Continue if self.ways == 0 => Effect::Announce(Notice::SaveFirst),
            Event::Continue if !self.ticked => Effect::Announce(Notice::TickFirst),
            Event::Continue => {
                (self.phase, self.failure) = (Phase::Activating, None);
                let generation = self.generation;
                return Effects::announced(Notice::Activating, Effect::Activate { generation });
            }
            Event::Expired => return self.expired(),
            Event::Ticked | Event::Unticked => {
                self.ticked = event == Event::Ticked;
                return Effects::default();
            }
            // Answers to a question that is not open.
            Event::Activated | Event::ActivationFailed(_) | Event::Left => {
                return Effects::default();
            }
        })
    }

    /// While the server is asked nothing else counts: a second Continue asks nothing twice, and
    /// the clock is the server's affair.
    fn activating(&mut self, event: Event) -> Effects {
        let notice = match event {
            Event::Activated => {
                self.phase = Phase::Done;
                return Effects::announced(Notice::Done, Effect::Wipe);
            }
            Event::ActivationFailed(Failure::Expired) => return self.expired(),
            Event::ActivationFailed(Failure::Network) => Notice::Network,
            Event::ActivationFailed(Failure::Refused) => Notice::Refused,
            _ => return Effects::default(),
        };
        self.phase = Phase::Shown;
        self.failure = Some(match notice {
            Notice::Network => Failure::Network,
            _ => Failure::Refused,
        });
        Effects::one(Effect::Announce(notice))
    }

    /// Codes that will never work must not stay on the screen to be written down.
    fn expired(&mut self) -> Effects {
        (self.phase, self.failure) = (Phase::Expired, Some(Failure::Expired));
        Effects::announced(Notice::Expired, Effect::Wipe)
    }

    fn saved(&mut self, way: Way, notice: Notice) -> Effect {
        self.ways |= way.bit();
        Effect::Announce(notice)
    }
}
