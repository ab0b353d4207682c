//! The save prompt under any order of clicks and outcomes, a letter each.

use spare_key_core::prompt::{Effect, Event, Failure, Phase, State, step};

/// What each letter is; any other is nothing.
const EVENTS: [(u8, Event); 19] = [
    (b'c', Event::Copy),
    (b'd', Event::Download),
    (b'p', Event::Print),
    (b'w', Event::WroteDown),
    (b'C', Event::Copied),
    (b'D', Event::Downloaded),
    (b'P', Event::Printed),
    (b'x', Event::CopyRefused),
    (b'y', Event::DownloadFailed),
    (b'z', Event::PrintFailed),
    (b't', Event::Ticked),
    (b'u', Event::Unticked),
    (b'>', Event::Continue),
    (b'!', Event::Activated),
    (b'n', Event::ActivationFailed(Failure::Network)),
    (b'r', Event::ActivationFailed(Failure::Refused)),
    (b'e', Event::ActivationFailed(Failure::Expired)),
    (b'E', Event::Expired),
    (b'L', Event::Left),
];

const GENERATION: u32 = 7;

/// Holds the prompt to what it promises, whatever happens.
pub fn check(data: &[u8]) {
    let mut state = State::new(GENERATION, 10);
    let (mut saved, mut ticked, mut asked) = (false, false, false);
    for letter in data {
        let Some((_, event)) = EVENTS.iter().find(|(known, _)| known == letter) else {
            continue;
        };
        let shown = state.phase() == Phase::Shown;
        let (next, effects) = step(&state, *event);
        if shown {
            saved |= matches!(
                event,
                Event::Copied | Event::Downloaded | Event::Printed | Event::WroteDown
            );
            ticked = match event {
                Event::Ticked => true,
                Event::Unticked => false,
                _ => ticked,
            };
        }
        let effects: Vec<Effect> = effects.iter().collect();
        for effect in &effects {
            match effect {
                // Never without a way of saving and the tick, never twice at a time, never another.
                Effect::Activate { generation } => {
                    assert!(shown && saved && ticked && *event == Event::Continue);
                    assert_eq!(*generation, GENERATION);
                    asked = true;
                }
                // The codes go when they live, when they never will, and when the page is left.
                Effect::Wipe => assert!(matches!(
                    next.phase(),
                    Phase::Done | Phase::Expired | Phase::Left
                )),
                _ => assert!(shown || matches!(effect, Effect::Announce(_))),
            }
        }
        if next.phase() == Phase::Done {
            assert!(asked);
        }
        let over = [Phase::Done, Phase::Expired, Phase::Left];
        if next.phase() != state.phase() && over.contains(&next.phase()) {
            assert!(effects.contains(&Effect::Wipe) || over.contains(&state.phase()));
        }
        if state.phase() == Phase::Left {
            assert!(effects.is_empty() && next == state);
        }
        assert_eq!((next.generation(), next.count()), (GENERATION, 10));
        assert_eq!(
            next.can_continue(),
            next.phase() == Phase::Shown && saved && ticked
        );
        state = next;
    }
}
