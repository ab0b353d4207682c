//! Randomness that a test can take away.

use std::sync::atomic::{AtomicBool, Ordering};

use spare_key_server::entropy::{Entropy, EntropyFault, SystemEntropy};

/// The operating system's randomness, until it is told to fail.
#[derive(Debug, Default)]
pub struct TestEntropy {
    broken: AtomicBool,
}

impl TestEntropy {
    /// From now on nothing can be drawn.
    pub fn fail(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// From now on it works again.
    pub fn mend(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyFault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(EntropyFault("taken away by a test".to_owned()));
        }
        SystemEntropy.fill(buffer)
    }
}
