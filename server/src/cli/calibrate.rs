//! `spare-key calibrate`: what the slow hash costs here, what could be asked of it in a wanted time
//! and memory, and what guessing would cost somebody who has the database.
//!
//! It measures through the pool that the server hashes with, all workers busy, and changes nothing.

mod attack;

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use zeroize::Zeroizing;

use self::attack::Price;
use super::failure::Failure;
use super::output::Output;
use super::wire::{Calibration, CalibrationRow};
use crate::clock::Stopwatch;
use crate::config::Config;
use crate::domain::{FLOORS, Policy};
use crate::hasher::{Hasher, Job, Lane, PoolSize};
use crate::model::HashParams;

pub(super) const NOTE: &str = "\
Example:
  spare-key calibrate --time 50ms --memory 512MiB

Nothing is changed. A server hashes with what is proposed when it is started with the settings named
at the end; lists and passwords made before keep their own cost until they are replaced.";

/// Rounds of a measurement; their median counts.
const ROUNDS: usize = 3;

/// Hashes that the attacker's price is reckoned by; the shortest counts.
const ALONE: usize = 10;

/// What `calibrate` takes.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Calibrate {
    /// The longest that one hash may take with all workers busy: 50ms, 0.1s
    #[arg(long, value_name = "TIME", default_value = "50ms")]
    time: Time,

    /// The most memory that all workers may take together: 512MiB, 2GiB
    #[arg(long, value_name = "SIZE", default_value = "512MiB")]
    memory: Size,

    /// What an attacker pays for an hour of one processor core, in any currency
    #[arg(long, value_name = "PRICE", default_value = "0.01")]
    core_hour_price: Price,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy)]
struct Time(Duration);

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "give 1ms to 60s, for example 50ms or 0.1s";
        let (number, unit) = match text.strip_suffix("ms") {
            Some(number) => (number, 1e-3),
            None => (text.strip_suffix('s').ok_or(WRONG)?, 1.0),
        };
        let seconds = number.parse::<f64>().map_err(|_| WRONG)? * unit;
        // A number that is none is in no range.
        if !(0.001..=60.0).contains(&seconds) {
            return Err(WRONG);
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

/// In KiB.
#[derive(Debug, Clone, Copy)]
struct Size(u32);

impl FromStr for Size {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "give 7168KiB to 1024GiB, for example 512MiB";
        let units = [("KiB", 1), ("MiB", 1 << 10), ("GiB", 1 << 20)];
        let kib = units
            .iter()
            .find_map(|(unit, kib)| Some((text.strip_suffix(unit)?, kib)))
            .and_then(|(number, kib)| number.parse::<u32>().ok()?.checked_mul(*kib))
            .ok_or(WRONG)?;
        if (FLOORS[4]..=1 << 30).contains(&kib) {
            Ok(Self(kib))
        } else {
            Err(WRONG)
        }
    }
}

/// Parameters, and how long one hash of them takes with all workers busy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    pub(super) params: HashParams,
    pub(super) time: Duration,
}

impl Measured {
    fn memory_kib(self) -> f64 {
        f64::from(self.params.memory_kib)
    }

    /// What can be asked of the memory bus in place of more time.
    fn work(self) -> u64 {
        u64::from(self.params.memory_kib) * u64::from(self.params.passes)
    }
}

impl Calibrate {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let workers = self.workers(config.workers)?;
        let pool = Hasher::start(PoolSize {
            workers,
            admitted: 1,
        })
        .map_err(|error| Failure::new("the workers could not be started").because(&error))?;
        let in_use = config
            .hash_cost
            .map_or(Policy::standard(true).hash, |cost| cost.0);
        let now = measured(&pool, in_use).await?;
        let each = self.memory.0 / u32::try_from(workers).unwrap_or(u32::MAX);
        let mut rows = Vec::new();
        for (passes, floor) in (1..).zip(FLOORS) {
            if floor <= each {
                rows.push(self.row(&pool, passes, floor, each).await?);
            }
        }
        let proposed = self.proposed(&rows);
        let calibration = Calibration {
            code: Hasher::vector_code().unwrap_or("portable"),
            workers,
            memory_kib: self.memory.0,
            time_ms: millis(self.time.0),
            in_use: CalibrationRow::of(now, workers),
            possible: rows
                .iter()
                .map(|row| CalibrationRow::of(*row, workers))
                .collect(),
            proposed: CalibrationRow::of(proposed, workers),
            in_time: proposed.time <= self.time.0,
            attack: attack::costs(alone(&pool, now.params).await?, self.core_hour_price),
        };
        if self.json {
            Ok(output.json(&calibration)?)
        } else {
            Ok(print(&calibration, output)?)
        }
    }

    /// As many as were asked for, or as have room for a floor each.
    fn workers(self, wanted: usize) -> Result<usize, Failure> {
        let default = Policy::standard(true).hash.memory_kib;
        let room = usize::try_from(self.memory.0 / default).unwrap_or(usize::MAX);
        if room == 0 {
            return Err(Failure::usage(format!(
                "{} KiB have no room for one hash of {default} KiB",
                self.memory.0
            ))
            .remedy("give more: --memory 512MiB"));
        }
        Ok(wanted.min(room))
    }

    /// As much memory as the time allows with so many passes; never below the floor.
    async fn row(
        self,
        pool: &Hasher,
        passes: u32,
        floor: u32,
        each: u32,
    ) -> Result<Measured, Failure> {
        let of = |memory_kib| HashParams {
            memory_kib,
            passes,
            lanes: 1,
        };
        let least = measured(pool, of(floor)).await?;
        let times = self.time.0.as_secs_f64() / least.time.as_secs_f64().max(1e-6);
        // Whole MiB, and the memory that there is.
        let possible = (f64::from(floor) * times).min(f64::from(each)) as u32 / 1024 * 1024;
        if possible <= floor {
            return Ok(least);
        }
        measured(pool, of(possible)).await
    }

    /// RFC 9106, 4: the most memory that the time allows; among what takes too long, the shortest.
    fn proposed(self, rows: &[Measured]) -> Measured {
        let in_time = rows.iter().filter(|row| row.time <= self.time.0);
        let most = in_time.max_by_key(|row| (row.params.memory_kib, row.work()));
        let shortest = rows.iter().min_by_key(|row| row.time);
        most.or(shortest).copied().unwrap_or(Measured {
            params: Policy::standard(true).hash,
            time: Duration::MAX,
        })
    }
}

/// The median of a few rounds, each with all workers busy, after one that warms up.
async fn measured(pool: &Hasher, params: HashParams) -> Result<Measured, Failure> {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..=ROUNDS {
        let time = timed(pool, params, pool.workers() * 2).await?;
        if round > 0 {
            times.push(time / 2);
        }
    }
    times.sort();
    Ok(Measured {
        params,
        time: times[times.len() / 2],
    })
}

/// The shortest of some hashes, one after the other: an attacker's cores do nothing else.
async fn alone(pool: &Hasher, params: HashParams) -> Result<Measured, Failure> {
    let mut time = Duration::MAX;
    for _ in 0..ALONE {
        time = time.min(timed(pool, params, 1).await?);
    }
    Ok(Measured { params, time })
}

async fn timed(pool: &Hasher, params: HashParams, hashes: usize) -> Result<Duration, Failure> {
    let failed = || Failure::new("a hash could not be run");
    let permit = pool.admit(Lane::Codes).map_err(|_| failed())?;
    let jobs = (0..hashes).map(|_| job(params)).collect();
    let watch = Stopwatch::start();
    permit.hash_all(jobs).await.map_err(|_| failed())?;
    Ok(watch.elapsed())
}

/// Nobody's code: how long a hash takes does not depend on it.
fn job(params: HashParams) -> Job {
    Job {
        secret: Zeroizing::new(vec![0; 16]),
        salt: [0; 16],
        pepper: Zeroizing::new([0; 32]),
        bound_to: [0; 32],
        params,
    }
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 10.0
}

impl CalibrationRow {
    fn of(measured: Measured, workers: usize) -> Self {
        let HashParams {
            memory_kib,
            passes,
            lanes,
        } = measured.params;
        let a_second = workers as f64 / measured.time.as_secs_f64().max(1e-9);
        Self {
            memory_kib,
            passes,
            lanes,
            milliseconds: millis(measured.time),
            hashes_a_second: (a_second * 10.0).round() / 10.0,
            memory_of_all_kib: u64::from(memory_kib) * workers as u64,
        }
    }

    fn cells(&self, mark: &str) -> [String; 5] {
        let mib = |kib: f64| format!("{:.1}", kib / 1024.0);
        [
            format!(
                "m={} KiB, t={}, p={}",
                self.memory_kib, self.passes, self.lanes
            ),
            format!("{:.1}", self.milliseconds),
            format!("{:.1}", self.hashes_a_second),
            mib(self.memory_of_all_kib as f64),
            mark.to_owned(),
        ]
    }
}

fn print(calibration: &Calibration, output: &mut Output) -> std::io::Result<()> {
    let Calibration {
        code,
        workers,
        time_ms,
        memory_kib,
        in_use,
        possible,
        proposed,
        in_time,
        attack,
    } = calibration;
    output.print(&format!(
        "Argon2id with {workers} workers, all busy ({code} code); wanted: {time_ms} ms a hash, \
         {} MiB for all\n",
        memory_kib / 1024
    ))?;
    let mut rows = vec![in_use.cells("in use")];
    rows.extend(possible.iter().map(|row| {
        let chosen = row.memory_kib == proposed.memory_kib && row.passes == proposed.passes;
        row.cells(if chosen { "proposed" } else { "" })
    }));
    output.table(["PARAMETERS", "MS", "HASHES/S", "MIB", ""], &rows)?;
    if !in_time {
        output.print(
            "\nNothing at OWASP's floors is done in that time here; they are not gone below.",
        )?;
    }
    let CalibrationRow {
        memory_kib,
        passes,
        lanes,
        ..
    } = proposed;
    output.print(&format!(
        "\nTo use what is proposed: --workers {workers} --hash-cost m={memory_kib},t={passes},p={lanes}"
    ))?;
    output.print(&format!("\n{}", attack.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(time: &str, memory: &str) -> Calibrate {
        Calibrate {
            time: time.parse().unwrap(),
            memory: memory.parse().unwrap(),
            core_hour_price: "0.01".parse().unwrap(),
            json: false,
        }
    }

    fn row(memory_kib: u32, passes: u32, ms: u64) -> Measured {
        Measured {
            params: HashParams {
                memory_kib,
                passes,
                lanes: 1,
            },
            time: Duration::from_millis(ms),
        }
    }

    #[test]
    fn times_and_sizes_are_read_with_their_units_and_nothing_else_is() {
        assert_eq!("50ms".parse::<Time>().unwrap().0, Duration::from_millis(50));
        assert_eq!(
            "0.1s".parse::<Time>().unwrap().0,
            Duration::from_millis(100)
        );
        for wrong in ["", "50", "ms", "-1s", "0ms", "61s", "NaNs", "infs", "1h"] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
        assert_eq!("512MiB".parse::<Size>().unwrap().0, 524_288);
        assert_eq!("2GiB".parse::<Size>().unwrap().0, 2_097_152);
        for wrong in ["", "512", "512MB", "1KiB", "-1MiB", "1.5GiB", "4096GiB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_most_memory_in_time_is_proposed_and_without_any_the_shortest() {
        let rows = [row(60_000, 1, 49), row(40_000, 2, 50), row(90_000, 1, 51)];
        let proposed = given("50ms", "512MiB").proposed(&rows);
        assert_eq!(proposed.params.memory_kib, 60_000);
        let proposed = given("1ms", "512MiB").proposed(&rows);
        assert_eq!(proposed.time, Duration::from_millis(49));
    }

    #[test]
    fn workers_are_as_many_as_have_room_for_the_floor() {
        assert_eq!(given("1ms", "512MiB").workers(4).unwrap(), 4);
        assert_eq!(given("1ms", "40MiB").workers(4).unwrap(), 2);
        assert!(given("1ms", "18MiB").workers(4).is_err());
    }

    // OWASP's floors, as its cheat sheet for storing passwords lists them.
    #[tokio::test]
    async fn nothing_below_a_floor_is_ever_measured_or_proposed() {
        let pool = Hasher::start(PoolSize {
            workers: 1,
            admitted: 1,
        })
        .unwrap();
        for (passes, floor) in (1..).zip(FLOORS) {
            let row = given("1ms", "64MiB")
                .row(&pool, passes, floor, 65_536)
                .await
                .unwrap();
            assert!(row.params.memory_kib >= floor);
            assert_eq!(row.params.passes, passes);
        }
    }
}
