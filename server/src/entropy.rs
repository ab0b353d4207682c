//! The only place that draws randomness: the operating system's (NIST SP 800-63B-4, 3.2.12).
//!
//! A source that fails is a fault: nothing is issued and nothing is guessed in its place.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use chacha20::cipher::{KeyIvInit, StreamCipher};
use data_encoding::BASE64URL_NOPAD;
use zeroize::{Zeroize, Zeroizing};

use crate::model::{AuthenticatorId, Token};

/// Fills buffers with random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the whole buffer, or fails and is not to be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyFault>;
}

/// The source of randomness failed.
#[derive(Debug, thiserror::Error)]
#[error("the source of randomness failed: {0}")]
pub struct EntropyFault(pub String);

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where randomness is drawn"
    )]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyFault> {
        getrandom::fill(buffer).map_err(|error| EntropyFault(error.to_string()))
    }
}

/// So many random bytes.
pub fn draw_bytes<const N: usize>(
    source: &dyn Entropy,
) -> Result<Zeroizing<[u8; N]>, EntropyFault> {
    let mut bytes = Zeroizing::new([0_u8; N]);
    source.fill(bytes.as_mut_slice())?;
    Ok(bytes)
}

/// An opaque value of 256 random bits (RFC 6749, 10.10 asks for 160), in 43 URL-safe characters.
pub fn draw_token(source: &dyn Entropy) -> Result<Token, EntropyFault> {
    let bytes = draw_bytes::<32>(source)?;
    let mut text = BASE64URL_NOPAD.encode(bytes.as_slice());
    let token = Token::presented(&text);
    text.zeroize();
    Ok(token)
}

/// A new RSA key of 2048 bits (PKCS #8, DER), drawn by the cryptographic library from the
/// operating system's generator: tens of milliseconds of arithmetic.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where randomness is drawn"
)]
pub fn draw_rsa_key() -> Result<Zeroizing<Vec<u8>>, EntropyFault> {
    let failed = |_| EntropyFault("no RSA key could be drawn".to_owned());
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

/// A name for a new TOTP authenticator.
pub fn draw_authenticator_id(source: &dyn Entropy) -> Result<AuthenticatorId, EntropyFault> {
    let bytes = draw_bytes::<16>(source)?;
    Ok(AuthenticatorId(format!(
        "totp|dev_{}",
        BASE64URL_NOPAD.encode(bytes.as_slice())
    )))
}

/// A new key for a certificate: ECDSA over P-256, which every TLS client knows. Its library draws
/// from the operating system itself and takes no other source.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where randomness is drawn"
)]
pub fn draw_certificate_key() -> Result<Zeroizing<rcgen::KeyPair>, EntropyFault> {
    rcgen::KeyPair::generate()
        .map(Zeroizing::new)
        .map_err(|error| EntropyFault(error.to_string()))
}

/// The stream of bytes that a batch's 32-byte seed stands for: ChaCha20 (RFC 8439) with the seed
/// as key and a zero nonce, so that a batch can be drawn again from its sealed seed.
pub struct SeedStream(chacha20::ChaCha20);

impl SeedStream {
    /// The stream from its beginning.
    pub fn new(seed: &[u8; 32]) -> Self {
        Self(chacha20::ChaCha20::new(&(*seed).into(), &[0_u8; 12].into()))
    }

    /// The next bytes of the stream.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
        self.0.apply_keystream(buffer);
    }
}

impl std::fmt::Debug for SeedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeedStream(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_always_stands_for_the_same_stream() {
        let seed = [7_u8; 32];
        let mut once = [0_u8; 100];
        SeedStream::new(&seed).fill(&mut once);
        let mut again = SeedStream::new(&seed);
        let (mut head, mut tail) = ([1_u8; 33], [2_u8; 67]);
        again.fill(&mut head);
        again.fill(&mut tail);
        assert_eq!(once.as_slice(), [head.as_slice(), tail.as_slice()].concat());
    }

    /// Row A-05.
    #[test]
    fn tokens_are_256_bits_and_never_alike() {
        let tokens: HashSet<String> = (0..1_000)
            .map(|_| draw_token(&SystemEntropy).unwrap().reveal().to_owned())
            .collect();
        assert_eq!(tokens.len(), 1_000);
        assert!(tokens.iter().all(|token| token.len() == 43));
    }
}
