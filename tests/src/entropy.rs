//! Randomness that a test can take away.

use std::sync::atomic::{AtomicU64, Ordering};

use spare_key_server::entropy::{Entropy, EntropyFault, SystemEntropy};

/// The operating system's randomness, until it is told to fail.
#[derive(Debug)]
pub struct TestEntropy {
    /// How often something can still be drawn.
    left: AtomicU64,
}

impl Default for TestEntropy {
    fn default() -> Self {
        Self {
            left: AtomicU64::new(u64::MAX),
        }
    }
}

impl TestEntropy {
    /// From now on nothing can be drawn.
    pub fn fail(&self) {
        self.fail_after(0);
    }

    /// Something can be drawn so often, and then nothing.
    pub fn fail_after(&self, draws: u64) {
        self.left.store(draws, Ordering::SeqCst);
    }

    /// From now on it works again.
    pub fn mend(&self) {
        self.fail_after(u64::MAX);
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyFault> {
        let drawn = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if drawn.is_err() {
            return Err(EntropyFault("taken away by a test".to_owned()));
        }
        SystemEntropy.fill(buffer)
    }
}
