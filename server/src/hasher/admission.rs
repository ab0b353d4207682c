//! Who is let into a lane.
//!
//! A lane holds so many hashes, and nobody more than a quarter of them: no account, and no address
//! that people come from. A quarter is still more than there are workers, so one address alone can
//! keep all of them busy; what it cannot do is fill the queue before everybody else.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Which part of a lane one account or one address may hold.
const SHARE: usize = 4;

/// One who holds places.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    /// An account, or a login as it was typed.
    Name(String),
    /// An address, or the network of one ([`network`]).
    Address(IpAddr),
}

/// For whom a place is asked, as far as it decides who is let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asker(Vec<Holder>);

impl Asker {
    /// Nobody in particular: only the lane's own bound holds.
    pub fn anyone() -> Self {
        Self::default()
    }

    /// For this account, or this login, whether or not there is one.
    pub fn named(name: &str) -> Self {
        Self(vec![Holder::Name(name.to_owned())])
    }

    /// The same, coming from this address. Not for programs that have proven a secret of theirs:
    /// many people come through one of them.
    #[must_use]
    pub fn at(mut self, address: Option<IpAddr>) -> Self {
        self.0
            .extend(address.map(|address| Holder::Address(network(address))));
        self
    }
}

/// IPv6 addresses are handed out by the network, so whoever has one has 2⁶⁴.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The lane is full.
    Full,
    /// The account or the address holds its share already.
    Share,
}

/// What a lane holds, in hashes.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: usize,
    /// Two entries at most for each job that is in: it forgets whoever holds nothing.
    held: HashMap<Holder, usize>,
}

impl Places {
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Lets so many hashes in, all or none. Asked is whether the lane, and whoever asks, are below
    /// what they may hold, so that a batch never waits for a lane to be empty: a lane holds one
    /// batch too much at most.
    pub(super) fn take(
        &mut self,
        hashes: usize,
        asker: &Asker,
        places: usize,
    ) -> Result<(), Refused> {
        if self.taken >= places {
            return Err(Refused::Full);
        }
        let share = places.div_ceil(SHARE);
        let held = |holder| self.held.get(holder).copied().unwrap_or(0);
        if asker.0.iter().any(|holder| held(holder) >= share) {
            return Err(Refused::Share);
        }
        self.taken += hashes;
        for holder in &asker.0 {
            *self.held.entry(holder.clone()).or_default() += hashes;
        }
        Ok(())
    }

    /// Takes back what [`Places::take`] gave.
    pub(super) fn give_back(&mut self, hashes: usize, asker: &Asker) {
        self.taken = self.taken.saturating_sub(hashes);
        for holder in &asker.0 {
            let held = self.held.get(holder).copied().unwrap_or(0);
            if held > hashes {
                self.held.insert(holder.clone(), held - hashes);
            } else {
                self.held.remove(holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> Asker {
        Asker::anyone().at(Some(address.parse().unwrap()))
    }

    #[test]
    fn nobody_holds_more_than_a_quarter_and_everybody_else_gets_in() {
        let mut places = Places::default();
        let alice = Asker::named("alice").at(Some("192.0.2.1".parse().unwrap()));
        for _ in 0..4 {
            places.take(1, &alice, 16).unwrap();
        }
        let elsewhere = Asker::named("alice").at(Some("192.0.2.2".parse().unwrap()));
        let another = Asker::named("bob").at(Some("192.0.2.1".parse().unwrap()));
        assert_eq!(places.take(1, &elsewhere, 16), Err(Refused::Share));
        assert_eq!(places.take(1, &another, 16), Err(Refused::Share));
        for who in 0..12 {
            let who = Asker::named(&format!("p{who}"));
            places.take(1, &who, 16).unwrap();
        }
        let last = Asker::named("last");
        assert_eq!(places.take(1, &last, 16), Err(Refused::Full));
        places.give_back(1, &alice);
        places.take(1, &elsewhere, 16).unwrap();
    }

    #[test]
    fn a_batch_counts_by_its_hashes_and_is_let_in_whole() {
        let mut places = Places::default();
        places.take(10, &Asker::named("alice"), 16).unwrap();
        assert_eq!(
            places.take(1, &Asker::named("alice"), 16),
            Err(Refused::Share)
        );
        places.take(10, &Asker::named("bob"), 16).unwrap();
        assert_eq!(places.taken(), 20);
        assert_eq!(
            places.take(1, &Asker::named("carol"), 16),
            Err(Refused::Full)
        );
    }

    #[test]
    fn what_is_given_back_is_forgotten() {
        let mut places = Places::default();
        for n in 0..100 {
            let who = Asker::named(&n.to_string()).at(Some("192.0.2.1".parse().unwrap()));
            places.take(3, &who, 8).unwrap();
            places.give_back(3, &who);
        }
        assert_eq!(places.taken(), 0);
        assert!(places.held.is_empty());
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        assert_eq!(at("2001:db8:1:2::3"), at("2001:db8:1:2:ffff::4"));
        assert_ne!(at("2001:db8:1:2::3"), at("2001:db8:1:3::3"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
    }

    #[test]
    fn the_smallest_lane_lets_one_in() {
        let mut places = Places::default();
        places.take(10, &Asker::named("alice"), 1).unwrap();
        places.give_back(10, &Asker::named("alice"));
        assert_eq!(places.taken(), 0);
    }
}
