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

    const fn two(first: Effect, second: Effect) -> Effects {
        Effects([Some(first), Some(second)])
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
    match (state.phase, event) {
        (Phase::Left, _) => (*state, Effects::default()),
        (_, Event::Left) => (
            State {
                phase: Phase::Left,
                ..*state
            },
            Effects::one(Effect::Wipe),
        ),
        (Phase::Shown, event) => shown(state, event),
        (Phase::Activating, event) => activating(state, event),
        (Phase::Done | Phase::Expired, _) => (*state, Effects::default()),
    }
}

fn shown(state: &State, event: Event) -> (State, Effects) {
    match event {
        Event::Copy => (*state, Effects::one(Effect::Copy)),
        Event::Download => (*state, Effects::one(Effect::Download)),
        Event::Print => (*state, Effects::one(Effect::Print)),
        Event::Copied => saved(state, Way::Copied, Notice::Copied),
        Event::Downloaded => saved(state, Way::Downloaded, Notice::Downloaded),
        Event::Printed => saved(state, Way::Printed, Notice::Printed),
        Event::WroteDown => saved(state, Way::WroteDown, Notice::WroteDown),
        Event::CopyRefused => {
            let announce = Effect::Announce(Notice::CopyRefused);
            (*state, Effects::two(Effect::SelectText, announce))
        }
        Event::DownloadFailed => (*state, say(Notice::DownloadFailed)),
        Event::PrintFailed => (*state, say(Notice::PrintFailed)),
        Event::Ticked => (
            State {
                ticked: true,
                ..*state
            },
            Effects::default(),
        ),
        Event::Unticked => (
            State {
                ticked: false,
                ..*state
            },
            Effects::default(),
        ),
        Event::Continue if state.ways == 0 => (*state, say(Notice::SaveFirst)),
        Event::Continue if !state.ticked => (*state, say(Notice::TickFirst)),
        Event::Continue => (
            State {
                phase: Phase::Activating,
                failure: None,
                ..*state
            },
            Effects::two(
                Effect::Announce(Notice::Activating),
                Effect::Activate {
                    generation: state.generation,
                },
            ),
        ),
        Event::Expired => expired(state),
        // Answers to a question that is not open.
        Event::Activated | Event::ActivationFailed(_) | Event::Left => (*state, Effects::default()),
    }
}

/// While the server is asked nothing else counts: a second Continue asks nothing twice, and the
/// clock is the server's affair.
fn activating(state: &State, event: Event) -> (State, Effects) {
    let failed = |failure, notice| {
        (
            State {
                phase: Phase::Shown,
                failure: Some(failure),
                ..*state
            },
            say(notice),
        )
    };
    match event {
        Event::Activated => (
            State {
                phase: Phase::Done,
                ..*state
            },
            Effects::two(Effect::Announce(Notice::Done), Effect::Wipe),
        ),
        Event::ActivationFailed(Failure::Network) => failed(Failure::Network, Notice::Network),
        Event::ActivationFailed(Failure::Refused) => failed(Failure::Refused, Notice::Refused),
        Event::ActivationFailed(Failure::Expired) => expired(state),
        _ => (*state, Effects::default()),
    }
}

/// Codes that will never work must not stay on the screen to be written down.
fn expired(state: &State) -> (State, Effects) {
    (
        State {
            phase: Phase::Expired,
            failure: Some(Failure::Expired),
            ..*state
        },
        Effects::two(Effect::Announce(Notice::Expired), Effect::Wipe),
    )
}

fn saved(state: &State, way: Way, notice: Notice) -> (State, Effects) {
    (
        State {
            ways: state.ways | way.bit(),
            ..*state
        },
        say(notice),
    )
}

const fn say(notice: Notice) -> Effects {
    Effects::one(Effect::Announce(notice))
}
