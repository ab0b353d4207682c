//! The command line from outside: the real binary, in a folder of its own, with an environment of
//! its own.

#[cfg(test)]
mod administration;
#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod calibrate;
#[cfg(test)]
mod clients;
#[cfg(test)]
#[path = "../contract/cluster.rs"]
mod cluster;
#[cfg(test)]
mod codes;
#[cfg(test)]
#[path = "../contract/dumps.rs"]
mod dumps;
#[cfg(test)]
mod https;
#[cfg(test)]
mod importing;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod rotating;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod upgrading;
#[cfg(test)]
mod usage;
